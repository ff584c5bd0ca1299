import { EXIT, Failure } from "../library/failure.ts";

/** No password to sign in with (exit 3): why, and every way to give one. */
export function noPassword(reason: string, cause?: unknown, remedy = EVERY_WAY): Failure {
  return new Failure(`No password available: ${reason}`, { exit: EXIT.signIn, remedy, cause });
}

const EVERY_WAY =
  "Run `kei login` at a terminal, store it with `kei password set`, or give it with --password-command, --password-file " +
  "or the variable ICLOUD_PASSWORD.";
