import { isMediaUrl } from "../library/media-hosts.ts";
import type { AppleFetch } from "../runtime/network.ts";

const MOST_REDIRECTS = 5;

/** Host of a URL, for messages and brakes; never the whole URL, which is a key to the photo. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "unknown host";
}

/** A redirect led away from Apple's media hosts, or in circles. */
export class BadRedirect extends Error {
  override readonly name = "BadRedirect";
}

/** Follows redirects by hand, so that every hop is checked against the allowed hosts. */
export async function fetchMedia(fetch: AppleFetch, url: string, init: RequestInit): Promise<Response> {
  let at = url;
  for (let hops = 0; ; hops += 1) {
    if (!isMediaUrl(at))
      throw new BadRedirect(`the server pointed to ${hostOf(at)}, which is not one of Apple's media hosts`);
    const response = await fetch(at, init);
    const location = response.headers.get("location");
    if (response.status < 301 || response.status > 308 || response.status === 304 || location === null) return response;
    await response.body?.cancel();
    if (hops >= MOST_REDIRECTS) throw new BadRedirect("the server redirects without end");
    const target = URL.parse(location, at);
    if (target === null) throw new BadRedirect("the server redirects to something that is no address");
    at = target.href;
  }
}
