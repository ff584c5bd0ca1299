import { existsSync } from "node:fs";
import { type Connection, number, text } from "./connection.ts";
import { type Driver, loadDriver } from "./driver.ts";
import { damaged } from "./failure.ts";
import { unusableLock } from "./lock.ts";
import { pragma } from "./migrate.ts";
import { type OpenOptions, openQuietly, openReadOnly } from "./open.ts";
import { RESULT, SqlError } from "./sql-error.ts";
import { counting } from "./totals.ts";
import type { Totals } from "./types.ts";

/** What a close look at a catalogue shows. */
export interface Examination {
  readonly schema: number;
  /** Of the file, without its log. */
  readonly bytes: number;
  readonly totals: Totals;
}

/**
 * Reads a catalogue from end to end as SQLite checks it, and counts what is in it. Leaves no trace where nobody writes to
 * it meanwhile. Undefined when there is none. Throws `StateFailure` that says what is wrong with it.
 */
export async function examineState(options: OpenOptions, cap: number): Promise<Examination | undefined> {
  const quiet = !existsSync(`${options.path}-wal`);
  try {
    return examined(await openQuietly(options), options, cap);
  } catch (error) {
    // Read without locks, a database that somebody has begun to write to may look damaged.
    if (!quiet || !existsSync(`${options.path}-wal`)) throw error;
    return examined(await openReadOnly(options), options, cap);
  }
}

function examined(db: Connection | undefined, options: OpenOptions, cap: number): Examination | undefined {
  if (db === undefined) return undefined;
  try {
    const result = text(db.get("PRAGMA quick_check(1)") ?? {}, "quick_check");
    if (result !== "ok") throw damaged(options.path, new Error(result));
    const pages = db.get("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size") ?? {};
    return { schema: pragma(db, "user_version"), bytes: number(pages, "bytes"), totals: counting(db).totals(cap) };
  } finally {
    db.close();
  }
}

/** The version of SQLite in use. */
export async function sqliteVersion(): Promise<string> {
  const db = (await loadDriver())(":memory:");
  try {
    return text(db.prepare("SELECT sqlite_version() AS version").get() ?? {}, "version");
  } finally {
    db.close();
  }
}

/**
 * Whether another process holds the account's lock. Creates nothing, and keeps nobody who comes for the lock away for
 * longer than a blink. Throws `Failure` for a lock file that can't be used.
 */
export async function isLocked(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const driver = await loadDriver();
  let db: Driver | undefined;
  try {
    db = driver(path, { readOnly: true });
    db.exec("PRAGMA busy_timeout = 0");
    db.prepare("SELECT count(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (error.result === RESULT.busy || error.result === RESULT.locked) return true;
    throw unusableLock(path, error);
  } finally {
    db?.close();
  }
}
