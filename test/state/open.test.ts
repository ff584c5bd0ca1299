import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Connection } from "../../src/state/connection.ts";
import type { OpenDriver } from "../../src/state/driver.ts";
import { StateFailure } from "../../src/state/failure.ts";
import { openForDryRun, openState, openStateReadOnly } from "../../src/state/index.ts";
import { migrate } from "../../src/state/migrate.ts";
import { openConnection } from "../../src/state/open.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../src/state/schema.ts";
import {
  DRIVERS,
  FakeClock,
  newFolder,
  newLogger,
  optionsFor,
  PRIMARY,
  planned,
  removeFolders,
  saved,
  thrownBy,
} from "./support.ts";

afterAll(removeFolders);

const DAY = 24 * 3600 * 1000;

describe.each(DRIVERS)("over %s", (_name, driver) => {
  const inNewFolder = (more = {}) => optionsFor(join(newFolder(), "0123456789abcdef.db"), { driver, ...more });
  const raw = (path: string, sql: string) => {
    const db = driver(path);
    db.exec(sql);
    db.close();
  };
  const header = (path: string, name: string) => {
    const db = driver(path, { readOnly: true });
    const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
    db.close();
    return value;
  };
  const refused = async (work: () => unknown) => {
    const error = await thrownBy(work);
    if (!(error instanceof StateFailure)) throw error;
    expect(error.exit).toBe(1);
    expect(error.message).not.toContain("\n");
    expect(error.remedy).toBeTruthy();
    return error;
  };
  /** A database with some content, closed cleanly. */
  const filled = async (files = 50) => {
    const options = inNewFolder();
    const state = await openState(options);
    state.transaction(() => {
      for (let index = 0; index < files; index += 1) saved(state, `a${index}`);
    });
    state.close();
    return options;
  };

  describe("a new database", () => {
    test("is private, marked as ours, and has all pragmas set", async () => {
      const mask = process.umask(0);
      try {
        const options = inNewFolder();
        const db = await openConnection(options);
        const value = (name: string) => Object.values(db.get(`PRAGMA ${name}`) ?? {})[0];
        expect(value("journal_mode")).toBe("wal");
        expect(value("synchronous")).toBe(1);
        expect(value("busy_timeout")).toBe(5000);
        expect(value("foreign_keys")).toBe(1);
        expect(value("trusted_schema")).toBe(0);
        expect(value("application_id")).toBe(APPLICATION_ID);
        expect(value("user_version")).toBe(MIGRATIONS.length);
        for (const file of [options.path, `${options.path}-wal`, `${options.path}-shm`]) {
          expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
        }
        db.close();
      } finally {
        process.umask(mask);
      }
    });

    test("is private under a strict mask, too, and leaves nothing beside itself once closed", async () => {
      const mask = process.umask(0o377);
      try {
        const options = inNewFolder();
        (await openState(options)).close();
        expect(statSync(options.path).mode & 0o777).toBe(0o600);
        expect(readdirSync(join(options.path, ".."))).toEqual(["0123456789abcdef.db"]);
      } finally {
        process.umask(mask);
      }
    });

    test("is made where a crash left a half-made one", async () => {
      const options = inNewFolder();
      writeFileSync(`${options.path}.new`, "half");
      const state = await openState(options);
      expect(state.totals(10).assets).toBe(0);
      state.close();
      expect(existsSync(`${options.path}.new`)).toBe(false);
    });

    test("is not begun beside the log of one that is gone", async () => {
      const options = inNewFolder();
      writeFileSync(`${options.path}-wal`, "left over");
      const error = await refused(() => openState(options));
      expect(error.kind).toBe("damaged");
      expect(existsSync(options.path)).toBe(false);
      expect(readFileSync(`${options.path}-wal`, "utf8")).toBe("left over");
    });

    test("in a folder that is not there is refused by name", async () => {
      const options = optionsFor(join(newFolder(), "none", "a.db"), { driver });
      const error = await refused(() => openState(options));
      expect(error.message).toContain(options.path);
      expect(error.message).toContain("ENOENT");
    });

    test("is not made behind a dead link", async () => {
      const options = inNewFolder();
      symlinkSync(join(newFolder(), "unmounted.db"), options.path);
      expect((await refused(() => openState(options))).kind).toBe("unusable");
    });
  });

  describe("an existing database", () => {
    test("keeps what was written, and opens again as often as one likes", async () => {
      const options = await filled(3);
      for (let round = 0; round < 3; round += 1) {
        const state = await openState(options);
        expect(state.totals(10)).toMatchObject({ assets: 3, onDisk: 3, bytes: 3000 });
        state.close();
      }
    });

    test("that others could read is closed to them, with a warning", async () => {
      const logger = newLogger();
      const options = { ...(await filled(1)), logger };
      chmodSync(options.path, 0o644);
      (await openState(options)).close();
      expect(statSync(options.path).mode & 0o777).toBe(0o600);
      expect(logger.warnings).toEqual(["the state database was open to others, closing it to them"]);
    });

    test("gets back what a crash left in the log", async () => {
      const options = inNewFolder();
      const state = await openState(options);
      saved(state, "a");
      const copy = optionsFor(join(newFolder(), "copy.db"), { driver });
      copyFileSync(options.path, copy.path);
      copyFileSync(`${options.path}-wal`, `${copy.path}-wal`);
      state.close();
      const again = await openState(copy);
      expect(again.totals(10).onDisk).toBe(1);
      again.close();
    });

    test("of another program is refused and stays as it was, mode and bytes", async () => {
      const options = inNewFolder();
      raw(options.path, "CREATE TABLE photos (id INTEGER); PRAGMA user_version = 7");
      chmodSync(options.path, 0o644);
      const before = readFileSync(options.path);
      expect((await refused(() => openState(options))).kind).toBe("refused");
      expect((await refused(() => openStateReadOnly(options))).kind).toBe("refused");
      expect((await refused(() => openForDryRun(options))).kind).toBe("refused");
      expect(readFileSync(options.path).equals(before)).toBe(true);
      expect(statSync(options.path).mode & 0o777).toBe(0o644);
    });

    test("of a newer kei is refused with both numbers, and stays as it was", async () => {
      const options = await filled(1);
      raw(options.path, "PRAGMA user_version = 42");
      const before = readFileSync(options.path);
      for (const open of [openState, openStateReadOnly, openForDryRun]) {
        const error = await refused(() => open(options));
        expect(error.message).toContain("schema 42");
        expect(error.message).toContain(`up to ${MIGRATIONS.length}`);
      }
      expect(readFileSync(options.path).equals(before)).toBe(true);
    });

    test.each([
      ["user name", { username: "john@example.com" }],
      ["realm", { domain: "cn" as const }],
    ])("of another %s is refused", async (_what, other) => {
      const options = await filled(1);
      for (const open of [openState, openStateReadOnly, openForDryRun]) {
        expect((await refused(() => open({ ...options, ...other }))).message).toContain("belongs to another account");
      }
    });

    test("is the same account's however the user name is spelled", async () => {
      const options = await filled(1);
      const state = await openState({ ...options, username: " Jane@Example.COM " });
      expect(state.totals(10).assets).toBe(1);
      state.close();
    });

    test("does not tell whose it is", async () => {
      const options = await filled(1);
      expect(readFileSync(options.path, "latin1").toLowerCase()).not.toContain("jane");
    });
  });

  describe("damage", () => {
    const cases: ReadonlyArray<readonly [string, (path: string) => void]> = [
      ["cut to nothing", (path) => truncateSync(path, 0)],
      ["cut inside the header", (path) => truncateSync(path, 50)],
      ["cut in the middle", (path) => truncateSync(path, statSync(path).size >> 1)],
      ["overwritten with text", (path) => writeFileSync(path, "not a database, surely\n".repeat(500))],
      ["full of zeros", (path) => writeFileSync(path, Buffer.alloc(8192))],
    ];
    test.each(cases)("a file that was %s is refused and stays as it is", async (_what, harm) => {
      const options = await filled();
      harm(options.path);
      const before = readFileSync(options.path);
      for (const open of [openState, openStateReadOnly, openForDryRun]) {
        const error = await refused(() => open(options));
        expect(error.message).toContain(options.path);
        expect(["damaged", "refused"]).toContain(error.kind);
      }
      expect(readFileSync(options.path).equals(before)).toBe(true);
    });

    /** Spoils a page in the middle, where opening alone does not look. */
    const spoil = (path: string) => {
      const bytes = readFileSync(path);
      for (let page = 6; page * 4096 < bytes.length; page += 1) bytes.fill(0xa5, page * 4096, page * 4096 + 2000);
      writeFileSync(path, bytes);
    };

    test("inside is found by the check a week after the last one", async () => {
      const clock = new FakeClock();
      const options = { ...(await filled(400)), clock };
      spoil(options.path);
      clock.time += 8 * DAY;
      expect((await refused(() => openState(options))).kind).toBe("damaged");
    });

    test("inside is found by the check after a run that did not end", async () => {
      const options = await filled(400);
      const state = await openState(options);
      state.beginRun(1);
      state.close();
      spoil(options.path);
      expect((await refused(() => openState(options))).kind).toBe("damaged");
    });

    test("the check is not made at every start", async () => {
      const clock = new FakeClock();
      const options = { ...inNewFolder(), clock };
      const checkedAt = async () => {
        const state = await openState(options);
        const at = Number(state.meta("checked_at"));
        state.close();
        return at;
      };
      const first = await checkedAt();
      clock.time += 6 * DAY;
      expect(await checkedAt()).toBe(first);
      clock.time += 2 * DAY;
      expect(await checkedAt()).toBe(clock.time);
      clock.time -= 30 * DAY;
      expect(await checkedAt()).toBe(clock.time);
    });
  });

  test("a database that another program keeps locked is refused by name", async () => {
    const options = await filled(1);
    raw(options.path, "PRAGMA journal_mode = DELETE");
    const other = driver(options.path);
    other.exec("BEGIN EXCLUSIVE");
    const impatient: OpenDriver = (path, how) => {
      const db = driver(path, how);
      return { ...db, exec: (sql) => db.exec(sql.replace(/busy_timeout = \d+/, "busy_timeout = 0")) };
    };
    const error = await refused(() => openState({ ...options, driver: impatient }));
    expect(error.kind).toBe("busy");
    expect(error.message).toContain("locked");
    other.close();
    (await openState(options)).close();
  });

  test("a full disk while writing is told as such, and what was committed stays", async () => {
    const options = inNewFolder();
    let limited = false;
    const small: OpenDriver = (path, how) => {
      const db = driver(path, how);
      return { ...db, exec: (sql) => db.exec(limited ? `PRAGMA max_page_count = 1; ${sql}` : sql) };
    };
    const state = await openState({ ...options, driver: small });
    saved(state, "a");
    limited = true;
    const error = await refused(() =>
      state.transaction(() => {
        for (let index = 0; index < 2000; index += 1) planned(state, `b${index}`);
      }),
    );
    expect(error.kind).toBe("full");
    state.close();
    const again = await openState(options);
    expect(again.totals(10)).toMatchObject({ assets: 1, onDisk: 1 });
    again.close();
  });

  test("on a network mount the plain journal is used, with a warning, and a log that was left is folded in", async () => {
    const options = await filled(1);
    const logger = newLogger();
    const db = await openConnection({ ...options, logger, isRemote: () => true });
    expect(logger.warnings.length).toBe(1);
    expect(db.get("PRAGMA journal_mode")?.["journal_mode"]).toBe("delete");
    expect(db.get("PRAGMA synchronous")?.["synchronous"]).toBe(2);
    // Another process can still read meanwhile.
    const reader = await openStateReadOnly(options);
    expect(reader?.totals(10).assets).toBe(1);
    reader?.close();
    db.close();
  });

  describe("reading only", () => {
    test("finds nothing where nothing is, and creates nothing", async () => {
      const options = inNewFolder();
      expect(await openStateReadOnly(options)).toBeUndefined();
      expect(readdirSync(join(options.path, ".."))).toEqual([]);
    });

    test("works beside a running sync and sees what it has committed", async () => {
      const options = inNewFolder();
      const state = await openState(options);
      const reader = await openStateReadOnly(options);
      saved(state, "a");
      expect(reader?.totals(10).onDisk).toBe(1);
      const error = await refused(() => reader?.setMeta("a", "b"));
      expect(error.kind).toBe("read-only");
      reader?.close();
      saved(state, "b");
      state.close();
    });
  });

  describe("a dry run", () => {
    test("starts empty where nothing is, and creates nothing", async () => {
      const options = inNewFolder();
      const state = await openForDryRun(options);
      saved(state, "a");
      expect(state.totals(10).onDisk).toBe(1);
      expect(state.metInWalk("w", "a")).toBe(false);
      state.close();
      expect(readdirSync(join(options.path, ".."))).toEqual([]);
    });

    test("knows what is known, may write, and leaves the folder as it was", async () => {
      const options = await filled(20);
      const before = readFileSync(options.path);
      const state = await openForDryRun(options);
      expect(state.totals(10)).toMatchObject({ assets: 20, onDisk: 20 });
      saved(state, "new");
      state.markMissing({ library: PRIMARY, asset: "a1" as never, rendition: "original" }, "unfiled");
      expect(state.totals(10)).toMatchObject({ assets: 21, onDisk: 20, waiting: 1 });
      expect(await thrownBy(() => planned(state, "other", { path: "2026/01/01/a2.JPG" }))).toBeInstanceOf(Error);
      state.close();
      expect(readFileSync(options.path).equals(before)).toBe(true);
      expect(readdirSync(join(options.path, ".."))).toEqual(["0123456789abcdef.db"]);
    });

    test("works beside a running sync", async () => {
      const options = inNewFolder();
      const state = await openState(options);
      saved(state, "a");
      const dry = await openForDryRun(options);
      expect(dry.totals(10).onDisk).toBe(1);
      dry.close();
      state.close();
    });
  });

  describe("migrations", () => {
    const steps = [
      "CREATE TABLE one (id INTEGER)",
      "CREATE TABLE two (id INTEGER); INSERT INTO two VALUES (2)",
      "DROP TABLE one",
    ];
    const tables = (db: Connection) => db.all("SELECT name FROM sqlite_schema ORDER BY name").map((row) => row["name"]);

    test("take a database from any version to the newest, once", () => {
      for (let from = 0; from <= steps.length; from += 1) {
        const db = new Connection(driver(":memory:"), "m");
        migrate(db, "m", steps.slice(0, from));
        migrate(db, "m", steps);
        migrate(db, "m", steps);
        expect(tables(db)).toEqual(["two"]);
        expect(db.all("SELECT id FROM two").length).toBe(1);
        expect(db.get("PRAGMA user_version")?.["user_version"]).toBe(3);
        db.close();
      }
    });

    test("that fail leave the last good version, from which the next start goes on", async () => {
      for (let bad = 0; bad < steps.length; bad += 1) {
        const db = new Connection(driver(":memory:"), "m");
        const broken = steps.map((step, index) => (index === bad ? `${step}; SELECT * FROM nowhere` : step));
        await thrownBy(() => migrate(db, "m", broken));
        expect(db.get("PRAGMA user_version")?.["user_version"]).toBe(bad);
        migrate(db, "m", steps);
        expect(tables(db)).toEqual(["two"]);
        db.close();
      }
    });
  });

  test("header numbers can be read by other tools", async () => {
    const options = await filled(1);
    expect(header(options.path, "application_id")).toBe(0x6b656931);
    expect(header(options.path, "user_version")).toBe(MIGRATIONS.length);
  });
});

