/**
 * Signals to the program itself, in every phase of a run: the first ends it in order and soon, a second one at once; the
 * database stays sound, only claimed temporary files stay behind, and the next run completes what was left.
 */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Home, type KeiProcess, until } from "../support/kei.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const PHOTOS = 12;
const BYTES = 40_000;

let double: Double;
let home: Home;
let running: KeiProcess | undefined;

afterEach(async () => {
  running?.kill("SIGKILL");
  await running?.result;
  running = undefined;
  await double.stop();
  home.remove();
});

async function begin(options: { readonly signedIn?: boolean } = {}): Promise<void> {
  double = await startDouble({
    library: createLibrary({ seed: 3, assets: PHOTOS, bytes: BYTES, mix: { jpeg: 1 }, derivatives: false }),
  });
  home = new Home(double);
  if (options.signedIn === false) return;
  await home.signIn(double);
  // What was verified a moment ago would not be asked for again.
  for (const name of readdirSync(home.data)) if (name.endsWith(".cache")) rmSync(join(home.data, name));
  double.log.clear();
}

interface Phase {
  /** Starts what keeps the program in this phase. */
  readonly arrange?: () => unknown;
  readonly args?: readonly string[];
  readonly reached: (kei: KeiProcess) => boolean | Promise<boolean>;
  readonly signedIn?: boolean;
  /** After one signal. */
  readonly exit: number;
  /** Work in flight goes on until it has ended, or a second signal comes. */
  readonly goesOn?: boolean;
}

const WATCH = ["--watch-with-interval", "600"];
let held: { readonly reached: number; release(): void } | undefined;
const hold = (match: RegExp): void => {
  held = double.faults.hold(match);
};
const isHeld = (): boolean => (held?.reached ?? 0) > 0;

const phases: Readonly<Record<string, Phase>> = {
  "signing in": { arrange: () => hold(/^validate$/), reached: isHeld, exit: 0 },
  "looking what has changed": { arrange: () => hold(/changes\/database/), reached: isHeld, exit: 0 },
  enumerating: { arrange: () => hold(/query:assets/), reached: isHeld, exit: 0 },
  downloading: { arrange: () => hold(/^cdn$/), reached: isHeld, exit: 0, goesOn: true },
  "waiting before a retry": {
    arrange: () => double.photos.cdnFaults.inject({ kind: "status", status: 500, times: ALWAYS }),
    args: ["--max-retries", "5", "--threads", "2"],
    reached: () => double.log.count("cdn") >= 2,
    exit: 0,
  },
  "asking for fresh addresses": {
    arrange: () => {
      double.photos.cdnFaults.inject({ kind: "status", status: 404 });
      hold(/records\/lookup/);
    },
    reached: isHeld,
    exit: 2,
  },
  "cleaning up": {
    arrange: () => {
      double.photos.cdnFaults.inject({ kind: "status", status: 404 });
      held = double.faults.hold(({ operation }) => operation === "cdn" && double.log.count(/records\/lookup/) > 0);
    },
    reached: isHeld,
    exit: 0,
    goesOn: true,
  },
  sleeping: { args: WATCH, reached: (kei) => kei.said().includes("waiting for the next run"), exit: 0 },
  "waiting for a code": {
    args: WATCH,
    signedIn: false,
    reached: (kei) => kei.said().includes("Waiting until it is handed in"),
    exit: 3,
  },
};

async function startIn(phase: Phase): Promise<KeiProcess> {
  held = undefined;
  await begin(phase);
  phase.arrange?.();
  const kei = home.start(["sync", "-d", home.photos, "--folder-structure", "none", ...(phase.args ?? [])]);
  running = kei;
  await until("the phase", () => phase.reached(kei));
  return kei;
}

