import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { accountKey } from "../library/account.ts";
import { isRemoteMount } from "../runtime/mounts.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import { Connection, optionalText, text } from "./connection.ts";
import { type DriverOptions, loadDriver, type OpenDriver } from "./driver.ts";
import { damaged, explain, StateFailure, unusable } from "./failure.ts";
import { migrate, pragma, refuseNewer, refuseOlder } from "./migrate.ts";
import { APPLICATION_ID, TABLES, TEMPORARY_MARKS, temporarySchema } from "./schema.ts";
import { RESULT, SqlError } from "./sql-error.ts";

export interface OpenOptions {
  /** Absolute path of the account's database. Its folder exists. */
  readonly path: string;
  readonly domain: "com" | "cn";
  readonly username: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * This process has written to it before, and writes nothing now unless there is something to keep: no write is made
   * only to see whether one can be.
   */
  readonly proven?: boolean;
  /** Binding to SQLite; that of this runtime unless told otherwise. */
  readonly driver?: OpenDriver;
  /** Whether a folder is on a network mount; asks the system unless told otherwise. */
  readonly isRemote?: (folder: string) => boolean;
}

/** A full integrity check is made after a crash, and else this often (engine.md DB-16). */
const CHECK_EVERY_MS = 7 * 24 * 3600 * 1000;
/** How long a statement waits for another process before it fails as busy. */
const BUSY_MS = 5000;

/** For every connection: settings that are not kept in the file. Memory stays the same whatever the library's size. */
const SETTINGS = `
  PRAGMA busy_timeout = ${BUSY_MS};
  PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA temp_store = FILE;
  PRAGMA cache_size = -8000;
`;

/**
 * Opens (or creates, 0600) the account's database, brings its schema up to date, and checks that it is ours, sound,
 * this account's and can be written. Throws `StateFailure` (exit 1) that says what is wrong; never deletes, replaces
 * or repairs a file.
 */
export async function openConnection(options: OpenOptions): Promise<Connection> {
  const driver = options.driver ?? (await loadDriver());
  if (isAbsent(options.path)) create(options, driver);
  return using(options.path, connect(driver, options.path), (db) => {
    const remote = (options.isRemote ?? isRemoteMount)(dirname(options.path));
    // On such a mount a log left by a crash is replayed without shared memory, which needs the file to ourselves.
    if (remote) db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec(SETTINGS);
    refuseForeign(db, options.path);
    refuseNewer(options.path, pragma(db, "user_version"));
    refuseOtherOwner(db, options);
    closeToOthers(options);
    setJournal(db, options, remote);
    migrate(db, options.path);
    if (options.proven !== true) noteOpened(db, options.clock);
    db.exec(TEMPORARY_MARKS);
    checkIntegrity(db, options);
  });
}

/**
 * Opens an existing database for reading, also on read-only media and beside a running sync; undefined when there is
 * none. Throws `StateFailure` like `openConnection`.
 */
export async function openReadOnly(options: OpenOptions): Promise<Connection | undefined> {
  const driver = options.driver ?? (await loadDriver());
  if (isAbsent(options.path)) return undefined;
  try {
    return openReader(options, driver, { readOnly: true });
  } catch (error) {
    // SQLite wants to write its side files even to read; where it can't, and nothing is in them, it needs none.
    if (!wantsSideFiles(error) || hasLog(options.path)) throw error;
    return openReader(options, driver, { immutable: true });
  }
}

/**
 * The same, without side files where nobody writes to the database: as long as it has no log, it is read without locks.
 */
export async function openQuietly(options: OpenOptions): Promise<Connection | undefined> {
  const driver = options.driver ?? (await loadDriver());
  if (isAbsent(options.path)) return undefined;
  if (look(`${options.path}-wal`) !== undefined) return await openReadOnly(options);
  try {
    return openReader(options, driver, { immutable: true });
  } catch (error) {
    if (!wantsSideFiles(error)) throw error;
    return await openReadOnly(options);
  }
}

/**
 * A private copy of what is known, for runs that may write nothing; empty when nothing is known yet. It lives in
 * SQLite's temporary storage: in memory while small, beyond that in a nameless file of the system's temporary folder.
 */
export async function openScratch(options: OpenOptions): Promise<Connection> {
  const driver = options.driver ?? (await loadDriver());
  if (isAbsent(options.path)) return scratch(driver, undefined);
  return copyUnlocked(options, driver) ?? copyOf(openReader(options, driver, { readOnly: true }), driver);
}

