import { baseDelayMs, MAX_WAIT_MS, parseRetryAfterMs, retryDelayMs } from "../../library/backoff.ts";
import { EXIT, Failure } from "../../library/failure.ts";
import type { Clock, Logger, Random } from "../../runtime/ports.ts";
import type { SignedInAccount } from "../account.ts";
import { CLIENT_BUILD, CLIENT_MASTERING } from "../endpoints.ts";
import { type AppleHttp, AppleNetworkError, type AppleResponse } from "../http.ts";
import { CloudKitError, type Problem, Throttled } from "./errors.ts";
import { inspect } from "./inspect.ts";

export type Database = "private" | "shared";

export interface CloudKitDeps {
  readonly http: AppleHttp;
  readonly account: SignedInAccount;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Retries of one call after the first try; the same budget and the same law of waiting as a transfer's. */
  readonly retries: number;
  /** Makes the session good again; `attempt` counts from 1. Throws `Failure` when that is not possible. */
  readonly reauthenticate: (attempt: number) => Promise<SignedInAccount>;
}

/** Sessions renewed in one run, at most (cloudkit.md 7.2). */
const MOST_RENEWALS = 3;
const POLITE_JITTER_MS = 1_000;
/** A wait that is longer ends the run instead (DECISIONS 11). */
const LONGEST_BRAKE_MS = MAX_WAIT_MS + POLITE_JITTER_MS;

/**
 * CloudKit over HTTPS (cloudkit.md 1): one POST an operation. Every failure, also those that Apple hides in a 200, is
 * either waited out, healed by a new sign-in, or thrown as a typed error.
 */
export class CloudKit {
  readonly #deps: CloudKitDeps;
  #account: SignedInAccount;
  #renewing: Promise<SignedInAccount> | undefined;
  #renewals = 0;
  /** Apple asked to be left alone until then, on the monotonic clock; all calls wait for it. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(deps: CloudKitDeps) {
    this.#deps = deps;
    this.#account = deps.account;
  }

  /**
   * Sends `body` to an operation (`records/query`, `zones/list`, ...) of a database and returns the answer's JSON
   * object, which has what `inspect` asks of that operation. Throws `CloudKitError`, `Throttled`, `Failure`, or the signal's reason.
   */
  async call(
    database: Database,
    operation: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    let retries = 0;
    let ownConnection = false;
    for (;;) {
      await this.#brake(signal);
      const account = this.#account;
      const answer = await this.#send(account, database, operation, body, ownConnection, signal);
      if (answer.problem === undefined) return answer.json;
      const { problem } = answer;
      this.#deps.logger.debug("CloudKit refused a call", {
        operation,
        status: problem.status,
        code: problem.code,
        reason: problem.reason?.slice(0, 200),
      });
      if (problem.kind === "misdirected" && !ownConnection) {
        ownConnection = true;
        continue;
      }
      if (problem.kind === "session" || problem.kind === "misdirected") {
        await this.#renew(account, operation, problem);
        continue;
      }
      if (problem.kind !== "transient" && problem.kind !== "throttled") throw new CloudKitError(operation, problem);
      if (answer.bearable !== undefined && (retries >= this.#deps.retries || answer.isFarOff)) return answer.bearable;
      if (retries >= this.#deps.retries) throw answer.unreachable ?? new CloudKitError(operation, problem);
      this.#deps.logger.info(
        problem.kind === "throttled" ? "Apple asks to wait" : "Apple does not answer as it should, trying again soon",
        { status: problem.status === 0 ? undefined : problem.status, try: retries + 1 },
      );
      await this.#wait(retries, problem, signal);
      retries += 1;
    }
  }

