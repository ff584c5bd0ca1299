/** The content hosts: signed URLs, ranges, expiry (cloudkit.md 6), and what can go wrong there. */
import { type Context, Hono } from "hono";
import type { DoubleContext } from "../contract.ts";
import { wholeResponse } from "../wire.ts";
import type { CdnFaultKind, CdnFaults, CdnRequest } from "./cdn-faults.ts";
import type { PhotoLibrary } from "./library.ts";
import type { Resource } from "./records.ts";
import type { PhotosSettings } from "./settings.ts";
import { readUrl } from "./url.ts";
import type { Zone } from "./zone.ts";

export interface CdnParts {
  readonly context: DoubleContext;
  readonly library: PhotoLibrary;
  readonly settings: PhotosSettings;
  readonly faults: CdnFaults;
}

/** Totals of what left the CDN; tests compare them with what a library weighs. */
export interface CdnTraffic {
  requests: number;
  /** Bytes of media sent, as far as the answers were taken. */
  bytes: number;
  /** Requests that carried a cookie, which Apple's clients never do. */
  withCookies: number;
}

export function createCdn(parts: CdnParts): { readonly app: Hono; readonly traffic: CdnTraffic } {
  const traffic: CdnTraffic = { requests: 0, bytes: 0, withCookies: 0 };
  const asked = new Map<string, number>();
  const app = new Hono();
  app.all("*", (c) => serve(c, parts, traffic, asked));
  return { app, traffic };
}

function serve(c: Context, parts: CdnParts, traffic: CdnTraffic, asked: Map<string, number>): Response {
  const { context, library } = parts;
  traffic.requests += 1;
  if (c.req.header("cookie") !== undefined) traffic.withCookies += 1;
  if (c.req.method === "OPTIONS") return new Response(null, { status: 200, headers: common(context) });
  if (c.req.method !== "GET") return problem(context, 405, "method not allowed");
  const url = new URL(c.req.url);
  const verdict = readUrl(`${url.pathname}${url.search}`);
  if (!verdict.ok) {
    return verdict.problem === "signature"
      ? problem(context, 403, "signature does not match")
      : problem(context, 400, "invalid content request");
  }
  if (context.now() >= verdict.expires * 1000) return problem(context, 410, "url has expired");
  const found = library.resource(verdict.fileChecksum);
  if (found === undefined) return problem(context, 404, "no such content");
  const { resource, zone, owner } = found;
  const range = c.req.header("range");
  const slice = readRange(range, resource.body.size);
  const earlier = asked.get(verdict.fileChecksum) ?? 0;
  asked.set(verdict.fileChecksum, earlier + 1);
  const request: CdnRequest = {
    url: c.req.url,
    zone: verdict.zone,
    owner,
    assetIds: assetsShowing(zone, owner),
    prefix: resource.prefix,
    checksum: verdict.fileChecksum,
    size: resource.body.size,
    range,
    offset: slice === undefined || slice === "unsatisfiable" ? 0 : slice.start,
    earlier,
  };
  const fault = parts.faults.take(request);
  const name = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  const delivery: Delivery = { context, resource, slice, name, traffic, sleep: parts.settings.sleep };
  return fault === undefined ? deliver(delivery) : misdeliver(delivery, fault);
}

function assetsShowing(zone: Zone, owner: string): readonly string[] {
  const assets = zone.assetsOf(owner);
  return assets.length > 0 ? assets : [owner];
}

