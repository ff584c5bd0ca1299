/** The life of a library: random edits of all kinds between runs; the long form is in `scripts/soak`. */
import { expect, test } from "bun:test";
import { life } from "../support/life.ts";

test("after forty edits of every kind, with disturbed and killed runs, disk, rows and library agree, and no calm run lists", async () => {
  const { disagreements, lists, disturbed } = await life({ seed: 8, edits: 40 });
  expect(disagreements).toEqual([]);
  expect(lists).toEqual([]);
  expect(disturbed["kill -9"]).toBeGreaterThan(0);
}, 60_000);
