/** How the sign-in steps reach Apple: headers, what every answer leaves behind, and a small retry budget. */
import type { Clock, Logger, Random } from "../../runtime/ports.ts";
import type { AppleClient } from "../client.ts";
import type { Endpoints } from "../endpoints.ts";
import { AppleNetworkError, type AppleResponse } from "../http.ts";
import { isOverload } from "./answer.ts";
import { unreachable } from "./failures.ts";
import { oauthHeaders, SETUP_HEADERS } from "./headers.ts";
import { captured } from "./session-record.ts";
import type { SessionStore } from "./session-store.ts";

/** What every step works with. */
export interface Calls {
  readonly endpoints: Endpoints;
  readonly client: AppleClient;
  readonly session: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface AuthCall {
  readonly method: "GET" | "POST" | "PUT";
  /** Below `/appleauth/auth`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** `never`, or after 429 and 5xx, or after a connection that failed too (auth.md 1.8). */
  readonly retry: "never" | "status" | "status-and-network";
  readonly freshConnection?: boolean;
}

const TRIES = 3;
const FIRST_WAIT_MS = 2_000;
/** Longest single wait, also when Apple asks for more, ms. */
const LONGEST_WAIT_MS = 30_000;

/** A call to the sign-in host. Returns whatever status came; throws `AppleNetworkError` when none did. */
export async function callAuth(calls: Calls, call: AuthCall): Promise<AppleResponse> {
  for (let tried = 1; ; tried += 1) {
    const isLast = call.retry === "never" || tried === TRIES;
    const answer = await once(calls, call).catch((error: unknown) => {
      if (error instanceof AppleNetworkError && call.retry === "status-and-network" && !isLast) return error;
      throw error;
    });
    if (!(answer instanceof Error) && (isLast || !isOverload(answer))) return answer;
    const asked = answer instanceof Error ? null : answer.headers.get("retry-after");
    await calls.clock.sleep(authWaitMs(tried - 1, asked, calls.random()), calls.signal);
  }
}

function once(calls: Calls, call: AuthCall): Promise<AppleResponse> {
  const { client, endpoints, session, signal } = calls;
  const request = client.request({
    method: call.method,
    url: `${endpoints.auth}${call.path}`,
    // Built anew for every try, from what the last answer left behind.
    headers: { ...oauthHeaders(endpoints, session.record), ...call.headers },
    body: call.body === undefined ? (call.method === "GET" ? undefined : "") : JSON.stringify(call.body),
    freshConnection: call.freshConnection === true,
    signal,
  });
  return remembered(calls, request);
}

/** A call to the account host; never retried. Throws `AuthError` of kind `network` when no answer came. */
export async function callSetup(
  calls: Calls,
  call: { readonly path: string; readonly body: unknown; readonly freshConnection: boolean },
): Promise<AppleResponse> {
  const request = calls.client.request({
    method: "POST",
    url: `${calls.endpoints.setup}${call.path}`,
    headers: SETUP_HEADERS,
    body: JSON.stringify(call.body),
    freshConnection: call.freshConnection,
    signal: calls.signal,
  });
  return orUnreachable(remembered(calls, request));
}

/** Keeps what the answer's headers carry, whatever its status (auth.md 1.5). */
async function remembered(calls: Calls, request: Promise<AppleResponse>): Promise<AppleResponse> {
  const answer = await request;
  await calls.session.update((record) => captured(record, answer.headers));
  return answer;
}

/** Puts a failed connection into words. */
export async function orUnreachable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof AppleNetworkError ? unreachable(error) : error;
  }
}

/**
 * Wait before retry `n` (0 for the first) of a sign-in call, ms: what Apple asks for, up to 30 s; else 2 s, 4 s, ... up
 * to 30 s, plus 0 or 1 s by chance. `random` is in [0, 1).
 */
function authWaitMs(n: number, retryAfter: string | null, random: number): number {
  const asked = retryAfterSeconds(retryAfter, LONGEST_WAIT_MS / 1000);
  if (asked !== undefined) return asked * 1000;
  return Math.min(FIRST_WAIT_MS * 2 ** n, LONGEST_WAIT_MS) + Math.floor(random * 2) * 1000;
}

/** `Retry-After` in whole seconds, at most `max`; undefined when absent, zero, negative, a date or nonsense. */
export function retryAfterSeconds(value: string | null, max: number): number | undefined {
  const text = value?.trim() ?? "";
  if (!/^\d+$/.test(text) || Number(text) === 0) return undefined;
  return Math.min(Number(text), max);
}
