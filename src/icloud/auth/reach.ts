/** The way to a session, cheapest first: cookies, session token, password (auth.md 8.1, steps 4 to 7). */
import { type AccountData, photosRoot, requiresTwoFactor, requiresTwoStep } from "./account-data.ts";
import type { Attempts } from "./attempts.ts";
import { type Calls, orUnreachable } from "./calls.ts";
import { isHiddenBeforeCode } from "./code-delivery.ts";
import { AuthError } from "./errors.ts";
import {
  appleUnavailable,
  knownBadPassword,
  noPhotosService,
  stillThrottled,
  throttled,
  twoStepAccount,
  webAccessOff,
} from "./failures.ts";
import { Overloaded, proveByPassword } from "./handshake.ts";
import { accountLogin, assertUsable, isMendable, type LoginAnswer, validate } from "./login.ts";
import { CODE_FIELDS, without } from "./session-record.ts";
import type { Credentials, SignInRoute } from "./types.ts";

/** What one account's sign-ins share. */
export interface Door extends Calls {
  /** As it goes over the wire: trimmed and in lower case (auth.md 2.5). */
  readonly appleId: string;
  /** As the user spells it. */
  readonly username: string;
  readonly attempts: Attempts;
}

/** One sign-in under way. */
export interface Journey {
  readonly credentials: Credentials;
  /** Read at most once. */
  readonly password: () => Promise<string>;
  /** Asks a person for another one, which counts from then on. */
  readonly retype: (() => Promise<string>) | undefined;
  /** Ask for connections of their own from now on, after Apple called one misdirected. */
  freshConnection: boolean;
  usedPassword: boolean;
  /** Whether anything of an earlier sign-in was there to begin with, and still is. */
  hasStoredState: boolean;
  startedOver: boolean;
}

export type Reached =
  | { readonly state: "ready"; readonly account: ReadyAccount; readonly how: Exclude<SignInRoute, "cached"> }
  /** `data` is undefined when Apple would not show it before the code. */
  | { readonly state: "code-pending"; readonly data: AccountData | undefined };

export interface ReadyAccount {
  readonly dsid: string | undefined;
  readonly ckdatabaseUrl: string;
}

/** Where the session cookie must go for `validate` to make sense. */
const SESSION_COOKIE = "X-APPLE-WEBAUTH-TOKEN";

/** Gets as far as possible without a code. Throws `AuthError`. */
export async function reach(door: Door, journey: Journey): Promise<Reached> {
  if (door.session.record.session_token !== undefined) {
    const saved = await fromSavedSession(door, journey);
    if (saved !== undefined) return saved;
  }
  const { isCodePending } = await byPassword(door, journey);
  const answer = await loginAnew(door, journey);
  if (answer.kind === "data") return judge(answer.data, door, "srp");
  // Some accounts get their data only after the code; the login that follows the trust decides.
  if (isCodePending && answer.kind === "refused" && answer.status >= 400)
    return { state: "code-pending", data: undefined };
  throw answer.failure;
}

/** Tries what an earlier sign-in left behind; undefined when only the password can help. */
async function fromSavedSession(door: Door, journey: Journey): Promise<Reached | undefined> {
  if (door.client.cookies.has(`${door.endpoints.setup}/validate`, SESSION_COOKIE)) {
    const alive = await stoppingAtLoad(door, () => validate(door, journey.freshConnection));
    if (alive.kind === "data") {
      const ready = readyAccount(alive.data, door);
      if (ready !== undefined) return { state: "ready", account: ready, how: "session" };
    }
    if (alive.kind === "misdirected") journey.freshConnection = true;
  }
  // An unfavourable word of `validate` is never final: only this call shows Apple the trust token (auth.md 4.4).
  const answer = await stoppingAtLoad(door, () => accountLogin(door, journey.freshConnection));
  if (answer.kind === "data") return judge(answer.data, door, "session");
  if (answer.kind === "misdirected") journey.freshConnection = true;
  // As it was before the code was sent: another sign-in would only void it.
  if (answer.kind === "refused" && isHiddenBeforeCode(door.session.record, door.clock.now()))
    return { state: "code-pending", data: undefined };
  if (!isMendable(answer.failure)) throw answer.failure;
  return undefined;
}

