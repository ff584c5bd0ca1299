import { Failure } from "../library/failure.ts";
import { sumOf } from "../library/sum.ts";
import type { RunEnd, SyncReport } from "../sync/types.ts";

/** What the notification script is told of (cli.md 6.5). */
export interface KeiEvent {
  readonly name: "sync_started" | "sync_complete" | "sync_failed" | "2fa_required" | "session_expired";
  /** One sentence for people. */
  readonly message: string;
  /** The figures of the run, when it has any. */
  readonly report?: SyncReport;
}

/**
 * The event that the end of a run is; undefined for none: nothing was to do, nothing was written, it was stopped before
 * it had begun, or Apple has ended the session, after which a watch first tries to sign in again. `verdict` puts a
 * report in one sentence.
 */
export function eventOf(end: RunEnd, verdict: (report: SyncReport) => string): KeiEvent | undefined {
  const { report, error, stopped, locked } = end;
  if (report?.dryRun === true) return undefined;
  if (error !== undefined && locked !== undefined) {
    return { name: locked === "code-needed" ? "2fa_required" : "session_expired", message: inWords(error) };
  }
  if (error !== undefined && !stopped) {
    return { name: "sync_failed", message: inWords(error), ...(report === undefined ? {} : { report }) };
  }
  if (report === undefined || report.unchanged || report.outcome === "session_expired") return undefined;
  return { name: hasFailures(report) ? "sync_failed" : "sync_complete", message: verdict(report), report };
}

/** What is left to say when no run follows: the last one has lost its session, and nothing has brought it back. */
export function lastEventOf(end: RunEnd, verdict: (report: SyncReport) => string): KeiEvent | undefined {
  const { report, error, stopped } = end;
  const isLost = report?.outcome === "session_expired" && error === undefined && !stopped && !report.dryRun;
  return isLost ? { name: "session_expired", message: verdict(report) } : undefined;
}

/** The same question as for the exit code 2 (DECISIONS 1). */
function hasFailures(report: SyncReport): boolean {
  return report.outcome === "partial_failure" || report.failed + report.exhausted + report.enumerationErrors.length > 0;
}

/** The variables of an event. Counters that a script may compare are there with every report, also when they are 0. */
export function variablesOf(
  { name, message, report }: KeiEvent,
  { username, reportPath }: { readonly username: string; readonly reportPath: string | undefined },
): Record<string, string> {
  return {
    KEI_EVENT: name,
    KEI_MESSAGE: message.replaceAll(/\p{Cc}+/gu, " ").trim(),
    KEI_ICLOUD_USERNAME: username,
    ...(reportPath === undefined ? {} : { KEI_REPORT_JSON: reportPath }),
    ...(report === undefined ? {} : figuresOf(report)),
  };
}

function figuresOf(report: SyncReport): Record<string, string> {
  const { skipped, shortfall, tokenHeld } = report;
  const figures = {
    KEI_ASSETS_SEEN: report.assetsSeen,
    KEI_DOWNLOADED: report.downloaded,
    KEI_FAILED: report.failed,
    KEI_SKIPPED: sumOf(skipped),
    KEI_INTERRUPTED: report.outcome === "interrupted",
    KEI_BYTES_DOWNLOADED: report.bytesDownloaded,
    KEI_DISK_BYTES: report.bytesWritten,
    KEI_ELAPSED_SECS: (report.elapsedMs / 1000).toFixed(1),
    KEI_SKIPPED_BY_STATE: skipped["by_state"] ?? 0,
    KEI_SKIPPED_ON_DISK: skipped["on_disk"] ?? 0,
    KEI_SKIPPED_BY_MEDIA_TYPE: skipped["by_media_type"] ?? 0,
    KEI_SKIPPED_BY_DATE_RANGE: skipped["by_date_range"] ?? 0,
    KEI_SKIPPED_BY_LIVE_PHOTO: skipped["by_live_photo"] ?? 0,
    KEI_SKIPPED_BY_FILENAME: skipped["by_filename"] ?? 0,
    KEI_SKIPPED_BY_EXCLUDED_ALBUM: skipped["by_excluded_album"] ?? 0,
    KEI_SKIPPED_BY_RECENT: skipped["by_recent"] ?? 0,
    KEI_SKIPPED_BY_RENDITION: skipped["by_rendition"] ?? 0,
    KEI_SKIPPED_LIVE_PHOTO_VARIANT: skipped["ampm_variant"] ?? 0,
    KEI_SKIPPED_DUPLICATES: report.duplicates,
    KEI_SKIPPED_RETRY_EXHAUSTED: skipped["retry_exhausted"] ?? 0,
    KEI_SKIPPED_RETRY_ONLY: skipped["retry_only"] ?? 0,
    // What kei does not do yet, or ends a run with, never happens.
    KEI_EXIF_FAILURES: 0,
    KEI_STATE_WRITE_FAILURES: 0,
    KEI_ENUMERATION_ERRORS: report.enumerationErrors.length,
    KEI_PAGINATION_SHORTFALL_WARNINGS: shortfall.lists,
    KEI_PAGINATION_SHORTFALL_ASSETS: shortfall.photos,
    KEI_SYNC_TOKEN_BLOCKED: tokenHeld !== undefined,
    ...(tokenHeld === undefined ? {} : { KEI_SYNC_TOKEN_BLOCK_REASON: tokenHeld }),
  };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)]));
}

function inWords(error: unknown): string {
  const what = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
  const remedy = error instanceof Failure ? error.remedy : undefined;
  return remedy === undefined ? `${what}.` : `${what}. ${remedy}`;
}
