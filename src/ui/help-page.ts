/** Help pages: rows of names and explanations, within the width of a terminal. */
import { columnsOf } from "../runtime/columns.ts";
import { wrap } from "./wrap.ts";

export interface HelpRow {
  readonly name: string;
  readonly text: string;
}

export interface HelpSection {
  readonly title: string;
  readonly rows: readonly HelpRow[];
}

export interface HelpStyle {
  readonly color: boolean;
  readonly width: number;
}

/** Names are at most so wide; explanations stand behind that. */
const WIDEST_NAME = 24;

/** Sections with rows, each explanation in a column of its own; a name that is too wide for it has its line alone. */
export function sectionLines(sections: readonly HelpSection[], { color, width }: HelpStyle): string[] {
  const shown = sections.filter(({ rows }) => rows.length > 0);
  const names = shown.flatMap(({ rows }) => rows.map(({ name }) => columnsOf(name)));
  const column = Math.max(0, ...names.filter((name) => name <= WIDEST_NAME));
  return shown.flatMap(({ title, rows }) => [
    color ? `\u001b[1m${title.toUpperCase()}\u001b[22m` : title.toUpperCase(),
    "",
    ...rows.flatMap((row) => rowLines(row, column, { color, width })),
    "",
  ]);
}

const MARGIN = "  ";

function rowLines({ name, text }: HelpRow, column: number, { color, width }: HelpStyle): string[] {
  const painted = color ? `\u001b[36m${name}\u001b[39m` : name;
  const indent = " ".repeat(MARGIN.length + column + 2);
  const [first = "", ...others] = wrap(text, Math.max(20, width - indent.length));
  const rest = others.map((line) => `${indent}${line}`);
  if (columnsOf(name) > column) return [`${MARGIN}${painted}`, `${indent}${first}`, ...rest];
  return [`${MARGIN}${painted}${" ".repeat(column - columnsOf(name) + 2)}${first}`.trimEnd(), ...rest];
}