/** What must hold after every end; then lets the next run complete. */
async function expectSound(phase: Phase): Promise<void> {
  running = undefined;
  held?.release();
  double.faults.clear();
  double.photos.cdnFaults.clear();
  const name = readdirSync(home.data).find((file) => file.endsWith(".db"));
  if (name !== undefined) {
    const db = new Database(join(home.data, name));
    expect(db.query("PRAGMA quick_check").all()).toEqual([{ quick_check: "ok" }]);
    const claimed = db.query<{ path: string }, []>("SELECT path FROM temp_claims").all();
    db.close();
    const left = (await home.files()).filter((path) => path.endsWith(".kei-tmp"));
    expect(left.filter((path) => !claimed.some((claim) => claim.path === join(home.photos, path)))).toEqual([]);
  }
  if (phase.signedIn === false) await home.signIn(double);
  const next = await home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);
  expect([next.code, (await home.files()).length]).toEqual([0, PHOTOS]);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

describe("the first signal", () => {
  test.each(Object.keys(phases))("while %s", async (name) => {
    const phase = phases[name] as Phase;
    const kei = await startIn(phase);
    const start = performance.now();
    kei.kill(SIGNALS[Object.keys(phases).indexOf(name) % SIGNALS.length] ?? "SIGINT");
    if (phase.goesOn === true) {
      await until("the signal is heard", () => kei.said().includes("finishing what is in flight"));
      held?.release();
    }
    const { code, stderr } = await kei.result;
    expect([code, stderr]).toEqual([phase.exit, stderr]);
    expect(performance.now() - start).toBeLessThan(3_000);
    await expectSound(phase);
  });
});

describe("a second signal ends the program at once", () => {
  test.each(Object.keys(phases))("while %s", async (name) => {
    const phase = phases[name] as Phase;
    const kei = await startIn(phase);
    const start = performance.now();
    const first = Object.keys(phases).indexOf(name) % SIGNALS.length;
    kei.kill(SIGNALS[first] ?? "SIGINT");
    if (phase.goesOn === true) await until("the first is heard", () => kei.said().includes("finishing what"));
    kei.kill(SIGNALS[(first + 1) % SIGNALS.length] ?? "SIGTERM");
    const { code } = await kei.result;
    // Where the first signal ends the program at once, it may be over before the second one comes.
    expect([130, phase.goesOn === true ? 130 : phase.exit]).toContain(code);
    expect(performance.now() - start).toBeLessThan(1_500);
    await expectSound(phase);
  });
});

test("transfers in flight end, the queue is left, and a body that broke off is resumed by the next run", async () => {
  await begin();
  double.photos.cdnFaults.inject({ kind: "drip", bytes: 8_000, intervalMs: 100, times: 2 });
  const kei = home.start(["sync", "-d", home.photos, "--folder-structure", "none", "--threads", "2"]);
  running = kei;
  await until("two transfers", () => double.log.count("cdn") === 2);
  kei.kill("SIGTERM");
  expect((await kei.result).code).toBe(0);
  expect([double.log.count("cdn"), (await home.files()).length]).toEqual([2, 2]);
  await expectSound({ reached: () => true, exit: 0 });

  double.library.addAsset({ filename: "LONG.JPG", content: 600_000 });
  double.photos.cdnFaults.inject({ kind: "drip", bytes: 100_000, intervalMs: 300 });
  const killed = home.start(["sync", "-d", home.photos, "--folder-structure", "none"]);
  running = killed;
  await until("some bytes", async () => (await home.files()).some((path) => path.endsWith(".kei-tmp")));
  await until("more bytes", () => partial() > 200_000);
  killed.kill("SIGINT");
  await until("the first is heard", () => killed.said().includes("finishing what"));
  killed.kill("SIGINT");
  expect((await killed.result).code).toBe(130);
  double.log.clear();
  const next = await home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);
  expect(next.code).toBe(0);
  const asked = double.log.all.find(({ operation }) => operation === "cdn");
  expect(asked?.headers["range"]).toMatch(/^bytes=\d{6}-$/);
});

/** Bytes of the temporary file, if there is one. */
function partial(): number {
  const name = readdirSync(home.photos).find((path) => path.endsWith(".kei-tmp"));
  return name === undefined ? 0 : Bun.file(join(home.photos, name)).size;
}
