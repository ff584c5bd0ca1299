/** Having a code sent: to the trusted devices, or to a phone. Facts: auth.md 3.2, 3.5. */
import { type Answer, CODES, codeOf, faultOf, isSuccess } from "./answer.ts";
import { type Calls, callAuth, orUnreachable } from "./calls.ts";
import { isCodeEntryLocked, isCodeSendingLocked } from "./code.ts";
import type { AuthError } from "./errors.ts";
import { codeStepFailed, codesLocked, phoneBlocked, refused, tooManyCodesSent } from "./failures.ts";
import { parseTrustedPhones, type TrustedPhone } from "./phones.ts";
import { CODE_FIELDS, type SessionRecord, without } from "./session-record.ts";

/**
 * Apple does not know the sign-in any more. `stale-state`: it refuses everything that belongs to the stored state (403,
 * auth.md 3.2). `expired`: the attempt is too old. `failure` is what to report when starting over is no option.
 */
export interface Outdated {
  readonly result: "stale-state" | "expired";
  readonly failure: AuthError;
}

export type Delivery = { readonly result: "sent"; readonly textedTo?: string } | Outdated;

/** Has Apple show a code on the trusted devices, or text it where no device can show one. Throws `AuthError` when it will not. */
export async function pushCode(calls: Calls): Promise<Delivery> {
  const answer = await orUnreachable(
    callAuth(calls, {
      method: "PUT",
      path: "/verify/trusteddevice/securitycode",
      headers: { Accept: "application/json" },
      retry: "status",
    }),
  );
  const isSent = isSuccess(answer) || (answer.status === 409 && faultOf(answer) === undefined);
  if (isSent || isCodeEntryLocked(answer.json)) {
    if (isCodeEntryLocked(answer.json)) throw codesLocked();
    if (isCodeSendingLocked(answer.json)) throw tooManyCodesSent();
    await noteRequest(calls, {});
    return { result: "sent" };
  }
  const gone = outdated(calls, answer);
  if (gone !== undefined) return gone;
  const failure = codeStepFailed("Apple did not send a code to the trusted devices", answer);
  if (answer.status !== 412 && answer.status !== 405) throw failure;
  // The account has no way to show codes on devices just now; a phone may have one.
  const phones = await listPhones(calls);
  const phone = isOutdated(phones) ? undefined : phones[0];
  if (phone === undefined) throw failure;
  return textCode(calls, phone);
}

/** The account's phones; none when the answer can't be read. */
export async function listPhones(calls: Calls): Promise<readonly TrustedPhone[] | Outdated> {
  const answer = await orUnreachable(
    callAuth(calls, { method: "GET", path: "", headers: { Accept: "text/html" }, retry: "never" }),
  );
  if (isSuccess(answer) || answer.status === 409) return parseTrustedPhones(answer.text);
  return outdated(calls, answer) ?? [];
}

/** Has Apple send a code to a phone, and remembers which, because the code must be handed in for the same one. */
export async function textCode(calls: Calls, phone: TrustedPhone): Promise<Delivery> {
  const answer = await orUnreachable(
    callAuth(calls, {
      method: "PUT",
      path: "/verify/phone",
      headers: { Accept: "application/json" },
      body: { phoneNumber: phoneNumber(phone), mode: phone.mode },
      retry: "status",
    }),
  );
  if (isCodeEntryLocked(answer.json)) throw codesLocked();
  if (isCodeSendingLocked(answer.json)) throw tooManyCodesSent();
  const isSent = (isSuccess(answer) || answer.status === 409) && faultOf(answer) === undefined;
  if (!isSent) {
    if (codeOf(answer) === CODES.phoneBlocked) throw phoneBlocked(phone.display);
    const gone = outdated(calls, answer);
    if (gone !== undefined) return gone;
    throw codeStepFailed(`The phone ${phone.display} was not sent a code`, answer);
  }
  await noteRequest(calls, {
    sms_phone_id: String(phone.id),
    sms_mode: phone.mode,
    ...(phone.nonFTEU === undefined ? {} : { sms_non_fteu: String(phone.nonFTEU) }),
  });
  return { result: "sent", textedTo: phone.display };
}

export function isOutdated(value: object): value is Outdated {
  return "failure" in value;
}

function outdated(calls: Calls, answer: Answer): Outdated | undefined {
  const result = { 403: "stale-state", 401: "expired", 421: "expired", 450: "expired" } as const;
  const found = (result as Readonly<Record<number, Outdated["result"]>>)[answer.status];
  if (found === undefined) return undefined;
  return { result: found, failure: refused("rejected", answer, calls.endpoints.domain) };
}

/** Where the code is, for the process that hands it in. */
function noteRequest(calls: Calls, phone: Partial<SessionRecord>): Promise<void> {
  return calls.session.update((record) => ({ ...without(record, ...CODE_FIELDS), ...phone }));
}

/** A code is good for some minutes, ms; longer than Apple grants, so as not to give one up that works. */
const CODE_LIVES_MS = 30 * 60_000;

/** Notes that Apple shows nothing of the account before the code that was just sent. */
export function noteHidden(calls: Calls): Promise<void> {
  const code_awaited_since = new Date(calls.clock.now()).toISOString();
  return calls.session.update((record) => ({ ...record, code_awaited_since }));
}

/** True when that was noted lately, and neither a code nor another sign-in has come since. */
export function isHiddenBeforeCode({ code_awaited_since }: SessionRecord, now: number): boolean {
  const age = now - Date.parse(code_awaited_since ?? "");
  return age >= 0 && age < CODE_LIVES_MS;
}

/** The phone that the last code went to; undefined when it went to the devices. */
export function pendingPhone(record: SessionRecord): Omit<TrustedPhone, "display"> | undefined {
  const { sms_phone_id, sms_mode, sms_non_fteu } = record;
  if (sms_phone_id === undefined || !/^-?\d+$/.test(sms_phone_id)) return undefined;
  return {
    id: Number(sms_phone_id),
    mode: sms_mode === "voice" ? "voice" : "sms",
    ...(sms_non_fteu === undefined ? {} : { nonFTEU: sms_non_fteu === "true" }),
  };
}

export function phoneNumber(phone: Omit<TrustedPhone, "display" | "mode">): object {
  return { id: phone.id, ...(phone.nonFTEU === undefined ? {} : { nonFTEU: phone.nonFTEU }) };
}
