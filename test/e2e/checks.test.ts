/** Looking after what is saved: reconcile finds what has vanished, verify proves what is there, reset forgets. */

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, keiCommand, runInProcess, until } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");

let double: Double;
let home: Home;
let library: PhotoLibrary;

afterEach(async () => {
  await double.stop();
  home.remove();
});

const photo = (name: string, size = 900 + name.charCodeAt(0)) =>
  library.addAsset({ filename: `${name}.JPG`, content: size, assetDate: TAKEN });

async function begin(...names: readonly string[]): Promise<void> {
  library = new PhotoLibrary({ seed: 3 });
  for (const name of names) photo(name);
  double = await startDouble({ library });
  home = new Home(double, { KEI_FOLDER_STRUCTURE: "none" });
  home.env["KEI_DOWNLOAD_DIR"] = home.photos;
  await home.signIn(double);
  expect((await kei("sync")).code).toBe(0);
}

const kei = (...args: readonly string[]): Promise<KeiResult> =>
  runInProcess(args, { env: home.env, cwd: home.root, clock: systemClock });

const files = () => accountFiles(home.data, "com", double.account.username);
const at = (name: string) => join(home.photos, name);

function rows(sql: string): unknown[] {
  const db = new Database(files().database, { readonly: true });
  try {
    return db.query(sql).values();
  } finally {
    db.close();
  }
}
const failures = () => rows("SELECT last_error, attempts FROM files WHERE status = 'failed'");

