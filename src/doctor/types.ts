import type { CredentialStore } from "../config/credential-store.ts";
import type { PasswordChoice } from "../config/password-choice.ts";
import type { Failure } from "../library/failure.ts";
import type { AccountSettings, Ports } from "../sync/types.ts";

/** What one look has found. */
export interface Check {
  /** For programs; never changes. */
  readonly name: string;
  readonly status: "ok" | "warning" | "error" | "skipped";
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** What the doctor is told of this installation. What the settings don't say is undefined. */
export interface Patient {
  /** What is wrong with the configuration. */
  readonly problems: readonly Failure[];
  readonly config: { readonly path: string; readonly exists: boolean };
  readonly domain: "com" | "cn";
  readonly dataDir: string;
  readonly directory: string | undefined;
  readonly account: AccountSettings | undefined;
  readonly password: PasswordFacts;
  readonly reportPath: string | undefined;
  /** Pause between runs when there are to be many, ms. */
  readonly intervalMs: number | undefined;
  /** Lifetime attempts per file; 0: no cap. */
  readonly perAsset: number;
  /** Ask Apple whether the session is good. */
  readonly live: boolean;
  readonly version: string;
  readonly installMethod: string;
  readonly ports: Ports;
}

/** Where the password comes from. Nothing of it is ever shown. */
export interface PasswordFacts {
  /** The source that is configured. */
  readonly choice: PasswordChoice | undefined;
  /** Where it is stored, if no source is configured; undefined without an account. */
  readonly store: Pick<CredentialStore, "backend" | "get"> | undefined;
}
