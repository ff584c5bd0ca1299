import { EXIT, type ExitCode, Failure } from "../../library/failure.ts";

/** What a sign-in can fail with (auth.md 8.3). */
export type AuthErrorKind = keyof typeof EXITS;

/** 3: signing in again can help. 4: the owner has to settle something with Apple first. 1: not a matter of the account. */
const EXITS = {
  "bad-credentials": EXIT.signIn,
  "two-factor-required": EXIT.signIn,
  "two-factor-failed": EXIT.signIn,
  "two-factor-locked": EXIT.owner,
  "security-key-unsupported": EXIT.owner,
  "two-step-unsupported": EXIT.owner,
  "repair-required": EXIT.owner,
  "terms-update-required": EXIT.owner,
  "adp-or-web-access": EXIT.owner,
  "account-locked": EXIT.owner,
  "photos-unavailable": EXIT.owner,
  "wrong-domain": EXIT.signIn,
  "rate-limited": EXIT.signIn,
  "apple-unavailable": EXIT.signIn,
  "session-expired": EXIT.signIn,
  "session-rejected": EXIT.signIn,
  "login-rejected": EXIT.signIn,
  rejected: EXIT.signIn,
  "protocol-error": EXIT.signIn,
  network: EXIT.failure,
} as const satisfies Record<string, ExitCode>;

/** Apple's trouble or the network's, not the account's. */
const PASSING: ReadonlySet<AuthErrorKind> = new Set(["rate-limited", "apple-unavailable", "network"] as const);

/** Why a sign-in could not be completed, in words for its owner. Holds no secret. */
export class AuthError extends Failure {
  override readonly name = "AuthError";
  readonly kind: AuthErrorKind;
  /** Apple's error code, or the status, when there was one. */
  readonly code: string | undefined;

  constructor(
    kind: AuthErrorKind,
    message: string,
    options: {
      readonly remedy?: string | undefined;
      readonly code?: string | undefined;
      /** No sign-in by password before this moment, ms since the epoch. */
      readonly retryAt?: number | undefined;
    } = {},
  ) {
    super(message, { ...options, exit: EXITS[kind], passing: PASSING.has(kind) });
    this.kind = kind;
    this.code = options.code;
  }
}
