import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openState } from "../../src/state/index.ts";
import type { RenditionRow, State } from "../../src/state/types.ts";
import {
  assetId,
  assetRow,
  checksum,
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
  thrownBy,
} from "./support.ts";

afterAll(removeFolders);

describe.each(DRIVERS)("over %s", (_name, driver) => {
  let state: State;
  beforeEach(async () => {
    state = await openState(optionsFor(join(newFolder(), "a.db"), { driver }));
  });
  afterEach(() => state.close());

  const key = keyOf("a");
  const fail = { error: "HTTP 500", kind: "server", charge: true };

  test("an asset comes back as it was put, with what is missing as undefined", () => {
    const full = assetRow("a", { capturedAt: -1_234.5, timeZoneOffset: -1800, isFavorite: true, isHidden: true });
    const bare = assetRow("b", {
      filename: undefined,
      timeZoneOffset: undefined,
      addedAt: undefined,
      changeTag: undefined,
    });
    for (const row of [full, bare]) state.putAsset(row);
    expect(state.asset(PRIMARY, full.id)).toEqual(full);
    expect(state.asset(PRIMARY, bare.id)).toEqual(bare);
    expect(state.asset(SHARED, full.id)).toBeUndefined();
    const left = { ...full, disposition: "left-out", rule: "hidden", seenScan: 2 } as const;
    state.putAsset(left);
    expect(state.asset(PRIMARY, full.id)).toEqual(left);
  });

  describe("transitions", () => {
    type Start = "absent" | "pending" | "failed" | "downloaded";
    const start: Readonly<Record<Start, () => void>> = {
      absent: () => state.putAsset(assetRow("a")),
      pending: () => {
        planned(state, "a");
      },
      failed: () => {
        planned(state, "a");
        state.putFailed(key, fail);
      },
      downloaded: () => {
        planned(state, "a");
        state.putFailed(key, fail);
        state.putPending(fileRow("a"), 1);
        state.putDownloaded(key, { proof: "provider", at: 5 });
        state.placementPresent(key, "unfiled", { localSize: 1000, localMtime: 1, method: "download" });
      },
    };
    const act = {
      "is planned": () => state.putPending(fileRow("a"), 7),
      "is planned with other content": () => state.putPending(fileRow("a", "other"), 7),
      "is fetched": () => state.putDownloaded(key, { proof: "size", at: 9 }),
      "is found on disk": () => state.adopt(fileRow("a"), 9),
      "is found on disk with other content": () => state.adopt(fileRow("a", "other"), 9),
      "fails, charged": () => state.putFailed(key, { error: "HTTP 404", kind: "gone", charge: true }),
      "fails, uncharged": () => state.putFailed(key, { error: "disk full", kind: "disk-full", charge: false }),
      "is put back": () => state.putBack(key),
      "is prepared for another try, cap 10": () => void state.requeueFailed(10),
      "is prepared for another try, cap 1": () => void state.requeueFailed(1),
      "is prepared for another try, no cap": () => void state.requeueFailed(0),
      "is lost track of": () => void state.settleUnfinished(1),
      "vanishes from disk": () => state.markMissing(key, "unfiled"),
      "is no longer in iCloud": () => void state.pruneUnseen(PRIMARY, 2),
    };
    type Row = readonly [Start, keyof typeof act, Partial<RenditionRow> | "absent" | "row missing" | "unchanged"];
    const table: readonly Row[] = [
      ["absent", "is planned", { status: "pending", dispatchRun: 7, attempts: 0 }],
      ["absent", "is found on disk", { status: "downloaded", proof: "adopted", downloadedAt: 9, attempts: 0 }],
      ["absent", "is fetched", "row missing"],
      ["absent", "fails, charged", "row missing"],
      ["absent", "vanishes from disk", "row missing"],
      ["absent", "is put back", "absent"],
      ["pending", "is planned", { status: "pending", dispatchRun: 7 }],
      [
        "pending",
        "is fetched",
        { status: "downloaded", proof: "size", downloadedAt: 9, dispatchRun: undefined, lastError: undefined },
      ],
      ["pending", "is found on disk", { status: "downloaded", proof: "adopted", dispatchRun: undefined }],
      [
        "pending",
        "fails, charged",
        { status: "failed", attempts: 1, lastError: "HTTP 404", lastErrorKind: "gone", dispatchRun: undefined },
      ],
      [
        "pending",
        "fails, uncharged",
        { status: "failed", attempts: 0, lastErrorKind: "disk-full", dispatchRun: undefined },
      ],
      ["pending", "is put back", { status: "pending", attempts: 0, dispatchRun: undefined, lastError: undefined }],
      [
        "pending",
        "is lost track of",
        { status: "failed", attempts: 0, lastError: "Not resolved during sync", dispatchRun: undefined },
      ],
      ["pending", "is prepared for another try, cap 10", "unchanged"],
      ["pending", "is no longer in iCloud", "absent"],
      ["failed", "is planned", { status: "pending", attempts: 1, dispatchRun: 7, lastError: "HTTP 500" }],
      ["failed", "is planned with other content", { status: "pending", attempts: 0, checksum: checksum("other") }],
      ["failed", "fails, charged", { status: "failed", attempts: 2, lastError: "HTTP 404" }],
      [
        "failed",
        "is found on disk",
        { status: "downloaded", attempts: 1, lastError: undefined, lastErrorKind: undefined },
      ],
      [
        "failed",
        "is found on disk with other content",
        { status: "downloaded", attempts: 0, checksum: checksum("other") },
      ],
      ["failed", "is prepared for another try, cap 10", { status: "pending", attempts: 1, lastError: "HTTP 500" }],
      ["failed", "is prepared for another try, cap 1", "unchanged"],
      ["failed", "is prepared for another try, no cap", { status: "pending", attempts: 1 }],
      ["failed", "is put back", "unchanged"],
      ["failed", "is lost track of", "unchanged"],
      ["failed", "is no longer in iCloud", "absent"],
      ["downloaded", "is planned", { status: "pending", attempts: 1, proof: undefined }],
      ["downloaded", "is planned with other content", { status: "pending", attempts: 0, proof: undefined }],
      ["downloaded", "is put back", "unchanged"],
      ["downloaded", "is lost track of", "unchanged"],
      ["downloaded", "is prepared for another try, no cap", "unchanged"],
      ["downloaded", "vanishes from disk", { status: "pending", attempts: 0, proof: undefined }],
      ["downloaded", "is no longer in iCloud", "unchanged"],
    ];
    test.each(table)("a file that was %s and %s", async (from, what, expected) => {
      start[from]();
      const before = state.rendition(key);
      if (expected === "row missing") {
        expect((await thrownBy(act[what])).message).toContain("row missing");
        expect(state.rendition(key)).toEqual(before as RenditionRow);
        return;
      }
      act[what]();
      const after = state.rendition(key);
      if (expected === "absent") expect(after).toBeUndefined();
      else if (expected === "unchanged") expect(after).toEqual(before as RenditionRow);
      else expect(after).toMatchObject(expected);
    });
  });

  test("a long error is kept short", () => {
    planned(state, "a");
    state.putFailed(key, { ...fail, error: "x".repeat(10_000) });
    expect(state.rendition(key)?.lastError?.length).toBe(2000);
  });

  test("an impossible status, size or number of attempts can't be written", async () => {
    expect((await thrownBy(() => state.putAsset(assetRow("a", { disposition: "left-out" })))).message).toContain(
      "CHECK",
    );
    state.putAsset(assetRow("a"));
    for (const size of [-1, 0.5, Number.MAX_SAFE_INTEGER + 1]) {
      expect(await thrownBy(() => state.putPending({ ...fileRow("a"), size }, 1))).toBeInstanceOf(Error);
    }
    expect(state.rendition(key)).toBeUndefined();
  });

  test("a file without its asset, and a place without its file, can't be written", async () => {
    expect((await thrownBy(() => state.putPending(fileRow("a"), 1))).message).toContain("FOREIGN KEY");
    state.putAsset(assetRow("a"));
    expect((await thrownBy(() => state.putPlacement(placementRow("a")))).message).toContain("FOREIGN KEY");
  });

  test("the same asset in two libraries is two assets", () => {
    for (const library of [PRIMARY, SHARED]) {
      state.putAsset(assetRow("a", { library }));
      state.putPending(fileRow("a", "a", "original", library), 1);
    }
    state.putDownloaded(keyOf("a", "original", SHARED), { proof: "size", at: 1 });
    expect(state.rendition(keyOf("a"))?.status).toBe("pending");
    expect(state.rendition(keyOf("a", "original", SHARED))?.status).toBe("downloaded");
  });

  test("all files of an asset come in a stable order", () => {
    state.putAsset(assetRow("a", { kind: "live-photo" }));
    state.putPending(fileRow("a", "v", "live_original"), 1);
    state.putPending(fileRow("a", "s", "original"), 1);
    expect(state.renditionsOf(PRIMARY, assetId("a")).map((row) => row.rendition)).toEqual([
      "live_original",
      "original",
    ]);
  });

  test("what happens to many rows is told in numbers", () => {
    for (const id of ["a", "b", "c"]) planned(state, id);
    for (const id of ["a", "b"]) state.putFailed(keyOf(id), fail);
    expect(state.settleUnfinished(2)).toBe(0);
    expect(state.settleUnfinished(1)).toBe(1);
    expect(state.requeueFailed(10)).toBe(3);
    expect(state.requeueFailed(10)).toBe(0);
    expect(state.pruneUnseen(PRIMARY, 1)).toBe(0);
    expect(state.pruneUnseen(SHARED, 9)).toBe(0);
    expect(state.pruneUnseen(PRIMARY, 2)).toBe(3);
  });

  describe("open work", () => {
    test("is counted per library, without what is left out, on disk or used up", () => {
      planned(state, "waits");
      planned(state, "failed");
      state.putFailed(keyOf("failed"), fail);
      planned(state, "used-up");
      for (let round = 0; round < 3; round += 1) state.putFailed(keyOf("used-up"), fail);
      planned(state, "hidden");
      state.putAsset(assetRow("hidden", { disposition: "left-out", rule: "hidden" }));
      saved(state, "saved");
      state.putAsset(assetRow("other", { library: SHARED }));
      state.putPending(fileRow("other", "o", "original", SHARED), 1);
      expect(state.openWork(PRIMARY, 3)).toEqual({ failed: 1, pending: 1 });
      expect(state.openWork(PRIMARY, 0)).toEqual({ failed: 2, pending: 1 });
      expect(state.openWork(SHARED, 3)).toEqual({ failed: 0, pending: 1 });
    });

    test("is also a second place that a file on disk has not been brought to", () => {
      saved(state, "a");
      saved(state, "b");
      state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
      state.putPlacement(placementRow("b", { pass: "album:X", path: "X/b.JPG" }));
      state.placementFailed(keyOf("b"), "album:X", { error: "HTTP 404", kind: "gone" });
      expect(state.openWork(PRIMARY, 3)).toEqual({ failed: 1, pending: 1 });
    });
  });

  describe("after a complete scan", () => {
    test("an asset that is gone and of which nothing is on disk is forgotten", () => {
      planned(state, "gone");
      state.putAsset(assetRow("left", { disposition: "left-out", rule: "hidden" }));
      saved(state, "kept");
      planned(state, "met");
      state.putAsset(assetRow("met", { seenScan: 2 }));
      expect(state.pruneUnseen(PRIMARY, 2)).toBe(1);
      expect(["gone", "left", "kept", "met"].filter((id) => state.asset(PRIMARY, assetId(id)))).toEqual([
        "kept",
        "met",
      ]);
      expect(state.totals(10)).toMatchObject({ assets: 1, onDisk: 0, waiting: 1, kept: { unlisted: 1 } });
      expect(state.ownerOf("2026/01/01/gone.jpg")).toBeUndefined();
    });

    test("of a Live Photo that is gone the half on disk stays and nothing waits", () => {
      saved(state, "a");
      state.putPending(fileRow("a", "motion", "live_original"), 1);
      state.pruneUnseen(PRIMARY, 2);
      expect(state.totals(10)).toMatchObject({ assets: 0, onDisk: 0, waiting: 0, kept: { unlisted: 1 } });
      expect(state.totals(10).bytes).toBe(1000);
    });

    test("what is kept on disk says why iCloud does not show it, and the best reason wins", () => {
      for (const id of ["gone", "hidden", "filtered", "kept"]) saved(state, id);
      state.putAsset(assetRow("hidden", { disposition: "left-out", rule: "hidden" }));
      state.putAsset(assetRow("filtered", { disposition: "left-out", rule: "by_filename" }));
      state.forgetAsset(PRIMARY, assetId("gone"));
      state.pruneUnseen(PRIMARY, 2);
      const ruleOf = (id: string) => state.asset(PRIMARY, assetId(id))?.rule;
      expect(["gone", "hidden", "filtered", "kept"].map(ruleOf)).toEqual(["gone", "hidden", "unlisted", "unlisted"]);
      expect(state.totals(10)).toMatchObject({ assets: 1, leftOut: { hidden: 1 }, kept: { gone: 1, unlisted: 2 } });
      // Should Apple list it again, it is as good as any other.
      state.putAsset(assetRow("gone", { seenScan: 3 }));
      expect(state.totals(10)).toMatchObject({ onDisk: 1, kept: { unlisted: 2 } });
    });

    test("a place that nothing asked for any more is forgotten, one that stands is not", () => {
      state.endScan(PRIMARY, state.beginScan(PRIMARY, 1));
      saved(state, "a");
      state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
      expect(state.totals(10).waiting).toBe(1);
      const scan = state.beginScan(PRIMARY, 2);
      state.putAsset(assetRow("a", { seenScan: scan }));
      state.pruneUnseen(PRIMARY, scan);
      expect(state.placementsOf(PRIMARY, assetId("a")).map((place) => place.pass)).toEqual(["unfiled"]);
      expect(state.totals(10)).toMatchObject({ onDisk: 1, waiting: 0 });
    });

    test("a place that was asked for in that scan waits on", () => {
      const scan = state.beginScan(PRIMARY, 1);
      saved(state, "a");
      state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
      state.putAsset(assetRow("a", { seenScan: scan }));
      state.pruneUnseen(PRIMARY, scan);
      expect(state.totals(10).waiting).toBe(1);
    });
  });
});
