/** What should be on disk, for those who look whether it is, and what they find out. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { examineState, isLocked, openState } from "../../src/state/index.ts";
import { acquireLock } from "../../src/state/lock.ts";
import type { SavedFile, State } from "../../src/state/types.ts";
import {
  checksum,
  DRIVERS,
  FakeClock,
  fileRow,
  keyOf,
  newFolder,
  optionsFor,
  PRIMARY,
  placementRow,
  planned,
  removeFolders,
  SHARED,
  thrownBy,
} from "./support.ts";

afterAll(removeFolders);

const WHY = { error: "FILE_MISSING_AT_STARTUP", kind: "missing" };

describe.each(DRIVERS)("saved files over %s", (_name, driver) => {
  let state: State;
  let path: string;

  beforeEach(async () => {
    path = join(newFolder(), "a.db");
    state = await openState(optionsFor(path, { driver }));
  });
  afterEach(() => state.close());

  function save(id: string, more: Parameters<typeof placementRow>[1] = {}): void {
    planned(state, id, more);
    state.putDownloaded(keyOf(id), { proof: "provider", at: 1_700_000_000 });
    state.placementPresent(keyOf(id), more.pass ?? "unfiled", { localSize: 1000, localMtime: 1, method: "download" });
  }

  function all(limit: number, part?: { number: number; of: number }): SavedFile[] {
    const found: SavedFile[] = [];
    for (;;) {
      const page = state.savedFiles(found.at(-1), limit, part);
      if (page.length === 0) return found;
      found.push(...page);
    }
  }

  test("come page by page in the order of their keys, each once, with the time they came", () => {
    for (const id of ["c", "a", "b"]) save(id);
    planned(state, "waits");
    state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
    state.placementPresent(keyOf("a"), "album:X", { localSize: 1000, localMtime: 1, method: "hardlink" });
    const found = all(2);
    expect(found.map(({ asset, pass }) => `${asset} ${pass}`)).toEqual([
      "a album:X",
      "a unfiled",
      "b unfiled",
      "c unfiled",
    ] as never);
    expect(found[0]?.downloadedAt).toBe(1_700_000_000_000);
    expect(state.countSaved()).toEqual({ files: 4, bytes: 4000 });
    expect(state.savedFile(found[1]?.rowid ?? 0)?.path).toBe("2026/01/01/a.JPG");
  });

  test("a file that two photos share comes once, also when only the one that shares it says it is there", () => {
    save("a", { checksum: checksum("same") });
    planned(state, "b", { path: "2026/01/01/a.JPG", owner: false, checksum: checksum("same") });
    state.adopt(fileRow("b", "same"), 1);
    state.putPlacement(
      placementRow("b", { path: "2026/01/01/a.JPG", owner: false, status: "present", checksum: checksum("same") }),
    );
    expect(all(10).map(({ asset }) => asset)).toEqual(["a"] as never);
    state.yieldPlace(keyOf("a"), "unfiled");
    expect(all(10).length).toBe(2);
  });

  test("are parted evenly: every file is in exactly one part, always the same", () => {
    for (let n = 0; n < 60; n += 1) save(`p${n}`, { path: `${n}.JPG` });
    const parts = Array.from({ length: 7 }, (_, index) =>
      all(5, { number: index + 1, of: 7 }).map(({ path: at }) => at),
    );
    const whole = all(100).map(({ path: at }) => at);
    expect([parts.flat().length, new Set(parts.flat())]).toEqual([whole.length, new Set(whole)]);
    for (const part of parts) expect([8, 9]).toContain(part.length);
    expect(state.countSaved({ number: 7, of: 7 }).files).toBe(parts[6]?.length ?? 0);
  });

  test("one that is missing fails with fresh attempts; one that stands elsewhere fails at that place alone", () => {
    save("a");
    save("b");
    state.putPlacement(placementRow("b", { pass: "album:X", path: "X/b.JPG" }));
    state.placementPresent(keyOf("b"), "album:X", { localSize: 1000, localMtime: 1, method: "copy" });
    state.markMissing(keyOf("a"), "unfiled", WHY);
    state.markMissing(keyOf("b"), "album:X", WHY);
    expect(state.rendition(keyOf("a"))).toMatchObject({
      status: "failed",
      attempts: 0,
      lastError: WHY.error,
      lastErrorKind: "missing",
    });
    expect(state.rendition(keyOf("b"))).toMatchObject({ status: "downloaded" });
    expect(state.listFiles("failed", 10).map(({ asset, path: at, error }) => [asset, at, error])).toEqual([
      ["a", "2026/01/01/a.JPG", WHY.error],
      ["b", "X/b.JPG", WHY.error],
    ] as never);
    expect(state.openWork(PRIMARY, 1)).toEqual({ failed: 2, pending: 0 });
    expect(all(10).map(({ asset, pass }) => `${asset} ${pass}`)).toEqual(["b unfiled"]);
  });

  test("one that is damaged fails, once, and keeps its place", () => {
    save("a");
    const [file] = all(10);
    if (file === undefined) throw new Error("no file");
    expect(state.failSaved(file, { error: "FILE_TRUNCATED_AT_STARTUP", kind: "truncated" })).toBe(true);
    expect(state.failSaved(file, { error: "again", kind: "truncated" })).toBe(false);
    expect(state.rendition(keyOf("a"))).toMatchObject({ status: "failed", lastError: "FILE_TRUNCATED_AT_STARTUP" });
    expect(all(10).length).toBe(1);
  });

  test("without any place are told of", () => {
    planned(state, "a");
    state.dropPlacement(keyOf("a"), "unfiled");
    state.putDownloaded(keyOf("a"), { proof: "size", at: 1 });
    save("b");
    expect(state.placeless(10)).toEqual({ files: [keyOf("a")], count: 1 });
  });

  test("sync tokens of all libraries are forgotten together, and nothing else is", () => {
    state.setZoneToken(PRIMARY, "one");
    state.setZoneToken(SHARED, "two");
    state.setMeta("database_token:private", "three");
    state.setMeta("sync_tokens_are_not", "this");
    expect(state.zonesWithToken()).toEqual([PRIMARY, SHARED]);
    state.clearSyncTokens();
    expect([state.zonesWithToken(), state.meta("database_token:private"), state.meta("sync_tokens_are_not")]).toEqual([
      [],
      undefined,
      "this",
    ]);
  });

  test("a catalogue can be examined while it is written, and when nobody has it open", async () => {
    save("a");
    expect((await examineState(optionsFor(path, { driver }), 0))?.totals.onDisk).toBe(1);
    state.close();
    expect((await examineState(optionsFor(path, { driver }), 0))?.totals.onDisk).toBe(1);
    expect(await examineState(optionsFor(`${path}.none`, { driver }), 0)).toBeUndefined();
    await Bun.write(path, "no database at all, but long enough to be taken for one".repeat(30));
    expect((await thrownBy(() => examineState(optionsFor(path, { driver }), 0))).message).toContain("damaged");
    state = await openState(optionsFor(join(newFolder(), "b.db"), { driver }));
  });
});

test("a lock that is held is seen, and looking neither makes one nor keeps others away", async () => {
  const path = join(newFolder(), "a.lock");
  expect(await isLocked(path)).toBe(false);
  expect(await Bun.file(path).exists()).toBe(false);
  const options = { retries: 0, clock: new FakeClock(), signal: new AbortController().signal };
  const lock = await acquireLock(path, options);
  expect(await isLocked(path)).toBe(true);
  lock.release();
  expect(await isLocked(path)).toBe(false);
  (await acquireLock(path, options)).release();
});
