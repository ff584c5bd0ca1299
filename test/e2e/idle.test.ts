/** A watch that has nothing to do, for years: the long form is in `scripts/soak idle`. */
import { expect, test } from "bun:test";
import { growth, idle } from "../support/idle.ts";

test("run after run without anything to do asks one question and leaves nothing behind", async () => {
  const result = await idle({ cycles: 500 });
  expect([result.cycles, result.exit]).toEqual([500, 0]);
  expect(result.strayRequests).toEqual([]);
  expect(result.secondsPerCycle).toBeGreaterThanOrEqual(600);
  expect(growth(result)).toEqual([]);
}, 60_000);
