import { sumOf } from "../library/sum.ts";
import type { State, Totals } from "../state/types.ts";
import type { Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";
import type { SyncReport, SyncSettings } from "./types.ts";

/** Most failed files that a report names. */
const NAMED_FAILURES = 200;

interface ReportInput {
  readonly tally: Tally;
  readonly stops: Stops;
  readonly state: Pick<State, "listFiles">;
  /** What the catalogue holds now. */
  readonly totals: Totals;
  readonly settings: SyncSettings;
  readonly elapsedMs: number;
  readonly unchanged: boolean;
  readonly expected: number | undefined;
  /** What a dry run would have done. */
  readonly planned: SyncReport["planned"];
}

/** What a run has come to: session loss before interruption before partial failure before success (engine.md 1.10). */
export function buildReport(input: ReportInput): SyncReport {
  const { tally, stops, state, totals, settings, elapsedMs, planned, unchanged, expected } = input;
  const failed = totals.files.failed === 0 ? [] : state.listFiles("failed", NAMED_FAILURES);
  // An original that belongs to no photo is no photo that is missing.
  const { "unpaired-master": _, ...lost } = totals.issues;
  // A run that has listed nothing has met no record: it tells what is on record.
  const issues = unchanged ? { ...lost, ...totals.broken } : tally.allIssues();
  const failures =
    tally.failed +
    tally.putOff +
    totals.exhausted +
    tally.enumerationErrors.length +
    sumOf(totals.broken) +
    sumOf(lost);
  return {
    outcome: outcomeOf(stops, failures),
    dryRun: settings.dryRun,
    retryOnly: settings.retryFailed,
    assetsSeen: tally.seen,
    downloaded: tally.downloaded,
    adopted: tally.adopted,
    linked: tally.linked,
    failed: tally.failed,
    exhausted: totals.exhausted,
    completeFailure: tally.newlyFailed > 0 && tally.downloaded + tally.adopted + tally.linked === 0,
    putOff: tally.putOff,
    waiting: totals.waiting,
    bytesDownloaded: tally.bytesReceived,
    bytesWritten: tally.bytesWritten,
    skipped: tally.skipped,
    issues,
    enumerationErrors: tally.enumerationErrors,
    shortfall: tally.shortfall,
    unchanged,
    fullReason: tally.listedInFull,
    expected,
    rateLimited: tally.rateLimited,
    duplicates: tally.duplicates,
    tokenHeld: tally.tokenHeld,
    onRecord: { ...totals.files, bytes: totals.bytes },
    elapsedMs,
    failedFiles: failed.map((file) => ({
      id: file.asset,
      rendition: file.rendition,
      name: file.path ?? file.filename ?? file.asset,
      error: file.error,
    })),
    failedUnnamed: Math.max(0, totals.files.failed - failed.length),
    notices: tally.notices,
    planned,
  };
}

function outcomeOf(stops: Stops, failures: number): SyncReport["outcome"] {
  if (stops.reason === "session") return "session_expired";
  if (stops.reason === "shutdown") return "interrupted";
  if (failures > 0 || stops.reason !== undefined) return "partial_failure";
  return "success";
}
