/** What a person types as a code, and what Apple's answers about codes mean. Pure. Facts: auth.md 3.3, 3.4. */
import { type Answer, CODES, codeOf, faultOf, isOverload, isSuccess } from "./answer.ts";
import { at, isTrue } from "./json.ts";

/** Exactly six digits after everything else was dropped, else undefined. Leading zeros count. */
export function normalizeCode(input: string): string | undefined {
  const digits = input.replace(/[^0-9]/g, "");
  return digits.length === 6 ? digits : undefined;
}

export type CodeVerdict =
  | "accepted"
  /** Right, but Apple wants the account repaired before it goes on. */
  | "accepted-repair-needed"
  | "wrong-code"
  /** No code will be taken for hours. */
  | "too-many-attempts"
  | "retry-then-error"
  | "error";

/**
 * Since June 2026 Apple answers 409 to right codes too; the proof of the pudding is trust and login, not this status.
 */
export function judgeCode(answer: Answer): CodeVerdict {
  const { status, json } = answer;
  const code = codeOf(answer);
  const isValid = isTrue(json, "securityCode", "valid");
  if (code === CODES.tooManyWrongCodes || (!isValid && isCodeEntryLocked(json))) return "too-many-attempts";
  if (code === CODES.wrongCode) return "wrong-code";
  if (isSuccess(answer)) return faultOf(answer) === undefined ? "accepted" : "error";
  if (status === 409) return isValid || hasSessionToken(answer) ? "accepted" : "error";
  if (status === 412 && isValid) return "accepted-repair-needed";
  return isOverload(answer) ? "retry-then-error" : "error";
}

/** True when Apple takes no code for now. */
export function isCodeEntryLocked(json: unknown): boolean {
  return flags(json).some((securityCode) =>
    ["securityCodeLocked", "securityCodeCooldown", "tooManyCodesValidated"].some((flag) => isTrue(securityCode, flag)),
  );
}

/** True when Apple sends no further code for now; the last one may still work. */
export function isCodeSendingLocked(json: unknown): boolean {
  return flags(json).some((securityCode) => isTrue(securityCode, "tooManyCodesSent"));
}

/** Apple puts the flags beside the code, at the top, or under the phones. */
function flags(json: unknown): unknown[] {
  return [json, at(json, "securityCode"), at(json, "phoneNumberVerification", "securityCode")];
}

function hasSessionToken(answer: Answer): boolean {
  return (answer.headers.get("x-apple-session-token") ?? "") !== "";
}