const asRoot = process.getuid?.() === 0;

describe("as a user who may not write", () => {
  const [, driver] = DRIVERS[0] ?? [];
  if (driver === undefined) throw new Error("no driver");

  /** Opens the state in a child that runs as nobody, and gives back what it prints. */
  const asNobody = async (how: string, path: string) => {
    const script = join(import.meta.dir, "open-child.ts");
    const child = Bun.spawn(
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, script, how, path],
      {
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(err).toBe("");
    return out.trim();
  };
  const readable = async () => {
    const folder = newFolder();
    chmodSync(folder, 0o755);
    const data = join(folder, "data");
    mkdirSync(data);
    const options = optionsFor(join(data, "a.db"));
    const state = await openState(options);
    saved(state, "a");
    state.close();
    chmodSync(options.path, 0o444);
    chmodSync(data, 0o555);
    return options.path;
  };

  test.skipIf(!asRoot || Bun.which("setpriv") === null)(
    "status reads, a sync is refused before it starts (needs root to become nobody)",
    async () => {
      const path = await readable();
      expect(await asNobody("status", path)).toBe("1 on disk");
      expect(await asNobody("dry-run", path)).toBe("1 on disk");
      expect(await asNobody("sync", path)).toContain("can't be written");
      renameSync(path, `${path}.moved`);
      expect(await asNobody("sync", path)).toContain("EACCES");
    },
  );
});
