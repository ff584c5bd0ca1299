/** Two people with one installation: one data directory, an account each. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createLibrary, type Double, expectedFiles, startDouble } from "../icloud/index.ts";
import { checksums, Home, type KeiResult } from "../support/kei.ts";

let home: Home;
let doubles: Map<string, Double>;

const ALEX = "alex.test@example.com";
const KIM = "kim.test@example.com";

beforeEach(async () => {
  home = new Home();
  doubles = new Map();
  for (const [seed, username] of [ALEX, KIM].entries()) {
    const library = createLibrary({ seed: seed + 1, assets: 10, bytes: 2_000 });
    const double = await startDouble({ username, library });
    doubles.set(username, double);
    await as(username, "login", "get-code");
    expect((await as(username, "login", "submit-code", double.account.deviceCode ?? "none")).code).toBe(0);
    double.log.clear();
  }
});

afterEach(async () => {
  for (const double of doubles.values()) await double.stop();
  home.remove();
});

function as(username: string, ...args: readonly string[]): Promise<KeiResult> {
  const double = doubles.get(username);
  return home.run(args, { ...double?.env, ICLOUD_USERNAME: username, ICLOUD_PASSWORD: double?.account.password ?? "" });
}

const folderOf = (username: string) => join(home.photos, username === ALEX ? "alex" : "kim");
const sync = (username: string, folder = folderOf(username)) => as(username, "sync", "-d", folder);

async function expectWhole(username: string): Promise<void> {
  const double = doubles.get(username);
  if (double === undefined) throw new Error(`no account ${username}`);
  const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
  expect(new Set((await checksums(folderOf(username))).values())).toEqual(wanted);
}

test("both sync at the same time, each with session, catalogue and lock of their own", async () => {
  const [alex, kim] = await Promise.all([sync(ALEX), sync(KIM)]);
  expect([alex.code, kim.code]).toEqual([0, 0]);
  await expectWhole(ALEX);
  await expectWhole(KIM);
  for (const [username, double] of doubles) {
    double.log.clear();
    expect((await sync(username)).code).toBe(0);
    expect(double.log.count("cdn")).toBe(0);
    expect(double.log.count("signin/init")).toBe(0);
    expect((await as(username, "status")).stdout).toMatch(/^10 of 10 photos backed up/);
  }
});

test("what one of them loses is fetched for that one alone", async () => {
  await sync(ALEX);
  await sync(KIM);
  for (const double of doubles.values()) double.log.clear();
  await rm(folderOf(KIM), { recursive: true });
  const refused = await sync(KIM);
  expect(refused.code).toBe(1);
  expect((await sync(ALEX)).code).toBe(0);
  await expectWhole(ALEX);
  expect(doubles.get(ALEX)?.log.count("cdn")).toBe(0);
});

test("they may share a folder: neither takes the other's files for its own", async () => {
  expect((await sync(ALEX, home.photos)).code).toBe(0);
  const before = await checksums(home.photos);
  const shared = await sync(KIM, home.photos);
  const after = await checksums(home.photos);
  for (const [path, sum] of before) expect(after.get(path)).toBe(sum);
  expect(shared.code).toBe(0);
  const wanted = [...doubles.values()].flatMap(({ library }) => expectedFiles(library).map((file) => file.checksum));
  expect(new Set(after.values())).toEqual(new Set(wanted));
});
