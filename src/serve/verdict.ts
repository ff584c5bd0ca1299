import type { Health } from "./health.ts";

/** What is known of a watch at one moment. Times in ms since the epoch. */
export interface WatchState {
  readonly health: Health;
  /** The pause between its runs, ms. */
  readonly intervalMs: number;
  /** A run of this process has ended. */
  readonly ended: boolean;
  readonly running: boolean;
  /** When the run under way has last got further; undefined between runs, and before it has. */
  readonly movedAt: number | undefined;
  /** Since when a verification code is waited for. */
  readonly codeWantedAt: number | undefined;
}

/** Runs in a row that may fail. */
const MOST_FAILURES = 5;
/** Intervals that may pass without a success. */
const MOST_INTERVALS = 2;
/** A run that gets no further for so long does not count as moving, ms. No wait within a run is longer than a minute. */
const MOVING_MS = 10 * 60_000;

/** Whether the backup goes as it should, by the rules of `/healthz` (cli.md 6.6, DECISIONS 8). */
export function isHealthy(watch: WatchState, now: number): boolean {
  if (!watch.ended || isMoving(watch, now)) return true;
  if (watch.health.consecutiveFailures >= MOST_FAILURES) return false;
  // A first run that waits for a code has no success to grow old.
  const since = watch.health.lastSuccessAt ?? watch.codeWantedAt;
  return since === undefined || now - since <= MOST_INTERVALS * watch.intervalMs;
}

/** A wall clock that was set back makes nothing older than it is. */
function isMoving({ movedAt }: WatchState, now: number): boolean {
  return movedAt !== undefined && Math.abs(now - movedAt) < MOVING_MS;
}
