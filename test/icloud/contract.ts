/**
 * The iCloud double, as tests, the demo and the benchmark see it, and the seam between its two halves: the doors
 * (sign-in, sessions, host routing) and the photos (records, CloudKit, CDN).
 */
import type { Hono } from "hono";

/** One HTTP exchange as the double saw it; bodies of requests are kept as parsed JSON when they are JSON. */
export interface LoggedRequest {
  readonly at: number;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Short name of the operation, e.g. `signin/init`, `accountLogin`, `private/records/query:assets`, `cdn`. */
  readonly operation: string;
  status: number;
}

export interface RequestLog {
  readonly all: readonly LoggedRequest[];
  count(operation: string | RegExp): number;
  clear(): void;
}

/** What the CloudKit half asks the doors about each call. */
export interface SessionGate {
  /** Undefined when the cookies are good, else the gateway's reason, e.g. `Missing X-APPLE-WEBAUTH-TOKEN cookie`. */
  refuse(cookieHeader: string | undefined): string | undefined;
  /** A fresh `Set-Cookie` value for X-APPLE-WEBAUTH-TOKEN (cloudkit.md 1.3: every answer rotates it). */
  rotate(): string;
}

/** What both halves share. */
export interface DoubleContext {
  readonly now: () => number;
  readonly log: RequestLog;
  readonly gate: SessionGate;
  /** Partition of the account, e.g. 61: its CloudKit host is `p61-ckdatabasews.icloud.com`. */
  readonly partition: number;
  readonly domain: "com" | "cn";
  readonly dsid: string;
}

/**
 * Built by the photos half, mounted by the doors under the CloudKit and CDN hosts. Send its answers with `wire.ts`: its
 * faults need `Content-Length` beside a stream, and a broken connection where a stream fails.
 */
export interface PhotosHalf {
  /** Paths `/database/1/com.apple.photos.cloud/production/...`. Checks cookies, partition host, query and body itself. */
  readonly cloudkit: Hono;
  /** Paths `/B/...` of `cvws.icloud-content.com`. */
  readonly cdn: Hono;
  /** Short name for the log, e.g. `private/records/query:assets`, `shared/changes/zone`, `cdn`. */
  operationOf(path: string, body: unknown): string;
}
