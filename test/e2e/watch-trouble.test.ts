/** What a watch outlives, and what it must not: sessions, throttles, other processes, disks, clocks. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { acquireLock } from "../../src/state/index.ts";
import { answers, type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, until } from "../support/kei.ts";
import { saved, Watching } from "../support/watching.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const ALWAYS = Number.POSITIVE_INFINITY;

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

async function begin(options: { readonly signedIn?: boolean } = {}): Promise<void> {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  double = await startDouble({ library, account: { signInLimit: 1_000 } });
  home = new Home(double);
  if (options.signedIn !== false) await home.signIn(double);
  double.log.clear();
}

const photo = (name: string) =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN });

function watch(args: readonly string[] = [], clock?: Clock): Watching {
  watching = new Watching(home, args, clock);
  return watching;
}

/** The end of a watch that nobody stops. */
async function end(one: Watching) {
  const result = await one.result;
  watching = undefined;
  return result;
}

const filesOf = () => accountFiles(home.data, "com", double.account.username);
/** Waits for a run that has found nothing to do, so that none is under way. */
async function quiet(): Promise<void> {
  double.log.clear();
  await until("an idle run", () => double.log.all.some(({ operation }) => operation === "private/changes/database"));
  const cut = double.log.all.length;
  await until("the one after it", () => double.log.all.length > cut);
  await Bun.sleep(50);
}

const operations = () => double.log.all.map(({ operation }) => operation);

describe("a session that Apple's media hosts refuse", () => {
  const refuse = () => double.photos.cdnFaults.inject({ kind: "status", status: 401, times: ALWAYS });

  test("is renewed three times in a row, at last by the password; then a person has to: exit 3", async () => {
    await begin();
    for (const name of ["B", "C", "D", "E"]) photo(name);
    refuse();
    const result = await end(watch());
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("Sign in again with `kei login`");
    expect(double.log.count("validate")).toBeGreaterThan(0);
    expect(double.log.count("signin/complete")).toBe(2);
  });

  test("is good again once it was renewed", async () => {
    await begin();
    for (const name of ["B", "C", "D"]) photo(name);
    const refusal = refuse();
    const one = watch();
    await until("the password", () => double.log.count("signin/complete") === 1);
    refusal.remove();
    await saved(home, "A.JPG", "B.JPG", "C.JPG", "D.JPG");
    expect(double.log.count("signin/complete")).toBe(1);
    expect((await one.stop()).code).toBe(0);
  });

  test("that only a code can renew is waited for: another process hands it in", async () => {
    await begin();
    const one = watch();
    await saved(home, "A.JPG");
    double.account.revokeTrust();
    photo("B");
    await until("the question", () => double.log.count("signin/complete") > 0);
    const asked = await home.fast(["login", "get-code"]);
    expect(asked.code).toBe(0);
    // The files that this has written wake the watch; it must not spoil the code by a sign-in of its own.
    await until("a look", () => operations().filter((name) => name === "accountLogin").length > 3);
    const signIns = double.log.count("signin/complete");
    const handed = await home.fast(["login", "submit-code", double.account.deviceCode ?? "none"]);
    expect([handed.code, handed.stderr]).toEqual([0, handed.stderr]);
    await saved(home, "A.JPG", "B.JPG");
    expect(double.log.count("signin/complete")).toBe(signIns);
    expect((await one.stop()).code).toBe(0);
  }, 20_000);
});

