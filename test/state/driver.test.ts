import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "../../src/state/connection.ts";
import { openDriver } from "../../src/state/driver.ts";
import { RESULT, resultOfMessage, SqlError } from "../../src/state/sql-error.ts";
import { DRIVERS, newFolder, removeFolders, thrownBy } from "./support.ts";

afterAll(removeFolders);

describe.each(DRIVERS)("%s", (_name, driver) => {
  const memory = () => {
    const db = driver(":memory:");
    db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, size INTEGER CHECK (size >= 0)) STRICT");
    return db;
  };

  test("binds by position, counts changed rows and gives rows back as plain values", () => {
    const db = memory();
    const insert = db.prepare("INSERT INTO t (id, name, size) VALUES (?, ?, ?)");
    expect(insert.run(1, "ä 😀", 9_007_199_254_740_991)).toBe(1);
    expect(insert.run(2, null, 0)).toBe(1);
    expect({ ...db.prepare("SELECT * FROM t WHERE id = ?").get(1) }).toEqual({
      id: 1,
      name: "ä 😀",
      size: Number.MAX_SAFE_INTEGER,
    });
    expect(db.prepare("SELECT * FROM t WHERE id = ?").get(9)).toBeUndefined();
    expect(
      db
        .prepare("SELECT name FROM t ORDER BY id")
        .all()
        .map((row) => row["name"]),
    ).toEqual(["ä 😀", null]);
    expect(db.prepare("UPDATE t SET size = 1").run()).toBe(2);
    expect(db.prepare("UPDATE t SET size = 1 WHERE id = 9").run()).toBe(0);
    db.close();
  });

  test("uses a numbered parameter in several places", () => {
    const db = memory();
    db.prepare("INSERT INTO t (id, name, size) VALUES (?1, ?2, ?1)").run(7, "seven");
    expect(db.prepare("SELECT size FROM t WHERE id = ?1 AND size = ?1").get(7)?.["size"]).toBe(7);
    db.close();
  });

  test("iterates over rows one by one, and may stop in the middle", () => {
    const db = memory();
    const insert = db.prepare("INSERT INTO t (id) VALUES (?)");
    for (let id = 1; id <= 10; id += 1) insert.run(id);
    const select = db.prepare("SELECT id FROM t WHERE id > ? ORDER BY id");
    const seen: unknown[] = [];
    for (const row of select.iterate(2)) {
      seen.push(row["id"]);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([3, 4, 5]);
    expect([...select.iterate(8)].map((row) => row["id"])).toEqual([9, 10]);
    db.close();
  });

  test("does not count rows that a foreign key removes in passing", () => {
    const db = memory();
    db.exec("PRAGMA foreign_keys = ON; CREATE TABLE child (t INTEGER REFERENCES t (id) ON DELETE CASCADE) STRICT");
    db.exec("INSERT INTO t (id) VALUES (1); INSERT INTO child VALUES (1), (1), (1)");
    expect(db.prepare("DELETE FROM t WHERE id = ?").run(1)).toBe(1);
    expect(db.prepare("SELECT count(*) AS n FROM child").get()?.["n"]).toBe(0);
    db.close();
  });

  test.each([
    ["a violated check", RESULT.constraint, "INSERT INTO t (size) VALUES (-1)"],
    ["a value of the wrong type", RESULT.constraint, "INSERT INTO t (size) VALUES ('much')"],
    ["an unknown table", RESULT.error, "SELECT * FROM nowhere"],
  ])("tells %s by its result code", async (_what, result, sql) => {
    const db = memory();
    const error = await thrownBy(() => db.exec(sql));
    expect(error).toBeInstanceOf(SqlError);
    expect((error as SqlError).result).toBe(result);
    db.close();
  });

  test("tells a folder that is not there, a foreign file and a lock by their result codes", async () => {
    const folder = newFolder();
    const missing = await thrownBy(() => driver(join(folder, "none", "a.db")));
    expect((missing as SqlError).result).toBe(RESULT.cannotOpen);
    const noise = join(folder, "noise.db");
    await Bun.write(noise, "this is text ".repeat(200));
    const db = driver(noise);
    expect(((await thrownBy(() => db.exec("SELECT * FROM sqlite_schema"))) as SqlError).result).toBe(
      RESULT.notADatabase,
    );
    db.close();
    const one = driver(join(folder, "lock.db"));
    const other = driver(join(folder, "lock.db"));
    one.exec("BEGIN EXCLUSIVE");
    other.exec("PRAGMA busy_timeout = 0");
    expect(((await thrownBy(() => other.exec("BEGIN EXCLUSIVE"))) as SqlError).result).toBe(RESULT.busy);
    one.close();
    other.exec("BEGIN EXCLUSIVE");
    other.close();
  });

  test("closing leaves nothing open, even with statements still prepared", () => {
    const path = join(newFolder(), "a.db");
    const db = driver(path);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER)");
    const select = db.prepare("SELECT * FROM t");
    db.prepare("INSERT INTO t VALUES (?)").run(1);
    expect(select.all().length).toBe(1);
    expect(existsSync(`${path}-wal`)).toBe(true);
    db.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("opens for reading only, and for reading what nobody writes to under any name", async () => {
    const path = join(newFolder(), "odd name? #1 100%ä.db");
    const db = driver(path);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (5)");
    db.close();
    const immutable = driver(path, { immutable: true });
    expect(immutable.prepare("SELECT id FROM t").get()?.["id"]).toBe(5);
    expect(existsSync(`${path}-shm`)).toBe(false);
    immutable.close();
    const reader = driver(path, { readOnly: true });
    expect(reader.prepare("SELECT id FROM t").get()?.["id"]).toBe(5);
    expect(((await thrownBy(() => reader.exec("DELETE FROM t"))) as SqlError).result).toBe(RESULT.readOnly);
    reader.close();
  });

  describe("transactions", () => {
    const numbers = () => {
      const db = new Connection(driver(":memory:"), ":memory:");
      db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
      return {
        db,
        add: (id: number) => db.run("INSERT INTO t VALUES (?)", id),
        ids: () => db.all("SELECT id FROM t ORDER BY id").map((row) => row["id"]),
      };
    };

    test("nested ones join the outer one", () => {
      const { db, add, ids } = numbers();
      const result = db.transaction(() => {
        add(1);
        return db.transaction(() => {
          add(2);
          return "inner";
        });
      });
      expect(result).toBe("inner");
      expect(ids()).toEqual([1, 2]);
      db.close();
    });

    test("an error takes everything back, and the next one starts afresh", async () => {
      const { db, add, ids } = numbers();
      const boom = new Error("boom");
      expect(
        await thrownBy(() =>
          db.transaction(() => {
            add(1);
            db.transaction(() => add(2));
            throw boom;
          }),
        ),
      ).toBe(boom);
      expect(ids()).toEqual([]);
      db.transaction(() => add(3));
      expect(ids()).toEqual([3]);
      db.close();
    });

    test("a nested error that was caught still takes everything back", async () => {
      const { db, add, ids } = numbers();
      const inner = new Error("inner");
      const error = await thrownBy(() =>
        db.transaction(() => {
          add(1);
          try {
            db.transaction(() => {
              add(2);
              throw inner;
            });
          } catch (caught) {
            expect(caught).toBe(inner);
          }
          add(3);
        }),
      );
      expect(error).toBe(inner);
      expect(ids()).toEqual([]);
      db.close();
    });

    test("a write that must hit a row says so when it hits none", async () => {
      const { db } = numbers();
      const error = await thrownBy(() => db.runOne("number 4", "UPDATE t SET id = 5 WHERE id = ?", 4));
      expect(error.message).toBe("state: row missing: number 4");
      db.close();
    });
  });
});

test("the binding of this runtime is chosen by itself", async () => {
  const db = await openDriver(":memory:");
  expect(db.prepare("SELECT 1 AS one").get()?.["one"]).toBe(1);
  db.close();
});

test("a text that is not SQLite's has no result code", () => {
  expect(resultOfMessage("database is locked")).toBe(RESULT.busy);
  expect(resultOfMessage("UNIQUE constraint failed: t.id")).toBe(RESULT.constraint);
  expect(resultOfMessage("connection reset by peer")).toBeUndefined();
});
