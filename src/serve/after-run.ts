import type { RunEnd, SyncReport } from "../sync/types.ts";
import { plural } from "../ui/format.ts";
import type { Health } from "./health.ts";

/** Why a token may be held although everything that was asked for has been listed: the settings want less than all. */
const WHOLE_ALL_THE_SAME: ReadonlySet<string> = new Set([
  "explicit_retry_failed",
  "recent_limited_full_enumeration",
  "date_bounded_full_enumeration",
  "icloud_sync_token_missing",
]);

/**
 * The health after a run that ended at `at` (ms since the epoch). A run that found nothing to do is a success. A run
 * that a stop has cut short, or that may have listed too little, is neither success nor failure. Files that are out of
 * attempts and records that Apple itself has broken are no failure: they fail nothing anew (DECISIONS 11). `tell` makes
 * one line of an error, fit for others to read.
 */
export function afterRun(before: Health, end: RunEnd, at: number, tell: (error: unknown) => string): Health {
  const ended: Health = { ...before, lastSyncAt: at, nextSyncAt: undefined };
  const { report, stopped } = end;
  if (stopped && report?.outcome !== "success") return ended;
  const trouble = end.error === undefined ? troubleIn(report) : end.error;
  if (trouble !== undefined) {
    return { ...ended, consecutiveFailures: before.consecutiveFailures + 1, lastError: tell(trouble) };
  }
  const held = report?.tokenHeld;
  if (held !== undefined && !WHOLE_ALL_THE_SAME.has(held)) return ended;
  // One that only tried again what had failed does not know what is new.
  const lastSuccessAt = report?.retryOnly === true ? before.lastSuccessAt : at;
  return { ...ended, lastSuccessAt, consecutiveFailures: 0, lastError: undefined };
}

/** What a run that came to its end has left undone. */
function troubleIn(report: SyncReport | undefined): string | undefined {
  if (report === undefined) return "The run has ended without a report";
  if (report.outcome === "session_expired") return "Apple has ended the session";
  if (report.failed > 0) return `${plural(report.failed, "file")} could not be saved`;
  if (report.enumerationErrors.length > 0) return report.enumerationErrors[0];
  // What was put off for trouble that is nobody's own waits for the next run.
  return report.putOff > 0 ? `${plural(report.putOff, "file")} could not be saved yet` : undefined;
}

/** Longest text of an error that is kept, characters. */
const LONGEST = 300;

/**
 * An error as one line for `health.json` and `/healthz`, which others may read: secrets masked, no Apple ID, of
 * addresses only the host, since signed ones are as good as a key.
 */
export function errorLine(error: unknown, mask: (text: string) => string, username: string): string {
  const text = mask(error instanceof Error ? error.message : String(error))
    .replaceAll(/(https?:\/\/[^\s/?#]+)\S*/g, "$1/...")
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const told = username === "" ? text : text.replaceAll(new RegExp(RegExp.escape(username), "gi"), "the account");
  return told.length <= LONGEST ? told : `${told.slice(0, LONGEST - 3)}...`;
}
