/** Several who follow a sync, told and closed as one. */
import { expect, test } from "bun:test";
import { together } from "../../src/cli/attendants.ts";

test("all are closed, in order, also when one of them fails; its error is told", async () => {
  const closed: string[] = [];
  const all = together([
    {
      close: async () => {
        closed.push("first");
        throw new Error("the first can't");
      },
    },
    {},
    {
      close: async () => {
        closed.push("last");
      },
    },
  ]);
  await expect(all.close()).rejects.toThrow("the first can't");
  expect(closed).toEqual(["first", "last"]);
});
