/** The password's part of a sign-in: prove it by SRP without sending it. Facts: auth.md 2.5 to 2.7. */
import { randomBytes } from "node:crypto";
import { AppleNetworkError, type AppleResponse } from "../http.ts";
import { type Answer, CODES, codeOf, disguisedRejection, faultOf, isSuccess } from "./answer.ts";
import { type Calls, callAuth, orUnreachable } from "./calls.ts";
import { AuthError } from "./errors.ts";
import {
  appleUnavailable,
  badCredentials,
  disguised,
  notUnderstood,
  refused,
  repairRequired,
  securityKeysOnly,
} from "./failures.ts";
import { signinOrigin } from "./headers.ts";
import { at, isObject } from "./json.ts";
import { without } from "./session-record.ts";
import {
  type ClientSecret,
  createSecret,
  MAX_ITERATIONS,
  minimal,
  passwordKey,
  prove,
  type ServerChallenge,
  SRP_PROTOCOLS,
  SrpError,
  toNumber,
} from "./srp.ts";

/** Apple turned the call away because of load, not because of what it said; the caller decides how long to keep away. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
  constructor(readonly answer: Answer) {
    super(`overloaded (status ${answer.status})`);
  }
}

/** How COMPLETE ended, by the table of auth.md 2.7. */
export type CompleteVerdict =
  | { readonly result: "ok" | "ok-2fa-pending" | "repair-then-ok" | "bad-credentials" | "wrong-connection" }
  | { readonly result: "security-key-unsupported"; readonly keyNames: readonly string[] }
  | { readonly result: "rejected-not-password" | "protocol-error" | "rate-limited" | "apple-unavailable" }
  | { readonly result: "session-rejected"; readonly code: string };

export function judgeComplete(answer: Answer): CompleteVerdict {
  const { status } = answer;
  const disguise = disguisedRejection(answer);
  if (disguise !== undefined) return { result: "session-rejected", code: disguise };
  if (isSuccess(answer)) return { result: faultOf(answer) === undefined ? "ok" : "rejected-not-password" };
  if (status === 409) {
    const keyNames = securityKeys(answer.json);
    return keyNames === undefined ? { result: "ok-2fa-pending" } : { result: "security-key-unsupported", keyNames };
  }
  if (status === 412) return { result: "repair-then-ok" };
  if (status === 401 && codeOf(answer) === CODES.wrongPassword) return { result: "bad-credentials" };
  if (status === 400) return { result: "protocol-error" };
  if (status === 421) return { result: "wrong-connection" };
  if (status === 429 || status === 503) return { result: "rate-limited" };
  return { result: status >= 500 ? "apple-unavailable" : "rejected-not-password" };
}

/** Names of the account's security keys when it signs in with such; undefined when it does not (auth.md 3.6). */
export function securityKeys(json: unknown): readonly string[] | undefined {
  const names = at(json, "keyNames");
  const keyNames = Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  return keyNames.length > 0 || isObject(at(json, "fsaChallenge")) ? keyNames : undefined;
}

/**
 * Proves the password. Resolves to whether a second factor is still wanted. A handshake is begun anew at most once for
 * each of: a lost connection, a misdirected one, a proof with a short number (auth.md 2.4).
 */
export async function proveByPassword(
  calls: Calls,
  appleId: string,
  password: string,
  options: { readonly freshConnection: boolean },
): Promise<{ readonly isCodePending: boolean }> {
  let freshConnection = options.freshConnection;
  const restarts = { lost: 1, misdirected: 1, short: 1 };
  for (;;) {
    const secret = createSecret(randomBytes);
    const { challenge, echo } = await init(calls, appleId, secret, freshConnection);
    const proof = await proofOf(appleId, password, secret, challenge);
    let answer: AppleResponse;
    try {
      answer = await complete(calls, appleId, echo, proof, freshConnection);
    } catch (error) {
      // The proof may have been used up with the lost answer, so it can't be sent again.
      if (!(error instanceof AppleNetworkError) || restarts.lost === 0) throw error;
      restarts.lost -= 1;
      continue;
    }
    const verdict = judgeComplete(answer);
    if (verdict.result === "wrong-connection" && restarts.misdirected > 0) {
      restarts.misdirected -= 1;
      freshConnection = true;
      continue;
    }
    if (verdict.result === "bad-credentials" && proof.hasShortNumber && restarts.short > 0) {
      restarts.short -= 1;
      continue;
    }
    return settle(calls, appleId, verdict, answer);
  }
}