  async #send(
    account: SignedInAccount,
    database: Database,
    operation: string,
    body: unknown,
    freshConnection: boolean,
    signal: AbortSignal,
  ): Promise<Answer> {
    let response: AppleResponse;
    try {
      response = await this.#deps.http.request({
        method: "POST",
        url: urlOf(account, database, operation),
        headers: { "Content-Type": "text/plain" },
        body: JSON.stringify(body),
        signal,
        freshConnection,
      });
    } catch (error) {
      if (!(error instanceof AppleNetworkError)) throw error;
      return { problem: { ...NO_ANSWER, reason: error.message }, unreachable: unreachable(error) };
    }
    const json = response.json as Record<string, unknown>;
    const flaw = inspect(operation, body, response.status, json);
    if (flaw === undefined) return { problem: undefined, json };
    const { problem } = flaw;
    const { clock } = this.#deps;
    const serverNow = Date.parse(response.headers.get("date") ?? "") || clock.now();
    const header = parseRetryAfterMs(response.headers.get("retry-after"), serverNow);
    const asked = Math.max(header ?? 0, problem.retryAfterMs ?? 0);
    // One record that is away for long is no reason for a break of everything else.
    const isFarOff = problem.kind === "transient" && asked > MAX_WAIT_MS && (header ?? 0) <= MAX_WAIT_MS;
    const bearable = flaw.bearable ? { bearable: json, isFarOff } : {};
    return { problem: { ...problem, retryAfterMs: asked > 0 ? asked : undefined }, ...bearable };
  }

  async #brake(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (let wait = this.#notBefore - clock.monotonic(); wait > 0; wait = this.#notBefore - clock.monotonic()) {
      // Another call was told so, and may have kept it to itself.
      if (wait > LONGEST_BRAKE_MS) throw new Throttled(clock.now() + wait, wait);
      await clock.sleep(wait, signal);
    }
    signal.throwIfAborted();
  }

  async #wait(retry: number, problem: Problem, signal: AbortSignal): Promise<void> {
    const { clock, random, retries } = this.#deps;
    const asked = problem.retryAfterMs;
    if (asked === undefined) return clock.sleep(retryDelayMs(retry, baseDelayMs(retries), random()), signal);
    this.#notBefore = Math.max(this.#notBefore, clock.monotonic() + asked);
    if (asked > MAX_WAIT_MS) throw new Throttled(clock.now() + asked, asked);
    return clock.sleep(Math.min(MAX_WAIT_MS, asked + random() * POLITE_JITTER_MS), signal);
  }

  /** One renewal at a time: calls that fail together share it, and go on with the session it brings. */
  async #renew(used: SignedInAccount, operation: string, problem: Problem): Promise<void> {
    if (this.#account !== used) return;
    if (this.#renewing === undefined) {
      if (this.#renewals >= MOST_RENEWALS) throw new CloudKitError(operation, problem);
      this.#renewals += 1;
      this.#renewing = this.#deps.reauthenticate(this.#renewals).finally(() => {
        this.#renewing = undefined;
      });
    }
    const renewed = await this.#renewing;
    // A copy, so that even an unchanged account counts as a new one for the calls that failed with the old session.
    if (this.#account === used) this.#account = { ...renewed };
  }
}

type Answer =
  | { readonly problem: undefined; readonly json: Record<string, unknown> }
  | {
      readonly problem: Problem;
      readonly unreachable?: Failure;
      readonly bearable?: Record<string, unknown>;
      /** It would be a long wait until the rest can be told. */
      readonly isFarOff?: boolean;
    };

const NO_ANSWER = { kind: "transient", status: 0, code: undefined, retryAfterMs: undefined } as const;

function unreachable(error: AppleNetworkError): Failure {
  const certificate = error.kind === "tls-invalid";
  return new Failure(certificate ? `The certificate of ${error.host} is not valid` : `Cannot reach ${error.host}`, {
    exit: EXIT.failure,
    passing: true,
    remedy: certificate
      ? "Check this machine's clock, and whether something intercepts its connections."
      : "Check the network connection and run kei again; nothing is lost.",
    cause: error,
  });
}

/** cloudkit.md 1.1 and 1.2. `zones/list` goes without a query string, as every known client sends it. */
function urlOf(account: SignedInAccount, database: Database, operation: string): string {
  const url = `${account.ckdatabaseUrl}/database/1/com.apple.photos.cloud/production/${database}/${operation}`;
  if (operation === "zones/list") return url;
  const query = new URLSearchParams({
    clientBuildNumber: CLIENT_BUILD,
    clientMasteringNumber: CLIENT_MASTERING,
    clientId: account.clientId,
    ...(account.dsid === undefined ? {} : { dsid: account.dsid }),
    remapEnums: "true",
    getCurrentSyncToken: "true",
  });
  return `${url}?${query}`;
}