test("a watch that is stopped while it waits for a code has not signed in: exit 3", async () => {
  await begin({ signedIn: false });
  const one = watch([], fasterClock(1));
  await until("the question", () => double.log.count("signin/complete") > 0);
  await until("the lock is free", async () => (await home.fast(["login", "get-code"])).code === 0);
  const start = performance.now();
  expect((await one.stop("SIGTERM")).code).toBe(3);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test("a refused password ends the watch: exit 3, and it was sent once", async () => {
  await begin({ signedIn: false });
  double.account.password = "Another-Horse-42";
  const result = await end(watch());
  expect([result.code, double.log.count("signin/init")]).toEqual([3, double.log.count("signin/complete")]);
  expect(result.stderr).toContain("does not accept this password");
});

describe("when Apple turns sign-ins away", () => {
  test.each([503, 429])("with %i, nothing at all is asked for a quarter of an hour", async (status) => {
    await begin();
    double.account.expireSession();
    const clock = fasterClock(2_000);
    const at: number[] = [];
    double.faults.inject({
      match: /signin\/init/,
      times: ALWAYS,
      respond: () => {
        at.push(clock.now());
        return answers.status(status)();
      },
    });
    watch([], clock);
    // Each sign-in tries three times within seconds (auth.md 1.8).
    await until("another sign-in", () => at.length > 3);
    expect((at[3] ?? 0) - (at[2] ?? 0)).toBeGreaterThanOrEqual(15 * 60_000);
    expect(double.log.all.filter(({ operation }) => !/signin|validate|accountLogin/.test(operation))).toEqual(
      double.log.all.filter(({ operation }) => operation === "private/changes/database"),
    );
    expect(double.log.count("accountLogin")).toBeLessThanOrEqual(at.length / 3 + 1);
  });
});

describe("trouble that passes", () => {
  test("an API that asks to slow down, again and again", async () => {
    await begin();
    const fault = double.faults.inject({ match: /^private\//, times: ALWAYS, respond: answers.status(429) });
    watch(["--max-retries", "1"]);
    await until("several runs", () => fault.hits > 5);
    fault.remove();
    await saved(home, "A.JPG");
  });

  test("an API that refuses what it has always answered", async () => {
    await begin();
    const one = watch();
    await saved(home, "A.JPG");
    photo("B");
    const fault = double.faults.inject({
      match: /changes\/|zones\/list/,
      times: ALWAYS,
      respond: answers.code("BAD_REQUEST"),
    });
    await until("several runs", () => fault.hits > 6);
    fault.remove();
    await saved(home, "A.JPG", "B.JPG");
    expect((await one.stop()).code).toBe(0);
  });

  test("a single new photo while the media hosts can't be reached, or are out of order", async () => {
    await begin();
    for (const fault of [
      { kind: "reset", afterBytes: 0 },
      { kind: "status", status: 500 },
    ] as const) {
      const running = double.photos.cdnFaults.inject({ ...fault, times: ALWAYS });
      watching ??= watch(["--max-retries", "1"]);
      await until("several runs", () => running.hits > 8);
      running.remove();
      await saved(home, ...(fault.kind === "reset" ? ["A.JPG"] : ["A.JPG", "B.JPG"]));
      photo("B");
    }
  });

  test("another kei that holds the account when it is time for the next run", async () => {
    await begin();
    const one = watch();
    await saved(home, "A.JPG");
    const lock = await acquireLock(filesOf().lock, {
      retries: 1_000,
      clock: fasterClock(3_000),
      signal: new AbortController().signal,
    });
    photo("B");
    await Bun.sleep(300);
    expect([one.ended, await home.files()]).toEqual([undefined, ["A.JPG"]]);
    lock.release();
    await saved(home, "A.JPG", "B.JPG");
    expect((await one.stop()).code).toBe(0);
  });

  test("but at the start a second kei for the same account is refused: exit 1", async () => {
    await begin();
    const lock = await acquireLock(filesOf().lock, {
      retries: 0,
      clock: systemClock,
      signal: new AbortController().signal,
    });
    const result = await end(watch());
    lock.release();
    expect([result.code, result.stderr.includes("Another kei instance")]).toEqual([1, true]);
  });

  test("a database that can't be opened for a while; but not at the start", async () => {
    await begin();
    const one = watch();
    await saved(home, "A.JPG");
    const { database } = filesOf();
    await quiet();
    renameSync(database, `${database}.away`);
    mkdirSync(database);
    photo("B");
    await Bun.sleep(250);
    expect(one.ended).toBeUndefined();
    rmSync(database, { recursive: true });
    renameSync(`${database}.away`, database);
    await saved(home, "A.JPG", "B.JPG");
    expect((await one.stop()).code).toBe(0);
    renameSync(database, `${database}.away`);
    mkdirSync(database);
    expect((await end(watch())).code).toBe(1);
    rmSync(database, { recursive: true });
  });
});

describe("what is selected by name", () => {
  test("may vanish: the album and the library are told, the rest goes on", async () => {
    await begin();
    const rome = library.createAlbum({ name: "Rome" });
    library.addToAlbum(photo("R"), rome);
    const shared = library.addSharedLibrary("participant");
    library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
    const one = watch(["--album", "Rome", "--library", "primary", "--library", shared.name]);
    await saved(home, "A.JPG", "Rome/R.JPG", "S.JPG");
    library.addNoise(shared);
    shared.deleted = true;
    library.deleteAlbum(rome);
    photo("B");
    await saved(home, "A.JPG", "B.JPG", "R.JPG", "Rome/R.JPG", "S.JPG");
    const again = library.createAlbum({ name: "Rome" });
    library.addToAlbum(photo("C"), again);
    await saved(home, "A.JPG", "B.JPG", "R.JPG", "Rome/C.JPG", "Rome/R.JPG", "S.JPG");
    const { code, stderr } = await one.stop();
    expect(code).toBe(0);
    expect(stderr).toContain('album "Rome" is no longer in iCloud');
    expect(stderr).toContain(`library "${shared.name}" is no longer in iCloud`);
  });

  test("may also vanish in the middle of a run, which then is not whole", async () => {
    await begin();
    library.addSharedLibrary("participant");
    double.faults.inject({ match: "shared/records/query:readiness", respond: answers.code("ZONE_NOT_FOUND") });
    const args = ["sync", "-d", home.photos, "--library", "all"];
    const broken = await home.fast(args);
    expect([broken.code, broken.stderr.includes("has vanished")]).toEqual([2, true]);
    expect((await home.fast(args)).code).toBe(0);
  });

  test("but must have been there once: exit 1", async () => {
    await begin();
    const result = await end(watch(["--library", "SharedSync-12345678"]));
    expect([result.code, result.stderr.includes("There is no library")]).toEqual([1, true]);
  });
});

describe("the download folder", () => {
  test("may go and come back: nothing is fetched again in between", async () => {
    await begin();
    watch();
    await saved(home, "A.JPG");
    await quiet();
    renameSync(home.photos, `${home.photos}.away`);
    photo("B");
    await Bun.sleep(250);
    expect(existsSync(home.photos)).toBe(false);
    renameSync(`${home.photos}.away`, home.photos);
    await saved(home, "A.JPG", "B.JPG");
    expect(double.log.count("cdn")).toBe(1);
  });

  test("`--force` counts for the first run: a disk that goes later is not filled anew", async () => {
    await begin();
    expect((await home.fast(["sync", "-d", home.photos, "--folder-structure", "none"])).code).toBe(0);
    rmSync(home.photos, { recursive: true });
    watch(["--force"]);
    photo("B");
    await until("the new folder", async () => (await home.files()).includes("B.JPG"));
    await quiet();
    renameSync(home.photos, `${home.photos}.away`);
    photo("C");
    await Bun.sleep(250);
    expect(existsSync(home.photos)).toBe(false);
  });

  const memory = "/dev/shm";
  const isOtherDisk = existsSync(memory) && statSync(memory).dev !== statSync(process.env["TMPDIR"] ?? "/tmp").dev;
  test.skipIf(!isOtherDisk)(
    "on another disk than before is not filled, unless what was saved is there (needs /dev/shm on a disk of its own)",
    async () => {
      await begin();
      const real = join(home.root, "real");
      const other = mkdtempSync(join(memory, "kei-"));
      try {
        mkdirSync(real);
        symlinkSync(real, home.photos);
        watch();
        await saved(home, "A.JPG");
        await quiet();
        writeFileSync(join(other, "something"), "x");
        rmSync(home.photos);
        symlinkSync(other, home.photos);
        photo("B");
        await Bun.sleep(250);
        expect(readdirSync(other)).toEqual(["something"]);
        rmSync(home.photos);
        symlinkSync(real, home.photos);
        await saved(home, "A.JPG", "B.JPG");
      } finally {
        rmSync(other, { recursive: true });
      }
    },
  );
});

describe("a clock that jumps", () => {
  /** A fast clock whose wall time can be set. */
  function movable(factor: number): Clock & { jump(ms: number): void } {
    const clock = fasterClock(factor);
    let offset = 0;
    return {
      ...clock,
      now: () => clock.now() + offset,
      jump: (ms) => {
        offset += ms;
      },
    };
  }

  test("forward during the pause: the next run begins; back: the pause is no longer for it", async () => {
    await begin();
    const clock = movable(100);
    watch(["--watch-with-interval", "86400"], clock);
    await saved(home, "A.JPG");
    await Bun.sleep(200);
    photo("B");
    await Bun.sleep(200);
    expect(await home.files()).toEqual(["A.JPG"]);
    clock.jump(2 * 86_400_000);
    await saved(home, "A.JPG", "B.JPG");
    await watching?.stop();

    const back = movable(1_000);
    watch([], back);
    await until("its first run", () => operations().filter((name) => name === "private/changes/database").length > 2);
    await quiet();
    back.jump(-30 * 86_400_000);
    photo("C");
    await saved(home, "A.JPG", "B.JPG", "C.JPG");
  }, 20_000);

  test("in the middle of a transfer (the machine was suspended): it is taken up with a fresh address, uncharged", async () => {
    await begin();
    const clock = movable(50);
    const silent = double.photos.cdnFaults.inject({ kind: "stall", afterBytes: 300 });
    watch([], clock);
    await until("the silence", () => silent.hits === 1);
    clock.jump(8 * 3_600_000);
    const start = performance.now();
    await saved(home, "A.JPG");
    // Not after the 120 seconds that a silent body gets.
    expect((performance.now() - start) * 50).toBeLessThan(60_000);
    expect(double.log.count("private/records/lookup")).toBe(1);
  });
});
