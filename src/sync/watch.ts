import { stat } from "node:fs/promises";
import { AuthError } from "../icloud/auth/errors.ts";
import { CloudKitError } from "../icloud/photos/index.ts";
import type { AccountFiles } from "../library/account.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { Ports, SyncReport, WatchOptions } from "./types.ts";

/** What a watch does again and again. */
export interface WatchActions {
  readonly cycle: () => Promise<SyncReport>;
  /** Looks whether files are still there; those that are not come back in the next cycle. */
  readonly reconcile: () => Promise<void>;
  readonly files: Pick<AccountFiles, "session" | "cookies" | "cache">;
}

/** A longer pause is slept in pieces, so that a clock that has jumped is noticed. */
const SLICE_MS = 30_000;
/** First pause after passing trouble; it doubles up to the interval. */
const FIRST_PAUSE_MS = 60_000;
/** How often it is looked whether a code was handed in. */
const CODE_POLL_MS = 5_000;
/** Runs in a row that may lose the session. */
const MOST_LOST = 3;

/**
 * Runs cycles until a stop, or until something has to be settled by a person (exit 3 or 4), or a cycle fails completely
 * (DECISIONS 2, 12). Passing trouble is waited out. Returns the report of the last cycle; throws the failure that ended
 * the watch, or that of a last cycle that a stop has left behind.
 */
export async function runWatch(
  actions: WatchActions,
  { intervalMs, reconcileEvery }: WatchOptions,
  ports: Ports,
): Promise<SyncReport | undefined> {
  const { logger, stop } = ports;
  let last: SyncReport | undefined;
  let lastFailure: Failure | undefined;
  let troubles = 0;
  let lost = 0;
  for (let cycle = 1; ; cycle += 1) {
    try {
      last = await actions.cycle();
      lastFailure = undefined;
      troubles = 0;
      lost = last.outcome === "session_expired" ? lost + 1 : 0;
      if (last.completeFailure && !stop.aborted)
        throw new Failure("No file could be saved, and files have failed", {
          exit: EXIT.failure,
          remedy: "See `kei status --failed`; kei goes on when it is started again.",
        });
      if (lost > 0 && !stop.aborted) {
        // The next run signs in again from the start; when that does not help, a person has to.
        if (lost >= MOST_LOST) return last;
        continue;
      }
      if (reconcileEvery > 0 && cycle % reconcileEvery === 0 && !stop.aborted) await actions.reconcile();
    } catch (error) {
      if (stop.aborted && !(error instanceof Failure)) return last;
      const passing = asPassing(error);
      if (error instanceof AuthError && error.kind === "two-factor-required") {
        await codeHandedIn(actions.files, error, ports);
        if (stop.aborted) return last;
        continue;
      }
      if (passing === undefined) throw error;
      lastFailure = passing;
      troubles += 1;
      logger.warn(passing.message, passing.remedy === undefined ? undefined : { remedy: passing.remedy });
    }
    if (stop.aborted) break;
    const pause = troubles === 0 ? intervalMs : Math.min(intervalMs, FIRST_PAUSE_MS * 2 ** (troubles - 1));
    logger.info("waiting for the next run", { seconds: Math.round(pause / 1000) });
    ports.onStage({ kind: "waiting", ms: pause });
    if (!(await pauseFor(pause, ports))) break;
  }
  if (lastFailure !== undefined) throw lastFailure;
  return last;
}

/** The failure, when a later try may go better by itself; undefined when it ends the watch. */
function asPassing(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error.passing ? error : undefined;
  if (error instanceof CloudKitError && error.problem.kind === "transient") {
    return new Failure(error.message, { exit: EXIT.failure, passing: true });
  }
  return undefined;
}

/**
 * Sleeps; false when a stop came. By the monotonic clock, but no longer than until the wall clock says that the time is
 * over: a machine that was suspended has waited, too.
 */
async function pauseFor(ms: number, { clock, stop }: Ports): Promise<boolean> {
  const end = clock.monotonic() + ms;
  const due = clock.now() + ms;
  try {
    for (let left = ms; left > 0 && clock.now() < due; left = end - clock.monotonic()) {
      await clock.sleep(Math.min(left, SLICE_MS), stop);
    }
    return !stop.aborted;
  } catch (error) {
    if (stop.aborted) return false;
    throw error;
  }
}

/** Waits without any traffic until another process has changed the session: a code was handed in (engine.md 6.4). */
async function codeHandedIn(
  files: WatchActions["files"],
  error: AuthError,
  { clock, stop, logger, onStage }: Ports,
): Promise<void> {
  logger.warn(`${error.message} Waiting until it is handed in.`, { remedy: error.remedy });
  onStage({ kind: "waiting-for-code" });
  const before = await stampOf(files);
  try {
    do await clock.sleep(CODE_POLL_MS, stop);
    while ((await stampOf(files)) === before);
  } catch (reason) {
    if (!stop.aborted) throw reason;
  }
}

async function stampOf({ session, cookies, cache }: WatchActions["files"]): Promise<string> {
  const stamps = [session, cookies, cache].map(async (path) => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw error;
    }
  });
  return (await Promise.all(stamps)).join("|");
}
