import { EXIT, type ExitCode, Failure } from "../../library/failure.ts";

/** What a refused call means for the caller (cloudkit.md 7, engine.md 2.5 and 2.6). */
export type ProblemKind =
  /** Worth trying again after a wait. */
  | "transient"
  /** Asked to slow down. */
  | "throttled"
  /** The web session is not accepted. */
  | "session"
  /** Wrong partition, or a session lost: a connection of its own is tried first. */
  | "misdirected"
  /** iCloud Photos can't be read over the web on this account until its owner acts. */
  | "not-activated"
  /** The account is protected by security keys only. */
  | "security-keys"
  /** The request, or a token in it, is not understood. */
  | "bad-request"
  | "zone-gone"
  | "permanent";

export interface Problem {
  readonly kind: ProblemKind;
  readonly status: number;
  /** Apple's error code, upper case; undefined when it gave none. */
  readonly code: string | undefined;
  /** Apple's words, for logs and messages. */
  readonly reason: string | undefined;
  /** Wait that the body asks for, ms. */
  readonly retryAfterMs: number | undefined;
}

/** A call to CloudKit that did not succeed, retries included. */
export class CloudKitError extends Failure {
  override readonly name = "CloudKitError";
  readonly problem: Problem;

  constructor(operation: string, problem: Problem) {
    const { message, exit, remedy } = explain(operation, problem);
    super(message, { exit, remedy, passing: problem.kind === "transient" || problem.kind === "throttled" });
    this.problem = problem;
  }
}

/** A sync token that Apple does not accept any more: only a full enumeration helps. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

/** Apple wants to be left alone for longer than one wait may last (DECISIONS 11). */
export class Throttled extends Failure {
  override readonly name = "Throttled";

  /** `until`: Clock.now() before which nothing should be asked. */
  constructor(
    readonly until: number,
    waitMs: number,
  ) {
    super(`Apple asks for a break of ${Math.ceil(waitMs / 60_000)} minutes`, {
      exit: EXIT.failure,
      remedy: "Run kei again after that; nothing is lost.",
      passing: true,
      retryAt: until,
    });
  }
}

/** Codes that stand for a passing condition, also inside an HTTP 200. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "RETRY_LATER",
  "TRY_AGAIN_LATER",
  "CAS_OP_LOCK",
  "SERVER_INTERNAL_ERROR",
  "INTERNAL_ERROR",
  "ZONE_BUSY",
]);

const SESSION_TEXT = /missing x-apple-webauth|invalid session token|invalid global session|missing apple_id/i;

/** Web access is off, or data protection on; the latter also as an answer without a code (auth.md 4.7). */
const CLOSED_TEXT = /private db access disabled|missing pcs cookies/i;

/**
 * Whether a refusal is about the answer that was asked for alone: the service is there, and asking again has not helped. What
 * else it is asked it may well answer.
 */
export function isAboutTheAnswer({ kind, status, code }: Problem): boolean {
  if (kind === "permanent" || kind === "zone-gone") return true;
  return kind === "transient" && status === 200 && !isTransientCode(code ?? "");
}

/** Whether an error code on a single record or zone is worth asking again for. */
export function isTransientCode(code: string): boolean {
  const upper = code.toUpperCase();
  return upper === "THROTTLED" || TRANSIENT_CODES.has(upper);
}

/**
 * What is wrong with an answer, or undefined when it can be used. `body` is its JSON, undefined when it is none. Errors
 * that hide in an HTTP 200 are found here; those of single zones and records are the caller's.
 */
