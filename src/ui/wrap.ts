import { columnsOf } from "../runtime/columns.ts";

/** What the following lines of a paragraph stand below: its text, behind blanks and a number. */
const HANGING = /^ *(?:\d+ +)?/;

/**
 * Breaks a text into lines of at most `width` columns, between words; a longer word has a line of its own. Paragraphs that
 * fit stay as they are; lines after a first one begin with `indent`, or keep the indent of the first.
 */
export function wrap(text: string, width: number, indent?: string): string[] {
  return text
    .split("\n")
    .flatMap((paragraph) => (columnsOf(paragraph) <= width ? [paragraph] : broken(paragraph, width, indent)));
}

function broken(paragraph: string, width: number, indent: string | undefined): string[] {
  const start = HANGING.exec(paragraph)?.[0] ?? "";
  const below = indent ?? " ".repeat(columnsOf(start));
  const lines: string[] = [];
  let line = start;
  let words = 0;
  for (const word of paragraph
    .slice(start.length)
    .split(/ +/)
    .filter((part) => part !== "")) {
    if (words > 0 && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = below;
      words = 0;
    }
    line = words === 0 ? `${line}${word}` : `${line} ${word}`;
    words += 1;
  }
  return [...lines, line];
}
