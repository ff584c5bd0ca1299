import { createHmac } from "node:crypto";

/** Signed download URLs (cloudkit.md 6.1). The signature covers path and query, but not the file name between them. */

const SECRET = "signing key of the double";

export interface UrlParts {
  readonly fileChecksum: string;
  readonly referenceChecksum: string;
  readonly wrappingKey: Uint8Array;
  readonly zone: string;
  /** Unix seconds. */
  readonly expires: number;
  /** X-Apple-Request-UUID of the answer that carries the URL. */
  readonly requestId: string;
}

export interface UrlSettings {
  readonly host: string;
  readonly partition: number;
}

const urlSafe = (base64: string): string => base64.replaceAll("+", "-").replaceAll("/", "_");

export function mintUrl(parts: UrlParts, settings: UrlSettings): string {
  const path = `/B/${urlSafe(parts.fileChecksum)}${urlSafe(parts.referenceChecksum)}`;
  const key = urlSafe(Buffer.from(parts.wrappingKey).toString("base64")).replace(/=+$/, "");
  const query = [
    `o=Ao${urlSafe(parts.referenceChecksum)}${urlSafe(parts.fileChecksum).slice(0, 14)}`,
    "v=1&x=3",
    `a=CAog${urlSafe(parts.fileChecksum)}${urlSafe(parts.referenceChecksum)}EgA`,
    `e=${parts.expires}&fl=&r=${parts.requestId}-1&k=${key}`,
    `ckc=com.apple.photos.cloud&ckz=${encodeURIComponent(parts.zone)}&y=1&p=${settings.partition}`,
  ].join("&");
  return `https://${settings.host}${path}/\${f}?${query}&s=${sign(path, query)}`;
}

export type UrlVerdict =
  | { readonly ok: true; readonly fileChecksum: string; readonly expires: number; readonly zone: string }
  | { readonly ok: false; readonly problem: "malformed" | "signature" };

/** Takes a request's path and query apart; any file name may stand in the place of `${f}`. */
export function readUrl(pathAndQuery: string): UrlVerdict {
  const match = /^(\/B\/([A-Za-z0-9_-]{28})[A-Za-z0-9_-]{28})\/[^/?]+\?(.*)&s=([A-Za-z0-9_-]+)$/.exec(pathAndQuery);
  const [, path, checksum, query, signature] = match ?? [];
  if (path === undefined || checksum === undefined || query === undefined) return { ok: false, problem: "malformed" };
  const parameters = new URLSearchParams(query);
  const expires = Number(parameters.get("e"));
  if (signature !== sign(path, query) || !Number.isFinite(expires)) return { ok: false, problem: "signature" };
  return {
    ok: true,
    fileChecksum: checksum.replaceAll("-", "+").replaceAll("_", "/"),
    expires,
    zone: parameters.get("ckz") ?? "",
  };
}

function sign(path: string, query: string): string {
  return createHmac("sha256", SECRET).update(`${path}?${query}`).digest("base64url");
}
