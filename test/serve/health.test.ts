/** What a run means for the health of the backup, and when that is called bad. */
import { describe, expect, test } from "bun:test";
import { EXIT, Failure } from "../../src/library/failure.ts";
import { afterRun, errorLine } from "../../src/serve/after-run.ts";
import { formatHealth, type Health, parseHealth } from "../../src/serve/health.ts";
import { Monitor } from "../../src/serve/monitor.ts";
import { isHealthy, type WatchState } from "../../src/serve/verdict.ts";
import type { Progress, RunEnd } from "../../src/sync/types.ts";
import { broken, ended } from "./runs.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const MINUTE = 60_000;

const UNKNOWN: Health = {
  account: "0123456789abcdef",
  lastSyncAt: undefined,
  lastSuccessAt: undefined,
  consecutiveFailures: 0,
  lastError: undefined,
  nextSyncAt: undefined,
  codeWantedAt: undefined,
};
const AILING: Health = {
  ...UNKNOWN,
  lastSyncAt: NOW - 9 * MINUTE,
  lastSuccessAt: NOW - 99 * MINUTE,
  consecutiveFailures: 3,
  lastError: "before",
};
const tell = (error: unknown) => errorLine(error, (text) => text.replaceAll("hunter22", "********"), "me@example.com");
const after = (end: RunEnd) => afterRun(AILING, end, NOW, tell);

const WELL = { ...AILING, lastSyncAt: NOW, lastSuccessAt: NOW, consecutiveFailures: 0, lastError: undefined };
const failedWith = (lastError: string) => ({ ...AILING, lastSyncAt: NOW, consecutiveFailures: 4, lastError });
const NEITHER = { ...AILING, lastSyncAt: NOW };

describe("the health after a run", () => {
  const runs: ReadonlyArray<readonly [string, RunEnd, Health]> = [
    ["that saved everything is well", ended({ downloaded: 3 }), WELL],
    ["that found nothing to do is well", ended({ unchanged: true }), WELL],
    ["with exhausted files only is well", ended({ outcome: "partial_failure", exhausted: 2 }), WELL],
    ["with broken records only is well", ended({ outcome: "partial_failure", issues: { "no-master": 1 } }), WELL],
    [
      "with broken records, and photos that wait in a library that is no longer selected, is well",
      ended({ outcome: "partial_failure", issues: { "no-master": 1 }, unchanged: true, waiting: 3 }),
      WELL,
    ],
    ["over the newest photos only is well", ended({ tokenHeld: "recent_limited_full_enumeration" }), WELL],
    [
      "with failed files is a failure",
      ended({ outcome: "partial_failure", failed: 2 }),
      failedWith("2 files could not be saved"),
    ],
    [
      "with files put off is a failure",
      ended({ outcome: "partial_failure", putOff: 1, waiting: 1 }),
      failedWith("1 file could not be saved yet"),
    ],
    [
      "with a list that was not whole is a failure",
      ended({ outcome: "partial_failure", enumerationErrors: ["Rome: unreadable", "Oslo: unreadable"] }),
      failedWith("Rome: unreadable"),
    ],
    [
      "that lost the session is a failure",
      ended({ outcome: "session_expired" }, { locked: "signed-out" }),
      failedWith("Apple has ended the session"),
    ],
    [
      "that wants a code is a failure that says so, without the Apple ID",
      broken(new Failure("Apple wants a verification code for Me@example.com.", { exit: EXIT.signIn }), {
        locked: "code-needed",
      }),
      failedWith("Apple wants a verification code for the account."),
    ],
    [
      "that ended with an error is one failure, whatever else failed",
      ended(
        { failed: 7, outcome: "partial_failure" },
        { error: new Failure("The disk is full.", { exit: EXIT.failure }) },
      ),
      failedWith("The disk is full."),
    ],
    [
      "that only tried failed files again mends, and says nothing of what is new",
      ended({ retryOnly: true, tokenHeld: "explicit_retry_failed" }),
      { ...WELL, lastSuccessAt: AILING.lastSuccessAt },
    ],
    ["that may have missed photos is neither", ended({ tokenHeld: "producer_enumeration_incomplete" }), NEITHER],
    ["that a stop has cut short is neither", ended({ outcome: "interrupted", failed: 1 }, { stopped: true }), NEITHER],
    ["that was stopped before it listed is neither", broken(new Error("aborted"), { stopped: true }), NEITHER],
    ["that was whole when the stop came is well", ended({}, { stopped: true }), WELL],
  ];
  test.each(runs)("%s", (_name, end, health) => {
    expect(after(end)).toEqual(health);
  });

  test("counts failures in a row from the first on", () => {
    const first = afterRun(UNKNOWN, broken("odd"), NOW, tell);
    expect([first.consecutiveFailures, first.lastError, first.lastSuccessAt]).toEqual([1, "odd", undefined]);
  });
});

