import { EXIT, Failure } from "../library/failure.ts";

/** A wrong command line: exit 64, before anything is read or contacted. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  constructor(message: string, remedy = "See `kei --help`.") {
    super(message, { exit: EXIT.usage, remedy });
  }
}