interface Slice {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** A single byte range; undefined for none, or for forms that a server may ignore. */
export function readRange(header: string | undefined, size: number): Slice | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  const [, first, last] = match ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

interface Delivery {
  readonly context: DoubleContext;
  readonly resource: Resource;
  readonly slice: Slice | "unsatisfiable" | undefined;
  /** File name as asked for; the answer repeats it. */
  readonly name: string;
  readonly traffic: CdnTraffic;
  readonly sleep: (ms: number) => Promise<void>;
}

function common(context: DoubleContext): Headers {
  const tld = context.domain === "cn" ? "com.cn" : "com";
  return new Headers({
    "accept-ranges": "bytes",
    "access-control-allow-credentials": "false",
    "access-control-allow-headers": "",
    "access-control-allow-methods": "GET,OPTIONS",
    "access-control-allow-origin": `https://www.icloud.${tld}`,
    date: new Date(context.now()).toUTCString(),
    server: "AppleHttpServer/2f080fc0",
    "x-apple-request-uuid": crypto.randomUUID(),
    "x-responding-instance": "contentvendorws:301500304:double:8404:18RC199:nocommit",
  });
}

/** Headers of a 200 or 206 as recorded (cloudkit.md 6.2). */
function mediaHeaders(delivery: Delivery): Headers {
  const headers = common(delivery.context);
  const quoted = encodeURIComponent(delivery.name);
  headers.set("content-type", "application/octet-stream");
  headers.set("content-disposition", `attachment; filename="${quoted}"; filename*=UTF-8''${quoted}`);
  headers.set("cache-control", "no-transform,private,max-age=2592000,s-maxage=2592000");
  headers.set("last-modified", new Date(delivery.context.now()).toUTCString());
  return headers;
}

function deliver(delivery: Delivery): Response {
  const { resource, slice, context, traffic } = delivery;
  const size = resource.body.size;
  if (slice === "unsatisfiable") {
    const headers = common(context);
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const headers = mediaHeaders(delivery);
  const { start, end } = slice ?? { start: 0, end: size };
  const content = resource.body.bytes(start, end);
  traffic.bytes += content.length;
  headers.set("content-length", String(content.length));
  if (slice !== undefined) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  return wholeResponse(owned(content), { status: slice === undefined ? 200 : 206, headers });
}

function misdeliver(delivery: Delivery, fault: CdnFaultKind): Response {
  const { resource, context, traffic } = delivery;
  const size = resource.body.size;
  const slice = delivery.slice === "unsatisfiable" ? undefined : delivery.slice;
  const start = slice?.start ?? 0;
  const content = resource.body.bytes(start, slice?.end ?? size);
  const headers = mediaHeaders(delivery);
  const status = slice === undefined ? 200 : 206;
  if (slice !== undefined) headers.set("content-range", `bytes ${slice.start}-${slice.end - 1}/${size}`);
  const whole = (bytes: Uint8Array, code = status): Response => {
    traffic.bytes += bytes.length;
    headers.set("content-length", String(bytes.length));
    return new Response(owned(bytes), { status: code, headers });
  };
  const stream = (steps: AsyncIterable<Uint8Array>, length?: number): Response => {
    if (length !== undefined) headers.set("content-length", String(length));
    return new Response(streamOf(steps, traffic), { status, headers });
  };
  switch (fault.kind) {
    case "status": {
      const response = problem(context, fault.status, fault.body ?? "content is not available");
      if (fault.retryAfter !== undefined) response.headers.set("retry-after", String(fault.retryAfter));
      return response;
    }
    case "redirect":
      return new Response(null, { status: 302, headers: { location: fault.location } });
    case "ignore-range":
      headers.delete("content-range");
      return whole(resource.body.bytes(), 200);
    case "truncate":
      return stream(once(content.subarray(0, fault.bytes)), fault.contentLength ? content.length : undefined);
    case "flip-bit": {
      const at = Math.min(fault.at ?? content.length >> 1, content.length - 1);
      content[at] = (content[at] ?? 0) ^ 1;
      return whole(content);
    }
    case "short-length":
      return whole(content.subarray(0, Math.max(0, content.length - fault.by)));
    case "long-body":
      return whole(Buffer.concat([content, Buffer.alloc(fault.by, 0x2a)]));
    case "chunked":
      return stream(once(content));
    case "html":
      headers.set("content-type", fault.contentType ?? "text/html; charset=UTF-8");
      return whole(Buffer.from("<!DOCTYPE html><html><body>Service unavailable</body></html>"));
    case "json":
      headers.set("content-type", fault.contentType ?? "application/json; charset=UTF-8");
      return whole(Buffer.from('{"error":{"code":"UNAVAILABLE","message":"try again later"}}'));
    case "tiny":
      return whole(Buffer.from("Bad login session"));
    case "empty":
      return whole(new Uint8Array(0));
    case "drip":
      return stream(drip(content, fault.bytes, fault.intervalMs, delivery.sleep), content.length);
    case "reset":
      return stream(broken(content.subarray(0, fault.afterBytes)), content.length);
    case "stall":
      return stream(silent(content.subarray(0, fault.afterBytes)), content.length);
    case "shifted-range": {
      const from = Math.max(0, Math.min(size - 1, start + fault.by));
      headers.set("content-range", `bytes ${from}-${size - 1}/${size}`);
      return whole(resource.body.bytes(from, size), 206);
    }
    case "lying-range": {
      const from = Math.max(0, Math.min(size - 1, start + fault.by));
      return whole(resource.body.bytes(from, from + content.length));
    }
    case "bad-content-range":
      if (fault.value === undefined) headers.delete("content-range");
      else headers.set("content-range", fault.value);
      return whole(content);
  }
}

/** A copy with a buffer of its own, which is what a Response takes without another one. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);

function problem(context: DoubleContext, status: number, text: string): Response {
  const headers = common(context);
  headers.set("content-type", "application/json; charset=UTF-8");
  return new Response(JSON.stringify({ error: { status, message: text } }), { status, headers });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error("connection reset by the double");
}

async function* silent(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise<never>(() => undefined);
}

async function* drip(
  bytes: Uint8Array,
  step: number,
  intervalMs: number,
  sleep: (ms: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) {
    yield bytes.subarray(at, at + step);
    await sleep(intervalMs);
  }
}

function streamOf(steps: AsyncIterable<Uint8Array>, traffic: CdnTraffic): ReadableStream<Uint8Array> {
  const iterator = steps[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else {
          traffic.bytes += value.length;
          if (value.length > 0) controller.enqueue(value);
        }
      } catch (error) {
        controller.error(error);
      }
    },
  });
}
