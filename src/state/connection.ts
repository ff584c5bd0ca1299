import type { Driver, SqlRow, SqlValue, Statement } from "./driver.ts";
import { explain } from "./failure.ts";

/**
 * One open database: statements are prepared once, transactions nest by joining, and trouble with the file or its disk
 * is told as a `Failure`.
 */
export class Connection {
  readonly #driver: Driver;
  readonly #path: string;
  readonly #prepared = new Map<string, Statement>();
  #open = false;
  #doomed: { readonly by: unknown } | undefined;

  /** `path` is for messages. */
  constructor(driver: Driver, path: string) {
    this.#driver = driver;
    this.#path = path;
  }

  exec(sql: string): void {
    this.#told(() => this.#driver.exec(sql));
  }

  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#told(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#told(() => this.#statement(sql).all(...values));
  }

  /** Rows one by one, for results that may be large. */
  *iterate(sql: string, ...values: SqlValue[]): Generator<SqlRow> {
    const statement = this.#told(() => this.#statement(sql));
    try {
      yield* statement.iterate(...values);
    } catch (error) {
      throw explain(this.#path, error);
    }
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#told(() => this.#statement(sql).run(...values));
  }

  /** Runs a write that must hit exactly one row; throws when it hits none (engine.md DB-4). */
  runOne(what: string, sql: string, ...values: SqlValue[]): void {
    if (this.run(sql, ...values) !== 1) throw new Error(`state: row missing: ${what}`);
  }

  /**
   * Runs `work` in a transaction; a nested call joins the outer one. Rolls everything back when `work` throws. A nested
   * call that threw takes the outer one down too, even when its error was caught on the way: half of it is written.
   */
  transaction<T>(work: () => T): T {
    if (this.#open) return this.#join(work);
    this.exec("BEGIN IMMEDIATE");
    this.#open = true;
    this.#doomed = undefined;
    try {
      const result = work();
      const doomed = this.#doomed as { readonly by: unknown } | undefined;
      if (doomed !== undefined) throw doomed.by;
      this.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      this.#open = false;
    }
  }

  /** Runs reads that must agree with each other, whatever another process writes meanwhile. Joins a transaction. */
  snapshot<T>(work: () => T): T {
    if (this.#open) return work();
    this.exec("BEGIN");
    this.#open = true;
    try {
      return work();
    } finally {
      this.#open = false;
      // Nothing was written: there is nothing to keep.
      this.#rollBack();
    }
  }

  #join<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#doomed ??= { by: error };
      throw error;
    }
  }

  /** SQLite may have rolled back by itself (full disk, I/O error); asking again then is an error of no interest. */
  #rollBack(): void {
    try {
      this.exec("ROLLBACK");
    } catch (error) {
      if (!(error instanceof Error && /no transaction/i.test(error.message))) throw error;
    }
  }

  close(): void {
    this.#prepared.clear();
    this.#told(() => this.#driver.close());
  }

  #statement(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#driver.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explain(this.#path, error);
    }
  }
}

/** Column readers: SQLite's NULL is our undefined. */
export function text(row: SqlRow, column: string): string {
  return String(row[column]);
}

export function optionalText(row: SqlRow, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : String(value);
}

export function number(row: SqlRow, column: string): number {
  return Number(row[column]);
}

export function optionalNumber(row: SqlRow, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}

export function flag(row: SqlRow, column: string): boolean {
  return row[column] === 1;
}

/** For binding: undefined becomes NULL, booleans 0 or 1. */
export function sql(value: string | number | boolean | undefined): SqlValue {
  if (value === undefined) return null;
  return typeof value === "boolean" ? Number(value) : value;
}

/** Longest error text that is kept, characters. */
const ERROR_LIMIT = 2_000;

/** An error's text as it is kept. */
export function errorText(error: string): string {
  return error.slice(0, ERROR_LIMIT);
}
