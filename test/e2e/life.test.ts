/** The life of a library: random edits of all kinds between runs; the long form is in `scripts/soak`. */
import { expect, test } from "bun:test";
import { life } from "../support/life.ts";

test("after forty edits of every kind, some runs with faults, disk, rows and library agree, and nothing else was listed", async () => {
  const { disagreements, lists } = await life({ seed: 7, edits: 40 });
  expect(disagreements).toEqual([]);
  // A run with failed files is followed by a full list, as the report says; no other is.
  expect(lists.filter((reason) => reason !== "retry_failed_rows")).toEqual([]);
}, 60_000);
