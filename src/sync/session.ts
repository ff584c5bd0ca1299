import { mkdir } from "node:fs/promises";
import { createSignIn, type SignIn } from "../icloud/auth/index.ts";
import type { Credentials } from "../icloud/auth/types.ts";
import { createPhotos } from "../icloud/photos/index.ts";
import type { Photos } from "../icloud/photos/types.ts";
import { type AccountFiles, accountFiles } from "../library/account.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { acquireLock, type Lock } from "../state/index.ts";
import type { AccountSettings, Ports } from "./types.ts";
import type { Entry } from "./watch.ts";

/** An account's files on disk and the door to Apple, for as long as one command runs. */
export interface AccountSession {
  readonly signIn: SignIn;
  readonly files: AccountFiles;
}

export interface SessionOptions {
  /** Write nothing: no lock, no session file (DECISIONS 22); only that Apple has refused a password is remembered. */
  readonly readOnly?: boolean;
  /** Try again for a while when another process holds the account: a command of a few seconds may be in the way. */
  readonly patient?: boolean;
}

/** Paths of the account's files below the data folder. */
export function filesOf(settings: Pick<AccountSettings, "dataDir" | "domain" | "username">): AccountFiles {
  return accountFiles(settings.dataDir, settings.domain, settings.username);
}

/**
 * Holds the account's lock while `use` runs, so that one process at a time speaks for it; closes the session and frees
 * the lock on every way out. Throws `Failure` when another instance holds it.
 */
export async function withAccount<T>(
  settings: AccountSettings,
  ports: Ports,
  options: SessionOptions,
  use: (session: AccountSession) => Promise<T>,
): Promise<T> {
  const files = filesOf(settings);
  const lock = options.readOnly === true ? undefined : await lockAccount(settings, ports, options);
  try {
    const signIn = await createSignIn({
      domain: settings.domain,
      signInDomain: settings.signInDomain,
      username: settings.username,
      files,
      clock: ports.clock,
      random: ports.random,
      logger: ports.logger,
      signal: ports.stop,
      readOnly: options.readOnly === true,
    });
    try {
      return await use({ signIn, files });
    } finally {
      await signIn.close();
    }
  } finally {
    lock?.release();
  }
}

/** How often the lock is tried for again, 3 s apart: by what a person or a watch waits for, and by a single sync. */
const PATIENT_TRIES = 6;
/** Enough for a command that only looks something up. */
const HASTY_TRIES = 1;

/** Takes the account's lock, and makes the data folder where there is none. Throws `Failure` as `withAccount` does. */
export async function lockAccount(
  settings: Pick<AccountSettings, "dataDir" | "domain" | "username">,
  ports: Pick<Ports, "clock" | "stop">,
  { patient = false }: Pick<SessionOptions, "patient"> = {},
): Promise<Lock> {
  await createDataDir(settings.dataDir);
  return await acquireLock(filesOf(settings).lock, {
    retries: patient ? PATIENT_TRIES : HASTY_TRIES,
    clock: ports.clock,
    signal: ports.stop,
  });
}

export interface PhotosOptions extends Partial<Entry> {
  readonly retries: number;
  readonly editedMotion?: boolean;
  /** Ask nothing about a saved session: the first call shows whether it still holds. */
  readonly trustSaved?: boolean;
}

/** Signs in as far as needed and opens the photos service, which renews the session by itself when Apple drops it. */
export async function openPhotos(
  session: AccountSession,
  settings: AccountSettings,
  ports: Ports,
  { retries, editedMotion = false, trustSaved = false, lost = 0, awaiting }: PhotosOptions,
): Promise<Photos> {
  const { signIn } = session;
  const known = credentials(settings, ports);
  const entry = awaiting === undefined ? known : { ...known, password: () => Promise.reject(awaiting) };
  const { account } =
    // Who waits for a code takes the session that another process has made, as it is.
    lost === 0 || awaiting !== undefined
      ? await signIn.authenticate(entry, { trustSaved })
      : await signIn.reauthenticate(levelOf(lost), entry);
  return createPhotos({
    http: signIn.http,
    account,
    clock: ports.clock,
    random: ports.random,
    logger: ports.logger,
    retries,
    editedMotion,
    reauthenticate: async (attempt) => {
      ports.logger.warn("Apple has dropped the session, signing in again", { attempt });
      const renewed = await signIn.reauthenticate(levelOf(attempt), known);
      return renewed.account;
    },
  });
}

/** The saved session may be good for a new one; when it was not, only the password is left. */
function levelOf(attempt: number): "soft" | "strip" {
  return attempt <= 1 ? "soft" : "strip";
}

/** What a sign-in may ask for, and of whom. `mayReplace`: a person asks for this very sign-in. */
export function credentials(
  { password }: Pick<AccountSettings, "password">,
  { prompts }: Pick<Ports, "prompts">,
  { mayReplace = false }: { readonly mayReplace?: boolean } = {},
): Credentials {
  return {
    password: () => password.read(),
    get passwordInteractive() {
      return password.interactive;
    },
    accepted: async () => password.accepted?.(),
    mayReplace,
    ...(password.ask === undefined ? {} : { retype: password.ask }),
    ...(prompts === undefined ? {} : { askCode: (question, signal) => prompts.code(question, signal) }),
  };
}

async function createDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(
      `Cannot create the data folder ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
      {
        exit: EXIT.failure,
        remedy: "Check its permissions, or choose another one with --data-dir.",
        cause: error,
      },
    );
  }
}
