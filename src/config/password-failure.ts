import { EXIT, Failure } from "../library/failure.ts";

/** No password to sign in with (exit 3): why, and every way to give one. */
export function noPassword(reason: string, cause?: unknown, remedy = EVERY_WAY): Failure {
  return new Failure(`No password available: ${reason}`, { exit: EXIT.signIn, remedy, cause });
}

/** A person was asked, and pressed Enter alone. */
export function nothingTyped(): Failure {
  return new Failure("No password was typed", {
    exit: EXIT.signIn,
    remedy: "Type it and press Enter; it is not shown while you type.",
  });
}

const EVERY_WAY =
  "Run `kei login` at a terminal, store it with `kei password set`, or give it with --password-command, --password-file " +
  "or the variable ICLOUD_PASSWORD.";
