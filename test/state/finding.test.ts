/** Finding a photo by what people call it, and reading while others write. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { AlbumId } from "../../src/library/asset.ts";
import { openState, openStateReadOnly } from "../../src/state/index.ts";
import type { State } from "../../src/state/types.ts";
import {
  assetId,
  assetRow,
  DRIVERS,
  fileRow,
  keyOf,
  newFolder,
  optionsFor,
  PRIMARY,
  placementRow,
  planned,
  removeFolders,
  SHARED,
  saved,
} from "./support.ts";

afterAll(removeFolders);

describe.each(DRIVERS)("over %s", (_name, driver) => {
  let state: State;
  let path: string;

  beforeEach(async () => {
    path = join(newFolder(), "a.db");
    state = await openState(optionsFor(path, { driver }));
  });
  afterEach(() => state.close());

  const named = (id: string, filename: string | undefined, at?: string): void => {
    planned(state, id, at === undefined ? {} : { path: at, pathKey: at });
    state.putAsset(assetRow(id, { filename }));
  };
  const found = (word: string, limit = 10): unknown => {
    const { fit, assets = [], more } = state.findWord(word, limit) ?? {};
    return fit === undefined ? undefined : [fit, assets.map(({ id }) => String(id)).join(" "), more];
  };

  test("a whole name wins over one in other letters, that over a part", () => {
    named("a", "IMG_1.JPG");
    named("b", "img_1.jpg");
    named("c", "IMG_1.JPG.HEIC");
    expect(found("IMG_1.JPG")).toEqual(["exact", "a", false]);
    expect(found("Img_1.Jpg")).toEqual(["other-case", "a b", false]);
    expect(found("G_1.JPG.")).toEqual(["part", "c", false]);
    expect(found("IMG_2.JPG")).toBeUndefined();
  });

  test("the name on disk and the end of its path are as good as Apple's name", () => {
    named("a", "IMG:1.JPG", "Rome/IMG_1-1000.JPG");
    named("b", undefined, "Oslo/IMG_1-1000.JPG");
    expect(found("IMG_1-1000.JPG")).toEqual(["exact", "a b", false]);
    expect(found("Rome/IMG_1-1000.JPG")).toEqual(["exact", "a", false]);
    expect(found("rome/img_1-1000.jpg")).toEqual(["other-case", "a", false]);
    expect(found("Rome")).toEqual(["part", "a", false]);
  });

  test("stars and question marks stand for characters, everything else for itself", () => {
    named("a", "100%_done.JPG");
    named("b", "100 Xdone.JPG");
    named("c", "back\\slash'.JPG");
    expect(found("100%_")).toEqual(["part", "a", false]);
    expect(found("100*done.JPG")).toEqual(["other-case", "a b", false]);
    expect(found("100??done.JPG")).toEqual(["other-case", "a b", false]);
    expect(found("\\slash'")).toEqual(["part", "c", false]);
    expect(found("")).toBeUndefined();
    expect(found("x".repeat(100_000))).toBeUndefined();
  });

  test("lists are cut where asked, in a stable order, and say so", () => {
    for (const id of ["d", "b", "a", "c"]) named(id, "SAME.JPG");
    expect(found("SAME.JPG", 3)).toEqual(["exact", "a b c", true]);
    expect(found("SAME.JPG", 4)).toEqual(["exact", "a b c d", false]);
  });

  test("a path finds whoever has its file there, also one that shares it or waits for it", () => {
    saved(state, "a", { path: "Rome/A.JPG", pathKey: "rome/a.jpg" });
    state.putAsset(assetRow("b", { library: SHARED }));
    const shared = { ...fileRow("a", "a", "original", SHARED), asset: assetId("b") };
    state.putPending(shared, 1);
    state.putPlacement(placementRow("b", { library: SHARED, path: "Rome/A.JPG", pathKey: "rome/a.jpg", owner: false }));
    planned(state, "c", { path: "Rome/C.JPG", pathKey: "Rome/C.JPG" });
    expect(state.findPath(["Rome/A.JPG"], 5)?.assets.map(({ id }) => String(id))).toEqual(["a", "b"]);
    expect(state.findPath(["nowhere", "Rome/C.JPG"], 5)?.assets.map(({ id }) => String(id))).toEqual(["c"]);
    expect(state.findPath(["Rome"], 5)).toBeUndefined();
    expect(state.findPath([], 5)).toBeUndefined();
  });

  test("near names have half of the word", () => {
    named("a", "IMG_0001.HEIC");
    named("b", "DSC_9999.HEIC");
    named("c", undefined);
    expect(state.namesNear("IMG_O001.HEIC", 10)).toContain("IMG_0001.HEIC");
    expect(state.namesNear("IMG_O001.HEIC", 10)).not.toContain("DSC_9999.HEIC");
    expect(state.namesNear("a", 10)).toEqual([]);
  });

  test("a story has everything: albums by name, files, places with their own errors, what is unusable", () => {
    const scan = state.beginScan(PRIMARY, 77);
    saved(state, "a");
    state.putAsset(assetRow("a", { seenScan: scan }));
    state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
    state.placementFailed(keyOf("a"), "album:X", { error: "the disk is full", kind: "disk-full" });
    for (const [album, name] of [
      ["1", "Rome"],
      ["2", "Oslo"],
    ]) {
      const generation = state.beginMembers(PRIMARY, album as AlbumId, String(name));
      state.addMembers(PRIMARY, album as AlbumId, generation, [assetId("a")]);
      state.completeMembers(PRIMARY, album as AlbumId, generation);
    }
    state.putIssue(PRIMARY, scan, "a", "no-size", "live_original");
    const story = state.story(PRIMARY, assetId("a"));
    expect(story).toMatchObject({
      asset: { id: "a", filename: "a.JPG" },
      seenAt: 77,
      albums: ["Oslo", "Rome"],
      files: [{ rendition: "original", status: "downloaded" }],
      places: [
        { pass: "unfiled", status: "present", lastError: undefined },
        { pass: "album:X", status: "failed", lastError: "the disk is full", lastErrorKind: "disk-full" },
      ],
      issues: [{ reason: "no-size", detail: "live_original" }],
    });
    expect(state.issuesOf("a")).toEqual(story?.issues as never);
    expect(state.story(SHARED, assetId("a"))).toBeUndefined();
  });

  test("the manifest has every file once, in order, the owner's place first", () => {
    saved(state, "b");
    saved(state, "a", { path: "Z/a.JPG", pathKey: "z/a.jpg" });
    state.putPlacement(
      placementRow("a", {
        pass: "album:X",
        path: "A/a.JPG",
        pathKey: "a/a.jpg",
        status: "present",
        method: "hardlink",
      }),
    );
    planned(state, "c");
    state.putFailed(keyOf("c"), { error: "x", kind: "server", charge: true });
    state.putAsset(assetRow("d", { disposition: "left-out", rule: "hidden" }));
    const rows = [...state.manifest()];
    expect(rows.map(({ asset, status, paths }) => [String(asset), status, paths])).toEqual([
      ["a", "downloaded", ["Z/a.JPG", "A/a.JPG"]],
      ["b", "downloaded", ["2026/01/01/b.JPG"]],
      ["c", "failed", []],
    ]);
    expect(rows[0]).toMatchObject({ localSize: 1000, downloadedAt: 1_700_000_000_000, albums: [], proof: "provider" });
  });

  test("figures that are read together agree, whatever is written meanwhile", async () => {
    saved(state, "a");
    const reader = await openStateReadOnly(optionsFor(path, { driver }));
    const seen = reader?.snapshot(() => {
      const before = reader.totals(10);
      saved(state, "b");
      return [before.assets, reader.totals(10).assets, [...reader.manifest()].length];
    });
    expect(seen).toEqual([1, 1, 1]);
    expect(reader?.totals(10).assets).toBe(2);
    reader?.close();
  });

  test("the last whole run is one that was told everything, whatever it saved", () => {
    const end = { status: "complete", fullReason: undefined, assetsSeen: 1, downloaded: 0, failed: 1 } as const;
    const ran = (completedAt: number, more: object): void =>
      state.endRun(state.beginRun(1), {
        ...end,
        completedAt,
        outcome: "partial_failure",
        enumerationErrors: 0,
        ...more,
      });
    expect(state.lastWholeRun()).toBeUndefined();
    ran(10, { enumerationErrors: 1 });
    ran(11, { outcome: "failed" });
    ran(12, { outcome: "interrupted", status: "interrupted" });
    ran(13, { fullReason: "explicit_retry_failed" });
    state.beginRun(14);
    expect(state.lastWholeRun()).toBeUndefined();
    ran(20, {});
    ran(30, { outcome: "success" });
    ran(40, { outcome: "session_expired" });
    expect(state.lastWholeRun()).toBe(30);
  });
});
