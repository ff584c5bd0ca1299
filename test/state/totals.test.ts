import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import type { Rendition } from "../../src/library/asset.ts";
import { openForDryRun, openState } from "../../src/state/index.ts";
import { openConnection } from "../../src/state/open.ts";
import type { State } from "../../src/state/types.ts";
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
} from "./support.ts";
import { EMPTY_TOTALS, expectedShared, expectedTotals } from "./totals-oracle.ts";

afterAll(removeFolders);

const IDS = ["a", "b", "c", "d", "e"] as const;
const FILES: readonly Rendition[] = ["original", "live_original"];
const PASSES = ["unfiled", "album:X"] as const;

/** Anything that a run may do to one file, as it would do it: operations that make no sense in a state are skipped. */
type Step = (state: State, id: string, rendition: Rendition, pass: string) => void;

const placed = (state: State, id: string, rendition: Rendition, pass: string) =>
  state.placementsOf(PRIMARY, assetId(id)).find((place) => place.rendition === rendition && place.pass === pass);

const STEPS: Readonly<Record<string, Step>> = {
  list: (state, id) => state.putAsset(assetRow(id, { seenScan: lastScan(state) })),
  hide: (state, id) =>
    state.putAsset(assetRow(id, { disposition: "left-out", rule: "hidden", seenScan: lastScan(state) })),
  filter: (state, id) =>
    state.putAsset(assetRow(id, { disposition: "left-out", rule: "by_date", seenScan: lastScan(state) })),
  spoil: (state, id) =>
    state.putAsset(assetRow(id, { disposition: "broken", rule: "no-original", seenScan: lastScan(state) })),
  plan: (state, id, rendition, pass) => {
    state.putAsset(assetRow(id, { seenScan: lastScan(state) }));
    const row = state.rendition(keyOf(id, rendition));
    if (row?.status !== "downloaded") state.putPending(fileRow(id, `${id}${rendition}`, rendition), 1);
    const here = placed(state, id, rendition, pass);
    if (here?.status === "present") return;
    const path = here?.path ?? `${pass}/${id}.${rendition}.${state.placementsOf(PRIMARY, assetId(id)).length}`;
    state.putPlacement(placementRow(id, { rendition, pass, path, checksum: checksum(`${id}${rendition}`) }));
  },
  fetch: (state, id, rendition, pass) => {
    if (placed(state, id, rendition, pass) === undefined) return;
    state.putDownloaded(keyOf(id, rendition), { proof: "provider", at: 1 });
    state.placementPresent(keyOf(id, rendition), pass, { localSize: 1000, localMtime: 1, method: "download" });
  },
  fail: (state, id, rendition, pass) => {
    const key = keyOf(id, rendition);
    const row = state.rendition(key);
    if (row === undefined) return;
    if (row.status !== "downloaded") state.putFailed(key, { error: "HTTP 500", kind: "server", charge: true });
    else if (placed(state, id, rendition, pass)?.status === "pending") state.placementFailed(key, pass);
  },
  vanish: (state, id, rendition, pass) => {
    if (placed(state, id, rendition, pass)?.status === "present") state.markMissing(keyOf(id, rendition), pass);
  },
  retire: (state, id, rendition, pass) => {
    if (placed(state, id, rendition, pass) !== undefined) state.retirePlacement(keyOf(id, rendition), pass);
  },
  drop: (state, id, rendition, pass) => state.dropPlacement(keyOf(id, rendition), pass),
  /** The file of the asset before it serves this one too, as with a photo that two libraries hold. */
  share: (state, id, rendition, pass) => {
    const other = IDS[IDS.indexOf(id as (typeof IDS)[number]) - 1];
    const owner = other === undefined ? undefined : placed(state, other, rendition, pass);
    if (owner?.status !== "present" || !owner.owner || placed(state, id, rendition, pass) !== undefined) return;
    state.putAsset(assetRow(id, { seenScan: lastScan(state) }));
    const row = { ...fileRow(id, "", rendition), checksum: owner.checksum };
    state.putPending(row, 1);
    state.putDownloaded(row, { proof: "provider", at: 1 });
    state.putPlacement({ ...owner, ...keyOf(id, rendition), owner: false, status: "present", method: "shared" });
  },
  forget: (state, id) => state.forgetAsset(PRIMARY, assetId(id)),
  requeue: (state) => void state.requeueFailed(2),
  settle: (state) => void state.settleUnfinished(1),
  scan: (state) => void state.beginScan(PRIMARY, 1),
  prune: (state) => void state.pruneUnseen(PRIMARY, lastScan(state)),
};

