/** Names made safe for file systems (files.md 2). The same everywhere, save what Windows alone can't create. */

/** Longest name of a file or folder, UTF-8 bytes. */
const NAME_BYTES = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f-\u009f]/g;

export interface CleanOptions {
  /** Also make it a name that Windows can create. */
  readonly windows?: boolean;
}

/**
 * A file name: forbidden and control characters become `_`, at most 255 bytes, the extension kept. Dots, blanks and
 * reserved words stay as they are, except for Windows. The result never holds a separator, so it can't leave its folder.
 */
export function cleanName(name: string, { windows = false }: CleanOptions = {}): string {
  if (name === "") return "_";
  const safe = name.replaceAll(FORBIDDEN, "_");
  return shorten(windows ? forWindows(safe.replace(/[. ]+$/, "")) : safe, "");
}

/**
 * A folder name: as `cleanName`, and nothing in it can mean another folder: no `..`, no dots or blanks at the ends,
 * never empty. The order of the steps matters for the names of existing trees.
 */
export function cleanComponent(name: string, { windows = false }: CleanOptions = {}): string {
  const trimmed = cleanName(name)
    .replaceAll("..", "_")
    .replaceAll(/^[. ]+|[. ]+$/g, "");
  const named = trimmed === "" ? "_" : trimmed;
  return windows ? shorten(forWindows(named), "") : named;
}

const RESERVED = /^(con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)/i;

/** Windows takes device names for devices, whatever extension they have, and drops dots and blanks at the end. */
function forWindows(name: string): string {
  if (name === "") return "_";
  return RESERVED.test(name) ? `_${name}` : name;
}

/** Splits at the last dot anywhere; the extension keeps its dot, and is empty when there is none. */
export function splitName(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? { stem: name, extension: "" } : { stem: name.slice(0, dot), extension: name.slice(dot) };
}

/** Puts `suffix` before the last dot; the stem gives way where the name would become too long, never the suffix. */
export function addSuffix(name: string, suffix: string): string {
  return shorten(name, suffix);
}

function shorten(name: string, suffix: string): string {
  const { stem, extension } = splitName(name);
  const tail = `${suffix}${extension}`;
  const room = NAME_BYTES - byteLength(tail);
  if (byteLength(stem) <= room) return `${stem}${tail}`;
  if (room > 0) return `${cut(stem, room)}${tail}`;
  // The extension alone is too long to be one.
  return `${cut(name, NAME_BYTES - byteLength(suffix))}${suffix}`;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** The longest beginning that fits, cut between characters. */
function cut(text: string, bytes: number): string {
  let length = 0;
  let end = 0;
  for (const character of text) {
    length += byteLength(character);
    if (length > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
