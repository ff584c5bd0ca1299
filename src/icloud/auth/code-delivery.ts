/** Having a code sent: to the trusted devices, or to a phone. Facts: auth.md 3.2, 3.5. */
import { CODES, codeOf, faultOf, isSuccess } from "./answer.ts";
import { type Calls, callAuth, orUnreachable } from "./calls.ts";
import { isCodeEntryLocked, isCodeSendingLocked } from "./code.ts";
import type { AuthError } from "./errors.ts";
import { codeStepFailed, codesLocked, refused, tooManyCodesSent } from "./failures.ts";
import { parseTrustedPhones, type TrustedPhone } from "./phones.ts";
import { type SessionRecord, without } from "./session-record.ts";

export type Delivery =
  | { readonly result: "sent" }
  /**
   * `stale-state`: Apple refuses everything that belongs to the stored state (403, auth.md 3.2). `expired`: the attempt
   * is too old to have a code sent for. `failure` is what to report when starting over is no option.
   */
  | { readonly result: "stale-state" | "expired"; readonly failure: AuthError };

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
    await calls.session.update((record) => without(record, "sms_phone_id", "sms_mode", "sms_non_fteu"));
    return { result: "sent" };
  }
  const rejection = () => refused("rejected", answer, calls.endpoints.domain);
  if (answer.status === 403) return { result: "stale-state", failure: rejection() };
  if (answer.status === 401 || answer.status === 421 || answer.status === 450) {
    return { result: "expired", failure: rejection() };
  }
  const failure = codeStepFailed("Apple did not send a code to the trusted devices", answer);
  if (answer.status !== 412 && answer.status !== 405) throw failure;
  // The account has no way to show codes on devices just now; a phone may have one.
  const [phone] = await listPhones(calls);
  if (phone === undefined) throw failure;
  await textCode(calls, phone);
  return { result: "sent" };
}

/** The account's phones; none when the answer can't be read. */
export async function listPhones(calls: Calls): Promise<readonly TrustedPhone[]> {
  const answer = await orUnreachable(
    callAuth(calls, { method: "GET", path: "", headers: { Accept: "text/html" }, retry: "never" }),
  );
  return isSuccess(answer) || answer.status === 409 ? parseTrustedPhones(answer.text) : [];
}

/** Has Apple send a code to a phone, and remembers which, because the code must be handed in for the same one. */
export async function textCode(calls: Calls, phone: TrustedPhone): Promise<void> {
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
  const isSent = (isSuccess(answer) || answer.status === 409) && faultOf(answer) === undefined;
  if (!isSent) {
    const why = codeOf(answer) === CODES.phoneBlocked ? " can receive no codes for now" : " was not sent a code";
    throw codeStepFailed(`The phone ${phone.display}${why}`, answer);
  }
  if (isCodeSendingLocked(answer.json)) throw tooManyCodesSent();
  await calls.session.update((record) => ({
    ...without(record, "sms_non_fteu"),
    sms_phone_id: String(phone.id),
    sms_mode: phone.mode,
    ...(phone.nonFTEU === undefined ? {} : { sms_non_fteu: String(phone.nonFTEU) }),
  }));
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
