import { chmodSync, closeSync, openSync } from "node:fs";
import { EXIT, Failure } from "../library/failure.ts";
import type { Clock } from "../runtime/ports.ts";
import { type Driver, loadDriver, type OpenDriver } from "./driver.ts";
import { RESULT, SqlError } from "./sql-error.ts";

export interface LockOptions {
  /** How often to try again when another process holds it; 0: not at all. */
  readonly retries: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Lock {
  /** Gives it back; more than once does nothing. */
  release(): void;
}

/** Another process speaks for the account; exit 1. */
export class AccountBusy extends Failure {
  override readonly name = "AccountBusy";

  constructor() {
    super("Another kei instance is running for this account", {
      exit: EXIT.failure,
      remedy: "Wait until it has finished, or stop it.",
    });
  }
}

/** Pause between two tries, ms (auth.md 5.7). */
const RETRY_MS = 3_000;

/**
 * Takes the account's process lock: a small SQLite file held in an exclusive transaction. The operating system frees
 * it when the process dies, however it dies; a lock file that is left over means nothing (engine.md 4.10). Throws
 * `AccountBusy` when another process keeps it, and `signal.reason` when the signal ends the wait.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const driver = await loadDriver();
  createPrivate(path);
  for (let left = options.retries; ; left -= 1) {
    const lock = tryLock(path, driver);
    if (lock !== undefined) return lock;
    if (left <= 0) throw new AccountBusy();
    await options.clock.sleep(RETRY_MS, options.signal);
  }
}

/** Undefined when another process has it. */
function tryLock(path: string, driver: OpenDriver): Lock | undefined {
  let db: Driver | undefined;
  try {
    const held = driver(path);
    db = held;
    held.exec("PRAGMA busy_timeout = 0");
    held.exec("BEGIN EXCLUSIVE");
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        held.close();
      },
    };
  } catch (error) {
    db?.close();
    if (error instanceof SqlError && (error.result === RESULT.busy || error.result === RESULT.locked)) return undefined;
    throw unusableLock(path, error);
  }
}

/** The lock file is there, and is none. */
export function unusableLock(path: string, error: unknown): Failure {
  return new Failure(`Cannot lock the account: ${path}: ${error instanceof Error ? error.message : String(error)}`, {
    exit: EXIT.failure,
    remedy: "Check the permissions of the data folder. If the lock file is damaged, delete it.",
    cause: error,
  });
}

/**
 * Creates the file when there is none. One that exists is not even opened: closing it again would drop this process's
 * own lock on it (POSIX locks belong to the process, not to the descriptor).
 */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "EEXIST") return;
    throw new Failure(`Cannot create the lock file ${path}: ${code}`, {
      exit: EXIT.failure,
      remedy: "Check the permissions of the data folder, or choose another one with --data-dir.",
      cause: error,
    });
  }
}
