import { createFetch, type FetchOptions } from "ofetch";
import { type AppleFetch, appleFetch, networkErrorKind } from "../runtime/network.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { PrivateFile } from "../runtime/private-file.ts";
import { follow } from "../runtime/signals.ts";
import { type Cookies, createCookies, formatCookies, parseCookies } from "./cookies.ts";
import { type Domain, endpointsOf, isAppleHost, USER_AGENT } from "./endpoints.ts";
import { type AppleHttp, AppleNetworkError, type AppleRequest, type AppleResponse } from "./http.ts";

/** Total time of one request with its answer, ms (auth.md 1.6). */
const TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 5;
/** Cookies rotate with every answer; the file follows at most this often, ms (DECISIONS 19). */
export const SAVE_EVERY_MS = 2_500;

export interface AppleClientOptions {
  readonly domain: Domain;
  /** The region of the sign-in service, where it is not the account's own. */
  readonly signInDomain?: Domain | undefined;
  /** Where the cookies are kept. */
  readonly file: PrivateFile;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How requests leave. Default: `appleFetch`. */
  readonly fetch?: AppleFetch;
}

/** `AppleHttp` with the jar that it fills. */
export interface AppleClient extends AppleHttp {
  readonly cookies: Cookies;
  /** Puts the cookies on disk now. Rejects when the disk refuses. */
  flush(): Promise<void>;
  /** Deletes all cookies, on disk too. */
  forget(): Promise<void>;
  /** Ends the saving in the background and puts the cookies on disk. Rejects when the disk refuses. */
  close(): Promise<void>;
}

/** Opens the account's cookies; a damaged file is warned about and replaced by an empty jar (auth.md 5.4). */
export async function createAppleHttp(options: AppleClientOptions): Promise<AppleClient> {
  const { domain, file, clock, logger } = options;
  const saved = await file.read();
  const stored = saved === undefined ? [] : parseCookies(saved);
  if (stored === undefined) logger.warn("The saved cookies are damaged and not used; Apple may want a new sign-in.");
  const cookies = createCookies(clock, stored ?? [], logger);
  const saver = createSaver(() => file.write(formatCookies(cookies.dump())), clock, logger);
  const { authRoot } = endpointsOf(domain, options.signInDomain);
  const mayCarry = (url: string): boolean => isAppleHost(url, domain) || URL.parse(url)?.origin === authRoot;
  const exchange = createExchange(options.fetch ?? appleFetch, domain, cookies, saver.soon);

  async function request(wanted: AppleRequest): Promise<AppleResponse> {
    const deadline = createDeadline(wanted.timeoutMs ?? TIMEOUT_MS, wanted.signal);
    const startedAt = clock.monotonic();
    let current = wanted;
    if (!mayCarry(wanted.url)) throw new TypeError("refused to send a session to a host that is not Apple's");
    try {
      for (let hop = 0; ; hop += 1) {
        const answer = await exchange(current, deadline.signal);
        const next = hop < MAX_REDIRECTS ? redirected(current, answer, mayCarry) : undefined;
        if (next === undefined) {
          logger.debug("Apple answered", describe(current, answer, clock.monotonic() - startedAt));
          return answer;
        }
        current = next;
      }
    } catch (error) {
      wanted.signal?.throwIfAborted();
      const kind = deadline.expired() ? "timeout" : networkErrorKind(causeOf(error));
      const host = new URL(current.url).hostname;
      logger.debug("no answer", { host, kind });
      // Without a cause: its text holds the whole address.
      throw new AppleNetworkError(host, kind);
    } finally {
      deadline.clear();
    }
  }

  return {
    cookies,
    request,
    flush: saver.now,
    async forget() {
      cookies.clear();
      await file.remove();
    },
    close: saver.close,
  };
}

