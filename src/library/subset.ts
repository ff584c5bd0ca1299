/** One of `of` equal parts of something, counted from 1. */
export interface Subset {
  readonly number: number;
  readonly of: number;
}

/** Text that names no part. The message is for people. */
export class SubsetError extends Error {}

const MOST_PARTS = 1000;
const DAY_MS = 86_400_000;

/**
 * Reads `K/N`, or `today/N`: the next part every day, so that N days in a row cover everything. `now` is in ms; the day
 * is that of this machine's calendar, so that a job at a fixed hour never meets one day twice. Throws `SubsetError`.
 */
export function parseSubset(text: string, now: number): Subset {
  const match = /^(today|\d{1,4})\/(\d{1,4})$/.exec(text);
  const of = Number(match?.[2]);
  if (match === null || of < 1 || of > MOST_PARTS)
    throw new SubsetError(`"${text}" is no part such as 1/30 or today/30; there may be up to ${MOST_PARTS}`);
  const number = match[1] === "today" ? (dayOf(now) % of) + 1 : Number(match[1]);
  if (number < 1 || number > of)
    throw new SubsetError(`"${text}": of ${of} parts, the first is 1/${of} and the last ${of}/${of}`);
  return { number, of };
}

/** Number of the calendar day on this machine. */
function dayOf(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS;
}
