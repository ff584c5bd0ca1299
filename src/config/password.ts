import type { Logger } from "../runtime/ports.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { PasswordChoice } from "./password-choice.ts";
import { noPassword, nothingTyped } from "./password-failure.ts";

/** Where the password comes from; read only when a sign-in really needs it. */
export interface Password {
  /** For messages. Of a source that is looked for: what it was found to be when it was read. */
  readonly name: string;
  /** A person has typed it; known once it was read. */
  readonly interactive: boolean;
  /** Throws `Failure` (exit 3) when the source yields none. */
  read(): Promise<string>;
  /** Asks a person, whatever is configured; absent without a terminal. */
  readonly ask?: () => Promise<string>;
  /** To be called when Apple has accepted the password that was read or asked for last. Never throws. */
  accepted(): Promise<void>;
  /** It was to be stored, and was not, because Apple has not been asked about it. */
  readonly isUnsaved: boolean;
}

/** Reads a file or the output of a command. Throws `Failure` (exit 3). */
export interface PasswordReaders {
  readonly file: (path: string) => string;
  readonly command: (command: string) => Promise<string>;
}

export interface PasswordDeps extends PasswordReaders {
  readonly username: string;
  readonly choice: PasswordChoice | undefined;
  readonly store: CredentialStore;
  /** Store the password once Apple has accepted it. */
  readonly save: boolean;
  readonly logger: Logger;
  /** Asks a person, without showing what is typed; undefined without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Told of the password as soon as it is known, so that it is masked wherever text is written. */
  readonly keepSecret: (secret: string) => void;
}

type Source = "flag" | "env" | "command" | "file" | "store" | "prompt" | "none";

const NAMES: Readonly<Record<Source, string>> = {
  flag: "--password",
  env: "ICLOUD_PASSWORD",
  command: "the password command",
  file: "the password file",
  store: "the stored password",
  prompt: "the prompt",
  none: "none",
};

/** Why there is nothing to save; the others are saved. */
const KEPT_ELSEWHERE: Partial<Record<Source, string>> = {
  command: "--save-password stores nothing: the password command is asked each time",
  file: "--save-password stores nothing: the password file is read each time",
  store: "--save-password stores nothing: the password is stored already",
};

/**
 * The configured source: a direct value, a command, a file; else the stored password, else the prompt (auth.md 6.1). The
 * first that is configured is the one that is used; a source that yields nothing is an error, not a reason to try the next.
 */
export function passwordSource(deps: PasswordDeps): Password {
  const { choice, store, logger, keepSecret, username } = deps;
  let source: Source = choice?.kind === "direct" ? choice.from : (choice?.kind ?? "none");
  let last: string | undefined;
  let isSaved = false;
  const known = (password: string): string => {
    keepSecret(password);
    // Kept only for as long as it may have to be stored.
    if (deps.save && !isSaved) last = password;
    return password;
  };
  if (choice?.kind === "direct") keepSecret(choice.password);
  if (deps.save) warnOf(source);

  const { ask } = deps;
  const prompt =
    ask === undefined
      ? undefined
      : async (): Promise<string> => {
          const password = await ask(`Password for ${username}: `);
          if (password === "") throw nothingTyped();
          source = "prompt";
          return known(password);
        };

  function warnOf(from: Source): void {
    const reason = KEPT_ELSEWHERE[from];
    if (reason !== undefined) logger.warn(reason);
  }

  async function found(): Promise<string> {
    const stored = await store.get();
    if (stored !== undefined) {
      source = "store";
      return known(stored);
    }
    if (prompt !== undefined) return prompt();
    throw noPassword("there is no terminal to ask at");
  }

  return {
    get name() {
      return choice?.kind === "file" ? `${NAMES.file} ${choice.path}` : NAMES[source];
    },
    get interactive() {
      return source === "prompt";
    },
    async read() {
      switch (choice?.kind) {
        case "direct":
          return known(choice.password);
        case "command":
          return known(await deps.command(choice.command));
        case "file":
          return known(deps.file(choice.path));
        default:
          return found();
      }
    },
    ...(prompt === undefined ? {} : { ask: prompt }),
    async accepted() {
      if (last === undefined) return;
      const password = last;
      last = undefined;
      isSaved = true;
      if (KEPT_ELSEWHERE[source] !== undefined) {
        if (source === "store") warnOf(source);
        return;
      }
      try {
        const backend = await store.set(password);
        logger.info(
          `the password is stored in ${backend === "keyring" ? "the system's keyring" : "an encrypted file"}`,
        );
      } catch (error) {
        logger.warn("the password could not be stored", {
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    },
    get isUnsaved() {
      return deps.save && !isSaved && KEPT_ELSEWHERE[source] === undefined;
    },
  };
}
