import type { State } from "../state/types.ts";

/** Until when Apple wants to be left alone, ms; kept over restarts (DECISIONS 11). */
const THROTTLED_UNTIL = "throttled_until";

const DAY_MS = 86_400_000;

/** The end (ms) of a break that Apple has asked for and that is not over; undefined when there is none. */
export function breakUntil(state: Pick<State, "meta">, now: number): number | undefined {
  const until = Number(state.meta(THROTTLED_UNTIL) ?? 0);
  // A break of more than a day would be a clock that has jumped.
  return until <= now || until - now > DAY_MS ? undefined : until;
}

export function keepBreak(state: Pick<State, "setMeta">, until: number): void {
  state.setMeta(THROTTLED_UNTIL, String(Math.trunc(until)));
}