/** One exchange: cookies and common headers out, cookies in. ofetch carries it; retries and redirects are ours. */
function createExchange(fetch: AppleFetch, domain: Domain, cookies: Cookies, onCookies: () => void) {
  const { home } = endpointsOf(domain);
  const common = {
    "User-Agent": USER_AGENT,
    Accept: "*/*",
    // Said by us, or Deno says `*`, which no browser does.
    "Accept-Language": "en-US,en;q=0.9",
    Origin: home,
    Referer: `${home}/`,
  };
  const leave = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (typeof input !== "string") throw new TypeError("requests to Apple are made by address");
    return fetch(input, init ?? {});
  };
  const api = createFetch({ fetch: leave as typeof globalThis.fetch });

  return async (wanted: AppleRequest, signal: AbortSignal): Promise<AppleResponse> => {
    const options: FetchOptions<"text"> = {
      method: wanted.method,
      headers: new Headers({ ...common, ...wanted.headers }),
      body: wanted.body ?? null,
      signal,
      keepalive: wanted.freshConnection !== true,
      retry: false,
      ignoreResponseError: true,
      responseType: "text",
      onRequest({ options: { headers } }) {
        const cookie = cookies.header(wanted.url);
        if (cookie !== undefined) headers.set("Cookie", cookie);
      },
      onResponse({ response }) {
        if (cookies.store(wanted.url, response.headers.getSetCookie())) onCookies();
      },
    };
    const answer = await api.raw<string, "text">(wanted.url, options);
    const text = typeof answer._data === "string" ? answer._data : "";
    return { status: answer.status, headers: answer.headers, text, json: parseJson(text) };
  };
}

/** The request that a redirect asks for; undefined when the answer is final or points away from Apple. */
function redirected(
  request: AppleRequest,
  answer: AppleResponse,
  mayCarry: (url: string) => boolean,
): AppleRequest | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  const location = answer.headers.get("location");
  const url = location === null ? null : URL.parse(location, request.url);
  if (url === null || !mayCarry(url.href)) return undefined;
  const keepsBody = answer.status === 307 || answer.status === 308 || request.method === "GET";
  return keepsBody ? { ...request, url: url.href } : { ...request, url: url.href, method: "GET", body: undefined };
}

/** A signal that ends with the caller's, or after `ms`, for headers and body together. */
function createDeadline(ms: number, parent: AbortSignal | undefined) {
  const request = follow(...(parent === undefined ? [] : [parent]));
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    request.abort(new DOMException("the request took too long", "TimeoutError"));
  }, ms);
  return {
    signal: request.signal,
    expired: () => expired,
    clear() {
      clearTimeout(timer);
      request.release();
    },
  };
}

/** Saves soon after a change, at most every `SAVE_EVERY_MS`. */
function createSaver(save: () => Promise<void>, clock: Clock, logger: Logger) {
  const closing = new AbortController();
  let waiting = false;
  const later = async (): Promise<void> => {
    try {
      await clock.sleep(SAVE_EVERY_MS, closing.signal);
      waiting = false;
      await save();
    } catch (error) {
      waiting = false;
      // Cut short by `close`, which saves by itself and reports what goes wrong.
      if (closing.signal.aborted) return;
      logger.warn("Cannot save the session's cookies.", { code: (error as NodeJS.ErrnoException).code });
    }
  };
  return {
    soon(): void {
      if (waiting || closing.signal.aborted) return;
      waiting = true;
      void later();
    },
    now: save,
    async close(): Promise<void> {
      closing.abort();
      await save();
    },
  };
}

/** Apple labels JSON as HTML at times, so the text itself decides. */
function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** ofetch wraps what went wrong on the wire. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.name === "FetchError" && error.cause !== undefined ? error.cause : error;
}

/** What may be said in a log: never the query, which names the account. */
function describe(request: AppleRequest, answer: AppleResponse, ms: number) {
  const url = new URL(request.url);
  return {
    call: `${request.method} ${url.host}${url.pathname}`,
    status: answer.status,
    ms: Math.round(ms),
    rscd: answer.headers.get("x-apple-i-rscd") ?? undefined,
    ercd: answer.headers.get("x-apple-i-ercd") ?? undefined,
    request: answer.headers.get("x-apple-i-request-id") ?? answer.headers.get("x-apple-request-uuid") ?? undefined,
  };
}
