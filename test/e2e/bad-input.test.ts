/** Bad input and bad luck: one clear line, the documented exit code, nothing lost, no stack trace. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import { createLibrary, type Double, expectedFiles, startDouble } from "../icloud/index.ts";
import { checksums, Home, inodes, type KeiResult } from "../support/kei.ts";

let double: Double;
let home: Home;

beforeEach(async () => {
  double = await startDouble({
    library: createLibrary({ seed: 3, assets: 6, bytes: 2_000 }),
    account: { signInLimit: 50 },
  });
  home = new Home(double);
});
afterEach(async () => {
  await double.stop();
  home.remove();
});

/** Exactly one line says what is wrong, with no stack trace and no secret. */
function expectOneLine(result: KeiResult, code: number, ...words: readonly string[]): void {
  const errors = result.stderr.split("\n").filter((line) => line.startsWith("Error: "));
  expect(errors.length).toBe(1);
  for (const word of words) expect(errors[0]).toContain(word);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  expect(result.stderr).not.toContain("Correct-Horse-42");
  expect(result.code).toBe(code);
}

describe("a wrong command line ends with 64, before anything is read, written or contacted", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["an unknown flag", ["sync", "--thread", "4"], ["--thread ", "--threads"]],
    ["an unknown command", ["snyc"], ["snyc", "sync"]],
    ["a command that every object has", ["constructor"], ["constructor"]],
    ["an unknown subcommand", ["login", "getcode"], ["getcode", "get-code"]],
    ["a number out of range", ["sync", "--threads", "65"], ["--threads", "1 to 64"]],
    ["a number that is none", ["sync", "--threads", "x"], ["--threads", "1 to 64"]],
    ["a choice that is none", ["sync", "--domain", "us"], ["--domain", "com, cn"]],
    ["retries beyond the range", ["sync", "--max-retries", "101"], ["--max-retries", "0 to 100"]],
    ["a missing value", ["sync", "--album"], ["--album needs a value"]],
    ["a flag where a value belongs", ["sync", "--album", "--dry-run"], ["--album needs a value", "--album=--dry-run"]],
    ["a value given twice", ["sync", "-d", "a", "-d", "b"], ["-d is given twice"]],
    ["an empty value", ["sync", "-u", ""], ["must not be empty"]],
    ["a word too many", ["sync", "now"], ["does not take"]],
    ["a value for a switch", ["sync", "--dry-run=yes"], ["takes no value"]],
    ["an album both selected and left out", ["sync", "--album", "A", "--album", "!A"], ["A"]],
    ["a template with an unknown token", ["sync", "--folder-structure", "{foo}"], ["{foo}"]],
    ["a template that leads out", ["sync", "--folder-structure", "../x"], [".."]],
    ["a system folder", ["sync", "-d", "/etc/"], ["system folder"]],
    ["a code that is too short", ["login", "submit-code", "12345"], ["6 digits"]],
    ["no code", ["login", "submit-code"], ["CODE"]],
    ["a flag of icloudpd", ["sync", "--directory", "/x"], ["--download-dir"]],
    ["a sync flag before another command", ["-d", "/photos", "status"], ["-d", "status"]],
  ])("%s", async (_, args, words) => {
    expectOneLine(await home.run(args), 64, ...words);
    expect(existsSync(home.data)).toBe(false);
    expect(double.log.all.length).toBe(0);
  });

  test("no command at all prints the help", async () => {
    const result = await home.run([]);
    expect(result.code).toBe(64);
    expect(result.stdout).toContain("USAGE");
  });
});