async function settle(
  calls: Calls,
  appleId: string,
  verdict: CompleteVerdict,
  answer: AppleResponse,
): Promise<{ readonly isCodePending: boolean }> {
  switch (verdict.result) {
    case "ok":
      return { isCodePending: false };
    case "ok-2fa-pending":
      return { isCodePending: true };
    case "repair-then-ok":
      await repair(calls);
      return { isCodePending: false };
    case "security-key-unsupported":
      throw securityKeysOnly(verdict.keyNames);
    case "bad-credentials":
      throw badCredentials(appleId);
    case "session-rejected":
      throw disguised(verdict.code);
    case "protocol-error":
      throw notUnderstood("the password proof", answer);
    case "rate-limited":
    case "apple-unavailable":
      throw new Overloaded(answer);
    case "rejected-not-password":
    case "wrong-connection":
      throw refused("rejected", answer, calls.endpoints.domain);
  }
}

interface Challenge {
  readonly challenge: ServerChallenge;
  /** Apple's own note, handed back unread. */
  readonly echo: unknown;
}

async function init(calls: Calls, appleId: string, secret: ClientSecret, fresh: boolean): Promise<Challenge> {
  const send = (freshConnection: boolean) =>
    callAuth(calls, {
      method: "POST",
      path: "/signin/init",
      headers: signinOrigin(calls.endpoints),
      body: { a: base64(minimal(secret.A)), accountName: appleId, protocols: SRP_PROTOCOLS },
      retry: "status-and-network",
      freshConnection,
    });
  const { session } = calls;
  const carriedContext = session.record.scnt !== undefined || session.record.session_id !== undefined;
  let answer = await send(fresh);
  if (answer.status === 401 && carriedContext) {
    // Not the password, which Apple has not heard of yet: what is left of an older attempt is in the way.
    await session.update((record) => without(record, "scnt", "session_id"));
    calls.client.cookies.removeFor(new URL(calls.endpoints.authRoot).hostname);
    answer = await send(fresh);
  }
  if (answer.status === 421) answer = await send(true);
  return readChallenge(answer, calls);
}

function readChallenge(answer: AppleResponse, calls: Calls): Challenge {
  const step = "the start of the sign-in";
  const { status, json } = answer;
  if (status === 429 || status >= 500) throw new Overloaded(answer);
  if (status === 401) throw appleUnavailable(answer);
  if (!isSuccess(answer) && status !== 409) throw refused("rejected", answer, calls.endpoints.domain);
  const disguise = disguisedRejection(answer);
  if (disguise !== undefined) throw disguised(disguise);
  if (!isObject(json)) throw notUnderstood(step, answer);
  if (faultOf(answer) !== undefined) throw refused("rejected", answer, calls.endpoints.domain);

  const protocol = SRP_PROTOCOLS.find((known) => known === json["protocol"]);
  if (protocol === undefined) {
    throw notUnderstood(step, answer, `unknown protocol ${JSON.stringify(json["protocol"] ?? null).slice(0, 40)}`);
  }
  const iterations = json["iteration"];
  if (
    typeof iterations !== "number" ||
    !Number.isInteger(iterations) ||
    iterations < 1 ||
    iterations > MAX_ITERATIONS
  ) {
    throw notUnderstood(step, answer, "impossible number of iterations");
  }
  const salt = fromBase64(json["salt"]);
  const b = fromBase64(json["b"]);
  if (salt === undefined) throw notUnderstood(step, answer, "salt is not base64");
  if (b === undefined || b.length > 256) throw notUnderstood(step, answer, "b is not a number of the group");
  const challenge: ServerChallenge = { protocol, salt, iterations, B: toNumber(b) };
  return { challenge, echo: json["c"] };
}

async function proofOf(appleId: string, password: string, secret: ClientSecret, challenge: ServerChallenge) {
  try {
    return prove(appleId, await passwordKey(password, challenge), secret, challenge);
  } catch (error) {
    if (!(error instanceof SrpError)) throw error;
    throw new AuthError(
      "protocol-error",
      `Apple's answer to the start of the sign-in cannot be right: ${error.message}.`,
      {
        remedy: "Try again later, from a network that you trust.",
      },
    );
  }
}

function complete(
  calls: Calls,
  appleId: string,
  echo: unknown,
  proof: { readonly m1: Uint8Array; readonly m2: Uint8Array },
  freshConnection: boolean,
): Promise<AppleResponse> {
  const { trust_token } = calls.session.record;
  return callAuth(calls, {
    method: "POST",
    path: "/signin/complete?isRememberMeEnabled=true",
    headers: signinOrigin(calls.endpoints),
    body: {
      accountName: appleId,
      c: echo,
      m1: base64(proof.m1),
      m2: base64(proof.m2),
      rememberMe: true,
      trustTokens: trust_token === undefined ? [] : [trust_token],
    },
    retry: "status",
    freshConnection,
  });
}

/** Tells Apple to let the account in as it is; throws when it insists that the owner comes by. */
export async function repair(calls: Calls): Promise<void> {
  const answer = await orUnreachable(
    callAuth(calls, { method: "POST", path: "/repair/complete", body: {}, retry: "status-and-network" }),
  );
  if (!isSuccess(answer)) throw repairRequired(calls.endpoints.domain);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string" || value === "" || value.length % 4 !== 0) return undefined;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? Buffer.from(value, "base64") : undefined;
}
