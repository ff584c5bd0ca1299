/** What `kei sync` promises, seen from outside: the real program, the double, the disk. */
import { afterEach, describe, expect, test } from "bun:test";
import { appendFile, mkdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { acquireLock } from "../../src/state/index.ts";
import {
  assetHandle,
  createLibrary,
  type Double,
  type DoubleOptions,
  expectedFiles,
  mixedSampleLibrary,
  startDouble,
} from "../icloud/index.ts";
import { checksums, fasterClock, Home, inodes, runInProcess, until } from "../support/kei.ts";

let double: Double;
let home: Home;

async function signedIn(options: DoubleOptions = {}): Promise<void> {
  double = await startDouble(options);
  home = new Home(double);
  await home.signIn(double);
  double.log.clear();
}

afterEach(async () => {
  await double.stop();
  home.remove();
});

/** Every file of the library is on disk, byte for byte, and nothing else is. */
async function expectWhole(): Promise<void> {
  const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
  const found = await checksums(home.photos);
  expect(new Set(found.values())).toEqual(wanted);
}

const small = () => createLibrary({ seed: 3, assets: 12, bytes: 3_000, albums: 2 });

describe("a first sync", () => {
  test("brings every file of a mixed library to disk, byte for byte, and says so", async () => {
    await signedIn({ library: mixedSampleLibrary(7) });
    const result = await home.sync();
    expect(result.stderr).not.toContain("Error");
    expect(result.code).toBe(0);
    await expectWhole();
    const status = await home.run(["status"]);
    expect(status.stdout).toMatch(/^104 of 104 photos backed up/);
  }, 20_000);

  test("fetches the bytes of a photo in several albums once", async () => {
    await signedIn({
      library: createLibrary({ seed: 5, assets: 30, bytes: 2_000, albums: { count: 4, members: 20 } }),
    });
    expect((await home.sync()).code).toBe(0);
    const wanted = expectedFiles(double.library);
    expect(double.log.count("cdn")).toBe(new Set(wanted.map((file) => file.checksum)).size);
    await expectWhole();
  });

  test("puts albums into folders of their names and the rest into its capture date", async () => {
    await signedIn({ library: mixedSampleLibrary(7) });
    await home.sync();
    const files = await home.files();
    expect(files.some((file) => file.startsWith("Holidays/"))).toBe(true);
    expect(files.some((file) => /^2024\/0\d\/\d\d\//.test(file))).toBe(true);
    expect(files.some((file) => file.startsWith("Rome/"))).toBe(true);
  });

  test("gives each file its capture time", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const sums = await checksums(home.photos);
    for (const file of expectedFiles(double.library)) {
      const path = [...sums].find(([, sum]) => sum === file.checksum)?.[0] ?? "";
      expect((await stat(join(home.photos, path))).mtimeMs).toBe(Math.trunc((file.assetDate ?? 0) / 1000) * 1000);
    }
  });

  test("writes account and folder down, so that plain `kei sync` works next", async () => {
    await signedIn({ library: small() });
    await home.sync();
    const again = await home.run(["sync"], { ICLOUD_USERNAME: "" });
    expect(again.stderr).toContain("Nothing new");
    expect(again.code).toBe(0);
  });
});

describe("a second sync", () => {
  test("transfers nothing, touches nothing, and says so", async () => {
    await signedIn({ library: small() });
    await home.sync();
    const before = await inodes(home.photos);
    double.log.clear();
    const result = await home.sync();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("Nothing new: nothing has changed in iCloud");
    expect(double.log.all.map(({ operation }) => operation)).toEqual(["private/changes/database"]);
    expect(await inodes(home.photos)).toEqual(before);
  });

  test("brings a deleted file back under its name", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const before = await checksums(home.photos);
    const [victim] = before.keys();
    await rm(join(home.photos, victim ?? ""));
    expect((await home.sync("--album", "none")).code).toBe(0);
    expect(await checksums(home.photos)).toEqual(before);
  });

  test("never overwrites a file that was changed: a good copy appears beside it", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const [victim = ""] = await home.files();
    await truncate(join(home.photos, victim), 100);
    const changed = await readFile(join(home.photos, victim));
    expect((await home.sync("--album", "none")).code).toBe(0);
    expect(await readFile(join(home.photos, victim))).toEqual(changed);
    const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
    const found = new Set((await checksums(home.photos)).values());
    for (const checksum of wanted) expect(found.has(checksum)).toBe(true);
  });

  test("leaves a file alone that its owner has made larger", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const [victim = ""] = await home.files();
    await appendFile(join(home.photos, victim), "my notes");
    const before = await inodes(home.photos);
    expect((await home.sync("--album", "none")).code).toBe(0);
    expect(await inodes(home.photos)).toEqual(before);
  });

  test("fetches what is new, and keeps what iCloud has deleted", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const before = await home.files();
    double.library.addAsset({ filename: "NEW_1.JPG" });
    const [first] = expectedFiles(double.library);
    double.library.softDelete(assetHandle(double.library, first?.assetId ?? ""));
    double.log.clear();
    const result = await home.sync("--album", "none");
    expect(result.code).toBe(0);
    expect(double.log.count("cdn")).toBe(1);
    expect((await home.files()).length).toBe(before.length + 1);
  });

  test("recognises by their bytes the files of a folder whose catalogue was lost", async () => {
    await signedIn({ library: small() });
    await home.sync("--album", "none");
    const before = await inodes(home.photos);
    await rm(home.data, { recursive: true });
    await home.signIn(double);
    double.log.clear();
    const result = await home.sync("--album", "none");
    expect(result.code).toBe(0);
    expect(double.log.count("cdn")).toBe(0);
    expect(await inodes(home.photos)).toEqual(before);
  });
});