/**
 * A copy that leaves the folder as it was: even a reader makes side files, unless it reads without locks, which is
 * right while nobody writes. Undefined when somebody does, or where the runtime can't open a file like that (Deno
 * without all permissions).
 */
function copyUnlocked(options: OpenOptions, driver: OpenDriver): Connection | undefined {
  const { path } = options;
  const isQuiet = () => look(`${path}-wal`) === undefined;
  const before = look(path);
  if (!isQuiet()) return undefined;
  let reader: Connection;
  try {
    reader = openReader(options, driver, { immutable: true });
  } catch (error) {
    if (wantsSideFiles(error)) return undefined;
    throw error;
  }
  const copy = copyOf(reader, driver);
  const after = look(path);
  if (isQuiet() && after?.mtimeMs === before?.mtimeMs && after?.ino === before?.ino) return copy;
  copy.close();
  return undefined;
}

function openReader(options: OpenOptions, driver: OpenDriver, how: DriverOptions): Connection {
  return using(options.path, connect(driver, options.path, how), (db) => {
    db.exec(SETTINGS);
    refuseForeign(db, options.path);
    const version = pragma(db, "user_version");
    refuseNewer(options.path, version);
    refuseOlder(options.path, version);
    refuseOtherOwner(db, options);
  });
}

function copyOf(known: Connection, driver: OpenDriver): Connection {
  try {
    return scratch(driver, known);
  } finally {
    known.close();
  }
}

function scratch(driver: OpenDriver, known: Connection | undefined): Connection {
  return using(":memory:", connect(driver, ":memory:"), (db) => {
    db.exec(SETTINGS);
    db.exec("PRAGMA temp.cache_size = -32000");
    db.exec(temporarySchema());
    db.exec(TEMPORARY_MARKS);
    if (known !== undefined) db.transaction(() => copyTables(known, db));
  });
}

function copyTables(from: Connection, to: Connection): void {
  for (const table of TABLES) {
    const columns = from.all(`SELECT name FROM pragma_table_info('${table}')`).map((row) => text(row, "name"));
    const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    for (const row of from.iterate(`SELECT * FROM ${table}`))
      to.run(insert, ...columns.map((name) => row[name] ?? null));
  }
}

function connect(driver: OpenDriver, path: string, how?: DriverOptions): Connection {
  try {
    return new Connection(driver(path, how), path);
  } catch (error) {
    throw explain(path, error);
  }
}

/** Runs the first steps on a new connection; closes it when one of them throws. */
function using(path: string, db: Connection, steps: (db: Connection) => void): Connection {
  try {
    steps(db);
    return db;
  } catch (error) {
    try {
      db.close();
    } catch (closing) {
      // What went wrong first is what matters; the file is closed either way.
      if (!(closing instanceof StateFailure)) throw closing;
    }
    throw explain(path, error);
  }
}

/** What is at `path`, links followed; undefined when there is nothing, not even a dead link. */
function look(path: string): Stats | undefined {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return statSync(path);
  } catch (error) {
    throw unusable(path, (error as NodeJS.ErrnoException).code ?? "unknown error", error);
  }
}

/** Throws when that can't be told, when the file is there but cut to nothing, and when only its log is there. */
function isAbsent(path: string): boolean {
  const found = look(path);
  if (found?.size === 0) throw damaged(path, undefined, "is empty: what it held is lost");
  if (found !== undefined) return false;
  for (const left of [`${path}-wal`, `${path}-journal`]) {
    if ((look(left)?.size ?? 0) > 0) throw orphaned(path, left);
  }
  return true;
}

/**
 * Whether there is a database. Throws `StateFailure` when that can't be told, and when it was lost: to say then that there
 * is none yet would be a wrong answer.
 */
export function hasDatabase(path: string): boolean {
  return !isAbsent(path);
}

/** What there is of the database at `path` and of what SQLite keeps beside it, the database first. Throws `StateFailure`. */
export function databaseFiles(path: string): readonly string[] {
  return [path, `${path}-wal`, `${path}-shm`, `${path}-journal`].filter((file) => look(file) !== undefined);
}

/** Whether a log beside the database holds changes that are not in it yet. */
function hasLog(path: string): boolean {
  return (look(`${path}-wal`)?.size ?? 0) > 0;
}

