import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { AlbumId } from "../../src/library/asset.ts";
import { openState } from "../../src/state/index.ts";
import type { State } from "../../src/state/types.ts";
import {
  assetId,
  assetRow,
  DRIVERS,
  newFolder,
  optionsFor,
  PRIMARY,
  planned,
  removeFolders,
  SHARED,
  thrownBy,
} from "./support.ts";

afterAll(removeFolders);

describe.each(DRIVERS)("over %s", (_name, driver) => {
  let state: State;
  beforeEach(async () => {
    state = await openState(optionsFor(join(newFolder(), "a.db"), { driver }));
  });
  afterEach(() => state.close());

  test("single facts are set, replaced and removed", () => {
    expect(state.meta("a")).toBeUndefined();
    state.setMeta("a", "1");
    state.setMeta("a", "2");
    state.setMeta("b", "");
    expect([state.meta("a"), state.meta("b")]).toEqual(["2", ""]);
    state.deleteMeta("a");
    state.deleteMeta("a");
    expect(state.meta("a")).toBeUndefined();
  });

  test("each zone has its own token, and a blank one is never stored", async () => {
    state.setZoneToken(PRIMARY, "one");
    state.setZoneToken(SHARED, "two");
    state.setZoneToken(PRIMARY, "three");
    expect([state.zoneToken(PRIMARY), state.zoneToken(SHARED)]).toEqual(["three", "two"]);
    for (const blank of ["", "  "]) {
      expect((await thrownBy(() => state.setZoneToken(PRIMARY, blank))).message).toContain("blank");
    }
    state.clearZoneToken(PRIMARY);
    expect([state.zoneToken(PRIMARY), state.zoneToken(SHARED)]).toEqual([undefined, "two"]);
  });

  describe("runs", () => {
    const end = {
      completedAt: 20,
      status: "complete",
      outcome: "partial_failure",
      fullReason: "first_run",
      assetsSeen: 5,
      downloaded: 3,
      failed: 2,
      enumerationErrors: 1,
    } as const;

    test("come back newest first, with what they came to", () => {
      const first = state.beginRun(10);
      state.endRun(first, end);
      const second = state.beginRun(30);
      expect(second).toBeGreaterThan(first);
      expect(state.lastRuns(1).map((run) => run.id)).toEqual([second]);
      expect(state.lastRuns(5)[1]).toEqual({ id: first, startedAt: 10, ...end });
      expect(state.lastRuns(5)[0]).toMatchObject({
        status: "running",
        completedAt: undefined,
        outcome: undefined,
        assetsSeen: 0,
      });
    });

    test("that a dead process left running are shown as interrupted, without an end", () => {
      const dead = state.beginRun(10);
      expect(state.promoteOrphanRuns()).toBe(1);
      expect(state.promoteOrphanRuns()).toBe(0);
      expect(state.lastRuns(1)).toMatchObject([{ id: dead, status: "interrupted", completedAt: undefined }]);
    });

    test("can't be ended when they never began", async () => {
      expect((await thrownBy(() => state.endRun(77, end))).message).toContain("row missing: run 77");
    });
  });

  describe("scans", () => {
    test("are unfinished until they end, and the age is that of the oldest", () => {
      expect(state.unfinishedScan(PRIMARY)).toBeUndefined();
      const one = state.beginScan(PRIMARY, 100);
      const two = state.beginScan(PRIMARY, 200);
      state.beginScan(SHARED, 50);
      expect(two).toBeGreaterThan(one);
      expect(state.unfinishedScan(PRIMARY)).toBe(100);
      state.endScan(PRIMARY, two);
      expect(state.unfinishedScan(PRIMARY)).toBeUndefined();
      expect(state.unfinishedScan(SHARED)).toBe(50);
    });

    test("that end take the older issues of their library with them", () => {
      const one = state.beginScan(PRIMARY, 100);
      state.putIssue(PRIMARY, one, "r1", "no-master", undefined);
      state.putIssue(PRIMARY, one, "r2", "no-master", "x");
      const other = state.beginScan(SHARED, 100);
      state.putIssue(SHARED, other, "r3", "bad-date", undefined);
      expect(state.totals(0).issues).toEqual({ "no-master": 2, "bad-date": 1 });
      const two = state.beginScan(PRIMARY, 200);
      state.putIssue(PRIMARY, two, "r2", "no-master", "y");
      state.endScan(PRIMARY, two);
      expect(state.totals(0).issues).toEqual({ "no-master": 1, "bad-date": 1 });
    });

    test("tell when a file was listed last", () => {
      const scan = state.beginScan(PRIMARY, 123);
      planned(state, "a");
      state.putAsset(assetRow("a", { seenScan: scan }));
      expect(state.listFiles("pending", 5)).toMatchObject([
        { filename: "a.JPG", path: "2026/01/01/a.JPG", seenAt: 123 },
      ]);
    });

    test("that never began can't end", async () => {
      expect((await thrownBy(() => state.endScan(PRIMARY, 5))).message).toContain("row missing");
    });
  });

  test("a walk meets each record once, apart from other walks, until it is forgotten", () => {
    expect(state.metInWalk("one", "a")).toBe(false);
    expect(state.metInWalk("one", "a")).toBe(true);
    expect(state.metInWalk("two", "a")).toBe(false);
    state.forgetWalk("one");
    expect(state.metInWalk("one", "a")).toBe(false);
    expect(state.metInWalk("two", "a")).toBe(true);
  });

  describe("albums", () => {
    const album = "album-1" as AlbumId;
    const walk = (id: AlbumId, name: string, assets: readonly string[], complete = true) => {
      const generation = state.beginMembers(PRIMARY, id, name);
      state.addMembers(PRIMARY, id, generation, assets.map(assetId));
      if (complete) state.completeMembers(PRIMARY, id, generation);
    };
    const filed = (...ids: string[]) => ids.filter((id) => state.isFiled(PRIMARY, assetId(id)));

    test("that were walked completely know exactly their members", () => {
      walk(album, "Trip", ["a", "b"]);
      expect(filed("a", "b", "c")).toEqual(["a", "b"]);
      walk(album, "Trip", ["b", "c"]);
      expect(filed("a", "b", "c")).toEqual(["b", "c"]);
      walk(album, "Trip", []);
      expect(filed("a", "b", "c")).toEqual([]);
      expect(state.isFiled(SHARED, assetId("b"))).toBe(false);
    });

    test("whose walk broke off keep the members of before", () => {
      walk(album, "Trip", ["a", "b"]);
      walk(album, "Trip", ["b", "c"], false);
      expect(filed("a", "b", "c")).toEqual(["a", "b", "c"]);
      walk(album, "Trip", ["c"]);
      expect(filed("a", "b", "c")).toEqual(["c"]);
    });

    test("that are gone lose their members but are remembered by name", () => {
      walk(album, "Trip", ["a"]);
      walk("album-2" as AlbumId, "Party", ["a", "b"]);
      state.keepAlbums(PRIMARY, ["album-2" as AlbumId]);
      expect(filed("a", "b")).toEqual(["a", "b"]);
      state.keepAlbums(PRIMARY, []);
      expect(filed("a", "b")).toEqual([]);
      expect(state.albumNames(PRIMARY)).toEqual(["Party", "Trip"]);
      expect(state.albumNames(SHARED)).toEqual([]);
    });

    test("are remembered by every name they ever had", () => {
      walk(album, "Trip", ["a"]);
      walk(album, "Journey", ["a"]);
      expect(state.albumNames(PRIMARY)).toEqual(["Journey", "Trip"]);
    });
  });
});