describe("an error as one line", () => {
  test("holds no secret, no signed address, no second line, and has an end", () => {
    const text = "wrong: hunter22\n  at https://cvws.icloud-content.com/B/AbC?x=1&sig=zz \u001b[31m";
    expect(tell(new Error(text))).toBe("wrong: ******** at https://cvws.icloud-content.com/... [31m");
    expect(tell("x".repeat(1000))).toHaveLength(300);
  });
});

describe("the document", () => {
  test("is read as it was written", () => {
    for (const health of [UNKNOWN, AILING, { ...WELL, nextSyncAt: NOW + MINUTE }]) {
      expect(parseHealth(formatHealth(health), health.account)).toEqual(health);
    }
  });
});

describe("a watch is healthy", () => {
  const watch = (more: Partial<WatchState>, health: Partial<Health> = {}): WatchState => ({
    health: { ...WELL, ...health },
    intervalMs: 10 * MINUTE,
    ended: true,
    running: false,
    movedAt: undefined,
    codeWantedAt: undefined,
    ...more,
  });
  const cases: ReadonlyArray<readonly [string, WatchState, boolean]> = [
    ["before its first run has ended", watch({ ended: false }, { consecutiveFailures: 9, lastSuccessAt: 0 }), true],
    ["after a success", watch({}), true],
    ["after four failures", watch({}, { consecutiveFailures: 4 }), true],
    ["not after five", watch({}, { consecutiveFailures: 5 }), false],
    ["two intervals after a success", watch({}, { lastSuccessAt: NOW - 20 * MINUTE }), true],
    ["not later", watch({}, { lastSuccessAt: NOW - 20 * MINUTE - 1 }), false],
    ["while a run moves", watch({ movedAt: NOW - 9 * MINUTE }, { consecutiveFailures: 9, lastSuccessAt: 0 }), true],
    ["not while one is stuck", watch({ movedAt: NOW - 11 * MINUTE }, { lastSuccessAt: NOW - 30 * MINUTE }), false],
    ["after a first failure", watch({}, { lastSuccessAt: undefined, consecutiveFailures: 1 }), true],
    [
      "not when it has waited for a code for long",
      watch({ codeWantedAt: NOW - 21 * MINUTE }, { lastSuccessAt: undefined, consecutiveFailures: 1 }),
      false,
    ],
  ];
  test.each(cases)("%s", (_name, state, healthy) => {
    expect(isHealthy(state, NOW)).toBe(healthy);
  });
});

describe("a monitor", () => {
  let now = NOW;
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  const progress = (more: Partial<Progress>): Progress => ({
    phase: "listing",
    assetsSeen: 0,
    assetsExpected: undefined,
    filesPlanned: 0,
    filesDone: 0,
    filesFailed: 0,
    bytesPlanned: 0,
    bytesDone: 0,
    pass: undefined,
    ...more,
  });

  test("knows what moves, what waits, and for what", () => {
    const monitor = new Monitor({ before: UNKNOWN, clock, intervalMs: MINUTE, tell });
    monitor.onProgress(progress({ phase: "signing-in" }));
    expect(monitor.watch).toMatchObject({ ended: false, running: true, movedAt: undefined });
    now += 1000;
    monitor.onProgress(progress({ assetsSeen: 200 }));
    const moved = now;
    now += 1000;
    // Told again, but no further.
    monitor.onProgress(progress({ assetsSeen: 200 }));
    expect(monitor.watch.movedAt).toBe(moved);
    monitor.onEnd(broken("a code", { locked: "code-needed" }));
    monitor.onStage({ kind: "waiting-for-code" });
    expect(monitor.watch).toMatchObject({ ended: true, running: false, movedAt: undefined, codeWantedAt: now });
    const wanted = now;
    now += 1000;
    // A run that finds that the code is still missing has not begun a new wait.
    monitor.onProgress(progress({ phase: "signing-in" }));
    monitor.onEnd(broken("a code", { locked: "code-needed" }));
    monitor.onStage({ kind: "waiting-for-code" });
    expect(monitor.watch.codeWantedAt).toBe(wanted);
    monitor.onProgress(progress({ phase: "signing-in" }));
    monitor.onStage({ kind: "ready" });
    monitor.onEnd(ended());
    expect(monitor.watch.codeWantedAt).toBeUndefined();
    monitor.onStage({ kind: "waiting", ms: MINUTE });
    expect(monitor.health.nextSyncAt).toBe(now + MINUTE);
    monitor.onProgress(progress({ phase: "signing-in" }));
    expect(monitor.health.nextSyncAt).toBeUndefined();
  });
});
