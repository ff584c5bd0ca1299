import { readFileSync, statSync } from "node:fs";
import { EXIT, Failure } from "../library/failure.ts";
import { isTooOpen, stripTrailingNewline } from "../library/password.ts";
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
      let text: string;
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
        text = readFileSync(path, "utf8");
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
        throw noPassword(`the password file ${path} can't be read (${code})`, error);
      }
      const password = stripTrailingNewline(text);
      if (password === "") throw noPassword(`the password file ${path} is empty`);
      return password;
    },
    async command(command) {
      const options = { env: childEnvironment(env), ms: COMMAND_MS, bytes: COMMAND_BYTES, clock, signal };
      try {
        return passwordIn(await outputOf(command, options));
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        throw noPassword(`the password command ${error.message}`, error, RUN_BY_HAND);
      }
    },
  };
}

const RUN_BY_HAND = "Run the command by hand to see what it says; it must print the password and nothing else.";

/** The one line that was printed. Throws `CommandError`. */
function passwordIn(output: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(output);
  } catch {
    throw new CommandError("printed something that is not text (UTF-8)");
  }
  const password = stripTrailingNewline(text);
  if (password === "") throw new CommandError("printed nothing");
  // Apple would count it as a wrong password.
  if (/[\r\n]/.test(password)) throw new CommandError("printed more than one line");
  return password;
}

/** Refuses a password command where there is no `sh` to run it (exit 1). */
export function refuseCommandOnWindows(platform: string): void {
  if (platform !== "win32") return;
  throw new Failure("A password command can't be used on Windows", {
    exit: EXIT.failure,
    remedy: "Store the password with `kei password set`, or use --password-file.",
  });
}