const scans = new WeakMap<State, number>();
function lastScan(state: State): number {
  return scans.get(state) ?? 0;
}

const history = fc.array(
  fc.record({
    step: fc.constantFrom(...Object.keys(STEPS)),
    id: fc.constantFrom(...IDS),
    rendition: fc.constantFrom(...FILES),
    pass: fc.constantFrom(...PASSES),
  }),
  { maxLength: 60 },
);

describe.each(DRIVERS)("over %s", (_name, driver) => {
  test("nothing known, nothing counted", async () => {
    const state = await openForDryRun(optionsFor(join(newFolder(), "a.db"), { driver }));
    expect(state.totals(10)).toEqual(EMPTY_TOTALS);
    state.close();
  });

  test("whatever happens to the files, every asset is counted exactly once, where it belongs", async () => {
    const path = join(newFolder(), "a.db");
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const state = await openForDryRun(optionsFor(path, { driver }));
        try {
          scans.set(state, state.beginScan(PRIMARY, 1));
          for (const { step, id, rendition, pass } of steps) {
            if (step === "scan") scans.set(state, state.beginScan(PRIMARY, 1));
            else STEPS[step]?.(state, id, rendition, pass);
          }
          const totals = state.totals(2);
          expect(totals).toEqual(expectedTotals(state, IDS.map(assetId), 2));
          expect(state.sharedAssets()).toBe(expectedShared(state, IDS.map(assetId)));
          const sum = (counts: Readonly<Record<string, number>>) =>
            Object.values(counts).reduce((all, one) => all + one, 0);
          const { onDisk, waiting, failed, exhausted, leftOut, broken } = totals;
          expect(onDisk + sum(leftOut) + waiting + failed + exhausted + sum(broken)).toBe(totals.assets);
          for (const status of ["downloaded", "pending", "failed"] as const) {
            expect(state.listFiles(status, 100).length).toBe(totals.files[status]);
          }
          const failures = state.listFiles("failed", 100);
          for (const { sample, files } of state.failedKinds(2)) {
            const alike = failures.filter(
              ({ errorKind, attempts }) => errorKind === sample.errorKind && attempts >= 2 === sample.attempts >= 2,
            );
            expect(alike).toContainEqual(sample);
            expect(files).toBe(alike.length);
          }
          expect(state.failedKinds(2).reduce((all, { files }) => all + files, 0)).toBe(failures.length);
          const work = state.openWork(PRIMARY, 0);
          expect(work.pending + work.failed).toBe(totals.files.pending + totals.files.failed);
        } finally {
          state.close();
        }
      }),
      { numRuns: 150 },
    );
  });

  test("lists are cut where asked, and totals stay true", async () => {
    const state = await openForDryRun(optionsFor(join(newFolder(), "a.db"), { driver }));
    for (let index = 0; index < 30; index += 1) planned(state, `p${index}`);
    expect(state.listFiles("pending", 7).length).toBe(7);
    expect(state.totals(10).waiting).toBe(30);
    state.close();
  });
});

