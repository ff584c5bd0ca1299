/** The clock on the wall where a photo was taken (files.md 3.5). */

/** A moment as calendar and clock showed it. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 1 to 366. */
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** Seconds east of UTC. */
  readonly offsetSeconds: number;
  readonly epochSeconds: number;
}

/** Seconds east of UTC that a zone had at an instant (ms since the epoch). */
export type ZoneOffset = (instant: number) => number;

const DAY = 86_400_000;

/**
 * The time at an instant (ms since the epoch, any fraction is cut) where the clock was `offsetSeconds` east of UTC.
 * Without an offset, and with one of a day or more, the zone of this machine decides, daylight saving of that date
 * included.
 */
export function localTime(
  instant: number,
  offsetSeconds: number | undefined,
  machineZone: ZoneOffset = zoneOfThisMachine,
): LocalTime {
  // Down, never to the nearest: the last millisecond of a day is not the next one.
  const whole = Math.floor(instant);
  const offset = isUsable(offsetSeconds) ? offsetSeconds : machineZone(whole);
  const wall = new Date(whole + offset * 1000);
  const midnight = Math.floor(wall.getTime() / DAY) * DAY;
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    dayOfYear: (midnight - startOfYear(wall.getUTCFullYear())) / DAY + 1,
    weekday: wall.getUTCDay(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
    millisecond: wall.getUTCMilliseconds(),
    offsetSeconds: offset,
    epochSeconds: Math.floor(whole / 1000),
  };
}

/** An offset that a clock can have: less than a day (files.md FT-11). */
function isUsable(offset: number | undefined): offset is number {
  return offset !== undefined && Number.isInteger(offset) && Math.abs(offset) < 86_400;
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999; this doesn't. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  return new Date(0).setUTCFullYear(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000;
}

function startOfYear(year: number): number {
  return utc(year, 0, 1, 0, 0, 0);
}

/** To the second: `getTimezoneOffset` knows whole minutes only, which old dates didn't keep to. */
export function zoneOfThisMachine(instant: number): number {
  const there = new Date(instant);
  const wall = utc(
    there.getFullYear(),
    there.getMonth(),
    there.getDate(),
    there.getHours(),
    there.getMinutes(),
    there.getSeconds(),
  );
  return Math.round((wall - Math.floor(instant / 1000) * 1000) / 1000);
}
