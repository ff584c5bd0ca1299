/** Writing TOML: the few forms that settings take. */
import type { Value } from "./values.ts";

/** One line of a file: a setting, or only a remark. */
export interface TomlLine {
  /** Path of the key, e.g. `download.retry.per_asset`. */
  readonly key: string;
  /** Undefined: only the remark is written. */
  readonly value: Value | undefined;
  /** The value is shown, but not set: it is the one that counts anyway. */
  readonly idle?: boolean | undefined;
  /** Written behind the value. */
  readonly remark?: string | undefined;
  /** Written above it. */
  readonly note?: string | undefined;
}

/** A value as TOML writes it. */
export function tomlValue(value: Value): string {
  if (typeof value === "string") return tomlText(value);
  if (typeof value === "object") return `[${value.map(tomlText).join(", ")}]`;
  return String(value);
}

/** Remarks stand in one column where the values leave room. */
const REMARK_COLUMN = 40;

/** The tables in the order in which people look for them; others follow. */
const ORDER = [
  "",
  "auth",
  "download",
  "filters",
  "photos",
  "metadata",
  "watch",
  "server",
  "notifications",
  "report",
  "ui",
];

/** Lines as a file: first what is in no table, then table by table, each before those in it. Ends with a line end. */
export function renderToml(lines: readonly TomlLine[]): string {
  const tables = new Map<string, string[]>();
  for (const line of lines) {
    const { table, leaf } = partsOfKey(line.key);
    tables.set(table, [...(tables.get(table) ?? []), written(leaf, line)]);
  }
  return [...tables]
    .toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([table, written]) => `${[...(table === "" ? [] : [`[${table}]`]), ...written].join("\n")}\n`)
    .join("\n");
}

function rank(table: string): number {
  const at = ORDER.indexOf(table.split(".")[0] ?? "");
  return at < 0 ? ORDER.length : at;
}

function written(leaf: string, { value, remark, note, idle = false }: TomlLine): string {
  if (value === undefined) return `# ${leaf}: ${remark ?? "not set"}`;
  const assignment = `${idle ? "# " : ""}${leaf} = ${tomlValue(value)}`;
  if (note !== undefined) return `# ${note}\n${assignment}`;
  return remark === undefined ? assignment : `${assignment.padEnd(REMARK_COLUMN - 1)} # ${remark}`;
}

/** `download.retry.per_asset` is `per_asset` in the table `download.retry`. */
export function partsOfKey(key: string): { readonly table: string; readonly leaf: string } {
  const dot = key.lastIndexOf(".");
  return { table: key.slice(0, Math.max(dot, 0)), leaf: key.slice(dot + 1) };
}

/** JSON's form of a text is a basic string of TOML, but for one control character. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
