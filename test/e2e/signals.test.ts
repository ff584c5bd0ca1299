/** What a stop means for the exit code, where nobody waits for the real 30 seconds. */
import { afterEach, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Stopper } from "../../src/cli/stopper.ts";
import type { ExitCode } from "../../src/library/failure.ts";
import { createLog } from "../../src/ui/logger.ts";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, runInProcess, until } from "../support/kei.ts";

const ALWAYS = Number.POSITIVE_INFINITY;

let double: Double;
let home: Home;

async function begin(): Promise<void> {
  double = await startDouble({
    library: createLibrary({ seed: 3, assets: 4, bytes: 200_000, mix: { jpeg: 1 }, derivatives: false }),
  });
  home = new Home(double);
  await home.signIn(double);
}

afterEach(async () => {
  await double.stop();
  home.remove();
});

/** Runs a command and sends SIGINT as soon as `ready`. */
async function interrupted(args: readonly string[], ready: () => boolean): Promise<KeiResult> {
  let send: (signal: "SIGINT" | "SIGTERM") => void = () => undefined;
  const result = runInProcess(args, {
    env: home.env,
    cwd: home.root,
    clock: fasterClock(50),
    onSignals: (sender) => {
      send = sender;
    },
  });
  await until("the moment for the signal", ready);
  send("SIGINT");
  return result;
}

test("transfers that do not end within the time for draining are cut off: exit 130", async () => {
  await begin();
  const slow = double.photos.cdnFaults.inject({ kind: "drip", bytes: 100, intervalMs: 20, times: ALWAYS });
  const result = await interrupted(["sync", "-d", home.photos, "--album", "none"], () => slow.hits >= 4);
  expect(result.code).toBe(130);
  double.photos.cdnFaults.clear();
  double.log.clear();
  expect((await home.fast(["sync", "-d", home.photos, "--album", "none"])).code).toBe(0);
  const ranges = double.log.all.flatMap(({ operation, headers }) => (operation === "cdn" ? [headers["range"]] : []));
  expect(ranges.filter((range) => /^bytes=[1-9]/.test(range ?? ""))).toHaveLength(4);
  expect(await home.files()).toHaveLength(4);
});

test("a sign-in that is cut off has not signed in: exit 130", async () => {
  await begin();
  for (const name of readdirSync(home.data)) if (/\.(session|cookies|cache)$/.test(name)) rmSync(join(home.data, name));
  const hung = double.faults.inject({ match: /signin\/init|validate|accountLogin/, times: ALWAYS, cut: "hang" });
  expect((await interrupted(["login"], () => hung.hits >= 1)).code).toBe(130);
});

test("what does not even let itself be cut off is left behind: exit 130", async () => {
  await begin();
  let send: (signal: string) => void = () => undefined;
  const clock = fasterClock(500);
  const began = clock.monotonic();
  const code = await new Promise<ExitCode>((resolve) => {
    const stopper = new Stopper(
      {
        clock,
        exitNow: resolve,
        onStopSignals: (listener) => {
          send = listener;
          return () => undefined;
        },
      },
      createLog({ level: "error", write: () => undefined, clock, pretty: false, color: false }),
    );
    send("SIGTERM");
    expect([stopper.stop.aborted, stopper.cancel.aborted]).toEqual([true, false]);
  });
  expect(code).toBe(130);
  expect(clock.monotonic() - began).toBeGreaterThan(30_000);
});
