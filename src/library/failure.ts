/** Documented exit codes; a contract with scripts and supervisors. */
export const EXIT = {
  /** Everything selected is on disk. */
  ok: 0,
  /** Failure, bad configuration or environment value, complete failure. */
  failure: 1,
  /** Some assets failed or are exhausted. */
  partial: 2,
  /** Sign-in needed. */
  signIn: 3,
  /** The owner of the account must act with Apple. */
  owner: 4,
  /** Wrong command line. */
  usage: 64,
  /** Forced stop. */
  forced: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * A failure that a person is told about in one line: what is wrong, and what to do (`remedy`). Rooms throw it, or a
 * subclass that adds a `kind`, when the run cannot go on; `cli/` prints it and ends with `exit`. The text never
 * contains a secret or a signed URL.
 */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly exit: ExitCode;
  readonly remedy: string | undefined;
  /** It may be over by itself after a while: who runs again and again waits and goes on (DECISIONS 12). */
  readonly passing: boolean;
  /** A try before this moment, ms since the epoch, would be in vain or do harm. */
  readonly retryAt: number | undefined;

  constructor(
    message: string,
    options: {
      exit: ExitCode;
      remedy?: string | undefined;
      cause?: unknown;
      passing?: boolean;
      retryAt?: number | undefined;
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exit = options.exit;
    this.remedy = options.remedy;
    this.passing = options.passing ?? false;
    this.retryAt = options.retryAt;
  }
}
