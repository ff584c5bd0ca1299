import type { State } from "../state/types.ts";

/** Until when Apple wants to be left alone, ms; kept over restarts (DECISIONS 11). */
const THROTTLED_UNTIL = "throttled_until";

/** A break that seems longer is kept for so long: it may be a mistake, or a clock that has jumped since, ms. */
const LONGEST_MS = 86_400_000;

/** The end (ms) of a break that Apple has asked for and that is not over; undefined when there is none. */
export function breakUntil(state: Pick<State, "meta">, now: number): number | undefined {
  const until = Number(state.meta(THROTTLED_UNTIL) ?? 0);
  return until <= now || until - now > LONGEST_MS ? undefined : until;
}

/** `until` and `now`: ms. */
export function keepBreak(state: Pick<State, "setMeta">, until: number, now: number): void {
  state.setMeta(THROTTLED_UNTIL, String(Math.trunc(Math.min(until, now + LONGEST_MS))));
}
