/** What an answer of the sign-in hosts means beyond its status. Pure. Facts: auth.md 1.7, 2.8, 1.6. */
import type { AppleResponse } from "../http.ts";
import { at, isObject, isTrue, textAt } from "./json.ts";

/** The parts of an answer that are judged. */
export type Answer = Pick<AppleResponse, "status" | "headers" | "text" | "json">;

export const CODES = {
  wrongPassword: "-20101",
  accountLocked: "-20209",
  wrongCode: "-21669",
  tooManyWrongCodes: "-22982",
  phoneBlocked: "-28248",
} as const;

/** An error that Apple names in a body or header. */
export interface AppleFault {
  readonly code: string | undefined;
  /** Localised by Apple: for people, never for decisions. One line, no markup. */
  readonly message: string | undefined;
}

export function isSuccess(answer: Pick<Answer, "status">): boolean {
  return answer.status >= 200 && answer.status < 300;
}

/** The fault that the body names, whatever the status (rules 2 and 3); undefined when it names none. */
export function faultOf(answer: Answer): AppleFault | undefined {
  const { json } = answer;
  if (!isObject(json)) return undefined;
  const lists = [at(json, "service_errors"), at(json, "serviceErrors")];
  const first = lists.flatMap((list) => (Array.isArray(list) ? list : []))[0];
  if (first !== undefined || isTrue(json, "hasError") || isTrue(json, "has_error")) {
    return { code: textAt(first, "code"), message: plain(textAt(first, "message") ?? textAt(first, "title")) };
  }
  if (at(json, "success") === false) {
    const names = ["errorMessage", "reason", "errorReason", "error"];
    const message = names.map((name) => textAt(json, name)).find((text) => text !== undefined);
    const code = textAt(json, "errorCode") ?? textAt(json, "serverErrorCode") ?? textAt(json, "error");
    if (message !== undefined || code !== undefined) return { code, message: plain(message) };
  }
  return undefined;
}

/** Apple's code for an error: from the body, else from its header. */
export function codeOf(answer: Answer): string | undefined {
  return faultOf(answer)?.code ?? answer.headers.get("x-apple-i-ercd") ?? undefined;
}

/**
 * `rscd_401` or `rscd_403` when a 2xx answer is a rejection in disguise (rule 1). With another status the header only
 * repeats it and is not looked at.
 */
export function disguisedRejection(answer: Answer): string | undefined {
  const rscd = answer.headers.get("x-apple-i-rscd")?.trim();
  return isSuccess(answer) && (rscd === "401" || rscd === "403") ? `rscd_${rscd}` : undefined;
}

const EXPIRED =
  /Missing X-APPLE-WEBAUTH-(TOKEN|USER) cookie|Invalid Session Token|Missing apple_id field|Invalid global session/i;

/** True when a text says that the web session is over, whatever the status (rule 4). */
export function saysExpired(answer: Answer): boolean {
  return EXPIRED.test(answer.text);
}

/** True for a throttle or an outage: every further call would prolong it (auth.md 1.8). */
export function isOverload(answer: Pick<Answer, "status">): boolean {
  return answer.status === 429 || answer.status >= 500;
}

/** At most 200 characters of a body for an error message, in one line; nothing of a web page. */
export function quote(text: string): string {
  if (text.includes("<")) return "a web page";
  const cut = Array.from(text.trim()).slice(0, 200).join("");
  const line = plain(cut);
  return line === undefined ? "an empty answer" : `"${line}"`;
}

/** One line without control characters or markup; undefined when nothing is left. */
function plain(text: string | undefined): string | undefined {
  if (text === undefined || text.includes("<")) return undefined;
  const line = Array.from(text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim())
    .slice(0, 200)
    .join("");
  return line === "" ? undefined : line;
}
