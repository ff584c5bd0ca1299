/** CloudKit's web services for Photos: transport rules of cloudkit.md 1, errors of 7.1. */
import { gzipSync } from "node:zlib";
import { type Context, Hono } from "hono";
import type { DoubleContext } from "../contract.ts";
import { type Answer, type Call, type CallMemory, CloudKitError, GatewayFailure } from "./call.ts";
import { changesDatabase, changesZone, listZones } from "./changes.ts";
import type { DataFaults } from "./faults.ts";
import { type Json, printJson } from "./json.ts";
import type { PhotoLibrary } from "./library.ts";
import { lookupRecords } from "./lookup.ts";
import { modifyRecords } from "./modify.ts";
import { queryBatch, queryRecords } from "./query.ts";
import type { PhotosSettings } from "./settings.ts";
import { asObject, type Body } from "./validate.ts";

type Handler = (call: Call, body: Body) => Answer;

const OPERATIONS: Readonly<Record<string, Handler>> = {
  "records/query": queryRecords,
  "internal/records/query/batch": queryBatch,
  "records/lookup": lookupRecords,
  "records/modify": modifyRecords,
  "changes/zone": changesZone,
  "changes/database": changesDatabase,
  "zones/list": listZones,
};

/** The one operation that peers call without any query string (cloudkit.md 1.2). */
const WITHOUT_QUERY = "zones/list";

const ROOT = "/database/1/com.apple.photos.cloud/production/";

export interface CloudKitParts {
  readonly context: DoubleContext;
  readonly library: PhotoLibrary;
  readonly settings: PhotosSettings;
  readonly faults: DataFaults;
  readonly cdnHost: string;
}

export function createCloudKit(parts: CloudKitParts): Hono {
  const memory: CallMemory = { pagesServed: new Map(), heldMasters: new Map(), databaseCalls: 0 };
  const app = new Hono();
  app.all("*", (c) => serve(c, parts, memory));
  return app;
}

async function serve(c: Context, parts: CloudKitParts, memory: CallMemory): Promise<Response> {
  const { context, settings } = parts;
  const started = performance.now();
  const requestId = crypto.randomUUID();
  const headers = standardHeaders(context, requestId);
  try {
    const route = routeOf(new URL(c.req.url).pathname);
    if (route === undefined) return plain(404, "Not Found", headers);
    if (c.req.method !== "POST") return plain(405, "Method Not Allowed", headers);
    if (!rightPartition(c, context)) return gateway("Misdirected Request", headers);
    const refusal = context.gate.refuse(c.req.header("cookie"));
    if (refusal !== undefined) return gateway(refusal, headers);
    headers.append("set-cookie", context.gate.rotate());
    const call: Call = {
      ...parts,
      memory,
      database: route.database,
      requestId,
      wantsToken: isTrue(c.req.query("getCurrentSyncToken")),
    };
    if (route.operation !== WITHOUT_QUERY && !isTrue(c.req.query("remapEnums"))) {
      throw new CloudKitError(400, "BAD_REQUEST", "missing required query parameter remapEnums");
    }
    const answer = route.handler(call, await readBody(c));
    await pace(settings, answer.weight);
    headers.set("x-apple-edge-response-time", String(Math.round(performance.now() - started)));
    return json(c, 200, answer.body, headers, settings);
  } catch (error) {
    if (error instanceof GatewayFailure) {
      return plain(error.status, "<html><body><h1>502 Bad Gateway</h1></body></html>", headers, "text/html");
    }
    if (!(error instanceof CloudKitError)) throw error;
    const body = { uuid: crypto.randomUUID(), serverErrorCode: error.code, reason: error.reason };
    return json(c, error.status, body, headers, settings);
  }
}

interface Route {
  readonly database: "private" | "shared";
  readonly operation: string;
  readonly handler: Handler;
}

function routeOf(path: string): Route | undefined {
  if (!path.startsWith(ROOT)) return undefined;
  const [database, ...rest] = path.slice(ROOT.length).split("/");
  const operation = rest.join("/");
  const handler = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (handler === undefined || (database !== "private" && database !== "shared")) return undefined;
  return { database, operation, handler };
}

const isTrue = (value: string | undefined): boolean => value === "true" || value === "True";

/** A host of another partition answers 421; names without a partition (tests on loopback) are taken as right. */
function rightPartition(c: Context, context: DoubleContext): boolean {
  const host = c.req.header("x-kei-test-host") ?? c.req.header("host") ?? "";
  const partition = /^p(\d+)-ckdatabasews\./.exec(host)?.[1];
  return partition === undefined || Number(partition) === context.partition;
}

async function readBody(c: Context): Promise<Body> {
  const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "text/plain" && type !== "application/json") {
    throw new CloudKitError(400, "BAD_REQUEST", "unsupported content type");
  }
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    throw new CloudKitError(400, "BAD_REQUEST", "request body is not JSON");
  }
  return asObject(body, "request");
}

const SMALL_MS = 70;
const FULL_PAGE_MS = 2_500;

async function pace(settings: PhotosSettings, weight: number): Promise<void> {
  if (settings.latency <= 0) return;
  const ms = SMALL_MS + (Math.min(weight, 200) / 200) * (FULL_PAGE_MS - SMALL_MS);
  await settings.sleep(ms * settings.latency);
}

function standardHeaders(context: DoubleContext, requestId: string): Headers {
  const tld = context.domain === "cn" ? "com.cn" : "com";
  return new Headers({
    "access-control-allow-credentials": "true",
    "access-control-allow-origin": `https://www.icloud.${tld}`,
    "access-control-expose-headers": "X-Apple-Request-UUID,X-Responding-Instance,Via",
    date: new Date(context.now()).toUTCString(),
    server: "AppleHttpServer/3faf4ee9434b",
    "strict-transport-security": "max-age=31536000; includeSubDomains;",
    "x-apple-cloudkit-version": "1.0",
    "x-apple-request-uuid": requestId,
    "x-apple-user-partition": String(context.partition),
    "x-responding-instance": `ckdatabasews:96683508:prod-p${context.partition}-ckdatabasews-double:8080:2322B333:0`,
    via: "xrail:icloud-xrail-double:8301:23R321:grp53",
  });
}

function json(c: Context, status: number, body: Json, headers: Headers, settings: PhotosSettings): Response {
  headers.set("content-type", "application/json; charset=UTF-8");
  const text = printJson(body, settings.pretty);
  if (settings.gzip && /\bgzip\b/.test(c.req.header("accept-encoding") ?? "")) {
    headers.set("content-encoding", "gzip");
    return new Response(new Uint8Array(gzipSync(text, { level: 1 })), { status, headers });
  }
  return new Response(text, { status, headers });
}

/** The gateway in front of CloudKit has a shape of its own (cloudkit.md 7.1). */
function gateway(reason: string, headers: Headers): Response {
  headers.set("content-type", "application/json; charset=UTF-8");
  return new Response(JSON.stringify({ reason, error: 1 }), { status: 421, headers });
}

function plain(status: number, text: string, headers: Headers, type = "text/plain"): Response {
  headers.set("content-type", type);
  return new Response(text, { status, headers });
}
