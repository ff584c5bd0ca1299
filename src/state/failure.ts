import { EXIT, Failure } from "../library/failure.ts";
import { RESULT, SqlError } from "./sql-error.ts";

/**
 * - `damaged`: not a database, or one whose content is broken
 * - `busy`: another program holds it
 * - `read-only`: it can be read but not written
 * - `full`: its disk is full
 * - `io`: its disk reports an error
 * - `unusable`: it can't be opened or created
 * - `refused`: it is sound, but not ours to use: another program's, another account's, a newer kei's
 */
export type StateTrouble = "damaged" | "busy" | "read-only" | "full" | "io" | "unusable" | "refused";

/** The state database can't be used; exit 1. The file is always left as it is. */
export class StateFailure extends Failure {
  override readonly name = "StateFailure";
  readonly kind: StateTrouble;

  constructor(kind: StateTrouble, message: string, remedy: string, cause?: unknown) {
    super(message, { exit: EXIT.failure, remedy, cause });
    this.kind = kind;
  }
}

const KEPT =
  "The file was left as it is. Restore it from a backup, or move it away to start with an empty one: photos on disk are recognised again by their content.";

/**
 * What a person is told when the database at `path` fails. Errors that speak of a fault in kei, not of the file or its
 * disk (a violated constraint, bad SQL), come back unchanged.
 */
export function explain(path: string, error: unknown): unknown {
  if (!(error instanceof SqlError)) return error;
  switch (error.result) {
    case RESULT.corrupt:
    case RESULT.notADatabase:
      return damaged(path, error);
    case RESULT.busy:
    case RESULT.locked:
      return new StateFailure(
        "busy",
        `The state database ${path} is locked by another program`,
        "Wait for it to finish, then run kei again.",
        error,
      );
    case RESULT.readOnly:
    case RESULT.permission:
      return new StateFailure(
        "read-only",
        `The state database ${path} can't be written`,
        "Check the permissions of the file and of its folder, and whether its disk is mounted read-only.",
        error,
      );
    case RESULT.full:
      return new StateFailure("full", `The disk of the state database ${path} is full`, "Free some space.", error);
    case RESULT.io:
      return new StateFailure(
        "io",
        `The disk of the state database ${path} reports an error`,
        "Check the disk and the free space on it, then run kei again.",
        error,
      );
    case RESULT.cannotOpen:
      return unusable(path, error.message, error);
    default:
      return error;
  }
}

/** The file is not a sound database. `how` says in which way, when more is known than that. */
export function damaged(path: string, cause: unknown, how = "is damaged or not a database"): StateFailure {
  return new StateFailure("damaged", `The state database ${path} ${how}`, KEPT, cause);
}

/** The file can't be opened or created at all. */
export function unusable(path: string, reason: string, cause: unknown): StateFailure {
  return new StateFailure(
    "unusable",
    `Cannot open the state database ${path}: ${reason}`,
    "Check the permissions and the space of its folder, or choose another one with --data-dir.",
    cause,
  );
}
