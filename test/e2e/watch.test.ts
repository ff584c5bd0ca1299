/** Runs with pauses between them: what is new comes, what passes is waited out, and a stop ends it at once. */
import { afterEach, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/runtime/ports.ts";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, until } from "../support/kei.ts";
import { saved as savedIn, Watching } from "../support/watching.ts";

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

async function begin(options: { readonly signedIn?: boolean } = {}): Promise<void> {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  double = await startDouble({ library });
  home = new Home(double);
  if (options.signedIn !== false) await home.signIn(double);
}

const photo = (name: string) =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN });

function watch(args: readonly string[] = [], clock?: Clock): Watching {
  watching = new Watching(home, args, clock);
  return watching;
}

const saved = (...names: readonly string[]) => savedIn(home, ...names.map((name) => `${name}.JPG`));

const stopped = (): Promise<KeiResult> => watching?.stop() ?? Promise.reject(new Error("nothing is watched"));

describe("a watch", () => {
  test("saves what is new, run after run, also in albums that did not exist, and asks little when nothing is", async () => {
    await begin();
    watch();
    await saved("A");
    photo("B");
    await saved("A", "B");
    library.addToAlbum(photo("C"), library.createAlbum({ name: "New" }));
    await until("the album's photo", async () => (await home.files()).includes("New/C.JPG"));
    await until("quiet", () =>
      double.log.all.slice(-3).every(({ operation }) => /changes\/database|validate/.test(operation)),
    );
    const result = await stopped();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("waiting for the next run");
  });

  test("goes on after failures, tries them again, and is judged by its last run", async () => {
    await begin();
    watch();
    await saved("A");
    photo("B");
    photo("C");
    const fault = double.photos.cdnFaults.inject({
      kind: "status",
      status: 404,
      match: ({ size }) => size === 900 + "C".charCodeAt(0),
      times: Number.POSITIVE_INFINITY,
    });
    await saved("A", "B");
    await until("two tries", () => fault.hits > 3);
    fault.remove();
    await saved("A", "B", "C");
    expect((await stopped()).code).toBe(0);
  });

  test("waits while the network or Apple is down, before the first run, too", async () => {
    await begin();
    const fault = double.faults.inject({ match: /./, cut: "reset", times: Number.POSITIVE_INFINITY });
    watch();
    await until("some tries", () => fault.hits > 8);
    fault.remove();
    await saved("A");
    expect((await stopped()).code).toBe(0);
  });

  test("ends with exit 1 when nothing at all could be saved", async () => {
    await begin();
    double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    const result = await watch().result;
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("No file could be saved");
  });

  test("waits for a code that another process hands in, without asking Apple for anything", async () => {
    await begin({ signedIn: false });
    watch();
    await until("the question", () => double.log.count(/signin\/complete/) > 0);
    let asked = -1;
    await until("silence", async () => {
      const before = asked;
      asked = double.log.all.length;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return before === asked;
    });
    await home.signIn(double);
    await saved("A");
    expect((await stopped()).code).toBe(0);
  }, 20_000);

  test("looks after saved files every so many runs: one that is gone comes back", async () => {
    await begin();
    watch(["--reconcile-every-n-cycles", "1"]);
    await saved("A");
    photo("B");
    await saved("A", "B");
    rmSync(join(home.photos, "A.JPG"));
    await saved("A", "B");
    expect((await stopped()).code).toBe(0);
  });

  test("leaves the account to others while it waits, and stops at once", async () => {
    await begin();
    watch([], fasterClock(1));
    await saved("A");
    await until("waiting", () => double.log.count("cdn") > 0);
    const other = await home.run(["list", "albums"]);
    expect(other.code).toBe(0);
    const start = performance.now();
    expect((await stopped()).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(1_000);
  }, 20_000);
});

describe("an interval", () => {
  /** Runs `kei sync` with this configuration, and stops it when it waits for the next run. */
  async function stoppedAtRest(file: string, env: Readonly<Record<string, string>>, args: readonly string[]) {
    writeFileSync(join(home.data, "config.toml"), file);
    const kei = home.start(["sync", "-d", home.photos, ...args], env);
    const ended = kei.result.then(() => true);
    await until(
      "rest or the end",
      async () => kei.said().includes("waiting for the next run") || (await Promise.race([ended, false])),
    );
    kei.kill("SIGTERM");
    return kei.result;
  }

  test.each([
    [["--watch-with-interval", "59"], "60 to 86400"],
    [["--watch", "--dry-run"], "--dry-run is for one run"],
    [["--watch-with-interval", "600", "--retry-failed"], "--retry-failed is for one run"],
    [["--watch", "--no-watch"], "--watch and --no-watch exclude each other"],
    [["--watch-with-interval", "60", "--no-watch"], "--watch-with-interval and --no-watch exclude each other"],
  ])("is refused: %p", async (args, words) => {
    await begin();
    const result = await home.fast(["sync", "-d", home.photos, ...args]);
    expect([result.code, result.stderr.includes(words)]).toEqual([64, true]);
  });

  test.each([
    ["the file", "[watch]\ninterval = 77\n", {}, [], 77],
    ["the variable, before the file", "[watch]\ninterval = 77\n", { KEI_WATCH_WITH_INTERVAL: "88" }, [], 88],
    [
      "the flag, before both",
      "[watch]\ninterval = 77\n",
      { KEI_WATCH_WITH_INTERVAL: "88" },
      ["--watch-with-interval", "99"],
      99,
    ],
    ["--watch, which takes that of the file", "[watch]\ninterval = 77\n", {}, ["--watch"], 77],
    ["--watch, hourly", "", {}, ["--watch"], 3600],
  ] as const)("of %s makes a watch of `kei sync`", async (_, file, env, args, seconds) => {
    await begin();
    const result = await stoppedAtRest(file, env, args);
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining(`for the next run seconds=${seconds}\n`)]);
  });

  test.each([
    ["the file", "[watch]\ninterval = 59\n", {}, "`[watch] interval`: 59 is not a whole number from 60"],
    [
      "the variable",
      "",
      { KEI_WATCH_WITH_INTERVAL: "59" },
      "KEI_WATCH_WITH_INTERVAL is wrong: 59 is not a whole number from 60",
    ],
  ])("below a minute is refused in %s before anything is asked", async (_, file, env, words) => {
    await begin();
    double.log.clear();
    const result = await stoppedAtRest(file, env, []);
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(words)]);
    expect(double.log.all).toEqual([]);
  });

  test("is left alone by --no-watch and --dry-run, which run once", async () => {
    await begin();
    const once = await home.fast(["sync", "-d", home.photos, "--no-watch"]);
    expect(once.code).toBe(0);
    home.env["KEI_WATCH_WITH_INTERVAL"] = "600";
    expect((await home.fast(["sync", "-d", home.photos, "--dry-run"])).code).toBe(0);
    expect((await home.fast(["sync", "-d", home.photos, "--no-watch"])).code).toBe(0);
  });
});
