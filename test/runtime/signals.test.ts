/** What waits for a signal that lives as long as the process lets go of it again. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBrake } from "../../src/download/brake.ts";
import { createFolders } from "../../src/download/folders.ts";
import { transfer } from "../../src/download/transfer.ts";
import { appleChecksum } from "../../src/library/checksum.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/ports.ts";
import { follow } from "../../src/runtime/signals.ts";
import { Forecast } from "../../src/sync/forecast.ts";
import { Stops } from "../../src/sync/stops.ts";
import { Tally } from "../../src/sync/tally.ts";

/** A signal that knows how many listen to it; `any` counts as one that never leaves. */
function counted(): { readonly controller: AbortController; readonly listening: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners.add(args[1]);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners.delete(args[1]);
    remove(...args);
  };
  return { controller, listening: () => listeners.size + (joined.get(signal) ?? 0) };
}

const any = AbortSignal.any;
let joined: Map<AbortSignal, number>;
let root: string;

beforeEach(() => {
  joined = new Map();
  AbortSignal.any = (signals) => {
    for (const signal of signals) joined.set(signal, (joined.get(signal) ?? 0) + 1);
    return any(signals);
  };
  root = mkdtempSync(join(tmpdir(), "kei-signals-"));
});
afterEach(() => {
  AbortSignal.any = any;
  rmSync(root, { recursive: true, force: true });
});

describe("a follower", () => {
  test("aborts with the first of those it follows, and with its reason", () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { signal } = follow(first.signal, second.signal);
    expect(signal.aborted).toBe(false);
    second.abort("second");
    first.abort("first");
    expect(signal.reason).toBe("second");
    expect(follow(new AbortController().signal, first.signal).signal.reason).toBe("first");
  });

  test("that was released hears nothing any more, and leaves nothing behind", () => {
    const { controller, listening } = counted();
    const follower = follow(controller.signal);
    expect(listening()).toBe(1);
    follower.release();
    expect(listening()).toBe(0);
    controller.abort();
    expect(follower.signal.aborted).toBe(false);
  });
});

test("a transfer with its waits and retries leaves no listener behind", async () => {
  const bytes = Buffer.from("the bytes of a photo");
  const [stop, cancel] = [counted(), counted()];
  let requests = 0;
  const result = await transfer(
    {
      url: "https://cvws.icloud-content.com/B/x",
      checksum: appleChecksum(bytes),
      size: bytes.length,
      tempPath: join(root, "t"),
      finalPath: join(root, "f"),
      modifiedAt: 1_500_000_000_000,
      label: "f",
    },
    {
      fetch: async () => {
        requests += 1;
        return requests < 3 ? new Response("no", { status: 500 }) : new Response(bytes);
      },
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 1_000, signal) },
      random: () => 0.5,
      logger: silentLogger,
      retries: 3,
      brake: createBrake(systemClock),
      folders: createFolders(root),
      fileMode: 0o644,
      stop: stop.controller.signal,
      cancel: cancel.controller.signal,
      onBytes: () => undefined,
    },
  );
  expect(result).toMatchObject({ outcome: "published", tries: 3 });
  expect(await readdir(root)).toEqual(["f"]);
  expect([stop.listening(), cancel.listening()]).toEqual([0, 0]);
});

test("a run that is over has let go of the signal for the end of the process", () => {
  const { controller, listening } = counted();
  const stops = new Stops(controller.signal);
  expect(listening()).toBe(1);
  stops.release();
  expect(listening()).toBe(0);
});

test("a stop ends the wait for Apple's count", async () => {
  const stop = new AbortController();
  const forecast = new Forecast({
    directory: root,
    tally: new Tally(),
    // Only a signal ends this sleep.
    clock: { ...systemClock, sleep: (_, signal) => systemClock.sleep(2 ** 30, signal) },
    logger: silentLogger,
    signal: stop.signal,
  });
  const waiting = forecast.beforeFirstByte();
  stop.abort(new Error("stopped"));
  await waiting;
});
