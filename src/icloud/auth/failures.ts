/** Every way a sign-in fails, in words for the owner of the account: what is wrong, and what to do. */
import type { Domain } from "../endpoints.ts";
import type { AppleNetworkError } from "../http.ts";
import { type Answer, CODES, codeOf, faultOf, quote } from "./answer.ts";
import { AuthError, type AuthErrorKind } from "./errors.ts";

const site = (domain: Domain) => (domain === "cn" ? "icloud.com.cn" : "icloud.com");

/** `status 403, code -20209`: what Apple's support, and a search, can start from. */
function particulars(answer: Answer): string {
  const code = codeOf(answer);
  return code === undefined ? `status ${answer.status}` : `status ${answer.status}, code ${code}`;
}

function inAppleWords(answer: Answer): string {
  const message = faultOf(answer)?.message;
  return message === undefined ? "" : `: ${message}`;
}

/** A moment for people, in UTC. */
function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function badCredentials(username: string): AuthError {
  return new AuthError("bad-credentials", `Apple does not accept this password for ${username}.`, {
    code: CODES.wrongPassword,
    remedy:
      "Check the Apple ID and the password: capital letters count, and an app-specific password does not work here. " +
      "kei will not send the same password again by itself.",
  });
}

export function knownBadPassword(username: string, refusedAt: number): AuthError {
  return new AuthError(
    "bad-credentials",
    `Apple refused this password for ${username} at ${clockTime(refusedAt)}; it was not sent again, because that could lock the account.`,
    {
      remedy:
        "Change it where kei takes it from (`kei password set` for a stored one), or type it at a terminal with `kei login`.",
    },
  );
}

/** The service of mainland China is at times closed to accounts that Apple's other one lets in (auth.md 1.1). */
const otherSignIn = (isMainland: boolean): string =>
  isMainland ? " If it stays so, `--sign-in-domain com` signs in with Apple's other service." : "";

export function throttled(answer: Pick<Answer, "status">, retryAt: number, signInDomain: Domain): AuthError {
  return new AuthError("rate-limited", `Apple is turning sign-ins away (status ${answer.status}).`, {
    code: String(answer.status),
    retryAt,
    remedy: `Wait until ${clockTime(retryAt)} and do not restart kei in a loop: every further try prolongs the block.${otherSignIn(signInDomain === "cn")}`,
  });
}

export function stillThrottled(retryAt: number): AuthError {
  return new AuthError("rate-limited", "Apple turned the last sign-in away, and kei keeps away for a while.", {
    retryAt,
    remedy: `Wait until ${clockTime(retryAt)}: every further try would prolong the block.`,
  });
}

export function appleUnavailable(answer: Pick<Answer, "status">): AuthError {
  return new AuthError("apple-unavailable", `Apple's sign-in service is not available (status ${answer.status}).`, {
    code: String(answer.status),
    remedy: "Try again in 10 to 15 minutes.",
  });
}

const NETWORK_REASONS: Readonly<Record<AppleNetworkError["kind"], string>> = {
  dns: "its name cannot be resolved",
  connect: "the connection was refused or found no way",
  reset: "the connection broke off",
  timeout: "it did not answer in time",
  tls: "no secure connection could be made",
  "tls-invalid": "its certificate is not valid",
  other: "the connection failed",
};

export function unreachable(error: AppleNetworkError): AuthError {
  return new AuthError("network", `Cannot reach ${error.host}: ${NETWORK_REASONS[error.kind]}.`, {
    code: error.kind,
    remedy:
      error.kind === "tls-invalid"
        ? "Check the clock of this machine, and whether a proxy or a portal sits in between."
        : `Check the network connection of this machine.${otherSignIn(error.host === "idmsa.apple.com.cn")}`,
  });
}

/** An answer that the protocol does not know. Says what came, shortened. */
export function notUnderstood(step: string, answer: Answer, why?: string): AuthError {
  const request = answer.headers.get("x-apple-i-request-id");
  return new AuthError(
    "protocol-error",
    `Apple's answer to ${step} was not understood (${why ?? `${particulars(answer)}, ${quote(answer.text)}`}` +
      `${request === null ? "" : `, request ${request.replace(/[^\w.-]/g, "").slice(0, 64)}`}).`,
    { code: codeOf(answer), remedy: "Try again later. If it stays so, a newer kei may be needed." },
  );
}

/** A refusal that names no cause to act on. */
export function refused(
  kind: Extract<AuthErrorKind, "rejected" | "login-rejected">,
  answer: Answer,
  domain: Domain,
): AuthError {
  const code = codeOf(answer);
  if (answer.status === 403 && code === CODES.accountLocked) return accountLocked(domain);
  const hints: Readonly<Record<string, string>> = {
    ZONE_NOT_FOUND: `Finish the set-up of iCloud at ${site(domain)}.`,
    AUTHENTICATION_FAILED: `Finish the set-up of iCloud at ${site(domain)}.`,
    ACCESS_DENIED: `Wait a few minutes; ${WEB_ACCESS}`,
  };
  return new AuthError(kind, `Apple refused the sign-in (${particulars(answer)})${inAppleWords(answer)}.`, {
    code: code ?? String(answer.status),
    remedy:
      hints[code ?? ""] ??
      `Sign in at ${site(domain)} with a browser to see whether the account is in order, then try again.`,
  });
}

/** A refusal that wears a 2xx. */
export function disguised(code: string): AuthError {
  return new AuthError("session-rejected", `Apple did not accept the session (code ${code}).`, {
    code,
    remedy: "Sign in again with `kei login`.",
  });
}