describe("kei reconcile", () => {
  test("marks what is missing as failed with fresh attempts, once, and the next sync fetches it again", async () => {
    await begin("A", "B", "C");
    rmSync(at("B.JPG"));
    const requests = double.log.all.length;
    const first = await kei("reconcile");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^Reconciling 3 downloaded assets\.\.\.\n\nMISSING: B\.JPG \([^,]+, original\)\n\nResults:\n {2}Present: +2\n {2}Missing: +1\n {2}Marked failed: 1\n/,
    );
    expect(double.log.all.length).toBe(requests);
    expect(failures()).toEqual([["FILE_MISSING_AT_STARTUP", 0]]);
    expect((await kei("status", "--failed")).stdout).toContain("FILE_MISSING_AT_STARTUP");
    const second = await kei("reconcile");
    expect(second.stdout).toContain("Marked failed: 0");
    expect((await kei("sync")).code).toBe(0);
    expect(await home.files()).toEqual(["A.JPG", "B.JPG", "C.JPG"]);
    expect(failures()).toEqual([]);
  });

  test("with --dry-run writes nothing", async () => {
    await begin("A", "B", "C");
    rmSync(at("B.JPG"));
    const before = await snapshot(home.data);
    const result = await kei("reconcile", "--dry-run");
    expect([result.code, result.stdout.includes("MISSING: B.JPG"), result.stdout.includes("Marked")]).toEqual([
      0,
      true,
      false,
    ]);
    expect(await snapshot(home.data)).toEqual(before);
    expect(failures()).toEqual([]);
  });

  test("brings back the missing place of a photo that stands in several, from there", async () => {
    await begin("A", "B", "C");
    library.addToAlbum(photo("D"), library.createAlbum({ name: "One" }));
    const two = library.createAlbum({ name: "Two" });
    const shared = photo("E");
    library.addToAlbum(shared, library.createAlbum({ name: "Three" }));
    library.addToAlbum(shared, two);
    await kei("sync");
    rmSync(at("Two/E.JPG"));
    const fetched = double.log.count("cdn");
    expect((await kei("reconcile")).stdout).toContain("MISSING: Two/E.JPG");
    expect(rows("SELECT path, last_error FROM placements WHERE status = 'failed'")).toEqual([
      ["Two/E.JPG", "FILE_MISSING_AT_STARTUP"],
    ]);
    expect((await kei("sync")).code).toBe(0);
    expect(await home.files()).toContain("Two/E.JPG");
    expect(double.log.count("cdn")).toBe(fetched);
  });

  test("puts a good copy beside a file that was cut short", async () => {
    await begin("A", "B", "C");
    truncateSync(at("B.JPG"), 10);
    expect((await kei("reconcile")).stdout).toContain("TRUNCATED: B.JPG");
    expect(failures()).toEqual([["FILE_TRUNCATED_AT_STARTUP", 0]]);
    expect((await kei("reconcile")).stdout).toContain("Marked failed: 0");
    expect((await kei("sync")).code).toBe(0);
    expect(statSync(at("B.JPG")).size).toBe(10);
    expect(await home.files()).toHaveLength(4);
    expect((await kei("verify", "--checksums")).code).toBe(0);
  });

  test("marks each of two photos that are one file when that is cut short", async () => {
    await begin("A", "B", "C");
    home.env["KEI_FILE_MATCH_POLICY"] = "name-id7";
    const first = photo("D");
    library.duplicate(first, { assetDate: TAKEN });
    await kei("sync");
    const name = (await home.files()).find((file) => file.startsWith("D"));
    truncateSync(at(name ?? ""), 10);
    expect((await kei("reconcile")).stdout).toContain("Marked failed: 1");
    expect(failures()).toHaveLength(2);
    expect(JSON.parse((await kei("status", "--json")).stdout).counts).toMatchObject({ on_disk: 3, failed: 2 });
    const fetched = double.log.count("cdn");
    expect((await kei("sync")).code).toBe(0);
    expect([failures(), double.log.count("cdn") - fetched]).toEqual([[], 1]);
    expect((await kei("verify", "--checksums")).code).toBe(0);
    expect((await kei("status")).stdout).toContain("Everything that is selected is backed up.");
  });

  test("does not keep alive what is gone in iCloud and here", async () => {
    await begin("A", "B", "C");
    const gone = photo("D");
    await kei("sync");
    library.softDelete(gone);
    library.purge(gone);
    await kei("sync");
    expect(JSON.parse((await kei("status", "--json")).stdout).counts.kept).toEqual({ gone: 1 });
    expect((await kei("why", "D.JPG")).stdout).toStartWith("D.JPG: kept here, deleted in iCloud\n");
    rmSync(at("D.JPG"));
    expect((await kei("reconcile")).stdout).toContain("fetches again what is still selected in iCloud");
    await kei("sync");
    expect(JSON.parse((await kei("status", "--json")).stdout).counts.kept).toEqual({});
    expect((await kei("why", "D.JPG")).stdout).toStartWith("D.JPG: no longer on disk, deleted in iCloud\n");
  });

  test("takes what it can't look at for neither missing nor there", async () => {
    await begin("A", "B", "C");
    rmSync(at("B.JPG"));
    symlinkSync("A.JPG", at("B.JPG"));
    const result = await kei("reconcile");
    expect(result.code).toBe(1);
    expect(result.stdout).toContain("ERROR: B.JPG - it is no file any more");
    expect(failures()).toEqual([]);
    const verified = await kei("verify");
    expect([verified.code, verified.stderr.includes("Check the disk"), verified.stderr.includes("reconcile")]).toEqual([
      1,
      true,
      false,
    ]);
  });

  test.each([
    ["the folder is gone", () => renameSync(home.photos, `${home.photos}-away`), "is not there"],
    ["the folder is empty", () => clear(), "is empty"],
    ["all files are gone", () => clear("other.txt"), "looks like another disk"],
  ])("changes nothing when %s, unless forced", async (_what, damage, words) => {
    await begin("A", "B", "C");
    damage();
    const refused = await kei("reconcile");
    expect([refused.code, refused.stderr.includes(words), refused.stderr.includes("--force")]).toEqual([1, true, true]);
    expect(failures()).toEqual([]);
    const looked = await kei("reconcile", "--dry-run");
    expect([looked.code, looked.stdout.match(/MISSING/g)?.length]).toEqual([0, 3]);
    expect((await kei("reconcile", "--force")).code).toBe(0);
    expect(failures()).toHaveLength(3);
    expect((await kei("sync")).code).toBe(0);
    expect((await home.files()).filter((name) => name.endsWith(".JPG"))).toHaveLength(3);
  });

  test("lists at most 200 files, and counts them all", async () => {
    await begin("A");
    await many(1100);
    const result = await kei("reconcile", "--dry-run");
    expect(result.stdout.match(/^MISSING/gm)).toHaveLength(200);
    expect(result.stdout).toContain("... and 50 more (listing capped at 200)\n");
    expect(result.stdout).toMatch(/Missing: +250/);
    const verified = await kei("verify");
    expect([verified.code, verified.stdout.includes("... and 50 more (listing capped at 200)")]).toEqual([1, true]);
    const json = JSON.parse((await kei("reconcile", "--dry-run", "--json")).stdout);
    expect([json.schema, json.command, json.missing, json.issues.length]).toEqual([1, "reconcile", 250, 250]);
  });

  test("of a watch flips the row, and the file is back one run later; trouble of its own changes nothing", async () => {
    await begin("A", "B", "C");
    let send: (signal: "SIGINT") => void = () => undefined;
    const seen: string[] = [];
    const atPauses: Array<() => void> = [];
    // Every pause of the watch shows what the reconcile before it has left, and is the time to change something.
    const fast = fasterClock(1000);
    const clock: Clock = {
      ...fast,
      sleep: (ms, signal) => {
        if (ms >= 1000) {
          seen.push(JSON.stringify(failures()));
          atPauses.shift()?.();
        }
        return fast.sleep(ms, signal);
      },
    };
    const args = ["sync", "--watch-with-interval", "60", "--reconcile-every-n-cycles", "1"];
    const watching = runInProcess(args, {
      env: home.env,
      cwd: home.root,
      clock,
      onSignals: (listener) => {
        send = listener;
      },
    });
    try {
      atPauses.push(() => rmSync(at("B.JPG")));
      await until("the row", () => seen.includes('[["FILE_MISSING_AT_STARTUP",0]]'));
      await until("the file", () => existsSync(at("B.JPG")));
      // All of them gone at once look like another disk.
      const before = seen.length;
      atPauses.push(() => {
        renameSync(home.photos, `${home.photos}-away`);
        mkdirSync(home.photos);
        writeFileSync(at("other.txt"), "");
      });
      await until("more runs", () => seen.length > before + 4);
      expect(seen.slice(before + 1).filter((left) => left !== "[]")).toEqual([]);
      let back = false;
      atPauses.push(() => {
        rmSync(home.photos, { recursive: true });
        renameSync(`${home.photos}-away`, home.photos);
        back = true;
      });
      await until("the disk is back", () => back);
    } finally {
      send("SIGINT");
    }
    const result = await watching;
    expect(result.stderr).toContain("looked after the saved files");
    expect(result.stderr).toContain("looks like another disk");
    expect(result.code).toBe(0);
  }, 20_000);
});