describe("a wrong configuration ends with 1 and names file, line and key", () => {
  test.each<[string, string, readonly string[]]>([
    ["broken TOML", "[download\nthreads = 4", ["config.toml"]],
    [
      "an unknown key",
      "[download]\n\ntreads = 4",
      ["line 3", "unknown field", "[download] treads", "[download] threads"],
    ],
    ["a wrong type", '[download]\nthreads = "many"', ["line 2", "[download] threads", "whole number"]],
    ["a value out of range", "[download]\nthreads = 0", ["[download] threads", "1 to 64"]],
    ["a password in the file", '[auth]\npassword = "open-sesame"', ["`[auth] password`", "no longer supported"]],
    ["an old spelling", "[download]\nthreads_num = 3", ["threads_num", "[download] threads"]],
    ["an empty name", '[auth]\nusername = ""', ["must not be empty"]],
  ])("%s", async (_, text, words) => {
    const file = join(home.root, "config.toml");
    await writeFile(file, text);
    const result = await home.run(["sync", "--config", file]);
    expectOneLine(result, 1, ...words);
    expect(result.stderr).not.toContain("open-sesame");
    expect(double.log.all.length).toBe(0);
  });

  test("a bad environment variable is named", async () => {
    expectOneLine(await home.run(["sync"], { KEI_THREADS: "0" }), 1, "KEI_THREADS", "1 to 64");
  });

  test("an empty environment variable counts as unset", async () => {
    expectOneLine(await home.run(["sync"], { KEI_THREADS: "", ICLOUD_USERNAME: "" }), 1, "--username is required");
  });

  test("a configuration in a folder that is not there", async () => {
    expectOneLine(await home.run(["sync", "--config", "/nowhere/kei.toml"]), 1, "Could not read config file");
  });

  test("no account and no folder", async () => {
    expectOneLine(
      await home.run(["sync"], { ICLOUD_USERNAME: "" }),
      1,
      "--username is required",
      "ICLOUD_USERNAME",
      "[auth].username",
    );
    expectOneLine(await home.run(["sync"]), 1, "--directory is required", "--download-dir", "[download].directory");
  });

  test("an album that does not exist, with the one that may be meant", async () => {
    double.library.createAlbum({ name: "Holidays" });
    await home.signIn(double);
    expectOneLine(await home.sync("--album", "Holidayz"), 1, "Holidayz", "Holidays");
    expectOneLine(await home.sync("--library", "SharedSync-00000000"), 1, "SharedSync-00000000", "PrimarySync");
  });
});

describe("signing in", () => {
  test("with a wrong password says so with exit 3, and does not ask Apple again with the same one", async () => {
    const wrong = { ICLOUD_PASSWORD: "wrong" };
    expectOneLine(await home.run(["login"], wrong), 3, "alex.test@example.com");
    // Once; and once more in the rare case that a number of the handshake was short, which Apple may have read otherwise.
    const sent = double.log.count("signin/complete");
    expect([1, 2]).toContain(sent);
    expect((await home.run(["login"], wrong)).code).toBe(3);
    expect(double.log.count("signin/complete")).toBe(sent);
  });

  test("with a wrong password in a dry run is remembered, though nothing else is written", async () => {
    const dryRun = () => home.run(["sync", "-d", home.photos, "--dry-run"], { ICLOUD_PASSWORD: "wrong" });
    expectOneLine(await dryRun(), 3, "alex.test@example.com");
    // Two where a number of the handshake was short (see above).
    const sent = double.log.count("signin/complete");
    expect([1, 2]).toContain(sent);
    expectOneLine(await dryRun(), 3);
    expect(double.log.count("signin/complete")).toBe(sent);
    expect(readdirSync(home.data).filter((name) => !name.endsWith(".attempts"))).toEqual([]);
  });

  test("without a terminal names the two commands that hand in a code", async () => {
    expectOneLine(await home.sync(), 3, "kei login get-code", "kei login submit-code");
    expect(double.log.count("push")).toBe(0);
  });

  test("with a wrong code says so, and the right one still works", async () => {
    expect((await home.run(["login", "get-code"])).code).toBe(0);
    expectOneLine(await home.run(["login", "submit-code", "000000"]), 3);
    expect((await home.run(["login", "submit-code", double.account.deviceCode ?? ""])).code).toBe(0);
  });

  test("without any password says how to give one", async () => {
    expectOneLine(await home.run(["login"], { ICLOUD_PASSWORD: "" }), 3, "No password available", "--password-file");
  });

  test.each<[string, Partial<Double["account"]["switches"]>, number]>([
    ["an account that Apple wants repaired", { repair: "refuse" }, 4],
    ["terms that wait to be accepted", { termsPending: true }, 4],
    ["Advanced Data Protection", { advancedDataProtection: true, kind: "none" }, 4],
    ["web access switched off", { webAccess: false, kind: "none" }, 4],
    ["security keys only", { securityKeys: ["Key A"] }, 4],
    ["a locked account", { locked: true }, 4],
    ["a two-step account", { kind: "2sa" }, 4],
    ["an account of the other region", { otherRegion: true }, 3],
    ["a throttled sign-in", { signInLimit: 0 }, 3],
  ])("%s has its own message and exit code", async (_, switches, code) => {
    Object.assign(double.account.switches, switches);
    expectOneLine(await home.fast(["login"]), code);
  });

  test("with nobody at the other end names the host", async () => {
    const offline = await home.run(["login"], { KEI_TEST_ICLOUD: "http://127.0.0.1:9" });
    expect(offline.code).toBe(1);
    expect(offline.stderr).toMatch(/cannot reach (idmsa|setup)\.(apple|icloud)\.com/i);
  }, 20_000);
});

