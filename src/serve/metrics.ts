import { StateFailure } from "../state/index.ts";
import type { RunEnd, SyncReport } from "../sync/types.ts";

/** A figure that only grows while the process lives: its name without `_total`, what it says, and what a run adds. */
interface Counter {
  readonly name: string;
  readonly help: string;
  readonly of: (report: SyncReport | undefined, end: RunEnd) => number;
}

const fromReport = (name: string, help: string, of: (report: SyncReport) => number): Counter => ({
  name,
  help,
  of: (report) => (report === undefined ? 0 : of(report)),
});

/** What happens never here, but is asked for by name (cli.md 6.7). */
const never = (name: string, help: string): Counter => ({ name, help, of: () => 0 });

/** The counters without labels (cli.md 6.7). */
export const COUNTERS: readonly Counter[] = [
  fromReport("kei_sync_assets_seen", "Photos that were looked at", (report) => report.assetsSeen),
  fromReport("kei_sync_downloaded", "Files that were fetched and saved", (report) => report.downloaded),
  fromReport("kei_sync_failed", "Files that failed", (report) => report.failed),
  fromReport("kei_sync_bytes_downloaded", "Bytes received for files", (report) => report.bytesDownloaded),
  fromReport("kei_sync_disk_bytes_written", "Bytes of files written to disk", (report) => report.bytesWritten),
  never("kei_sync_exif_failures", "Files whose metadata could not be written"),
  {
    name: "kei_sync_state_write_failures",
    help: "Runs that the state database has ended",
    of: (_report, { error }) => Number(error instanceof StateFailure),
  },
  fromReport(
    "kei_sync_enumeration_errors",
    "Lists that could not be had whole",
    (report) => report.enumerationErrors.length,
  ),
  fromReport(
    "kei_sync_pagination_shortfall_warnings",
    "Lists that were shorter than Apple counts",
    (report) => report.shortfall.lists,
  ),
  fromReport(
    "kei_sync_pagination_shortfall_assets",
    "Photos by which lists were shorter than Apple counts",
    (report) => report.shortfall.photos,
  ),
  fromReport("kei_sync_token_blocked_cycles", "Runs after which the sync token was not moved on", (report) =>
    Number(report.tokenHeld !== undefined),
  ),
  {
    name: "kei_sync_session_expirations",
    help: "Runs that ended for want of a session",
    of: (_report, { locked }) => Number(locked !== undefined),
  },
  {
    name: "kei_sync_interrupted_cycles",
    help: "Runs that a stop has cut short",
    of: (_report, end) => Number(isInterrupted(end)),
  },
  fromReport("kei_sync_rate_limited", "Answers of Apple that asked to slow down", (report) => report.rateLimited),
  never("kei_db_summary_read_failures", "Reads of the figures below that failed"),
  never("kei_state_mark_downloaded_zero_rows", "Saved files that the state database did not know"),
  never("kei_state_mark_failed_zero_rows", "Failed files that the state database did not know"),
];

/** What the runs of this process have come to. */
export interface Metrics {
  /** By the names of `COUNTERS`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly fullReasons: Readonly<Record<string, number>>;
  /** Runs by how they ended. */
  readonly cycles: Readonly<Record<string, number>>;
  /** Of the last run that had something to do. */
  readonly cycleMs: number | undefined;
  readonly assetsSeen: number | undefined;
  /** What the catalogue held after the last run. */
  readonly onRecord: SyncReport["onRecord"] | undefined;
}

export const NO_METRICS: Metrics = {
  counts: {},
  skipped: {},
  fullReasons: {},
  cycles: {},
  cycleMs: undefined,
  assetsSeen: undefined,
  onRecord: undefined,
};

/** The figures after one more run. A run that found nothing to do adds nothing to them. */
export function afterOneMore(before: Metrics, end: RunEnd): Metrics {
  const { report } = end;
  // Nothing has changed, but after a start the figures were not known yet.
  const onRecord = report?.onRecord ?? before.onRecord;
  if (report?.unchanged === true && end.error === undefined) return { ...before, onRecord };
  return {
    counts: added(
      before.counts,
      COUNTERS.map(({ name, of }) => [name, of(report, end)] as const),
    ),
    skipped: added(before.skipped, [
      ...Object.entries(report?.skipped ?? {}),
      ["duplicates", report?.duplicates ?? 0] as const,
    ]),
    fullReasons: added(before.fullReasons, report?.fullReason === undefined ? [] : [[report.fullReason, 1]]),
    cycles: added(before.cycles, [[outcomeOf(end), 1]]),
    cycleMs: report?.elapsedMs ?? before.cycleMs,
    assetsSeen: report?.assetsSeen ?? before.assetsSeen,
    onRecord,
  };
}

function isInterrupted({ report, stopped }: RunEnd): boolean {
  return stopped && (report === undefined || report.outcome === "interrupted");
}

function outcomeOf(end: RunEnd): string {
  if (isInterrupted(end)) return "interrupted";
  return end.error === undefined ? (end.report?.outcome ?? "failed") : "failed";
}

/** `more` added to `sums`, which keeps what is not zero. */
function added(
  sums: Readonly<Record<string, number>>,
  more: ReadonlyArray<readonly [string, number]>,
): Readonly<Record<string, number>> {
  const result = { ...sums };
  for (const [name, count] of more) if (count !== 0) result[name] = (result[name] ?? 0) + count;
  return result;
}