export function problemOf(status: number, body: unknown): Problem | undefined {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const code = text(fields["serverErrorCode"])?.toUpperCase();
  const reason = reasonOf(fields);
  // Seconds; Apple writes some of its numbers as text.
  const wait = Number(fields["retryAfter"] ?? 0);
  const retryAfterMs = wait > 0 ? wait * 1000 : undefined;
  const problem = (kind: ProblemKind): Problem => ({ kind, status, code, reason, retryAfterMs });
  const good = status >= 200 && status < 300;

  if (reason !== undefined && SESSION_TEXT.test(reason) && status !== 421) return problem("session");
  if (code === undefined && CLOSED_TEXT.test(reason ?? "")) return problem("not-activated");
  if (code !== undefined) {
    const kind = kindOfCode(code, reason, good);
    if (kind !== undefined && (good || kind !== "session" || status !== 421)) return problem(kind);
    if (good) return problem("permanent");
  }
  if (good) {
    if (fields["success"] === false || fields["hasError"] === true || fields["has_error"] === true)
      return problem("session");
    return body === undefined || typeof body !== "object" || body === null ? problem("transient") : undefined;
  }
  return problem(kindOfStatus(status, reason));
}

function kindOfCode(code: string, reason: string | undefined, good: boolean): ProblemKind | undefined {
  if (code === "THROTTLED") return "throttled";
  if (TRANSIENT_CODES.has(code)) return "transient";
  if (CLOSED_TEXT.test(reason ?? "")) return "not-activated";
  switch (code) {
    case "AUTHENTICATION_REQUIRED":
      return "session";
    case "AUTHENTICATION_FAILED":
      if (/no auth method/i.test(reason ?? "")) return "security-keys";
      // The session was good enough for a 200: it is the set-up that is not (engine.md 2.6).
      return good ? "not-activated" : "session";
    case "ACCESS_DENIED":
      return "not-activated";
    case "ZONE_NOT_FOUND":
      return "zone-gone";
    case "BAD_REQUEST":
      return "bad-request";
    default:
      return undefined;
  }
}

function kindOfStatus(status: number, reason: string | undefined): ProblemKind {
  if (status === 421) return "misdirected";
  if (status === 401 && /no auth method/i.test(reason ?? "")) return "security-keys";
  // A bare 403 is a stale session or a throttle, never by itself a setting of the account (auth.md 4.7).
  if (status === 401 || status === 403 || status === 450) return "session";
  if (status === 429) return "throttled";
  if (status >= 500) return status === 503 ? "throttled" : "transient";
  if (status === 400) return "bad-request";
  return "permanent";
}

function reasonOf(fields: Record<string, unknown>): string | undefined {
  for (const name of ["reason", "serverErrorMessage", "errorMessage", "errorReason", "error"]) {
    const value = text(fields[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function explain(operation: string, problem: Problem): { message: string; exit: ExitCode; remedy: string | undefined } {
  const detail = [problem.code, problem.reason].filter((part) => part !== undefined).join(": ");
  const told = detail === "" ? `status ${problem.status}` : `status ${problem.status}, ${detail.slice(0, 200)}`;
  switch (problem.kind) {
    case "not-activated":
      return {
        message: `Apple does not let kei read this account's photos (${told})`,
        exit: EXIT.owner,
        remedy:
          "On an iPhone or Mac, under Apple Account > iCloud, turn Advanced Data Protection off and 'Access iCloud Data on the Web' on. If both are right already, Apple is refusing for a while: wait a few hours.",
      };
    case "security-keys":
      return {
        message: "This account can only be used with security keys, which kei does not support",
        exit: EXIT.owner,
        remedy: "Remove the keys under Settings > Sign-In & Security, or do without kei.",
      };
    case "session":
    case "misdirected":
      return {
        message: `Apple does not accept the session (${told})`,
        exit: EXIT.signIn,
        remedy: "Sign in again with `kei login`.",
      };
    case "zone-gone":
      return {
        message: `iCloud Photos is not set up on this account, or the library is gone (${told})`,
        exit: EXIT.owner,
        remedy: "Turn iCloud Photos on on one of your devices, and look whether icloud.com/photos shows your photos.",
      };
    case "transient":
    case "throttled":
      return {
        message: `Apple's photo service does not answer properly (${operation}: ${told})`,
        exit: EXIT.failure,
        remedy: "Wait a while and run kei again; it goes on where it stopped.",
      };
    default:
      return {
        message: `Apple's photo service refused a request (${operation}: ${told})`,
        exit: EXIT.failure,
        remedy: "Run kei again; if it stays so, report it with a log of --log-level debug.",
      };
  }
}