/** Empties the download folder, but for a file of somebody else's. */
function clear(keep?: string): void {
  rmSync(home.photos, { recursive: true });
  mkdirSync(home.photos);
  if (keep !== undefined) writeFileSync(join(home.photos, keep), "");
}

/** As if so many files were saved and 250 of them were gone, written straight into the catalogue. */
async function many(count: number): Promise<void> {
  const db = new Database(files().database);
  db.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const id = `many-${String(n).padStart(5, "0")}`;
      db.run(
        `INSERT INTO assets SELECT library, ?, master_id, filename, kind, captured_at, time_zone_offset, added_at,
        is_favorite, is_hidden, is_deleted, change_tag, disposition, rule, seen_scan FROM assets WHERE filename = 'A.JPG' AND id NOT LIKE 'many-%'`,
        [id],
      );
      db.run(
        `INSERT INTO files SELECT library, ?, rendition, status, checksum, size, uti, attempts, last_error, last_error_kind,
        dispatch_run, proof, downloaded_at FROM files WHERE asset = (SELECT id FROM assets WHERE filename = 'A.JPG' AND id NOT LIKE 'many-%')`,
        [id],
      );
      const path = n < 250 ? `gone/${id}.JPG` : `there/${id}.JPG`;
      db.run(
        `INSERT INTO placements (library, asset, rendition, pass, path, path_key, owner, status, checksum, local_size)
        SELECT library, asset, rendition, 'unfiled', ?2, ?2, 1, 'present', checksum, 0 FROM files WHERE asset = ?1`,
        [id, path],
      );
    }
  })();
  db.close();
  mkdirSync(join(home.photos, "there"));
  for (let n = 250; n < count; n += 1)
    writeFileSync(join(home.photos, `there/many-${String(n).padStart(5, "0")}.JPG`), "");
}

/** Content and time of every file below a folder. */
async function snapshot(folder: string): Promise<string[]> {
  return await Promise.all(
    readdirSync(folder)
      .toSorted()
      .map(async (name) => {
        const path = join(folder, name);
        return `${name} ${statSync(path).mtimeMs} ${Bun.hash(await readFile(path))}`;
      }),
  );
}

async function flipByte(name: string): Promise<void> {
  const bytes = await readFile(at(name));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(at(name), bytes);
}

