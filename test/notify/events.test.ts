/** Which ends of a run a script is told of, and in which words and figures. */
import { describe, expect, test } from "bun:test";
import { EXIT, Failure } from "../../src/library/failure.ts";
import { eventOf, lastEventOf, variablesOf } from "../../src/notify/events.ts";
import type { RunEnd, SyncReport } from "../../src/sync/types.ts";

const REPORT: SyncReport = {
  outcome: "success",
  unchanged: false,
  completeFailure: false,
  dryRun: false,
  retryOnly: false,
  assetsSeen: 20,
  downloaded: 12,
  adopted: 1,
  linked: 2,
  failed: 0,
  exhausted: 0,
  putOff: 0,
  waiting: 0,
  bytesDownloaded: 4_000,
  bytesWritten: 3_900,
  skipped: { by_state: 3, by_filename: 2, ampm_variant: 1 },
  issues: {},
  enumerationErrors: [],
  shortfall: { lists: 0, photos: 0 },
  fullReason: undefined,
  elapsedMs: 1_249,
  failedFiles: [],
  failedUnnamed: 0,
  rateLimited: 0,
  duplicates: 4,
  expected: undefined,
  tokenHeld: undefined,
  onRecord: { downloaded: 20, pending: 0, failed: 0, bytes: 9_000 },
  notices: [],
  planned: undefined,
};

const END: RunEnd = { report: REPORT, error: undefined, stopped: false, locked: undefined };
const nameOf = (end: Partial<RunEnd>) => eventOf({ ...END, ...end }, () => "In short.")?.name;
const ended = (report: Partial<SyncReport>): Partial<RunEnd> => ({ report: { ...REPORT, ...report } });
const disk = new Failure("The disk is full", { exit: EXIT.failure, remedy: "Free some space." });
const signIn = new Failure("Apple does not accept this password.", { exit: EXIT.signIn, remedy: "Check it." });

describe("the end of a run", () => {
  test.each([
    ["without failures is sync_complete", {}, "sync_complete"],
    ["with a failed file is sync_failed", ended({ failed: 1, outcome: "partial_failure" }), "sync_failed"],
    ["with a file given up is sync_failed", ended({ exhausted: 1, outcome: "partial_failure" }), "sync_failed"],
    ["with a list that could not be read is sync_failed", ended({ enumerationErrors: ["x"] }), "sync_failed"],
    ["by a stop is told like any other", { ...ended({ outcome: "interrupted" }), stopped: true }, "sync_complete"],
    [
      "by a stop with failures is sync_failed",
      { ...ended({ outcome: "interrupted", failed: 1 }), stopped: true },
      "sync_failed",
    ],
    ["by a failure is sync_failed", { error: disk }, "sync_failed"],
    ["by a failure before there was a report is sync_failed", { report: undefined, error: disk }, "sync_failed"],
    ["for want of a code is 2fa_required", { report: undefined, error: signIn, locked: "code-needed" }, "2fa_required"],
    [
      "for want of a sign-in is session_expired",
      { report: undefined, error: signIn, locked: "signed-out" },
      "session_expired",
    ],
    [
      "by the loss of the session is told only when signing in again has failed",
      { ...ended({ outcome: "session_expired" }), locked: "signed-out" },
      undefined,
    ],
    ["without anything to do is not told", ended({ unchanged: true }), undefined],
    ["of a dry run is not told", ended({ dryRun: true }), undefined],
    [
      "by a stop before it had begun is not told",
      { report: undefined, error: new Error("x"), stopped: true },
      undefined,
    ],
  ] as const)("%s", (_what, end, name) => {
    expect(nameOf(end as Partial<RunEnd>)).toBe(name);
  });

  test("that was the last, and has lost the session, is session_expired", () => {
    const lost: RunEnd = { ...END, ...ended({ outcome: "session_expired" }), locked: "signed-out" };
    expect(lastEventOf(lost, () => "Lost.")).toEqual({ name: "session_expired", message: "Lost." });
    expect(lastEventOf(END, () => "")).toBeUndefined();
    expect(lastEventOf({ ...lost, stopped: true }, () => "")).toBeUndefined();
    expect(lastEventOf({ ...lost, report: undefined, error: signIn }, () => "")).toBeUndefined();
  });
});

describe("the variables", () => {
  const account = { username: "me@example.com", reportPath: undefined };

  test("always name the event, the account and one sentence; the report when there is one", () => {
    expect(variablesOf({ name: "sync_started", message: "It has\nbegun." }, account)).toEqual({
      KEI_EVENT: "sync_started",
      KEI_MESSAGE: "It has begun.",
      KEI_ICLOUD_USERNAME: "me@example.com",
    });
    const withReport = { ...account, reportPath: "/data/report.json" };
    expect(variablesOf({ name: "sync_started", message: "" }, withReport)["KEI_REPORT_JSON"]).toBe("/data/report.json");
  });

  test("carry every figure of the run", () => {
    const event = eventOf({ ...END, ...ended({ failed: 1, tokenHeld: "pagination_shortfall" }) }, () => "In short.");
    expect(event && variablesOf(event, account)).toEqual({
      KEI_EVENT: "sync_failed",
      KEI_MESSAGE: "In short.",
      KEI_ICLOUD_USERNAME: "me@example.com",
      KEI_ASSETS_SEEN: "20",
      KEI_DOWNLOADED: "12",
      KEI_FAILED: "1",
      KEI_SKIPPED: "6",
      KEI_INTERRUPTED: "false",
      KEI_BYTES_DOWNLOADED: "4000",
      KEI_DISK_BYTES: "3900",
      KEI_ELAPSED_SECS: "1.2",
      KEI_EXIF_FAILURES: "0",
      KEI_STATE_WRITE_FAILURES: "0",
      KEI_ENUMERATION_ERRORS: "0",
      KEI_PAGINATION_SHORTFALL_WARNINGS: "0",
      KEI_PAGINATION_SHORTFALL_ASSETS: "0",
      KEI_SKIPPED_BY_STATE: "3",
      KEI_SKIPPED_ON_DISK: "0",
      KEI_SKIPPED_BY_MEDIA_TYPE: "0",
      KEI_SKIPPED_BY_DATE_RANGE: "0",
      KEI_SKIPPED_BY_LIVE_PHOTO: "0",
      KEI_SKIPPED_BY_FILENAME: "2",
      KEI_SKIPPED_BY_EXCLUDED_ALBUM: "0",
      KEI_SKIPPED_BY_RECENT: "0",
      KEI_SKIPPED_BY_RENDITION: "0",
      KEI_SKIPPED_LIVE_PHOTO_VARIANT: "1",
      KEI_SKIPPED_DUPLICATES: "4",
      KEI_SKIPPED_RETRY_EXHAUSTED: "0",
      KEI_SKIPPED_RETRY_ONLY: "0",
      KEI_SYNC_TOKEN_BLOCKED: "true",
      KEI_SYNC_TOKEN_BLOCK_REASON: "pagination_shortfall",
    });
  });

  test("say what to do about a failure", () => {
    const event = eventOf({ ...END, report: undefined, error: signIn, locked: "signed-out" }, () => "");
    expect(event?.message).toBe("Apple does not accept this password. Check it.");
  });
});