describe("speed", () => {
  const best = (rounds: number, work: () => void) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      work();
      least = Math.min(least, performance.now() - began);
    }
    return least;
  };

  test("100,000 assets are counted in less than 250 ms, and their open work, or one of them, found at once", async () => {
    const options = optionsFor(join(newFolder(), "a.db"));
    const db = await openConnection(options);
    db.transaction(() => {
      db.exec(`
        CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n;
        INSERT INTO assets SELECT 'PrimarySync', hex(randomblob(16)) || i, 'm' || i, 'IMG_' || i || '.HEIC', 'photo', 1.7e12, 7200,
          1.7e12, 0, 0, 0, '1a', iif(i % 50 = 0, 'left-out', 'wanted'), iif(i % 50 = 0, 'hidden', NULL), 1 FROM n;
        INSERT INTO files SELECT library, id, 'original', iif(rowid_of % 100 = 0, 'failed', 'downloaded'), 'c' || id, 1000, 'public.heic', 1,
          NULL, NULL, NULL, 'provider', 1 FROM (SELECT *, row_number() OVER () AS rowid_of FROM assets) WHERE disposition = 'wanted';
        INSERT INTO placements (library, asset, rendition, pass, path, path_key, owner, status, checksum, local_size, local_mtime, method)
          SELECT library, asset, rendition, 'unfiled', '2026/01/01/' || asset, '2026/01/01/' || asset, 1,
            iif(status = 'failed', 'pending', 'present'), checksum, 1000, 1, 'download' FROM files;`);
    });
    db.close();
    const state = await openState(options);
    expect(state.totals(10)).toMatchObject({ assets: 100_000, leftOut: { hidden: 2000 } });
    const ms = best(5, () => {
      state.totals(10);
      state.sharedAssets();
    });
    const work = best(5, () => void state.openWork(PRIMARY, 10));
    const missed = best(5, () => void state.listFiles("failed", 200));
    const found = best(3, () => void state.findWord("no such name", 10));
    state.close();
    expect(ms).toBeLessThan(250);
    expect(work).toBeLessThan(50);
    expect(missed).toBeLessThan(100);
    expect(found).toBeLessThan(200);
    const figures = Object.entries({ totals: ms, "open work": work, list: missed, found });
    process.stdout.write(`${figures.map(([name, took]) => `${name} ${took.toFixed(1)} ms`).join(", ")}\n`);
  }, 30_000);

  test("a page of 100 assets is planned in less than 10 ms, and finished in less than 10 ms", async () => {
    const state = await openState(optionsFor(join(newFolder(), "a.db")));
    let page = 0;
    const ids = () => Array.from({ length: 100 }, (_, index) => `p${page}-${index}`);
    const claim = (id: string) => `/photos/2026/.${id}.kei-tmp`;
    const plan = best(30, () => {
      page += 1;
      state.transaction(() => {
        for (const id of ids()) {
          const key = planned(state, id);
          state.claimTemp({ ...key, path: claim(id), checksum: checksum(id), size: 1000, run: 1, createdAt: 1 });
        }
      });
    });
    const finish = best(30, () => {
      state.transaction(() => {
        for (const id of ids()) {
          state.putDownloaded(keyOf(id), { proof: "provider", at: 1 });
          state.placementPresent(keyOf(id), "unfiled", { localSize: 1000, localMtime: 1, method: "download" });
          state.releaseTemp(claim(id));
        }
      });
      page -= 1;
    });
    state.close();
    process.stdout.write(`plan ${plan.toFixed(1)} ms, finish ${finish.toFixed(1)} ms for 100 assets\n`);
    expect(plan).toBeLessThan(10);
    expect(finish).toBeLessThan(10);
  }, 30_000);

  test("a dry run of 20,000 assets is ready quickly and looks things up as fast", async () => {
    const options = optionsFor(join(newFolder(), "a.db"));
    const state = await openState(options);
    state.transaction(() => {
      for (let index = 0; index < 20_000; index += 1) saved(state, `a${index}`);
    });
    state.close();
    const began = performance.now();
    const dry = await openForDryRun(options);
    const opened = performance.now() - began;
    const looked = best(3, () => {
      for (let index = 0; index < 100; index += 1) dry.placementsOf(PRIMARY, assetId(`a${index}`));
    });
    expect(dry.totals(10).onDisk).toBe(20_000);
    dry.close();
    process.stdout.write(`dry run opened in ${opened.toFixed(0)} ms\n`);
    expect(opened).toBeLessThan(2000);
    expect(looked).toBeLessThan(20);
  }, 30_000);
});
