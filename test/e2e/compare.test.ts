/**
 * A whole-library tree of kei beside that of icloudpd, from the same library: what differs is prescribed, and told to people.
 * The long form, with all options and two time zones, is `scripts/compare`.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { REASONS } from "../support/compare/reasons.ts";
import type { Outcome, TakenOver } from "../support/compare/run.ts";
import { classesOf, unexplained } from "../support/compare/table.ts";
import { APPLE_NET, whyNoIcloudpd } from "../support/icloudpd.ts";

const ROOT = resolve(import.meta.dir, "../..");
const reason = whyNoIcloudpd();
if (reason !== undefined) process.stderr.write(`SKIPPED: kei's tree beside icloudpd's (${reason})\n`);

describe.if(reason === undefined)("kei and icloudpd over the same library", () => {
  let outcomes: readonly Outcome[];
  let takenOver: TakenOver;

  beforeAll(async () => {
    const script = [process.execPath, "--no-env-file", join(ROOT, "scripts/compare.ts")];
    const child = Bun.spawn([APPLE_NET, ...script, "--json", "--assets", "140", "--row", "default"], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    if (stdout === "") throw new Error(stderr);
    ({ outcomes, takenOver } = JSON.parse(stdout));
  }, 60_000);

  test("most files have the same path and the same bytes, whatever the machine's time zone", () => {
    expect(outcomes.map(({ zone }) => zone)).toEqual(["UTC", "America/Los_Angeles"]);
    for (const { same, files } of outcomes) expect(same.length).toBeGreaterThan(files.kei * 0.6);
  });

  test("every difference has a known reason", () => {
    expect(outcomes.flatMap(unexplained)).toEqual([]);
  });

  test("kei lacks nothing that icloudpd has", () => {
    for (const { differences } of outcomes) expect(differences.filter(({ kei }) => kei === undefined)).toEqual([]);
  });

  test("in icloudpd's folder kei fetches only what isn't there under its name, and touches no file", () => {
    const { before, after, changed, fetched } = takenOver;
    expect(changed).toEqual([]);
    expect(fetched[0]).toBeLessThanOrEqual(after - before);
    expect(fetched[1]).toBe(0);
    expect(after - before).toBeLessThan(before * 0.4);
  });

  test("the special cases are really among them", () => {
    const found = new Set(outcomes.flatMap(({ differences }) => classesOf(differences).map(({ title }) => title)));
    for (const id of ["clock", "sameSize", "duplicates", "collision", "noStem", "noName", "marked"] as const)
      expect([...found].some((title) => title.includes(REASONS[id].title)) ? id : `no ${id}`).toBe(id);
  });
});

if (reason !== undefined) test.skip(`kei's tree beside icloudpd's (skipped: ${reason})`, () => undefined);

test("each reason why trees differ is told to people who come from icloudpd, and files.md says what kei does", () => {
  const page = readFileSync(join(ROOT, "docs/from-icloudpd.md"), "utf8");
  const files = readFileSync(join(ROOT, "docs/files.md"), "utf8");
  for (const { title, section } of Object.values(REASONS)) {
    expect(page).toContain(`| ${title} |`);
    expect(files).toMatch(new RegExp(`^#+ ${section}$`, "m"));
  }
});
