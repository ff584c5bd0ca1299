import type { Driver, SqlRow, SqlValue, Statement } from "./driver.ts";

/** One open database: statements are prepared once, transactions nest by joining. */
export class Connection {
  readonly #driver: Driver;
  readonly #prepared = new Map<string, Statement>();
  #depth = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  exec(sql: string): void {
    this.#driver.exec(sql);
  }

  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#statement(sql).all(...values);
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#statement(sql).run(...values);
  }

  /** Runs a write that must hit exactly one row; throws when it hits none (engine.md DB-4). */
  runOne(what: string, sql: string, ...values: SqlValue[]): void {
    if (this.run(sql, ...values) !== 1) throw new Error(`state: row missing: ${what}`);
  }

  /** Runs `work` in a transaction; a nested call joins the outer one. Rolls everything back when `work` throws. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.exec("BEGIN IMMEDIATE");
    this.#depth += 1;
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** SQLite may have rolled back by itself (full disk, I/O error); asking again then is an error of no interest. */
  #rollBack(): void {
    try {
      this.exec("ROLLBACK");
    } catch (error) {
      if (!/no transaction/i.test(String(error))) throw error;
    }
  }

  close(): void {
    this.#prepared.clear();
    this.#driver.close();
  }

  #statement(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#driver.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
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
