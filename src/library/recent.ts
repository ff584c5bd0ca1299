/** How much of a library's end is wanted: the last so many photos, or those of the last so many days (files.md 5.3). */
export type Recent = { readonly count: number } | { readonly days: number };

/** Largest number that `recent` takes. */
const MOST = 2 ** 32 - 1;

/** Reads `100` or `30d`; undefined for anything else, and for nothing at all of either. */
export function parseRecent(text: string): Recent | undefined {
  const match = /^(\d{1,10})(d?)$/.exec(text);
  const number = Number(match?.[1]);
  if (match === null || number < 1 || number > MOST) return undefined;
  return match[2] === "d" ? { days: number } : { count: number };
}