describe("every byte is proven", () => {
  test("one flipped bit in any transfer is caught and the file fetched again", async () => {
    await signedIn({ library: small() });
    double.photos.cdnFaults.inject({ kind: "flip-bit", times: 4 });
    const result = await home.fast(["sync", "-d", home.photos, "--album", "none"]);
    expect(result.stderr).toContain("Done");
    expect(result.code).toBe(0);
    await expectWhole();
    expect(double.log.count("cdn")).toBe(expectedFiles(double.library).length + 4);
  });

  test("a file that never comes right is not saved, is marked failed with the reason, and comes with the next run", async () => {
    await signedIn({ library: small() });
    const [victim] = expectedFiles(double.library);
    const fault = double.photos.cdnFaults.inject({
      kind: "flip-bit",
      times: Number.POSITIVE_INFINITY,
      match: (request) => request.checksum === victim?.checksum,
    });
    const result = await home.fast(["sync", "-d", home.photos, "--album", "none"]);
    expect(result.code).toBe(2);
    const status = await home.run(["status", "--failed"]);
    expect(status.stdout).toContain("do not match Apple's checksum");
    expect(status.stdout).toContain("1 failed");
    expect([...(await checksums(home.photos)).values()]).not.toContain(victim?.checksum);
    fault.remove();
    expect((await home.sync("--album", "none")).code).toBe(0);
    await expectWhole();
  });

  test("an error page sent as a success is never saved", async () => {
    await signedIn({ library: small() });
    double.photos.cdnFaults.inject({ kind: "html", times: 2 });
    double.photos.cdnFaults.inject({ kind: "json", times: 2 });
    expect((await home.fast(["sync", "-d", home.photos, "--album", "none"])).code).toBe(0);
    await expectWhole();
  });
});

describe("an interrupted sync", () => {
  test("is resumed where it stopped: no byte of a finished part is fetched again", async () => {
    const library = createLibrary({ seed: 9, assets: 1, bytes: 4_000_000, mix: { jpeg: 1 }, derivatives: false });
    await signedIn({ library });
    double.photos.cdnFaults.inject({ kind: "reset", afterBytes: 1_500_000, times: 2 });
    const result = await home.sync("--max-retries", "0");
    expect(result.code).toBe(2);
    double.log.clear();
    expect((await home.sync()).code).toBe(0);
    await expectWhole();
    const [request] = double.log.all.filter((entry) => entry.operation === "cdn");
    expect(Number(/bytes=(\d+)-/.exec(request?.headers["range"] ?? "")?.[1])).toBeGreaterThan(2_000_000);
  }, 20_000);

  test("cut off while a file was given its name, where no hard link can be made, leaves no empty file", async () => {
    await signedIn({
      library: createLibrary({ seed: 9, assets: 1, bytes: 40_000, mix: { jpeg: 1 }, derivatives: false }),
    });
    double.photos.cdnFaults.inject({ kind: "reset", afterBytes: 15_000, times: 2 });
    const args = ["--album", "none", "--folder-structure", "none", "--max-retries", "0"];
    expect((await home.sync(...args)).code).toBe(2);
    const [temporary = ""] = await home.files();
    const name = expectedFiles(double.library)[0]?.filename ?? "";
    await rename(join(home.photos, temporary), join(home.photos, `${temporary}.placing`));
    await writeFile(join(home.photos, name), "");
    expect((await home.sync(...args)).code).toBe(0);
    expect(await home.files()).toEqual([name]);
    await expectWhole();
  }, 20_000);

  test("by Ctrl+C ends cleanly, and the next run completes it", async () => {
    await signedIn({ library: createLibrary({ seed: 2, assets: 60, bytes: 20_000, derivatives: false }) });
    const drip = double.photos.cdnFaults.inject({
      kind: "drip",
      bytes: 4_000,
      intervalMs: 20,
      times: Number.POSITIVE_INFINITY,
    });
    const running = home.start(["sync", "-d", home.photos, "--album", "none", "--threads", "2"]);
    await until(
      "some files are there",
      async () => (await home.files()).filter((file) => !file.endsWith(".kei-tmp")).length >= 2,
    );
    running.kill("SIGINT");
    const result = await running.result;
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("Stopped");
    drip.remove();
    expect((await home.sync("--album", "none")).code).toBe(0);
    await expectWhole();
  }, 30_000);

  test("by kill -9 leaves no wrong file, and the next run completes it without fetching a published file again", async () => {
    await signedIn({ library: createLibrary({ seed: 4, assets: 80, bytes: 20_000, derivatives: false }) });
    for (const enough of [5, 25, 50]) {
      const running = home.start(["sync", "-d", home.photos, "--album", "none"]);
      await until("files are there", async () => (await home.files()).length >= enough);
      running.kill("SIGKILL");
      await running.result;
      const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
      for (const [path, checksum] of await checksums(home.photos)) {
        if (!path.endsWith(".kei-tmp")) expect(wanted.has(checksum)).toBe(true);
      }
    }
    const published = (await home.files()).filter((file) => !file.endsWith(".kei-tmp")).length;
    double.log.clear();
    expect((await home.sync("--album", "none")).code).toBe(0);
    expect(double.log.count("cdn")).toBeLessThanOrEqual(expectedFiles(double.library).length - published);
    await expectWhole();
  }, 30_000);
});