/**
 * Makes an empty database beside its place and moves it there when it is complete, so that whatever stands at `path`
 * was once whole: a file of no bytes is then a loss to tell of, not a beginning.
 */
function create(options: OpenOptions, driver: OpenDriver): void {
  const { path } = options;
  const draft = `${path}.new`;
  try {
    // A draft that a crash left behind has never held anything.
    for (const old of [draft, `${draft}-journal`]) rmSync(old, { force: true });
    // The mode is given at creation, so that there is no moment in which others can read it.
    closeSync(openSync(draft, "wx", 0o600));
    chmodSync(draft, 0o600);
    using(path, connect(driver, draft), (db) => {
      db.exec(SETTINGS);
      migrate(db, path);
      db.run("INSERT INTO owner (only, account, domain) VALUES (1, ?, ?)", ownerOf(options), options.domain);
    }).close();
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    if (error instanceof StateFailure || error instanceof SqlError) throw explain(path, error);
    throw unusable(path, (error as NodeJS.ErrnoException).code ?? String(error), error);
  }
}

function orphaned(path: string, left: string): StateFailure {
  return new StateFailure(
    "damaged",
    `The state database ${path} is gone, but its log ${left} is still there`,
    "Put the database back. To start with an empty one, move the log away as well.",
  );
}

/** Makes the new name durable, where the system can do that for a folder. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, "r");
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    // Windows can't sync folders. Losing an empty database in a power failure costs nothing.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function refuseForeign(db: Connection, path: string): void {
  if (pragma(db, "application_id") === APPLICATION_ID) return;
  throw new StateFailure(
    "refused",
    `${path} is a database of another program`,
    "It was left untouched. Choose another data folder with --data-dir.",
  );
}

function refuseOtherOwner(db: Connection, options: OpenOptions): void {
  const row = db.get("SELECT account FROM owner");
  if (row !== undefined && text(row, "account") === ownerOf(options)) return;
  throw new StateFailure(
    "refused",
    `The state database ${options.path} belongs to another account`,
    "Databases are found by account: give back its name to the file you moved, or use another data folder.",
  );
}

/** The account is stored as a hash: the database needs to recognise it, not to tell it. */
function ownerOf({ domain, username }: OpenOptions): string {
  return createHash("sha256")
    .update(`kei owner\0${accountKey(domain, username)}`)
    .digest("hex");
}

function closeToOthers({ path, logger }: OpenOptions): void {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  logger.warn("the state database was open to others, closing it to them", { path, mode: mode.toString(8) });
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    try {
      chmodSync(file, 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") logger.warn("could not close a file of the state to others", { path: file, reason: code });
    }
  }
}

/** Write-ahead logging where it works; on network mounts the slower journal that does (DECISIONS 20). */
function setJournal(db: Connection, { path, logger }: OpenOptions, remote: boolean): void {
  if (!remote) {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    return;
  }
  logger.warn("the data folder is on a network mount; a local folder is safer and faster", { folder: dirname(path) });
  db.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA locking_mode = NORMAL");
}

/** The first write: a file or disk that can't take it is noticed before anything is asked of the network. */
function noteOpened(db: Connection, clock: Clock): void {
  db.run("INSERT OR REPLACE INTO metadata (key, value) VALUES ('opened_at', ?)", String(clock.now()));
}

function checkIntegrity(db: Connection, { path, clock }: OpenOptions): void {
  const last = Number(optionalText(db.get("SELECT value FROM metadata WHERE key = 'checked_at'") ?? {}, "value") ?? 0);
  // Once is enough, however many runs that leave no row come after it.
  const crashed = db.get(
    "SELECT 1 AS one FROM runs WHERE status <> 'complete' AND started_at >= ? AND id = (SELECT max(id) FROM runs)",
    last,
  );
  const now = clock.now();
  if (crashed === undefined && now - last < CHECK_EVERY_MS && last <= now) return;
  const result = text(db.get("PRAGMA quick_check(1)") ?? {}, "quick_check");
  if (result !== "ok") throw damaged(path, new Error(result));
  db.run("INSERT OR REPLACE INTO metadata (key, value) VALUES ('checked_at', ?)", String(now));
}

function wantsSideFiles(error: unknown): boolean {
  const cause = error instanceof StateFailure ? error.cause : error;
  return cause instanceof SqlError && (cause.result === RESULT.cannotOpen || cause.result === RESULT.readOnly);
}
