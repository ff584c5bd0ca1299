import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { accountKey } from "../library/account.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import { Connection, number, optionalText, text } from "./connection.ts";
import { type Driver, loadDriver, type OpenDriver } from "./driver.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION, TEMPORARY_TABLES } from "./schema.ts";

export interface OpenOptions {
  /** Absolute path of the account's database. Its folder exists. */
  readonly path: string;
  readonly domain: "com" | "cn";
  readonly username: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A full integrity check is made after a crash, and else this often (engine.md DB-16). */
const CHECK_EVERY_MS = 7 * 24 * 3600 * 1000;

/** Magic numbers of file systems on which SQLite's shared memory does not work (statfs(2)). */
const NETWORK_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x517b, // SMB
  0x01021997, // 9p
  0x65735546, // FUSE
]);

/**
 * Opens (or creates, 0600) the account's database, brings its schema up to date and checks that it is ours, sound and
 * this account's. Throws `Failure` (exit 1) that says what is wrong; never deletes, replaces or repairs a file.
 */
export async function openConnection(options: OpenOptions): Promise<Connection> {
  const isNew = !existsSync(options.path);
  if (isNew) createPrivate(options.path);
  else closeToOthers(options);
  const db = await open(options, {});
  try {
    guard(options, () => {
      const empty = isNew || isEmpty(db);
      if (!empty) refuseForeign(db, options.path);
      db.exec(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = FILE",
      );
      db.exec("PRAGMA cache_size = -8000");
      journal(db, options);
      migrate(db, options.path);
      bindOwner(db, options);
      db.exec(TEMPORARY_TABLES);
      check(db, options);
    });
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * Opens an existing database for reading, also on read-only media and beside a running sync; undefined when there is
 * none. Throws `Failure` like `openConnection`.
 */
export async function openReadOnly(options: OpenOptions): Promise<Connection | undefined> {
  if (!existsSync(options.path)) return undefined;
  const db = await open(options, { readOnly: true });
  try {
    guard(options, () => {
      refuseForeign(db, options.path);
      const version = pragma(db, "user_version");
      if (version !== SCHEMA_VERSION) throw otherVersion(options.path, version);
      db.exec("PRAGMA busy_timeout = 5000");
      refuseOtherOwner(db, options);
    });
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * A private copy in memory of what is known, for runs that may write nothing; empty when nothing is known yet.
 */
export async function openScratch(options: OpenOptions): Promise<Connection> {
  const driver = await loadDriver();
  const db = new Connection(driver(":memory:"));
  migrate(db, ":memory:");
  const known = await openReadOnly(options);
  if (known !== undefined) {
    try {
      db.transaction(() => copyTables(known, db));
    } finally {
      known.close();
    }
  }
  db.exec(TEMPORARY_TABLES);
  return db;
}

/** Tables in an order that satisfies their references. */
const TABLES = [
  "metadata",
  "runs",
  "scans",
  "assets",
  "issues",
  "files",
  "placements",
  "temp_claims",
  "albums",
  "members",
];

function copyTables(from: Connection, to: Connection): void {
  for (const table of TABLES) {
    const columns = from.all(`SELECT name FROM pragma_table_info('${table}')`).map((row) => text(row, "name"));
    const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    for (const row of from.all(`SELECT * FROM ${table}`))
      to.run(insert, ...columns.map((column) => row[column] ?? null));
  }
}

async function open(options: OpenOptions, how: { readOnly?: boolean }): Promise<Connection> {
  const driver: OpenDriver = await loadDriver();
  let opened: Driver;
  try {
    opened = driver(options.path, how);
  } catch (error) {
    throw explain(options.path, error);
  }
  return new Connection(opened);
}

function guard(options: OpenOptions, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof Failure ? error : explain(options.path, error);
  }
}

function explain(path: string, error: unknown): Failure {
  const reason = String(error instanceof Error ? error.message : error);
  const keep =
    "The file was left as it is. Restore it from a backup, or move it away to start with an empty one: photos on disk are recognised again by their content.";
  const fail = (message: string, remedy: string) => new Failure(message, { exit: EXIT.failure, remedy, cause: error });
  if (/not a database|malformed|corrupt|disk image|encrypted/i.test(reason)) {
    return fail(`The state database ${path} is damaged`, keep);
  }
  if (/locked|busy/i.test(reason)) {
    return fail(
      `The state database ${path} is in use by another program`,
      "Wait for it to finish, then run kei again.",
    );
  }
  if (/readonly|read-only/i.test(reason)) {
    return fail(`The state database ${path} can't be written`, "Check the permissions of the file and its folder.");
  }
  if (/full/i.test(reason)) return fail(`The disk of the state database ${path} is full`, "Free some space.");
  return fail(`Cannot open the state database ${path}: ${reason}`, "Check the permissions of the file and its folder.");
}

function createPrivate(path: string): void {
  try {
    // The mode is given at creation, so that there is no moment in which others can read it.
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new Failure(
      `Cannot create the state database ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
      {
        exit: EXIT.failure,
        remedy: "Check the permissions and the space of its folder, or choose another one with --data-dir.",
        cause: error,
      },
    );
  }
}

function closeToOthers({ path, logger }: OpenOptions): void {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  logger.warn("the state database was readable by others, closing it to them", { path, mode: mode.toString(8) });
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    logger.warn("could not close the state database to others", {
      path,
      reason: (error as NodeJS.ErrnoException).code,
    });
  }
}

function pragma(db: Connection, name: string): number {
  return number(db.get(`PRAGMA ${name}`) ?? {}, name);
}

function isEmpty(db: Connection): boolean {
  return db.get("SELECT 1 AS one FROM sqlite_schema LIMIT 1") === undefined && pragma(db, "application_id") === 0;
}

function refuseForeign(db: Connection, path: string): void {
  if (pragma(db, "application_id") === APPLICATION_ID) return;
  throw new Failure(`${path} is a database of another program`, {
    exit: EXIT.failure,
    remedy: "It was left untouched. Choose another data folder with --data-dir.",
  });
}

function otherVersion(path: string, version: number): Failure {
  const newer = version > SCHEMA_VERSION;
  return new Failure(`The state database ${path} has schema ${version}, this kei knows ${SCHEMA_VERSION}`, {
    exit: EXIT.failure,
    remedy: newer
      ? "Use the newer kei that wrote it; the file was left untouched."
      : "Run `kei sync` once to bring it up to date.",
  });
}

/** Write-ahead logging where it works; on network mounts the slower journal that does (DECISIONS 20). */
function journal(db: Connection, { path, logger }: OpenOptions): void {
  if (isOnNetwork(dirname(path))) {
    logger.warn(
      "the data folder is on a network file system; kei works there, but a local folder is safer and faster",
      {
        folder: dirname(path),
      },
    );
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL");
    return;
  }
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
}

function isOnNetwork(folder: string): boolean {
  try {
    return NETWORK_FILE_SYSTEMS.has(Number(statfsSync(folder).type) >>> 0);
  } catch (error) {
    // Not every system can tell; then it is taken for a local disk, as SQLite itself would.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

function migrate(db: Connection, path: string): void {
  const version = pragma(db, "user_version");
  if (version > SCHEMA_VERSION) throw otherVersion(path, version);
  for (const [step, script] of MIGRATIONS.entries()) {
    if (step < version) continue;
    db.transaction(() => {
      db.exec(script);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.exec(`PRAGMA user_version = ${step + 1}`);
    });
  }
}

function bindOwner(db: Connection, options: OpenOptions): void {
  db.run("INSERT OR IGNORE INTO owner (only, account, domain) VALUES (1, ?, ?)", ownerOf(options), options.domain);
  refuseOtherOwner(db, options);
}

function refuseOtherOwner(db: Connection, options: OpenOptions): void {
  const row = db.get("SELECT account, domain FROM owner");
  if (row === undefined || text(row, "account") === ownerOf(options)) return;
  throw new Failure(`The state database ${options.path} belongs to another account`, {
    exit: EXIT.failure,
    remedy: "Databases are found by account: give back its name to the file you moved, or use another data folder.",
  });
}

/** The account is stored as a hash: the database needs to recognise it, not to tell it. */
function ownerOf({ domain, username }: OpenOptions): string {
  return createHash("sha256")
    .update(`kei owner\0${accountKey(domain, username)}`)
    .digest("hex");
}

function check(db: Connection, { path, clock }: OpenOptions): void {
  const last = Number(optionalText(db.get("SELECT value FROM metadata WHERE key = 'checked_at'") ?? {}, "value") ?? 0);
  const crashed = db.get("SELECT 1 AS one FROM runs WHERE status = 'running' LIMIT 1") !== undefined;
  const now = clock.now();
  if (!crashed && now - last < CHECK_EVERY_MS && last <= now) return;
  const result = text(db.get("PRAGMA quick_check(1)") ?? {}, "quick_check");
  if (result !== "ok") throw explain(path, new Error(`malformed: ${result}`));
  db.run("INSERT OR REPLACE INTO metadata (key, value) VALUES ('checked_at', ?)", String(now));
}
