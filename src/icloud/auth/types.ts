import type { AccountFiles } from "../../library/account.ts";
import type { AppleFetch } from "../../runtime/network.ts";
import type { Clock, Logger, Random } from "../../runtime/ports.ts";
import type { SignedInAccount } from "../account.ts";
import type { Domain } from "../endpoints.ts";
import type { AppleHttp } from "../http.ts";

/** What a sign-in needs. The caller holds the account's lock for as long as the `SignIn` is open. */
export interface SignInOptions {
  readonly domain: Domain;
  /** Region of the sign-in service; default: `domain`. */
  readonly signInDomain?: Domain | undefined;
  /** Apple ID as the user spells it. */
  readonly username: string;
  readonly files: Pick<AccountFiles, "session" | "cookies" | "cache" | "attempts">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends every wait and every request of a sign-in; the calls then reject with its reason. */
  readonly signal: AbortSignal;
  /** Write nothing to disk but what keeps the account from being locked (DECISIONS 18). Default false. */
  readonly readOnly?: boolean;
  /** How requests leave. Default: `appleFetch`. */
  readonly fetch?: AppleFetch;
}

/** Whom to ask for a password and a code. */
export interface Credentials {
  /** The password exactly as given; called only when Apple really wants it. */
  readonly password: () => Promise<string>;
  /** True when a person at a terminal has typed the password; looked at after it was called for. */
  readonly passwordInteractive: boolean;
  /** Asks a person for a password, in place of one that Apple has refused. Absent where no terminal is. */
  readonly retype?: () => Promise<string>;
  /** A person asks for this very sign-in: then also in place of a configured one that was refused before. */
  readonly mayReplace?: boolean;
  /** Told when Apple has accepted the password. Must not throw. */
  readonly accepted?: () => Promise<void>;
  /** Asks a person for the six-digit code; an empty answer means "send it again". Absent where no terminal is. */
  readonly askCode?: (question: string, signal: AbortSignal) => Promise<string>;
}

/** A phone that Apple can text a code to. */
export interface PhoneLine {
  /** Its place in Apple's list, from 1. */
  readonly number: number;
  /** As Apple hides it, e.g. `(***) ***-**07`. */
  readonly display: string;
  /** Apple calls it instead of texting. */
  readonly isCalled: boolean;
}

/** A code is to go to a phone; `phone` is its number in the list, needed where there are several and nobody to ask. */
export interface CodeByText {
  readonly phone: number | undefined;
}

/** What became of a request for a code: none is needed, it is on the devices, or on its way to a phone. */
export type CodeRequest = "already" | "sent" | { readonly textedTo: string };

/** How the session came about: verified within the last minutes, renewed from saved tokens, or by password or code. */
export type SignInRoute = "cached" | "session" | "srp";

export interface SignInResult {
  readonly account: SignedInAccount;
  readonly how: SignInRoute;
}

/** What is known about the saved session without asking Apple; for status screens. */
export interface SessionFacts {
  readonly hasSession: boolean;
  /** When Apple last trusted this installation with a code, ms since the epoch. */
  readonly trustedAt: number | undefined;
  /** No password sign-in before this moment, because Apple throttled the last one; ms since the epoch. */
  readonly throttledUntil: number | undefined;
  /** When Apple refused the password last used, ms since the epoch. */
  readonly passwordRefusedAt: number | undefined;
}

/** One account's way in. Calls run one after the other; every one of them throws `AuthError` when it fails. */
export interface SignIn {
  /** For the photos room: shares this session's cookies. */
  readonly http: AppleHttp;
  /**
   * Saved session first, password last (auth.md 8.1). `trustSaved`: ask nothing about a session that Apple has found good
   * at any time; whoever uses it learns by Apple's refusal when it is over, and calls `reauthenticate`. `byText`: where the
   * first code goes, if one is asked for.
   */
  authenticate(
    credentials: Credentials,
    options?: { readonly trustSaved?: boolean; readonly byText?: CodeByText | undefined },
  ): Promise<SignInResult>;
  /** Has Apple send a code to the trusted devices, or by text message; `already` when none is needed. */
  requestCode(credentials: Credentials, byText?: CodeByText): Promise<CodeRequest>;
  /** The phones that a code can be texted to; `already` when none is needed, since Apple shows them only then. */
  listPhones(credentials: Credentials): Promise<"already" | readonly PhoneLine[]>;
  /** Hands in a code that another process requested; never has a new one sent. */
  submitCode(code: string, credentials: Credentials): Promise<"already" | "accepted">;
  /**
   * Renews a session that CloudKit refused (auth.md 5.8): `soft` forgets what was verified lately, `strip` forgets
   * everything but the trust of this installation, so that the password is needed.
   */
  reauthenticate(level: "soft" | "strip", credentials: Credentials): Promise<SignInResult>;
  sessionFacts(): SessionFacts;
  /** Saves what is not yet on disk. A disk that refuses is warned about. */
  close(): Promise<void>;
}
