/**
 * The one seam between kei and SQLite. Two bindings stand behind it: `bun:sqlite` where kei runs on Bun (and in the
 * compiled binary), `node:sqlite` under Deno. Both are synchronous; both are imported only where they exist.
 */
import { resultOfMessage, SqlError } from "./sql-error.ts";

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

/** Parameters are positional (`?`, or `?1` where one is used twice). Every call may throw `SqlError`. */
export interface Statement {
  /** Runs it and returns how many rows changed, without those that a foreign key changed in passing. */
  run(...values: SqlValue[]): number;
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
  /** Rows one by one, for results that may be large. One iteration at a time. */
  iterate(...values: SqlValue[]): Iterable<SqlRow>;
}

export interface Driver {
  /** Runs one or several statements that take no parameters. */
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Ends every prepared statement and closes the file, so that nothing of it stays open or locked. */
  close(): void;
}

export interface DriverOptions {
  readonly readOnly?: boolean;
  /**
   * The file lies where nothing can be written, not even SQLite's own side files: it is read without locks. Only right
   * when nobody writes to it.
   */
  readonly immutable?: boolean;
}

/** Opens a database file, or a private one in memory for `:memory:`. Throws `SqlError`. */
export type OpenDriver = (path: string, options?: DriverOptions) => Driver;

/** The binding of this runtime. */
export async function loadDriver(): Promise<OpenDriver> {
  return "Bun" in globalThis ? bunDriver() : nodeDriver();
}

/** Opens `path` with the binding of this runtime. */
export async function openDriver(path: string, options?: DriverOptions): Promise<Driver> {
  return (await loadDriver())(path, options);
}

/** `bun:sqlite`. */
export async function bunDriver(): Promise<OpenDriver> {
  const { Database, constants } = await import("bun:sqlite");
  return (path, options = {}) => {
    const db = typed(() => {
      if (options.immutable === true) {
        return new Database(immutableUri(path), constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
      }
      const mode = options.readOnly === true ? { readonly: true } : { readwrite: true, create: true };
      return new Database(path, { ...mode, strict: true });
    });
    const prepared: Array<{ finalize(): void }> = [];
    return {
      exec: (sql) => {
        typed(() => db.run(sql));
      },
      prepare: (sql) => {
        const statement = typed(() => db.prepare<SqlRow, SqlValue[]>(sql));
        prepared.push(statement);
        return {
          run: (...values) => typed(() => statement.run(...values).changes),
          get: (...values) => typed(() => statement.get(...values) ?? undefined),
          all: (...values) => typed(() => statement.all(...values)),
          iterate: (...values) => typedRows(() => statement.iterate(...values)),
        };
      },
      close: () => {
        // A statement that is still alive would keep the file and its log open behind our back.
        for (const statement of prepared.splice(0)) statement.finalize();
        db.close(false);
      },
    };
  };
}

/** `node:sqlite`, which Deno provides too. */
export async function nodeDriver(): Promise<OpenDriver> {
  const { DatabaseSync } = await import("node:sqlite");
  return (path, options = {}) => {
    const immutable = options.immutable === true;
    const readOnly = immutable || options.readOnly === true;
    const db = typed(() => new DatabaseSync(immutable ? new URL(immutableUri(path)) : path, { readOnly }));
    return {
      exec: (sql) => typed(() => db.exec(sql)),
      prepare: (sql) => {
        const statement = typed(() => db.prepare(sql));
        return {
          run: (...values) => typed(() => Number(statement.run(...values).changes)),
          get: (...values) => typed(() => statement.get(...values) as SqlRow | undefined),
          all: (...values) => typed(() => statement.all(...values) as SqlRow[]),
          iterate: (...values) => typedRows(() => statement.iterate(...values) as Iterable<SqlRow>),
        };
      },
      close: () => db.close(),
    };
  };
}

function immutableUri(path: string): string {
  return `file://${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`;
}

function typed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw sqlError(error);
  }
}

function* typedRows(open: () => Iterable<SqlRow>): Generator<SqlRow> {
  try {
    yield* open();
  } catch (error) {
    throw sqlError(error);
  }
}

/** `errno` is Bun's name for the result code, `errcode` Node's; Deno tells only the text. */
function sqlError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errno, errcode } = error as Error & { errno?: unknown; errcode?: unknown };
  const extended = typeof errno === "number" ? errno : typeof errcode === "number" ? errcode : undefined;
  const result = extended === undefined ? resultOfMessage(error.message) : extended & 0xff;
  return result === undefined ? error : new SqlError(result, error.message, error);
}
