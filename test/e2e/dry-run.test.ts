/** A dry run says what a run would save, and leaves no trace. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Double, mixedSampleLibrary, startDouble } from "../icloud/index.ts";
import { Home, inodes } from "../support/kei.ts";

let double: Double;
let home: Home;

beforeEach(async () => {
  double = await startDouble({ library: mixedSampleLibrary(3) });
  home = new Home(double);
  await home.signIn(double);
});
afterEach(async () => {
  await double.stop();
  home.remove();
});

const paths = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((path) => path.slice(home.photos.length + 1))
    .toSorted();

test.each(["--dry-run", "--only-print-filenames"])(
  "%s prints the path of every file that a run then saves",
  async (flag) => {
    const before = await inodes(home.data);
    const rehearsed = await home.run(["sync", "-d", home.photos, flag]);
    expect(rehearsed.code).toBe(0);
    expect(existsSync(home.photos)).toBe(false);
    expect([...(await inodes(home.data))]).toEqual([...before]);
    expect((await home.sync()).code).toBe(0);
    expect(paths(rehearsed.stdout)).toEqual(await home.files());
    const again = await home.run(["sync", "-d", home.photos, flag]);
    expect([again.code, again.stdout]).toEqual([0, ""]);
  },
);

test("--only-print-filenames says nothing else, and writes no report", async () => {
  const report = join(home.root, "report.json");
  const args = ["sync", "-d", home.photos, "--only-print-filenames", "--report-json", report, "--log-level", "warn"];
  const result = await home.run(args);
  expect(result.stderr).toBe("");
  expect(existsSync(report)).toBe(false);
  await home.run(["sync", "-d", home.photos, "--dry-run", "--report-json", report]);
  expect(existsSync(report)).toBe(true);
});
