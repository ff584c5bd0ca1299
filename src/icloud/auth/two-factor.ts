/** Getting a code to its owner, and the owner's answer to Apple. Facts: auth.md 3. */

import { normalizeCode } from "./code.ts";
import { listPhones, pendingPhone, pushCode, textCode } from "./code-delivery.ts";
import { proveCode, trust } from "./code-proof.ts";
import { AuthError } from "./errors.ts";
import { malformedCode, notTrusted, wrongCode } from "./failures.ts";
import { type Door, type Journey, judge, loginAnew, type Reached, reach } from "./reach.ts";
import { without } from "./session-record.ts";

type Pending = Extract<Reached, { state: "code-pending" }>;
type Ready = Extract<Reached, { state: "ready" }>;

/** Wrong codes that a person may enter in one sign-in. */
const MAX_WRONG = 3;
/** Inputs without six digits; they cost nothing at Apple's, but a broken terminal must not loop for ever. */
const MAX_MALFORMED = 20;
/** Codes that may be requested again; more would lock the sending of codes. */
const MAX_RESENT = 4;
/** Apple may need a moment before it honours a new trust, ms. */
const TRUST_SETTLES_MS = 2_000;

/**
 * Has a code sent. When Apple refuses everything that belongs to the stored state, that is thrown away and the sign-in
 * begun anew, once (auth.md 3.2), which may end without any need for a code. Throws `AuthError`.
 */
export async function deliver(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
): Promise<Pending | Ready> {
  if (pending.data?.hasICloudQualifyingDevice === false) {
    const [phone] = await listPhones(door);
    if (phone !== undefined) {
      await textCode(door, phone);
      return pending;
    }
  }
  const delivery = await pushCode(door);
  if (delivery.result === "sent") return pending;
  const mayStartOver =
    !journey.startedOver && (delivery.result === "stale-state" ? journey.hasStoredState : !journey.usedPassword);
  if (!mayStartOver) throw delivery.failure;

  door.logger.warn("Apple refuses the saved session; starting the sign-in over.");
  journey.startedOver = true;
  if (delivery.result === "stale-state") {
    await forgetAll();
    journey.hasStoredState = false;
  } else {
    await door.session.update((record) => without(record, "scnt", "session_id", "session_token"));
  }
  const reached = await reach(door, journey);
  return reached.state === "ready" ? reached : deliver(door, journey, reached, forgetAll);
}

/** Asks a person until Apple takes the code, or until it makes no sense to go on. */
export async function askForCode(
  door: Door,
  journey: Journey,
  pending: Pending,
  forgetAll: () => Promise<void>,
  ask: (question: string, signal: AbortSignal) => Promise<string>,
): Promise<Ready> {
  const first = await warningOnly(door, () => deliver(door, journey, pending, forgetAll));
  if (first?.state === "ready") return first;
  let current = first ?? pending;
  const seen = { wrong: 0, malformed: 0, resent: 0 };
  let hint = "";
  for (;;) {
    const input = await ask(`${hint}${question(door)}`, door.signal);
    door.signal.throwIfAborted();
    hint = "";
    if (input.trim() === "") {
      seen.resent += 1;
      if (seen.resent > MAX_RESENT) throw malformedCode();
      const again = await warningOnly(door, () => deliver(door, journey, current, forgetAll));
      if (again?.state === "ready") return again;
      current = again ?? current;
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
  const where = pendingPhone(door.session.record) === undefined ? "shown on your Apple devices" : "sent to your phone";
  return `Verification code ${where} (press Enter alone to have one sent again): `;
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
