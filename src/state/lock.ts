import { chmodSync, closeSync, openSync } from "node:fs";
import { EXIT, Failure } from "../library/failure.ts";
import type { Clock } from "../runtime/ports.ts";
import { Connection } from "./connection.ts";
import { loadDriver } from "./driver.ts";

export interface LockOptions {
  /** How often to try again when another process holds it; 0: not at all. */
  readonly retries: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Lock {
  release(): void;
}

/** Pause between two tries, ms (auth.md 5.7). */
const RETRY_MS = 3_000;

/**
 * Takes the account's process lock: a small SQLite file held in an exclusive transaction. The operating system frees
 * it when the process dies, however it dies; a lock file that is left over means nothing (engine.md 4.10). Throws
 * `Failure` (exit 1) when another process keeps it.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const driver = await loadDriver();
  createPrivate(path);
  for (let left = options.retries; ; left -= 1) {
    const db = new Connection(driver(path));
    try {
      db.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE");
      db.exec("BEGIN EXCLUSIVE");
      return {
        release: () => {
          db.exec("ROLLBACK");
          db.close();
        },
      };
    } catch (error) {
      db.close();
      if (!/locked|busy/i.test(String(error))) {
        throw new Failure(
          `Cannot lock the account: ${path}: ${error instanceof Error ? error.message : String(error)}`,
          {
            exit: EXIT.failure,
            remedy: "Check the permissions of the data folder. If the lock file is damaged, delete it.",
            cause: error,
          },
        );
      }
      if (left <= 0) {
        throw new Failure("Another kei instance is running for this account", {
          exit: EXIT.failure,
          remedy: "Wait until it has finished, or stop it.",
        });
      }
    }
    await options.clock.sleep(RETRY_MS, options.signal);
  }
}

function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new Failure(
      `Cannot create the lock file ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
      {
        exit: EXIT.failure,
        remedy: "Check the permissions of the data folder, or choose another one with --data-dir.",
        cause: error,
      },
    );
  }
}
