/** Where a password is stored for good: the system's keyring, else an encrypted file (auth.md 6.2). */
import { join } from "node:path";
import { accountFiles } from "../library/account.ts";
import type { Keyring } from "../runtime/keyring.ts";
import type { Logger } from "../runtime/ports.ts";
import { credentialFile } from "./credential-file.ts";

export type Backend = "keyring" | "encrypted-file";

export interface CredentialStore {
  /** The file that holds the password where no keyring does. */
  readonly path: string;
  /** Undefined when none is stored. Throws `Failure` when one is that can't be read. */
  get(): Promise<string | undefined>;
  /**
   * Replaces what is stored, and says where it is now; `inFile`: leaves the keyring alone. Throws `Failure` when it can't be
   * stored anywhere.
   */
  set(password: string, options?: { readonly inFile?: boolean }): Promise<Backend>;
  /** Removes it wherever it is; false when there was none. */
  clear(): Promise<boolean>;
  /** What holds it. */
  backend(): Promise<Backend | "none">;
}

export interface CredentialStoreOptions {
  readonly username: string;
  readonly domain: "com" | "cn";
  readonly dataDir: string;
  /** Default: beside the encrypted files, shared by all accounts. */
  readonly keyFile: string | undefined;
  readonly keyring: Keyring | undefined;
  readonly logger: Logger;
}

/** Touches nothing until it is used. */
export function credentialStore(options: CredentialStoreOptions): CredentialStore {
  const { username, domain, dataDir, keyring, logger } = options;
  const paths = {
    credential: accountFiles(dataDir, domain, username).credential,
    key: options.keyFile ?? join(dataDir, "credentials.key"),
  };
  const file = credentialFile(paths, logger);
  const name = `${username.trim().toLowerCase()} (${domain})`;

  /** Asks the keyring; undefined when there is none or it refuses, which is told. */
  async function fromKeyring<T>(ask: (keyring: Keyring) => Promise<T>): Promise<T | undefined> {
    if (keyring === undefined) return undefined;
    try {
      return await ask(keyring);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // A system without one is nothing to be told about each time.
      const say = /not available/i.test(reason) ? logger.debug : logger.warn;
      say("the system's keyring can't be used", { reason });
      return undefined;
    }
  }

  return {
    path: paths.credential,
    async get() {
      // The file first: it is there only when the keyring could not take the password that was stored last.
      return (await file.read()) ?? (await fromKeyring((keys) => keys.get(name)));
    },
    async set(password, { inFile = false } = {}) {
      const isKept =
        !inFile &&
        (await fromKeyring(async (keys) => {
          await keys.set(name, password);
          return true;
        }));
      if (isKept !== true) {
        await file.write(password);
        return "encrypted-file";
      }
      await file.remove();
      return "keyring";
    },
    async clear() {
      const wasInKeyring = (await fromKeyring((keys) => keys.delete(name))) === true;
      const wasInFile = await file.remove();
      return wasInKeyring || wasInFile;
    },
    async backend() {
      if (await file.exists()) return "encrypted-file";
      return (await fromKeyring((keys) => keys.get(name))) === undefined ? "none" : "keyring";
    },
  };
}
