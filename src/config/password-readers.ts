import { readFileSync, statSync } from "node:fs";
import { EXIT, Failure } from "../library/failure.ts";
import { isTooOpen, NoPassword, passwordIn } from "../library/password.ts";
import { CommandError, outputOf } from "../runtime/command.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { PasswordReaders } from "./password.ts";
import { noPassword } from "./password-failure.ts";
import type { Environment } from "./paths.ts";
import { childEnvironment } from "./secrets.ts";

/** How long a password command may take, ms. */
const COMMAND_MS = 30_000;
/** Bytes that it may print: no password is longer, and a wrong command must not fill the memory. */
const COMMAND_BYTES = 65_536;

export interface ReaderDeps {
  readonly env: Environment;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Passwords of files and commands, read anew for every sign-in, so that a change takes effect without a restart. */
export function passwordReaders({ env, clock, signal, logger }: ReaderDeps): PasswordReaders {
  const warned = new Set<string>();
  return {
    file(path) {
      try {
        const { mode } = statSync(path);
        if (process.platform !== "win32" && isTooOpen(path, mode) && !warned.has(path)) {
          warned.add(path);
          logger.warn("the password file can be read by others", {
            path,
            mode: (mode & 0o777).toString(8),
            remedy: `chmod 600 ${path}`,
          });
        }
        return passwordIn(readFileSync(path));
      } catch (error) {
        if (error instanceof NoPassword)
          throw noPassword(`the password file ${path} ${FILE_WORDS[error.reason]}`, error);
        const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
        throw noPassword(`the password file ${path} can't be read (${code})`, error);
      }
    },
    async command(command) {
      const options = { env: childEnvironment(env), ms: COMMAND_MS, bytes: COMMAND_BYTES, clock, signal };
      try {
        return passwordIn(await outputOf(command, options));
      } catch (error) {
        if (!(error instanceof CommandError || error instanceof NoPassword)) throw error;
        const what = error instanceof NoPassword ? COMMAND_WORDS[error.reason] : error.message;
        throw noPassword(`the password command ${what}`, error, RUN_BY_HAND);
      }
    },
  };
}

/** What is wrong with a password file. */
export const FILE_WORDS: Readonly<Record<NoPassword["reason"], string>> = {
  empty: "is empty",
  "not-text": "holds something that is not text (UTF-8)",
  "several-lines": "holds more than one line",
};

const COMMAND_WORDS: typeof FILE_WORDS = {
  empty: "printed nothing",
  "not-text": "printed something that is not text (UTF-8)",
  "several-lines": "printed more than one line",
};

const RUN_BY_HAND = "Run the command by hand to see what it says; it must print the password and nothing else.";

/** Refuses a password command where there is no `sh` to run it (exit 1). */
export function refuseCommandOnWindows(platform: string): void {
  if (platform !== "win32") return;
  throw new Failure("A password command can't be used on Windows", {
    exit: EXIT.failure,
    remedy: "Store the password with `kei password set`, or use --password-file.",
  });
}
