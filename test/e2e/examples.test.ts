/** The examples of docs/files.md are what the program does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Double, startDouble } from "../icloud/index.ts";
import { type Example, exampleLibrary, FOLDER_EXAMPLES, filesOf, NAME_EXAMPLES } from "../support/examples.ts";
import { checksums, Home, listFiles } from "../support/kei.ts";

let double: Double;
let home: Home;

beforeAll(async () => {
  double = await startDouble({ library: exampleLibrary() });
  home = new Home(double);
  await home.signIn(double);
});

afterAll(async () => {
  await double.stop();
  home.remove();
});

/** The example in a folder and with a catalogue of its own; the session is the same. */
async function run(example: Example): Promise<string> {
  const root = mkdtempSync(join(home.root, "example-"));
  const config = join(root, "config.toml");
  cpSync(home.data, root, { recursive: true });
  await writeFile(config, example.toml ?? "");
  const photos = join(root, "photos");
  const result = await home.fast(["sync", "--config", config, "-d", photos, ...example.args]);
  expect([result.code, result.stderr.includes("does not add up")]).toEqual([0, false]);
  return photos;
}

describe("what settings make of photos", () => {
  const all = [...NAME_EXAMPLES, ...FOLDER_EXAMPLES];
  test.each(all.map((example) => [example.title, example.args.join(" "), example] as const))(
    "%s (%s)",
    async (_title, _args, example) => {
      const photos = await run(example);
      expect(await listFiles(photos)).toEqual([...filesOf(example)]);
      // Whatever its name, each file holds something else.
      expect(new Set((await checksums(photos)).values()).size).toBe(filesOf(example).length);
    },
  );
});
