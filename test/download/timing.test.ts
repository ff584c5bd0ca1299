/** Waits, limits and watchfulness, on a clock that only moves when it is told to. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createBrake } from "../../src/download/brake.ts";
import { createLimiter } from "../../src/download/limiter.ts";
import { CONNECT_TIMEOUT_MS, STALL_TIMEOUT_MS, Stalled, Watchdog } from "../../src/download/watchdog.ts";
import { baseDelayMs, MAX_WAIT_MS, parseRetryAfterMs, retryDelayMs } from "../../src/library/backoff.ts";
import type { Clock } from "../../src/runtime/ports.ts";

/** Sleepers wake when `pass` reaches their time. */
class HandClock implements Clock {
  #now = 1_000_000;
  #sleepers: Array<{ readonly until: number; readonly wake: () => void }> = [];
  now = () => this.#now;
  monotonic = () => this.#now;
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#sleepers.push({ until: this.#now + ms, wake: resolve });
    });

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.until - b.until)[0];
      if (next === undefined || next.until > end) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
    this.#now = end;
  }
}

describe("the wait before a retry", () => {
  test.each([
    [0, 0],
    [1, 2_000],
    [2, 2_000],
    [3, 5_000],
    [4, 10_000],
    [6, 10_000],
    [7, 30_000],
    [100, 30_000],
  ])("with %i retries begins at %i ms", (retries, base) => {
    expect(baseDelayMs(retries)).toBe(base);
  });

  test.each([
    [2_000, 0, 2_000, 4_000],
    [2_000, 3, 16_000, 18_000],
    [2_000, 5, 58_000, 60_000],
    [5_000, 0, 5_000, 10_000],
    [5_000, 3, 40_000, 45_000],
    [5_000, 4, 55_000, 60_000],
    [10_000, 2, 40_000, 50_000],
    [30_000, 0, 30_000, 60_000],
    [30_000, 100, 30_000, 60_000],
  ])("from %i ms, retry %i: between %i and %i", (base, k, least, most) => {
    expect(retryDelayMs(k, base, 0)).toBe(least);
    expect(retryDelayMs(k, base, 0.999_999)).toBeLessThanOrEqual(most);
  });

  test("is never shorter than the first and never longer than a minute", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (k, retries, random) => {
          const base = baseDelayMs(retries);
          const wait = retryDelayMs(k, base, random);
          expect(wait).toBeGreaterThanOrEqual(base);
          expect(wait).toBeLessThanOrEqual(MAX_WAIT_MS);
        },
      ),
    );
  });

  const NOW = Date.parse("2026-11-24T12:00:00Z");
  test.each<[string | null, number | undefined]>([
    ["7", 7_000],
    [" 5 ", 5_000],
    ["0", undefined],
    ["-1", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
    ["Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
    ["Tue, 24 Nov 2026 11:00:00 GMT", undefined],
    ["99999", 99_999_000],
  ])("Retry-After %p means %p ms", (header, wanted) => {
    expect(parseRetryAfterMs(header, NOW)).toBe(wanted as number);
  });
});

describe("a watchdog", () => {
  test("ends a connection that brings no answer for 30 s", async () => {
    const clock = new HandClock();
    const watchdog = new Watchdog(clock, new AbortController().signal);
    watchdog.connecting();
    await clock.pass(CONNECT_TIMEOUT_MS - 1);
    expect(watchdog.signal.aborted).toBe(false);
    await clock.pass(2);
    expect(watchdog.signal.reason).toBeInstanceOf(Stalled);
  });

  test("ends a body that is silent for 120 s, and no sooner", async () => {
    const clock = new HandClock();
    const watchdog = new Watchdog(clock, new AbortController().signal);
    watchdog.reading();
    await clock.pass(STALL_TIMEOUT_MS - 1);
    expect(watchdog.signal.aborted).toBe(false);
    await clock.pass(CONNECT_TIMEOUT_MS);
    expect(watchdog.signal.aborted).toBe(true);
  });

  test("lets a slow trickle live for hours", async () => {
    const clock = new HandClock();
    const watchdog = new Watchdog(clock, new AbortController().signal);
    watchdog.reading();
    for (let minute = 0; minute < 240; minute += 1) {
      await clock.pass(60_000);
      watchdog.heard();
      watchdog.reading();
    }
    expect(watchdog.signal.aborted).toBe(false);
    watchdog.stop();
    await clock.pass(STALL_TIMEOUT_MS * 2);
    expect(watchdog.signal.aborted).toBe(false);
  });
});

test("a watchdog counts neither the reading of a partial file, nor the disk, nor the bandwidth limit", async () => {
  const clock = new HandClock();
  const watchdog = new Watchdog(clock, new AbortController().signal);
  await clock.pass(STALL_TIMEOUT_MS * 5);
  watchdog.connecting();
  watchdog.heard();
  await clock.pass(STALL_TIMEOUT_MS * 5);
  watchdog.reading();
  watchdog.heard();
  await clock.pass(STALL_TIMEOUT_MS * 5);
  expect(watchdog.signal.aborted).toBe(false);
  watchdog.reading();
  await clock.pass(STALL_TIMEOUT_MS + 1_001);
  expect(watchdog.signal.aborted).toBe(true);
});

describe("the bandwidth limit", () => {
  test("lets a second's worth through at once and the rest at its rate, whoever takes it", async () => {
    const clock = new HandClock();
    const limiter = createLimiter(1_000, clock);
    const { signal } = new AbortController();
    let passed = 0;
    for (let piece = 0; piece < 40; piece += 1) {
      limiter.take(100, signal).then(
        () => (passed += 100),
        () => undefined,
      );
    }
    await clock.pass(0);
    expect(passed).toBe(1_000);
    await clock.pass(1_500);
    expect(passed).toBe(2_500);
    await clock.pass(1_500);
    expect(passed).toBe(4_000);
  });

  test("ends a wait at once when the transfer is cut off", async () => {
    const clock = new HandClock();
    const limiter = createLimiter(10, clock);
    const stop = new AbortController();
    const taking = limiter.take(1_000_000, stop.signal);
    stop.abort(new Error("cut off"));
    expect(taking).rejects.toThrow("cut off");
  });
});

describe("the brake of a host", () => {
  test("holds everybody until the latest moment that was asked for, and other hosts not at all", async () => {
    const clock = new HandClock();
    const brake = createBrake(clock);
    const { signal } = new AbortController();
    brake.hold("a", clock.now() + 5_000);
    brake.hold("a", clock.now() + 3_000);
    const order: string[] = [];
    brake.pass("a", signal).then(
      () => order.push("a"),
      () => undefined,
    );
    await brake.pass("b", signal);
    await clock.pass(4_999);
    expect(order).toEqual([]);
    await clock.pass(1);
    expect(order).toEqual(["a"]);
  });
});