describe("kei verify", () => {
  test("finds missing files, and changed bytes when it reads them", async () => {
    await begin("A", "B", "C");
    const good = await kei("verify", "--checksums");
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout).toMatch(
      /^Verifying 3 downloaded assets\.\.\.\n\nResults:\n {2}Verified: +3\n {2}Missing: +0\n {2}Corrupted: 0\n/,
    );
    rmSync(at("A.JPG"));
    await flipByte("B.JPG");
    const quick = await kei("verify");
    expect([quick.code, quick.stdout.match(/^[A-Z]+: .*/gm)?.map(withoutId)]).toEqual([
      1,
      [`MISSING: A.JPG - downloaded ${new Date().toISOString().slice(0, 10)}`],
    ]);
    expect(quick.stderr).toContain("1 missing, 0 corrupted");
    const deep = await kei("verify", "--checksums");
    expect([
      deep.code,
      deep.stdout
        .match(/^[A-Z]+: .*/gm)
        ?.map(withoutId)
        .toSorted(),
    ]).toEqual([1, ["CORRUPTED: B.JPG", `MISSING: A.JPG - downloaded ${new Date().toISOString().slice(0, 10)}`]]);
    expect(failures()).toEqual([]);
  });

  test("says how many files have no checksum that can be computed", async () => {
    await begin("A", "B");
    const db = new Database(files().database);
    db.run("UPDATE placements SET checksum = 'unknown' WHERE path = 'A.JPG'");
    db.close();
    const result = await kei("verify", "--checksums");
    expect([result.code, result.stdout.includes("Unverifiable: 1"), /Verified: +1\n/.test(result.stdout)]).toEqual([
      0,
      true,
      true,
    ]);
  });

  test("reads a photo's linked copies once", async () => {
    await begin("A");
    const both = photo("B", 50_000);
    library.addToAlbum(both, library.createAlbum({ name: "One" }));
    library.addToAlbum(both, library.createAlbum({ name: "Two" }));
    await kei("sync");
    const json = JSON.parse((await kei("verify", "--checksums", "--json")).stdout);
    const linked = statSync(at("One/B.JPG")).ino === statSync(at("Two/B.JPG")).ino;
    expect([json.verified, json.bytes_read]).toEqual([3, 965 + (linked ? 50_000 : 100_000)]);
  });

  test("with --subset looks at one part; the parts are disjoint, and all of them are everything", async () => {
    await begin("A");
    await many(300);
    const seen: string[] = [];
    for (let part = 1; part <= 30; part += 1) {
      const { issues } = JSON.parse((await kei("verify", "--json", "--subset", `${part}/30`)).stdout);
      expect(issues.length).toBeLessThan(20);
      seen.push(...issues.map((issue: { path: string }) => issue.path));
    }
    expect([seen.length, new Set(seen).size]).toEqual([250, 250]);
    const today = JSON.parse((await kei("verify", "--json", "--subset", "today/30")).stdout);
    expect([today.subset.of, today.subset.number >= 1 && today.subset.number <= 30]).toEqual([30, true]);
  });

  test.each(["0/30", "31/30", "1/0", "x", "1/1001", "1"])("refuses the part %s", async (part) => {
    await begin("A");
    const result = await kei("verify", "--subset", part);
    expect([result.code, result.stderr.includes("--subset")]).toEqual([64, true]);
  });

  test("refuses flags that only matter to the question about iCloud", async () => {
    await begin("A");
    const result = await kei("verify", "--album", "none");
    expect([result.code, result.stderr.includes("--complete")]).toEqual([64, true]);
  });

  test("says that the folder is not there instead of a list of everything", async () => {
    await begin("A", "B");
    rmSync(home.photos, { recursive: true });
    const result = await kei("verify");
    expect([result.code, result.stdout, result.stderr.includes("is not there")]).toEqual([1, "", true]);
  });

  test("stops between two pieces when it is asked to", async () => {
    await begin("A");
    library.addAsset({ filename: "BIG.MOV", content: 3_000_000, assetDate: TAKEN });
    await kei("sync");
    let send: (signal: "SIGINT") => void = () => undefined;
    const result = await runInProcess(["verify", "--checksums"], {
      env: home.env,
      cwd: home.root,
      // The progress is asked for the time with every piece.
      clock: {
        ...systemClock,
        monotonic: () => {
          send("SIGINT");
          return performance.now();
        },
      },
      onSignals: (listener) => {
        send = listener;
      },
    });
    expect([result.code, result.stdout.includes("Results:"), result.stderr.includes("Stopped before")]).toEqual([
      130,
      true,
      true,
    ]);
  });
});

const withoutId = (line: string) => line.replace(/ \([^)]*\)/, "");

