import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openState } from "../../src/state/index.ts";
import type { PlacementRow, State, TempClaim } from "../../src/state/types.ts";
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

  const places = (id: string) => state.placementsOf(PRIMARY, assetId(id));
  const found = { localSize: 1000, localMtime: 1_700_000_000_000, method: "download" } as const;
  /** `b` wants the very file that `a` is to have. */
  const sharing = () => {
    state.putAsset(assetRow("b"));
    state.putPending(fileRow("b", "a"), 1);
    state.putBack(keyOf("b"));
    state.putPlacement(placementRow("b", { ...placementRow("a"), ...keyOf("b"), owner: false, method: "shared" }));
  };

  test("a place comes back as it was put, and again as it was changed", () => {
    planned(state, "a");
    expect(places("a")).toEqual([placementRow("a")]);
    state.placementPresent(keyOf("a"), "unfiled", found);
    const present = placementRow("a", { status: "present", ...found });
    expect(places("a")).toEqual([present]);
    const moved = placementRow("a", { path: "elsewhere/a.JPG" });
    state.putPlacement(moved);
    expect(places("a")).toEqual([moved]);
  });

  test("one file has one place per pass, in the order in which they were made", () => {
    planned(state, "a");
    state.putPlacement(placementRow("a", { pass: "album:Z", path: "Z/a.JPG" }));
    state.putPlacement(placementRow("a", { pass: "album:B", path: "B/a.JPG" }));
    state.putPlacement(placementRow("a", { pass: "album:Z", path: "Z/a (2).JPG" }));
    expect(places("a").map((place) => place.path)).toEqual(["2026/01/01/a.JPG", "Z/a (2).JPG", "B/a.JPG"]);
  });

  test("a path has one owner, whatever the spelling the file system folds together", async () => {
    planned(state, "a", { path: "Trip/IMG.JPG" });
    expect((await thrownBy(() => planned(state, "b", { path: "trip/img.jpg" }))).message).toContain("UNIQUE");
    expect(state.ownerOf("trip/img.jpg")?.path).toBe("Trip/IMG.JPG");
    expect(state.ownerOf("Trip/IMG.JPG")).toBeUndefined();
  });

  test("a place that is history keeps its path claimed and frees its pass", () => {
    saved(state, "a");
    state.retirePlacement(keyOf("a"), "unfiled");
    expect(state.ownerOf("2026/01/01/a.jpg")?.status).toBe("historical");
    state.putPlacement(placementRow("a", { path: "2026/01/01/a_2.JPG" }));
    state.placementPresent(keyOf("a"), "unfiled", found);
    state.retirePlacement(keyOf("a"), "unfiled");
    expect(places("a").map((place) => place.status)).toEqual(["historical", "historical"]);
    expect(state.presentWith(checksum("a"), 10)).toEqual([]);
  });

  test("a place that never came to be can be dropped, one that stands can't", () => {
    planned(state, "a");
    state.dropPlacement(keyOf("a"), "unfiled");
    expect(state.ownerOf("2026/01/01/a.jpg")).toBeUndefined();
    saved(state, "a");
    state.dropPlacement(keyOf("a"), "unfiled");
    expect(places("a").length).toBe(1);
  });

  test.each(["placementPresent", "placementFailed", "markMissing", "retirePlacement"] as const)(
    "%s says so when there is no such place",
    async (call) => {
      planned(state, "a");
      const error = await thrownBy(() =>
        call === "placementPresent"
          ? state.placementPresent(keyOf("a"), "album:X", found)
          : state[call](keyOf("a"), "album:X"),
      );
      expect(error.message).toContain("row missing: place of original of a in album:X");
    },
  );

  test("a place that failed names its reason, and loses it once the file is there", () => {
    saved(state, "a");
    state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
    state.placementFailed(keyOf("a"), "album:X", { error: "HTTP 404", kind: "gone" });
    expect(state.listFiles("failed", 10)).toMatchObject([
      { asset: "a", path: "X/a.JPG", error: "HTTP 404", errorKind: "gone" },
    ]);
    expect(state.totals(10)).toMatchObject({
      onDisk: 0,
      failed: 1,
      files: { downloaded: 0, pending: 0, failed: 1 },
      bytes: 1000,
    });
    state.placementPresent(keyOf("a"), "album:X", found);
    expect(state.listFiles("failed", 10)).toEqual([]);
    expect(state.totals(10)).toMatchObject({ onDisk: 1, failed: 0, files: { downloaded: 1 } });
  });

  test("a place that stands by now is not called failed", () => {
    saved(state, "a");
    const [before] = places("a");
    state.placementFailed(keyOf("a"), "unfiled", { error: "HTTP 404", kind: "gone" });
    expect(places("a")).toEqual([before as PlacementRow]);
    expect(state.listFiles("failed", 10)).toEqual([]);
  });

  test("copies are made from files that stand, at most as many as asked for, oldest first", () => {
    planned(state, "waits", { checksum: checksum("same"), path: "w.jpg" });
    for (const id of ["a", "b", "c"]) saved(state, id, { checksum: checksum("same") });
    expect(state.presentWith(checksum("same"), 2).map((place) => place.asset)).toEqual([assetId("a"), assetId("b")]);
    expect(state.presentWith(checksum("nothing"), 2)).toEqual([]);
  });

  test("all present places can be walked in pages while they change", () => {
    for (let index = 0; index < 25; index += 1) saved(state, `a${index}`);
    planned(state, "waits");
    const seen: string[] = [];
    for (let after = 0; ; ) {
      const page = state.presentAfter(after, 10);
      if (page.length === 0) break;
      for (const place of page) {
        seen.push(place.asset);
        after = place.rowid;
        if (place.asset.endsWith("3")) state.markMissing(place, place.pass);
      }
    }
    expect(seen.length).toBe(25);
    expect(new Set(seen).size).toBe(25);
  });

  test("whether anything was saved is known from the first file on", () => {
    expect(state.hasDownloads()).toBe(false);
    planned(state, "a");
    expect(state.hasDownloads()).toBe(false);
    state.placementPresent(keyOf("a"), "unfiled", found);
    expect(state.hasDownloads()).toBe(true);
  });

  describe("a file that two rows share", () => {
    test("is settled for both when it is fetched", () => {
      planned(state, "a");
      sharing();
      state.putDownloaded(keyOf("a"), { proof: "provider", at: 42 });
      state.placementPresent(keyOf("a"), "unfiled", found);
      expect(places("b")).toMatchObject([{ status: "present", localSize: 1000, method: "shared", owner: false }]);
      expect(state.rendition(keyOf("b"))).toMatchObject({ status: "downloaded", proof: "provider", downloadedAt: 42 });
      expect(state.totals(10)).toMatchObject({ onDisk: 2, waiting: 0 });
    });

    test("is settled for both when it is found on disk", () => {
      planned(state, "a");
      sharing();
      state.adopt(fileRow("a"), 43);
      state.putPlacement(placementRow("a", { status: "present", ...found, method: "adopted" }));
      expect(state.rendition(keyOf("b"))).toMatchObject({ status: "downloaded", proof: "adopted", downloadedAt: 43 });
    });

    test("is not settled for one that wants other content by now", () => {
      planned(state, "a");
      sharing();
      state.putPending(fileRow("b", "other"), 1);
      state.putPlacement(
        placementRow("b", { ...placementRow("a"), ...keyOf("b"), owner: false, checksum: checksum("other") }),
      );
      state.putDownloaded(keyOf("a"), { proof: "provider", at: 42 });
      state.placementPresent(keyOf("a"), "unfiled", found);
      expect(state.rendition(keyOf("b"))?.status).toBe("pending");
      expect(places("b")[0]?.status).toBe("pending");
    });

    test.each(["a", "b"])("is missed by both when %s misses it", (id) => {
      planned(state, "a");
      sharing();
      state.putDownloaded(keyOf("a"), { proof: "provider", at: 42 });
      state.placementPresent(keyOf("a"), "unfiled", found);
      state.markMissing(keyOf(id), "unfiled");
      expect([...places("a"), ...places("b")].map((place) => place.status)).toEqual(["pending", "pending"]);
      expect(state.totals(10)).toMatchObject({ onDisk: 0, waiting: 2 });
    });
  });

  test("a file that vanished at one place still stands at its other one", () => {
    saved(state, "a");
    state.putPlacement(placementRow("a", { pass: "album:X", path: "X/a.JPG" }));
    state.placementPresent(keyOf("a"), "album:X", { ...found, method: "hardlink" });
    state.markMissing(keyOf("a"), "unfiled");
    expect(state.rendition(keyOf("a"))).toMatchObject({ status: "downloaded", proof: "provider" });
    expect(state.totals(10)).toMatchObject({ onDisk: 0, waiting: 1, files: { pending: 1 } });
    state.markMissing(keyOf("a"), "album:X");
    expect(state.rendition(keyOf("a"))).toMatchObject({ status: "pending", proof: undefined });
  });

  test("claims on temporary files stay until they are given up, and are renewed in place", () => {
    const claim: TempClaim = {
      ...keyOf("a"),
      path: "/photos/.a.kei-tmp",
      checksum: checksum("a"),
      size: 1000,
      run: 1,
      createdAt: 1_700_000_000,
    };
    state.claimTemp(claim);
    state.claimTemp({ ...claim, path: "/photos/.b.kei-tmp" });
    const renewed = {
      ...claim,
      ...keyOf("z", "live_original"),
      checksum: checksum("z"),
      size: 5,
      run: 2,
      createdAt: 1,
    };
    state.claimTemp(renewed);
    expect(state.tempClaims()).toEqual([renewed, { ...claim, path: "/photos/.b.kei-tmp" }]);
    state.releaseTemp(claim.path);
    state.releaseTemp("/photos/never-claimed");
    expect(state.tempClaims().map((left) => left.path)).toEqual(["/photos/.b.kei-tmp"]);
  });
});