describe("the download folder", () => {
  test("that can't be created, or is a file", async () => {
    await writeFile(join(home.root, "file"), "");
    expectOneLine(await home.run(["sync", "-d", join(home.root, "file")]), 1, join(home.root, "file"), "not a folder");
    expectOneLine(await home.run(["sync", "-d", join(home.root, "file", "below")]), 1, "below");
    expect(double.log.all.length).toBe(0);
  });

  const root = process.getuid?.() === 0;
  const tmpfs = (options: string, path: string): boolean =>
    root && spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]).status === 0;

  test("that is read-only", async () => {
    await mkdir(home.photos);
    if (!tmpfs("ro,size=200m", home.photos)) {
      process.stderr.write("SKIPPED: a read-only folder (mounting is not allowed here)\n");
      return;
    }
    try {
      expectOneLine(await home.sync(), 1, home.photos, "read-only");
    } finally {
      spawnSync("umount", [home.photos]);
    }
  });

  test("whose disk is too small to begin with, and one that fills up on the way", async () => {
    await home.signIn(double);
    await mkdir(home.photos);
    if (!tmpfs("size=1m", home.photos)) {
      process.stderr.write("SKIPPED: a full disk (mounting is not allowed here)\n");
      return;
    }
    try {
      expectOneLine(await home.sync(), 1, "Insufficient disk space");
    } finally {
      spawnSync("umount", [home.photos]);
    }
    double.library.addAsset({ filename: "BIG.JPG", content: 120_000_000 });
    tmpfs("size=104m", home.photos);
    try {
      const full = await home.sync("--album", "none");
      expect(full.stderr).toMatch(/disk|space/i);
      expect(full.code).toBe(1);
      const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
      for (const [path, checksum] of await checksums(home.photos)) {
        if (!path.endsWith(".kei-tmp")) expect(wanted.has(checksum)).toBe(true);
      }
    } finally {
      spawnSync("umount", [home.photos]);
    }
  }, 30_000);
});

describe("the state database", () => {
  const database = () => accountFiles(home.data, "com", double.account.username).database;

  test.each<[string, (path: string) => Promise<void>]>([
    ["damaged", (path) => writeFile(path, "this is no database at all, whatever its name says")],
    ["cut short", (path) => truncate(path, 5_000)],
  ])("that is %s is refused and left as it is", async (_, damage) => {
    await home.signIn(double);
    await home.sync();
    await damage(database());
    const before = await readFile(database());
    const photos = await inodes(home.photos);
    const result = await home.sync();
    expectOneLine(result, 1, database());
    expect(await readFile(database())).toEqual(before);
    expect(await inodes(home.photos)).toEqual(photos);
  });

  test("that does not exist yet is no error for status", async () => {
    const result = await home.run(["status"]);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain("No state database found at");
  });
});

test("nothing of kei's own can be read by others", async () => {
  await home.signIn(double);
  await home.sync();
  const listing = spawnSync("find", [home.data, "-type", "f", "-perm", "/077"]).stdout.toString();
  expect(listing).toBe("");
});

test("a password file is read, and one that others can read draws a warning", async () => {
  const file = join(home.root, "password");
  await writeFile(file, `${double.account.password}\n`);
  await chmod(file, 0o644);
  const result = await home.run(["login", "get-code", "--password-file", file], { ICLOUD_PASSWORD: "" });
  expect(result.code).toBe(0);
  expect(result.stderr).toContain("chmod 600");
});