describe("kei verify --complete", () => {
  test("proves that everything selected is here, writing nothing to the catalogue", async () => {
    await begin("A", "B", "C");
    const before = await snapshotOf(files().database);
    const result = await kei("verify", "--complete", "--checksums");
    expect(result.stdout).toContain("Complete: 3 of 3 photos in iCloud are selected, and every file of them is here.");
    expect(result.code).toBe(0);
    expect(await snapshotOf(files().database)).toEqual(before);
  });

  test("finds what is new in iCloud, what has failed, and what is missing, each told once", async () => {
    await begin("A", "B", "C");
    photo("D");
    photo("E");
    double.photos.cdnFaults.inject({
      kind: "status",
      status: 404,
      match: ({ size }) => size === 900 + "E".charCodeAt(0),
      times: Number.POSITIVE_INFINITY,
    });
    expect((await home.fast(["sync"])).code).toBe(2);
    photo("F");
    rmSync(at("A.JPG"));
    truncateSync(at("B.JPG"), 5);
    const result = await kei("verify", "--complete");
    expect(result.code).toBe(1);
    expect(
      result.stdout
        .match(/^[A-Z ]+: .*/gm)
        ?.map(withoutId)
        .toSorted(),
    ).toEqual([
      `MISSING: A.JPG - downloaded ${new Date().toISOString().slice(0, 10)}`,
      expect.stringContaining("NOT SAVED: E.JPG - "),
      "NOT SAVED: F.JPG",
      "TRUNCATED: B.JPG - 5 of 966 bytes",
    ]);
    expect(result.stdout).toContain("Not complete: 6 of 6 photos in iCloud are selected.");
    expect(result.stdout).toContain("2 files (");
    const { icloud } = JSON.parse((await kei("verify", "--complete", "--json")).stdout);
    expect(icloud).toMatchObject({ listed: 6, left_out: 0, not_saved: 2, unlisted: [], complete: false });
    expect(await home.files()).toEqual(["A.JPG", "B.JPG", "C.JPG", "D.JPG"].slice(1));
  });

  test("goes by the present settings, and counts what they leave out", async () => {
    await begin("A", "B");
    library.addAsset({ filename: "V.MOV", uti: "com.apple.quicktime-movie", content: 5_000, assetDate: TAKEN });
    expect((await kei("verify", "--complete", "--skip-videos")).code).toBe(0);
    expect((await kei("verify", "--complete")).code).toBe(1);
  });

  test("is no proof when iCloud could not be listed to its end", async () => {
    await begin("A", "B");
    double.faults.inject({
      match: /query/,
      respond: () => new Response("{}", { status: 500 }),
      times: Number.POSITIVE_INFINITY,
    });
    expect((await home.fast(["verify", "--complete"])).code).not.toBe(0);
  });

  test("without a catalogue tells everything", async () => {
    await begin("A", "B");
    expect((await kei("reset", "state", "--yes")).code).toBe(0);
    rmSync(at("B.JPG"));
    const result = await kei("verify", "--complete");
    expect([result.code, result.stdout.match(/^NOT SAVED: .*/gm)?.map(withoutId)]).toEqual([1, ["NOT SAVED: B.JPG"]]);
    expect(existsSync(files().database)).toBe(false);
  });

  test("needs the account, a plain verify does not", async () => {
    await begin("A");
    const lock = new Database(files().lock);
    lock.run("BEGIN EXCLUSIVE");
    try {
      expect((await kei("verify")).code).toBe(0);
      const result = await home.fast(["verify", "--complete"]);
      expect([result.code, result.stderr.includes("Another kei instance")]).toEqual([1, true]);
    } finally {
      lock.close();
    }
  });
});

async function snapshotOf(path: string): Promise<string> {
  return `${statSync(path).mtimeMs} ${Bun.hash(await readFile(path))}`;
}

