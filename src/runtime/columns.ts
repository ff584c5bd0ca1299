/** Characters that take two columns: East Asian ones, and pictures. */
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\uff01-\uff60\u3000-\u303e])/u;
/** What joins the character before it. */
const JOINS = /^[\p{M}\p{Cf}]+$/u;

/** Parts of a text that a terminal shows as one character each. */
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns that a text takes on a terminal; control characters are not expected in it. */
export function columnsOf(text: string): number {
  // Most texts are plain.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += widthOf(segment);
  return columns;
}

/** The longest beginning of a text, or with `end` its longest ending, that takes at most so many columns. */
export function cutToColumns(text: string, width: number, end = false): string {
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment);
  if (end) parts.reverse();
  const kept: string[] = [];
  let columns = 0;
  for (const part of parts) {
    columns += widthOf(part);
    if (columns > width) break;
    kept.push(part);
  }
  return (end ? kept.reverse() : kept).join("");
}

function widthOf(segment: string): number {
  if (JOINS.test(segment)) return 0;
  return WIDE.test(segment) || segment.includes("\ufe0f") ? 2 : 1;
}
