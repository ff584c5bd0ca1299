/** Runs of a watch that find nothing to do let the disks sleep: they write neither photos' folder nor catalogue. */
import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { Home, runInProcess, until } from "../support/kei.ts";
import { saved, Watching } from "../support/watching.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");

let double: Double;
let home: Home;
let library: PhotoLibrary;
let watching: Watching | undefined;

afterEach(async () => {
  await watching?.stop();
  watching = undefined;
  await double.stop();
  home.remove();
});

const photo = (name: string) =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN });

async function begin(): Promise<void> {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
}

const database = () => accountFiles(home.data, "com", double.account.username).database;

/** Waits until so many more runs have found nothing to do. */
async function idleRuns(count: number): Promise<void> {
  const asked = () => double.log.all.filter(({ operation }) => operation === "private/changes/database").length;
  const before = asked();
  await until("idle runs", () => asked() >= before + count);
}

/** When they were written last. */
const written = () => [statSync(home.photos).mtimeMs, statSync(database()).mtimeMs];

test("neither the photos' folder nor the catalogue is written while there is nothing to do", async () => {
  await begin();
  watching = new Watching(home);
  await saved(home, "A.JPG");
  await idleRuns(3);
  const before = written();
  await idleRuns(5);
  expect(written()).toEqual(before);
  photo("B");
  await saved(home, "A.JPG", "B.JPG");
});

test("the catalogue is examined once after a run that was cut off, not before every run that follows", async () => {
  await begin();
  const args = ["sync", "-d", home.photos, "--folder-structure", "none"];
  expect((await runInProcess(args, { env: home.env, cwd: home.root, clock: systemClock })).code).toBe(0);
  const db = new Database(database());
  db.run("INSERT INTO runs (started_at, status) VALUES (?, 'running')", [Date.now()]);
  const checkedAt = () => db.query<{ value: string }, []>("SELECT value FROM metadata WHERE key = 'checked_at'").get();
  const first = checkedAt();
  watching = new Watching(home);
  await idleRuns(3);
  const after = checkedAt();
  expect(after).not.toEqual(first);
  await idleRuns(3);
  expect(checkedAt()).toEqual(after);
  db.close();
});
