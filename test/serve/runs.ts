/** Ends of runs to try things with. */
import type { RunEnd, SyncReport } from "../../src/sync/types.ts";

const REPORT: SyncReport = {
  outcome: "success",
  unchanged: false,
  completeFailure: false,
  dryRun: false,
  retryOnly: false,
  assetsSeen: 0,
  downloaded: 0,
  adopted: 0,
  linked: 0,
  failed: 0,
  exhausted: 0,
  putOff: 0,
  waiting: 0,
  bytesDownloaded: 0,
  bytesWritten: 0,
  skipped: {},
  issues: {},
  enumerationErrors: [],
  shortfall: { lists: 0, photos: 0 },
  fullReason: undefined,
  elapsedMs: 0,
  failedFiles: [],
  failedUnnamed: 0,
  rateLimited: 0,
  duplicates: 0,
  expected: undefined,
  tokenHeld: undefined,
  onRecord: { downloaded: 0, pending: 0, failed: 0, bytes: 0 },
  notices: [],
  planned: undefined,
};

/** A run that came to its end, with these figures. */
export function ended(report: Partial<SyncReport> = {}, more: Partial<RunEnd> = {}): RunEnd {
  return { report: { ...REPORT, ...report }, error: undefined, stopped: false, locked: undefined, ...more };
}

/** A run that ended before it listed anything. */
export function broken(error: unknown, more: Partial<RunEnd> = {}): RunEnd {
  return { report: undefined, error, stopped: false, locked: undefined, ...more };
}
