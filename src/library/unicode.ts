/** What happens to characters beyond ASCII in names (files.md 2.3, 2.4). */

/** Removes every character beyond ASCII; nothing is transliterated, and nothing composed or decomposed. */
export function stripNonAscii(name: string): string {
  return name.replaceAll(/\P{ASCII}/gu, "");
}

/**
 * Names of screenshots hold a time, and macOS has changed the blank before AM and PM. Two names with one key are
 * spellings of one name: the blank, plain or no-break, is left out. A key, not a name.
 */
export function amPmKey(name: string): string {
  return name.replaceAll(/[ \u00a0\u202f](?=[ap]m)/gi, "");
}

const BLANKS = ["", " ", "\u00a0", "\u202f"];

/** Other spellings of a name with a blank before AM or PM; none for other names. */
export function amPmSpellings(name: string): readonly string[] {
  if (amPmKey(name) === name) return [];
  return BLANKS.map((blank) => name.replaceAll(/[ \u00a0\u202f](?=[ap]m)/gi, blank)).filter((other) => other !== name);
}