describe("the download folder", () => {
  test("that has vanished is not filled again: the run ends with a message", async () => {
    await signedIn({ library: small() });
    await home.sync();
    await rename(home.photos, `${home.photos}-elsewhere`);
    double.log.clear();
    const gone = await home.sync();
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("is not there, but files were saved there before");
    await mkdir(home.photos);
    const empty = await home.sync();
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain("is empty");
    expect(double.log.count("cdn")).toBe(0);
    expect((await home.sync("--force")).code).toBe(0);
    await expectWhole();
  });

  test("that gives way to another one leaves no unfinished file behind, even if its disk was away meanwhile", async () => {
    await signedIn({
      library: createLibrary({ seed: 9, assets: 2, bytes: 40_000, mix: { jpeg: 1 }, derivatives: false }),
    });
    double.photos.cdnFaults.inject({ kind: "reset", afterBytes: 15_000, times: 4 });
    expect((await home.sync("--album", "none", "--max-retries", "0")).code).toBe(2);
    const unfinished = async () => (await home.files()).filter((file) => file.endsWith(".kei-tmp"));
    expect(await unfinished()).not.toEqual([]);
    const away = join(home.root, "away");
    await rename(home.photos, away);
    const other = () => home.run(["sync", "-d", join(home.root, "other"), "--album", "none"]);
    expect((await other()).code).toBe(0);
    await rename(away, home.photos);
    expect(await unfinished()).not.toEqual([]);
    expect((await other()).code).toBe(0);
    expect(await home.files()).toEqual([]);
  });

  test("keeps what is not kei's: files in the way, partial files of others, links", async () => {
    await signedIn({ library: small() });
    await mkdir(home.photos);
    await writeFile(join(home.photos, "mine.kei-tmp"), "mine");
    await home.sync("--folder-structure", "none", "--album", "none");
    expect(await readFile(join(home.photos, "mine.kei-tmp"), "utf8")).toBe("mine");
  });
});

test("a dry run writes nothing at all", async () => {
  await signedIn({ library: small() });
  const before = await inodes(home.root);
  const result = await home.sync("--dry-run");
  expect(result.code).toBe(0);
  expect(result.stderr).toContain("would be saved");
  expect(await inodes(home.root)).toEqual(before);
  expect(double.log.count("cdn")).toBe(0);
});

test("a second process for the same account is told that one is running", async () => {
  await signedIn({ library: createLibrary({ seed: 2, assets: 40, bytes: 20_000, derivatives: false }) });
  double.photos.cdnFaults.inject({ kind: "drip", bytes: 2_000, intervalMs: 50, times: Number.POSITIVE_INFINITY });
  const running = home.start(["sync", "-d", home.photos, "--threads", "1"]);
  await until("the first one works", () => double.log.count("cdn") > 0);
  const second = await home.sync();
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("Another kei instance is running");
  running.kill("SIGINT");
  running.kill("SIGINT");
  await running.result;
}, 20_000);

test("a command that holds the account for a moment is waited for", async () => {
  await signedIn({ library: small() });
  const clock = fasterClock(50);
  const { lock } = accountFiles(home.data, "com", double.account.username);
  const held = await acquireLock(lock, { retries: 0, clock, signal: new AbortController().signal });
  const sleep: Clock["sleep"] = (ms, signal) => {
    held.release();
    return clock.sleep(ms, signal);
  };
  const args = ["sync", "-d", home.photos];
  expect((await runInProcess(args, { env: home.env, cwd: home.root, clock: { ...clock, sleep } })).code).toBe(0);
  await expectWhole();
});