/** `accountLogin` right after a token was issued: one more try when the connection was the wrong one (auth.md 4.6). */
export async function loginAnew(door: Door, journey: Journey): Promise<LoginAnswer> {
  if (door.session.record.session_token === undefined) {
    throw new AuthError("protocol-error", "Apple took the password but gave no session token.", {
      remedy: "Try `kei login` again in a few minutes.",
    });
  }
  const answer = await stoppingAtLoad(door, () => accountLogin(door, journey.freshConnection));
  if (answer.kind !== "misdirected") return answer;
  journey.freshConnection = true;
  return stoppingAtLoad(door, () => accountLogin(door, true));
}

/** The checks of auth.md 4.3 in their order. Throws for what the owner has to settle. */
export function judge(data: AccountData, door: Door, how: "session" | "srp"): Reached {
  assertUsable(data, door);
  if (requiresTwoStep(data)) throw twoStepAccount();
  if (requiresTwoFactor(data)) return { state: "code-pending", data };
  if (data.isDataProtected || data.isWebAccessOff) throw webAccessOff(data.isDataProtected);
  const ckdatabaseUrl = photosRoot(data, door.endpoints.domain);
  if (ckdatabaseUrl === undefined) throw noPhotosService(door.endpoints.domain);
  return { state: "ready", account: { dsid: data.dsid, ckdatabaseUrl }, how };
}

/** The same checks for `validate`, whose misgivings are left to `accountLogin`. */
function readyAccount(data: AccountData, door: Door): ReadyAccount | undefined {
  try {
    const reached = judge(data, door, "session");
    return reached.state === "ready" ? reached.account : undefined;
  } catch (error) {
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}

/** Passwords that a person may type in one sign-in: Apple locks accounts after a few more wrong ones. */
const MOST_TYPED = 3;

/** Proves the password within the limits of DECISIONS 18. */
async function byPassword(door: Door, journey: Journey): Promise<{ readonly isCodePending: boolean }> {
  const { attempts } = door;
  const closedUntil = attempts.throttledUntil();
  if (closedUntil !== undefined) throw stillThrottled(closedUntil);
  let password = await passwordFor(door, journey);
  for (let tried = 1; ; tried += 1) {
    try {
      return await proven(door, journey, password);
    } catch (error) {
      if (!(error instanceof AuthError) || error.kind !== "bad-credentials") throw error;
      await noted(door, attempts.noteRefusal(password));
      const { retype } = journey;
      if (!journey.credentials.passwordInteractive || retype === undefined || tried === MOST_TYPED) throw error;
      door.logger.warn(error.message);
      password = await retype();
    }
  }
}

async function proven(door: Door, journey: Journey, password: string): Promise<{ readonly isCodePending: boolean }> {
  journey.usedPassword = true;
  const proof = await stoppingAtLoad(door, () =>
    orUnreachable(proveByPassword(door, door.appleId, password, { freshConnection: journey.freshConnection })),
  );
  await noted(door, door.attempts.noteSuccess());
  await journey.credentials.accepted?.();
  // A code that was on its way belongs to the sign-in before this one.
  await door.session.update((record) => without(record, ...CODE_FIELDS));
  return proof;
}

/** The password at hand; one that Apple has refused before only when a person means it (DECISIONS 18). */
async function passwordFor(door: Door, journey: Journey): Promise<string> {
  const { credentials, retype } = journey;
  const password = await journey.password();
  const refusedAt = credentials.passwordInteractive ? undefined : await door.attempts.refusedAt(password);
  if (refusedAt === undefined) return password;
  const failure = knownBadPassword(door.username, refusedAt);
  if (credentials.mayReplace !== true || retype === undefined) throw failure;
  door.logger.warn(failure.message);
  return retype();
}

/** Turns overload into words, and keeps away from the password for a while when Apple throttles. */
async function stoppingAtLoad<T>(door: Door, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Overloaded)) throw error;
    const { answer } = error;
    if (answer.status !== 429 && answer.status !== 503) throw appleUnavailable(answer);
    await noted(door, door.attempts.noteThrottle());
    throw throttled(answer, door.attempts.throttledUntil() ?? door.clock.now(), door.endpoints.signInDomain);
  }
}

/** A disk that refuses the note must not hide what Apple said. */
async function noted(door: Door, note: Promise<void>): Promise<void> {
  try {
    await note;
  } catch (error) {
    door.logger.warn(error instanceof Error ? error.message : "Cannot save what Apple answered.");
  }
}