describe("kei reset", () => {
  test("state deletes the database with its log, keeps the photos, and the next sync fetches nothing", async () => {
    await begin("A", "B");
    for (const end of ["-wal", "-shm"]) writeFileSync(`${files().database}${end}`, "");
    const result = await kei("reset", "state", "--yes");
    expect([result.code, result.stdout.match(/^Deleted/gm)?.length]).toEqual([0, 3]);
    expect(readdirSync(home.data).filter((name) => name.includes(".db"))).toEqual([]);
    const fetched = double.log.count("cdn");
    expect((await kei("sync")).code).toBe(0);
    expect([await home.files(), double.log.count("cdn") - fetched]).toEqual([["A.JPG", "B.JPG"], 0]);
  });

  test.each([
    ["y\n", "Deleted"],
    ["n\n", "Cancelled."],
    ["yes\n", "Cancelled."],
    ["", "Cancelled."],
  ])("state asks, and takes an answer from a pipe: %j", async (answer, words) => {
    await begin("A");
    const child = Bun.spawn([...keiCommand(), "reset", "state"], {
      env: home.env,
      cwd: home.root,
      stdin: new Blob([answer]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect([code, out.includes(words), err.includes("[y/N]"), err.includes(files().database)]).toEqual([
      0,
      true,
      true,
      true,
    ]);
    expect(existsSync(files().database)).toBe(words === "Cancelled.");
  });

  test("sync-token makes the next sync list everything, and fetch nothing", async () => {
    await begin("A", "B");
    const refused = await kei("reset", "sync-token");
    expect([refused.code, refused.stderr.includes("--yes")]).toEqual([1, true]);
    const result = await kei("reset", "sync-token", "--yes");
    expect([result.code, result.stdout.includes("Cleared sync tokens of 1 library")]).toEqual([0, true]);
    expect(rows("SELECT key FROM metadata WHERE key LIKE '%token%'")).toEqual([]);
    const fetched = double.log.count("cdn");
    const report = join(home.root, "report.json");
    expect((await kei("sync", "--report-json", report)).code).toBe(0);
    expect(JSON.parse(await Bun.file(report).text()).stats.full_enumeration_reason).toBe("no_stored_token");
    expect(double.log.count("cdn")).toBe(fetched);
  });

  test("session keeps database, lock and the notes about refused passwords", async () => {
    await begin("A");
    writeFileSync(files().attempts, "{}");
    const refused = await kei("reset", "session");
    expect([refused.code, refused.stderr.includes("--yes")]).toEqual([1, true]);
    expect((await kei("reset", "session", "--yes")).code).toBe(0);
    const { session, cookies, cache, database, lock, attempts } = files();
    expect([session, cookies, cache].map((path) => existsSync(path))).toEqual([false, false, false]);
    expect([database, lock, attempts].map((path) => existsSync(path))).toEqual([true, true, true]);
    const again = await kei("reset", "session", "--yes");
    expect([again.code, again.stdout]).toEqual([0, "There is no saved session.\n"]);
    expect((await kei("sync")).code).toBe(3);
  });

  test.each(["state", "sync-token", "session"])(
    "%s waits for nobody: beside another instance it fails",
    async (what) => {
      await begin("A");
      const lock = new Database(files().lock);
      lock.run("BEGIN EXCLUSIVE");
      try {
        const result = await kei("reset", what, "--yes");
        expect([result.code, result.stderr.includes("Another kei instance")]).toEqual([1, true]);
      } finally {
        lock.close();
      }
    },
  );
});

describe("without a database", () => {
  test.each(["verify", "reconcile", "reset state", "reset sync-token"])(
    "kei %s says so, and leaves no trace",
    async (command) => {
      double = await startDouble();
      home = new Home(double);
      const result = await kei(...command.split(" "));
      expect([result.code, result.stdout.includes("No state database found at")]).toEqual([0, true]);
      expect(existsSync(home.data)).toBe(false);
    },
  );

  const LOST: ReadonlyArray<readonly [string, () => void]> = [
    ["only its log is left", () => writeFileSync(`${files().database}-wal`, "not empty")],
    ["its folder can't be looked into", () => symlinkSync(files().database, files().database)],
  ];
  const ASKING = ["status", "verify", "reconcile", "reset sync-token --yes", "why A.JPG", "manifest", "sync --dry-run"];
  test.each(LOST.flatMap(([how, lose]) => ASKING.map((command) => [command, how, lose] as const)))(
    "kei %s does not say that there is none yet when %s",
    async (command, _how, lose) => {
      await begin("A");
      expect((await kei("reset", "state", "--yes")).code).toBe(0);
      lose();
      const result = await kei(...command.split(" "));
      expect([result.code, result.stdout]).toEqual([1, ""]);
      expect(result.stderr).toContain(files().database);
    },
  );

  test.each(["-wal", "-shm", "-journal"])("kei reset state deletes a %s that was left alone", async (end) => {
    await begin("A");
    rmSync(files().database);
    writeFileSync(`${files().database}${end}`, "not empty");
    expect((await kei("reset", "state", "--yes")).stdout).toContain(`Deleted ${files().database}${end}`);
    expect(readdirSync(home.data).filter((name) => name.includes(".db"))).toEqual([]);
  });
});
