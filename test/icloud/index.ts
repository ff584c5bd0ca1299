/** The iCloud double: the doors (sign-in, sessions) and the photos behind one port, told apart by host name. */
import { readFileSync } from "node:fs";
import type { Hono } from "hono";
import type { LoggedRequest } from "./contract.ts";
import { type AccountSwitches, DoubleAccount } from "./doors/account.ts";
import { createIdmsa } from "./doors/idmsa.ts";
import { createSetup } from "./doors/setup.ts";
import { FaultBoard } from "./faults.ts";
import { DoubleLog } from "./log.ts";
import {
  createPhotosHalf,
  mixedSampleLibrary,
  type PhotoLibrary,
  type PhotosDouble,
  type PhotosSettings,
} from "./photos/index.ts";
import { serveWire } from "./wire.ts";

export { answers, type Fault, FaultBoard, type HeldRequests } from "./faults.ts";
export * from "./photos/index.ts";

export interface DoubleOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Paths of key and certificate, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly domain?: "com" | "cn";
  /** Region of the sign-in service; default: `domain`. */
  readonly signInDomain?: "com" | "cn";
  readonly partition?: number;
  readonly now?: () => number;
  readonly username?: string;
  readonly password?: string;
  /** The first code that is shown; later ones count up. */
  readonly code?: string;
  readonly account?: Partial<AccountSwitches>;
  readonly library?: PhotoLibrary;
  readonly photos?: Partial<PhotosSettings>;
  /** Says every answer in other words. */
  readonly transform?: (response: Response, request: LoggedRequest) => Response | Promise<Response>;
}

export interface Double {
  readonly port: number;
  readonly url: string;
  /** Environment that points kei here. */
  readonly env: Readonly<Record<string, string>>;
  readonly account: DoubleAccount;
  readonly code: string;
  readonly photos: PhotosDouble;
  readonly library: PhotoLibrary;
  readonly faults: FaultBoard;
  readonly log: DoubleLog;
  stop(): Promise<void>;
}

export async function startDouble(options: DoubleOptions = {}): Promise<Double> {
  const { domain = "com", partition = 61, now = Date.now, code = "123456" } = options;
  const tld = domain === "cn" ? "com.cn" : "com";
  const signInTld = (options.signInDomain ?? domain) === "cn" ? "com.cn" : "com";
  const account = new DoubleAccount(
    options.username ?? "alex.test@example.com",
    options.password ?? "Correct-Horse-42",
    code,
    options.account ?? {},
  );
  const log = new DoubleLog();
  const faults = new FaultBoard();
  const library = options.library ?? mixedSampleLibrary();
  const photos = createPhotosHalf(
    { now, log, gate: account.gate(`icloud.${tld}`), partition, domain, dsid: account.dsid },
    { library, ...options.photos },
  );
  const home = `https://www.icloud.${tld}`;
  const idmsa = createIdmsa({
    account,
    root: `https://idmsa.apple.${signInTld}`,
    home,
    cookieDomain: `apple.${signInTld}`,
  });
  const setup = createSetup({
    account,
    home,
    cookieDomain: `icloud.${tld}`,
    partition,
    otherDomain: domain === "cn" ? "iCloud.com" : "iCloud.com.cn",
    now,
  });

  const siteOf = (
    host: string,
  ): { readonly app: Hono; readonly operation: (path: string, body: unknown) => string } | undefined => {
    if (host === `idmsa.apple.${signInTld}`) return { app: idmsa, operation: signInOperation };
    if (host === `setup.icloud.${tld}`) return { app: setup, operation: (path) => path.split("/").at(-1) ?? path };
    if (/^p\d+-ckdatabasews\.icloud\./.test(host) && host.endsWith(`.icloud.${tld}`))
      return { app: photos.cloudkit, operation: photos.operationOf };
    if (host === photos.cdnHost) return { app: photos.cdn, operation: () => "cdn" };
    return undefined;
  };

  const handle = async (request: Request): Promise<Response> => {
    const host = (request.headers.get("x-kei-test-host") ?? request.headers.get("host") ?? "").replace(/:\d+$/, "");
    const site = siteOf(host);
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.text();
    const body = parse(text);
    const entry: LoggedRequest = {
      at: now(),
      host,
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(request.headers),
      body,
      operation: site === undefined ? "unknown" : operationName(site.operation(url.pathname, body), request.method),
      status: 0,
    };
    log.add(entry);
    const fault = faults.next(entry);
    if (fault?.cut === "reset") throw new Error("connection cut");
    if (fault?.cut === "hang")
      await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve(), { once: true }));
    if (fault?.respond !== undefined) return record(entry, await fault.respond(entry));
    if (site === undefined) return record(entry, new Response("Misdirected Request", { status: 421 }));
    const passed = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      ...(text === "" ? {} : { body: text }),
      signal: request.signal,
    });
    const plain = await site.app.fetch(passed);
    const response = options.transform === undefined ? plain : await options.transform(plain, entry);
    return record(entry, fault?.transform === undefined ? response : await fault.transform(response, entry));
  };

  const server = await serveWire({
    fetch: handle,
    port: options.port ?? 0,
    ...(options.tls === undefined
      ? {}
      : { tls: { key: readFileSync(options.tls.key, "utf8"), cert: readFileSync(options.tls.cert, "utf8") } }),
  });
  return {
    port: server.port,
    url: server.origin,
    env: { KEI_TEST_ICLOUD: server.origin },
    account,
    code,
    photos,
    library,
    faults,
    log,
    stop: () => server.close(),
  };
}

function record(entry: LoggedRequest, response: Response): Response {
  entry.status = response.status;
  return response;
}

/** The two-factor calls share their paths; the method tells them apart. */
function operationName(name: string, method: string): string {
  if (name === "trusteddevice/securitycode") return method === "PUT" ? "push" : "code";
  if (name === "verify/phone") return "sms";
  if (name === "phone/securitycode") return "smscode";
  return name === "2sv/trust" ? "trust" : name;
}

function signInOperation(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.length <= 2 ? "options" : parts.slice(-2).join("/");
}

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text; // Not JSON: kept as it came.
  }
}
