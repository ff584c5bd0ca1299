/** Facts for status pages in tests: a library with some of everything, and one in which all is well. */
import type { ListedFailure, StatusFacts } from "../../src/ui/status-facts.ts";

export const NOW = Date.UTC(2026, 10, 24, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const failure = (more: Partial<ListedFailure>): ListedFailure => ({
  library: "PrimarySync",
  asset: "A",
  rendition: "original",
  filename: "IMG_1.JPG",
  path: undefined,
  error: "the disk is full",
  errorKind: "disk-full",
  attempts: 2,
  seenAt: undefined,
  ...more,
});

const run = { fullReason: undefined, assetsSeen: 0, enumerationErrors: 0 };

const FAILURES: readonly ListedFailure[] = [
  failure({}),
  failure({
    asset: "B",
    filename: "IMG_2.JPG",
    path: "2024/IMG_2.JPG",
    error: "the server answers 500",
    errorKind: "server",
    attempts: 10,
  }),
];

/** Some of everything, with two failures. */
export const FACTS: StatusFacts = {
  now: NOW,
  cap: 10,
  totals: {
    assets: 1_234,
    onDisk: 1_200,
    leftOut: { hidden: 8, by_media_type: 12 },
    waiting: 5,
    failed: 4,
    exhausted: 3,
    broken: { "no-download-url": 2 },
    kept: {},
    files: { downloaded: 1_300, pending: 6, failed: 2 },
    savedFiles: 1_300,
    bytes: 5_000_000,
    issues: { "no-capture-date": 1 },
  },
  shared: 0,
  runs: [
    {
      ...run,
      startedAt: 0,
      completedAt: undefined,
      status: "interrupted",
      outcome: undefined,
      downloaded: 2,
      failed: 0,
    },
    { ...run, startedAt: 0, completedAt: 1_000, status: "complete", outcome: "success", downloaded: 9, failed: 1 },
  ],
  unfinished: [],
  failures: FAILURES,
  failedKinds: FAILURES.map((sample) => ({ sample, files: 1 })),
  lastWholeRun: NOW - HOUR,
  health: undefined,
  breakUntil: undefined,
  standing: {
    signIn: {
      hasSession: true,
      isTrusted: true,
      trustedAt: NOW - 3 * DAY,
      throttledUntil: undefined,
      passwordRefusedAt: undefined,
    },
    root: undefined,
    atWork: false,
  },
  directory: "/photos",
};

/** Three photos, all of them saved. */
export const CALM: StatusFacts = {
  ...FACTS,
  totals: {
    assets: 3,
    onDisk: 3,
    leftOut: {},
    waiting: 0,
    failed: 0,
    exhausted: 0,
    broken: {},
    kept: {},
    files: { downloaded: 3, pending: 0, failed: 0 },
    savedFiles: 3,
    bytes: 3_000,
    issues: {},
  },
  runs: [],
  failures: [],
  failedKinds: [],
};
