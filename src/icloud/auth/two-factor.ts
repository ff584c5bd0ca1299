/** Getting a code to its owner, and the owner's answer to Apple. Facts: auth.md 3. */

import { normalizeCode } from "./code.ts";
import {
  isOutdated,
  listPhones,
  noteHidden,
  type Outdated,
  pendingPhone,
  pushCode,
  textCode,
} from "./code-delivery.ts";
import { proveCode, trust } from "./code-proof.ts";
import { AuthError } from "./errors.ts";
import { malformedCode, noPhones, notTrusted, whichPhone, wrongCode } from "./failures.ts";
import { phoneChoices, type TrustedPhone } from "./phones.ts";
import { type Door, type Journey, judge, loginAnew, type Reached, reach } from "./reach.ts";
import { CODE_FIELDS, without } from "./session-record.ts";
import type { CodeByText } from "./types.ts";

type Pending = Extract<Reached, { state: "code-pending" }>;
type Ready = Extract<Reached, { state: "ready" }>;
/** Picks the phone that the code goes to. Throws `AuthError` when none is picked. */
type PickPhone = (phones: readonly TrustedPhone[]) => Promise<TrustedPhone>;

/** Wrong codes that a person may enter in one sign-in. */
const MAX_WRONG = 3;
/** Inputs without six digits; they cost nothing at Apple's, but a broken terminal must not loop for ever. */
const MAX_MALFORMED = 20;
/** Codes that may be requested again; more would lock the sending of codes. */
const MAX_RESENT = 4;
/** Apple may need a moment before it honours a new trust, ms. */
const TRUST_SETTLES_MS = 2_000;

/**
 * Does something that belongs to the pending sign-in. When Apple refuses everything of the stored state, that is thrown
 * away and the sign-in begun anew, once (auth.md 3.2), which may end without any need for a code. Throws `AuthError`.
 */
async function insist<T extends object>(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
  act: (pending: Pending) => Promise<T | Outdated>,
): Promise<{ readonly state: "done"; readonly pending: Pending; readonly result: T } | Ready> {
  const result = await act(pending);
  if (!isOutdated(result)) return { state: "done", pending, result };
  const mayStartOver =
    !journey.startedOver && (result.result === "stale-state" ? journey.hasStoredState : !journey.usedPassword);
  if (!mayStartOver) throw result.failure;

  door.logger.warn("Apple refuses the saved session; starting the sign-in over.");
  journey.startedOver = true;
  if (result.result === "stale-state") {
    await forgetAll();
    journey.hasStoredState = false;
  } else {
    await door.session.update((record) => without(record, "scnt", "session_id", "session_token", ...CODE_FIELDS));
  }
  const reached = await reach(door, journey);
  return reached.state === "ready" ? reached : insist(door, journey, reached, forgetAll, act);
}

/** Has a code sent: to the phone that is picked; without `pick` to the devices, or to the first phone where none is. */
export async function deliver(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
  pick?: PickPhone,
): Promise<{ readonly state: "sent"; readonly pending: Pending; readonly textedTo?: string } | Ready> {
  const delivered = await insist(door, journey, pending, forgetAll, async ({ data }) => {
    if (pick === undefined && data?.hasICloudQualifyingDevice !== false) return pushCode(door);
    const phones = await listPhones(door);
    if (isOutdated(phones)) return phones;
    const phone = pick === undefined ? phones[0] : await pick(phones);
    return phone === undefined ? pushCode(door) : textCode(door, phone);
  });
  if (delivered.state === "ready") return delivered;
  if (delivered.pending.data === undefined) await noteHidden(door);
  const { textedTo } = delivered.result;
  return { state: "sent", pending: delivered.pending, ...(textedTo === undefined ? {} : { textedTo }) };
}

/** The phones that a code can be sent to. */
export async function phonesOf(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
): Promise<readonly TrustedPhone[] | Ready> {
  const listed = await insist(door, journey, pending, forgetAll, () => listPhones(door));
  return listed.state === "ready" ? listed : listed.result;
}

