/** Everything goes wrong at once; the long forms are in `scripts/soak`. */
import { expect, test } from "bun:test";
import { kills, storm } from "../support/storm.ts";

test("in a storm of every passing trouble each file is proven or failed with a reason, and a calm run completes it", async () => {
  const result = await storm({ seed: 11, assets: 200 });
  expect(result.wrongFiles).toEqual([]);
  expect(result.untold).toBe(0);
  expect([0, 1, 2]).toContain(result.exits[0]);
  expect(result.exits[1]).toBe(0);
  expect(result.missingAfterwards).toBe(0);
  expect(result.orphans).toEqual([]);
  expect(result.transferred).toBeLessThanOrEqual(1.3);
}, 60_000);

test("five kills at random moments leave the tree of an undisturbed run, and nothing published is fetched again", async () => {
  const result = await kills({ seed: 3, kills: 5 });
  expect(result).toEqual({ kills: 5, exit: 0, wrongFiles: [], missing: 0, orphans: [], again: 0, sameTree: true });
}, 60_000);