export function sessionExpired(answer: Answer): AuthError {
  return new AuthError("session-expired", `Apple does not accept the new session (${particulars(answer)}).`, {
    code: codeOf(answer),
    remedy: "Try `kei login` again in a few minutes.",
  });
}

export function accountLocked(domain: Domain): AuthError {
  return new AuthError("account-locked", "Apple has locked this account.", {
    code: CODES.accountLocked,
    remedy: `Unlock it at ${domain === "cn" ? "iforgot.apple.com.cn" : "iforgot.apple.com"}, then run \`kei login\`.`,
  });
}

export function repairRequired(domain: Domain): AuthError {
  return new AuthError("repair-required", "Apple wants this account to be looked after before it lets kei in.", {
    remedy: `Sign in at ${site(domain)} with a browser and accept what Apple asks, then run \`kei login\`.`,
  });
}

export function termsPending(domain: Domain): AuthError {
  return new AuthError("terms-update-required", "Apple has new terms that this account has not accepted.", {
    remedy: `Sign in at ${site(domain)} with a browser and accept the terms, then run kei again.`,
  });
}

const WEB_ACCESS = "on an iPhone or iPad: Settings, your name, iCloud, turn on `Access iCloud Data on the Web`.";

export function webAccessOff(isDataProtected: boolean): AuthError {
  const what = isDataProtected
    ? "Advanced Data Protection is on for this account"
    : "access to iCloud data on the web is turned off for this account";
  return new AuthError("adp-or-web-access", `Apple does not serve its photos to kei: ${what}.`, {
    remedy:
      "On an iPhone or iPad: Settings, your name, iCloud: turn off `Advanced Data Protection` and turn on `Access iCloud Data on the Web`.",
  });
}

export function securityKeysOnly(keyNames: readonly string[]): AuthError {
  const names = keyNames.length === 0 ? "" : ` (${keyNames.map((name) => name.replace(/\p{Cc}/gu, " ")).join(", ")})`;
  return new AuthError(
    "security-key-unsupported",
    `This account signs in with security keys${names}, which kei does not support.`,
    {
      remedy:
        "Remove the keys on a device: Settings, your name, Sign-In & Security, Two-Factor Authentication, Security Keys.",
    },
  );
}

export function twoStepAccount(): AuthError {
  return new AuthError(
    "two-step-unsupported",
    "This account uses the older two-step verification, which kei does not support.",
    { remedy: "Turn on two-factor authentication on an Apple device: Settings, your name, Sign-In & Security." },
  );
}

export function wrongDomain(right: Domain): AuthError {
  return new AuthError("wrong-domain", `This account lives in Apple's other region (${site(right)}).`, {
    code: right,
    remedy: `Set the domain to \`${right}\` (--domain ${right}).`,
  });
}

export function noPhotosService(domain: Domain): AuthError {
  return new AuthError("photos-unavailable", "Apple names no photos service for this account.", {
    remedy: `Sign in at ${site(domain)} with a browser, open Photos once and finish the set-up, then run kei again.`,
  });
}

export function codeNeeded(username: string): AuthError {
  return new AuthError("two-factor-required", `Apple wants a verification code for ${username}.`, {
    remedy:
      "Run `kei login get-code` (with --sms for a text message), then `kei login submit-code CODE`; or `kei login` at a terminal.",
  });
}

export function malformedCode(): AuthError {
  return new AuthError("two-factor-failed", "A verification code has exactly six digits; nothing was sent to Apple.", {
    remedy: "Run `kei login submit-code CODE` again with the six digits.",
  });
}

export function wrongCode(): AuthError {
  return new AuthError("two-factor-failed", "Apple does not accept this code: it is wrong or has expired.", {
    code: CODES.wrongCode,
    remedy: "Have a new one sent with `kei login get-code`, or run `kei login` at a terminal.",
  });
}

export function codesLocked(): AuthError {
  return new AuthError(
    "two-factor-locked",
    "Apple has locked verification codes for this account after too many tries.",
    {
      code: CODES.tooManyWrongCodes,
      remedy: "Wait some hours before the next try, and request no new codes until then.",
    },
  );
}

export function tooManyCodesSent(): AuthError {
  return new AuthError("two-factor-failed", "Apple sends no further codes for now: too many were requested.", {
    remedy: "The last code may still work: `kei login submit-code CODE`. Otherwise wait some hours.",
  });
}

export function phoneBlocked(display: string): AuthError {
  return new AuthError("two-factor-failed", `The phone ${display} can receive no codes for now.`, {
    code: CODES.phoneBlocked,
    remedy: "Use another phone (`kei login phones` lists them) or a trusted device: `kei login get-code`.",
  });
}

export function noPhones(): AuthError {
  return new AuthError("two-factor-failed", "Apple names no phone that a code could be sent to.", {
    remedy: "Have the code shown on a trusted device: `kei login get-code`.",
  });
}

/** `phones` as a person reads them. */
export function whichPhone(phones: string, wanted: number | undefined): AuthError {
  const what = wanted === undefined ? "The account has several phones" : `The account has no phone ${wanted}`;
  return new AuthError("two-factor-failed", `${what}: ${phones}.`, {
    remedy: "Name one of them: `kei login get-code --sms --phone N`.",
  });
}

export function codeStepFailed(what: string, answer: Answer): AuthError {
  return new AuthError("two-factor-failed", `${what} (${particulars(answer)})${inAppleWords(answer)}.`, {
    code: codeOf(answer) ?? String(answer.status),
    remedy: "Start over with `kei login get-code`, or with `kei login` at a terminal.",
  });
}

export function notTrusted(): AuthError {
  return new AuthError("two-factor-failed", "The code was accepted, but Apple still wants one.", {
    remedy: "Wait a few minutes, then run `kei login` again.",
  });
}
