/**
 * The one seam between kei and SQLite. Two bindings stand behind it: `bun:sqlite` where kei runs on Bun (and in the
 * compiled binary), `node:sqlite` under Deno. Both are synchronous; both are imported only where they exist.
 */

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

export interface Statement {
  /** Runs it and returns how many rows changed. */
  run(...values: SqlValue[]): number;
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

export interface Driver {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface DriverOptions {
  readonly readOnly?: boolean;
}

/** Opens a database file, or a private one in memory for `:memory:`. Throws what the binding throws. */
export type OpenDriver = (path: string, options?: DriverOptions) => Driver;

/** The binding of this runtime. */
export async function loadDriver(): Promise<OpenDriver> {
  return "Bun" in globalThis ? bunDriver() : nodeDriver();
}

/** `bun:sqlite`. */
export async function bunDriver(): Promise<OpenDriver> {
  const { Database } = await import("bun:sqlite");
  return (path, options = {}) => {
    const readonly = options.readOnly === true;
    const db = new Database(
      path,
      readonly ? { readonly, strict: true } : { readwrite: true, create: true, strict: true },
    );
    return {
      exec: (sql) => {
        db.run(sql);
      },
      prepare: (sql) => {
        const statement = db.prepare<SqlRow, SqlValue[]>(sql);
        return {
          run: (...values) => statement.run(...values).changes,
          get: (...values) => statement.get(...values) ?? undefined,
          all: (...values) => statement.all(...values),
        };
      },
      close: () => db.close(false),
    };
  };
}

/** `node:sqlite`, which Deno provides too. */
export async function nodeDriver(): Promise<OpenDriver> {
  const { DatabaseSync } = await import("node:sqlite");
  return (path, options = {}) => {
    const db = new DatabaseSync(path, { readOnly: options.readOnly === true });
    return {
      exec: (sql) => db.exec(sql),
      prepare: (sql) => {
        const statement = db.prepare(sql);
        return {
          run: (...values) => Number(statement.run(...values).changes),
          get: (...values) => statement.get(...values) as SqlRow | undefined,
          all: (...values) => statement.all(...values) as SqlRow[],
        };
      },
      close: () => db.close(),
    };
  };
}
