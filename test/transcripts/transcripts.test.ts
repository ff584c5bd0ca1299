/**
 * Every command's words and exit code, compared with the pages beside this file. `KEI_WRITE_TRANSCRIPTS=1` writes the pages
 * anew: then read what has changed as a user would.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ANSWERS } from "./answers.ts";
import { BAD_INPUT } from "./bad-input.ts";
import { CHECKS } from "./checks.ts";
import { CONFIGURATION } from "./configuration.ts";
import { EVERYDAY } from "./everyday.ts";
import { openStage, play, type Step } from "./transcript.ts";

const PAGES: Readonly<Record<string, readonly Step[]>> = {
  everyday: EVERYDAY,
  answers: ANSWERS,
  checks: CHECKS,
  "bad-input": BAD_INPUT,
  configuration: CONFIGURATION,
};

test.each(Object.entries(PAGES))("the page %s is what kei says", async (name, steps) => {
  const stage = await openStage();
  try {
    const { page, broken } = await play(stage, steps);
    const file = join(import.meta.dir, `${name}.txt`);
    if (process.env["KEI_WRITE_TRANSCRIPTS"] === "1") writeFileSync(file, page);
    expect(broken).toEqual([]);
    expect(page).toBe(readFileSync(file, "utf8"));
  } finally {
    await stage.close();
  }
});
