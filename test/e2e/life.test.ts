/** The life of a library: random edits of all kinds between runs; the long form is in `scripts/soak`. */
import { expect, test } from "bun:test";
import type { PhotosSettings } from "../icloud/index.ts";
import { contrary } from "../support/contrary.ts";
import { life } from "../support/life.ts";

/** What cloudkit.md leaves open, all of it, in the small. */
const SMALL: Partial<PhotosSettings> = {
  mostRecords: 7,
  order: "shuffled",
  cutTuples: true,
  repeatMasters: true,
  historyBeginsEmpty: false,
  emptyDeltaPages: 3,
  zonesPerPage: 1,
  databaseZonesCarryTokens: false,
  unknownName: "UNKNOWN_ITEM",
};

test.each<[string, Parameters<typeof life>[0]]>([
  ["in small pages", { seed: 2, edits: 12, double: { transform: contrary(2), photos: SMALL } }],
  ["without a mark", { seed: 3, edits: 12, double: { transform: contrary(3, { withoutMarkers: true, moods: 0.1 }) } }],
  ["in silence", { seed: 6, edits: 12, double: { transform: contrary(6), photos: { unknownName: "omit" } } }],
])(
  "an iCloud that says the same in other words, %s, leads to the same files",
  async (_, options) => {
    const { disagreements, lists } = await life(options);
    expect(disagreements).toEqual([]);
    expect(lists).toEqual([]);
  },
  60_000,
);

test("after forty edits of every kind, with disturbed and killed runs, disk, rows and library agree, and no calm run lists", async () => {
  const { disagreements, lists, disturbed } = await life({ seed: 8, edits: 40 });
  expect(disagreements).toEqual([]);
  expect(lists).toEqual([]);
  expect(disturbed["kill -9"]).toBeGreaterThan(0);
}, 60_000);
