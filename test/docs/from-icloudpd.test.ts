/** docs/from-icloudpd.md leaves no flag of icloudpd out, and names only what kei has. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { SETTING_NAMES, settingOf } from "../../src/config/settings.ts";

const ROOT = resolve(import.meta.dir, "../..");
const PROGRAM = join(ROOT, "node_modules/@icloudpd/linux-x64/bin/icloudpd");
const reason = existsSync(PROGRAM) ? undefined : "the program icloudpd is not installed";
if (reason !== undefined) process.stderr.write(`SKIPPED: the flags of icloudpd (${reason})\n`);
const withIcloudpd = reason === undefined ? test : test.skip;

const page = readFileSync(join(ROOT, "docs/from-icloudpd.md"), "utf8");

/** Cells of the table of flags, without its head. */
const rows = page
  .slice(page.indexOf("## Every flag"), page.indexOf("## Where the files differ"))
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split("|").map((cell) => cell.trim()));

const flagsIn = (text: string): string[] =>
  [...text.matchAll(/(?<=^|[\s`])--?[a-zA-Z][a-z0-9-]*/g)].map(([flag]) => flag);

/** All flags that `icloudpd --help` lists. */
function flagsOfIcloudpd(): readonly string[] {
  // Its package leaves it to an install script to make it a program; such scripts are not run here.
  chmodSync(PROGRAM, 0o755);
  const help = Bun.spawnSync([PROGRAM, "--help"]).stdout.toString();
  const entries = help.split("\n").filter((line) => /^ {2}-/.test(line));
  return entries.flatMap((line) => flagsIn(line.trim().split(/\s{2,}/)[0] ?? ""));
}

const name = (text: string) => (reason === undefined ? text : `${text} (skipped: ${reason})`);

withIcloudpd(name("every flag of icloudpd has a row, and no other flag has one"), () => {
  const flags = flagsOfIcloudpd();
  expect(flags.length).toBeGreaterThan(50);
  expect(rows.flatMap(([, first = ""]) => flagsIn(first)).toSorted()).toEqual(flags.toSorted());
});

withIcloudpd(name("kei takes a flag of icloudpd, or says what it is here"), () => {
  const refused = flagsOfIcloudpd().flatMap((flag) => {
    try {
      parseCommandLine(["sync", `${flag}${flag.startsWith("--") ? "=" : ""}2024-01-01`]);
      return [];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      // A wrong value is no matter here.
      return error.message.includes("is not a flag") && error.remedy?.startsWith("Use ") !== true ? [flag] : [];
    }
  });
  expect(refused).toEqual([]);
});

test("every flag and key of kei that the table names exists", () => {
  const settings = SETTING_NAMES.map(settingOf);
  const flags = new Set(
    settings.flatMap(({ flag, short }) => [`--${flag}`, ...(short === undefined ? [] : [`-${short}`])]),
  );
  for (const flag of ["--config", "--help", "-h", "--version", "-V"]) flags.add(flag);
  const keys = new Set(settings.flatMap(({ key }) => key ?? []));
  for (const [, theirs = "", ours = "", key = "", differs = ""] of rows) {
    for (const flag of flagsIn(ours === "the same" ? theirs : ours)) expect([...flags]).toContain(flag);
    for (const [, named = ""] of key.matchAll(/`([a-z_.]+)/g)) expect([...keys]).toContain(named);
    for (const flag of flagsIn(differs)) expect([...flags, "-a", "--until-found"]).toContain(flag);
  }
});
