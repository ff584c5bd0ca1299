import type { Clock } from "../runtime/ports.ts";

/** A longer pause is slept in pieces, so that a clock that has jumped is noticed. */
const SLICE_MS = 30_000;

/**
 * Sleeps; false when a stop came. By the monotonic clock, so that a wall clock that is set back prolongs nothing; but no
 * longer than until the wall clock says that the time is over: a machine that was suspended has waited, too (engine.md
 * WT-6).
 */
export async function pauseFor(
  ms: number,
  { clock, stop }: { readonly clock: Clock; readonly stop: AbortSignal },
): Promise<boolean> {
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