/** The phone of that number; the only one when none is named. Throws `AuthError` that lists them. */
export function pickByNumber({ phone: wanted }: CodeByText): PickPhone {
  return async (phones) => {
    if (phones.length === 0) throw noPhones();
    const phone = wanted === undefined && phones.length === 1 ? phones[0] : phones[(wanted ?? 0) - 1];
    if (phone === undefined) throw whichPhone(phoneChoices(phones), wanted);
    return phone;
  };
}

/** Asks a person until Apple takes the code, or until it makes no sense to go on. The first one goes to `byText`, if given. */
export async function askForCode(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
  ask: (question: string, signal: AbortSignal) => Promise<string>,
  byText?: CodeByText,
): Promise<Ready> {
  let current = pending;
  let hint = "";
  const send = async (pick?: PickPhone): Promise<Ready | undefined> => {
    const sent = await warningOnly(door, () => deliver(door, journey, current, forgetAll, pick));
    if (sent?.state === "ready") return sent;
    current = sent?.pending ?? current;
    hint = sent === undefined ? "" : "A new code is on its way. ";
    return undefined;
  };
  /** Numbers, as `--phone` has them: the question is one of its own, so that none is taken for a code. */
  const askWhich: PickPhone = async (phones) => {
    if (phones.length < 2) return pickByNumber({ phone: undefined })(phones);
    const answer = (await ask(`Which phone? ${phoneChoices(phones)}:`, door.signal)).trim();
    return pickByNumber({ phone: /^\d+$/.test(answer) ? Number(answer) : undefined })(phones);
  };
  const again = (): PickPhone | undefined => {
    const last = pendingPhone(door.session.record)?.id;
    if (last === undefined) return undefined;
    return async (phones) => phones.find(({ id }) => id === last) ?? askWhich(phones);
  };

  const first = await send(byText && (byText.phone === undefined ? askWhich : pickByNumber(byText)));
  if (first !== undefined) return first;
  const seen = { wrong: 0, malformed: 0, resent: 0 };
  // The first one is no news.
  hint = "";
  for (;;) {
    const input = (await ask(`${hint}${question(door)}`, door.signal)).trim();
    door.signal.throwIfAborted();
    hint = "";
    const byText = /^(s|sms)$/i.test(input);
    if (input === "" || byText) {
      seen.resent += 1;
      if (seen.resent > MAX_RESENT) throw malformedCode();
      const ready = await send(byText ? askWhich : again());
      if (ready !== undefined) return ready;
      continue;
    }
    const code = normalizeCode(input);
    if (code === undefined) {
      seen.malformed += 1;
      if (seen.malformed > MAX_MALFORMED) throw malformedCode();
      hint = "A code has exactly six digits. ";
      continue;
    }
    const verdict = await proveCode(door, code);
    if (verdict !== "wrong-code") return finishWithCode(door, journey, verdict === "accepted-repair-needed");
    seen.wrong += 1;
    if (seen.wrong === MAX_WRONG) throw wrongCode();
    hint = "Apple does not accept this code. ";
  }
}

/** Hands in one code from elsewhere. */
export async function handIn(door: Door, journey: Journey, code: string): Promise<Ready> {
  const verdict = await proveCode(door, code);
  if (verdict === "wrong-code") throw wrongCode();
  return finishWithCode(door, journey, verdict === "accepted-repair-needed");
}

async function finishWithCode(door: Door, journey: Journey, afterRepair: boolean): Promise<Ready> {
  await trust(door, { afterRepair });
  for (let tried = 1; ; tried += 1) {
    const answer = await loginAnew(door, journey);
    if (answer.kind !== "data") throw answer.failure;
    const reached = judge(answer.data, door, "srp");
    if (reached.state === "ready") return reached;
    if (tried === 2) throw notTrusted();
    await door.clock.sleep(TRUST_SETTLES_MS, door.signal);
  }
}

function question(door: Door): string {
  return pendingPhone(door.session.record) === undefined
    ? "Verification code from your devices (Enter: a new one, s: by text):"
    : "Verification code from your phone (Enter: a new one, s: which phone):";
}

/** A code can come from elsewhere, so a failed delivery does not end a sign-in at a terminal. */
async function warningOnly<T>(door: Door, step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof AuthError) || error.kind !== "two-factor-failed") throw error;
    door.logger.warn(`${error.message} A code from the settings of an Apple device works too.`);
    return undefined;
  }
}
