/**
 * Every check of the project, one after the other: types, lint and format, tests. Ends with one line of counts, and
 * with 1 when anything failed. Arguments select test files by a part of their path; then only tests are run.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT, run, say, tool } from "./steps.ts";

/** Tests that start kei as a program of its own; the others run it on a clock of their own, inside the test. */
const THROUGH_THE_PROGRAM = [
  ...[
    "sync",
    "stopping",
    "bad-input",
    "peer",
    "storm",
    "service",
    "terminal",
    "streams",
    "setup",
    "secrets",
    "password",
  ].map((name) => `test/e2e/${name}.test.ts`),
  "test/transcripts/transcripts.test.ts",
];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const selected = process.argv.slice(2);

if (selected.length === 0) {
  await check("types", tool("tsc"), ["--noEmit"]);
  await check("lint and format", tool("biome"), ["ci", "--colors=off", "."]);
}
const skipped = [...(await tests("tests", selected))];
if (selected.length === 0) {
  // What people get is the compiled program: it must keep the same promises.
  if (await check("build", process.execPath, ["--no-env-file", "scripts/build.ts"])) {
    const binary = join(ROOT, "dist", process.platform === "win32" ? "kei.exe" : "kei");
    await tests("tests of the compiled program", THROUGH_THE_PROGRAM, { KEI_TEST_BINARY: binary });
  }
}

if (skipped.length > 0) {
  say("Skipped:");
  for (const name of skipped) say(`  ${name}`);
  say();
}
say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function check(name: string, command: string, args: readonly string[]): Promise<boolean> {
  say(`== ${name}`);
  const { code, seconds } = await run(command, args);
  if (code === 0) counts.passed += 1;
  else counts.failed += 1;
  say(`== ${name}: ${code === 0 ? "passed" : "FAILED"} in ${seconds.toFixed(1)} s`);
  say();
  return code === 0;
}

/** Runs the tests and returns the names of those that were skipped. Their names say why. */
async function tests(
  title: string,
  files: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  say(`== ${title}`);
  const cache = join(ROOT, ".cache");
  const outcome = join(cache, "tests.xml");
  await mkdir(cache, { recursive: true });
  await rm(outcome, { force: true });
  // A worker for each core, and every file in a fresh global object: what one leaves behind is not the next one's to
  // stumble over.
  const args = [
    "--no-env-file",
    "test",
    "--parallel",
    "--timeout=30000",
    "--reporter=junit",
    `--reporter-outfile=${outcome}`,
  ];
  const { code, seconds } = await run(process.execPath, [...args, ...files], { env });
  const { ran, failed, skipped } = readOutcome(await readFile(outcome, "utf8").catch(() => ""));
  counts.passed += ran - failed - skipped.length;
  counts.skipped += skipped.length;
  // A run that broke off, or an error outside any test, is a failure that no test counts.
  counts.failed += failed === 0 && code !== 0 ? 1 : failed;
  say(`== ${title}: ${code === 0 ? "passed" : "FAILED"} in ${seconds.toFixed(1)} s`);
  say();
  return skipped;
}

/** Reads the runner's report: test cases, and what became of them. */
function readOutcome(xml: string): {
  readonly ran: number;
  readonly failed: number;
  readonly skipped: readonly string[];
} {
  const skipped: string[] = [];
  let ran = 0;
  let failed = 0;
  for (const found of xml.matchAll(/<testcase (?<attributes>[^>]*?)(?:\/>|>(?<inside>.*?)<\/testcase>)/gs)) {
    ran += 1;
    const inside = found.groups?.["inside"] ?? "";
    if (inside.includes("<skipped")) skipped.push(nameOf(found.groups?.["attributes"] ?? ""));
    else if (/<(failure|error)\b/.test(inside)) failed += 1;
  }
  return { ran, failed, skipped };
}

function nameOf(attributes: string): string {
  const read = (name: string): string =>
    (new RegExp(` ?\\b${name}="(?<value>[^"]*)"`).exec(attributes)?.groups?.["value"] ?? "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&");
  return `${read("file")}: ${[read("classname"), read("name")].filter((part) => part !== "").join(" > ")}`;
}
