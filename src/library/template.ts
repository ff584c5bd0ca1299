/** Folder templates: where in the download folder a file belongs (files.md 3). */
import type { ZoneName } from "./asset.ts";
import { cleanComponent } from "./clean.ts";
import { EXIT, Failure } from "./failure.ts";
import { localTime, type ZoneOffset } from "./local-time.ts";
import { type DatePattern, formatDate, parseDatePattern, StrftimeError } from "./strftime.ts";

/** What a template places: album members, members of a smart folder, or what is in no album. */
export type TemplateCategory = "unfiled" | "albums" | "smart-folders";

type Token = "library" | "album" | "smart-folder";
type Piece = DatePattern | Token;

/** A template that was understood whole: nothing about it can fail at the first photo. */
export interface FolderTemplate {
  readonly category: TemplateCategory;
  /** As written. */
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** Libraries get folders of their own. */
  readonly separatesLibraries: boolean;
}

/** A template that means nothing. The message says what is wrong and, where there is one, what to write instead. */
export class TemplateError extends Failure {
  override readonly name = "TemplateError";
}

const HOME: Readonly<Record<Exclude<Token, "library">, TemplateCategory>> = {
  album: "albums",
  "smart-folder": "smart-folders",
};
const SETTING: Readonly<Record<TemplateCategory, string>> = {
  unfiled: "folder_structure",
  albums: "folder_structure_albums",
  "smart-folders": "folder_structure_smart_folders",
};

/**
 * Reads a template. `none` and the empty text mean no folder; one `{:...}` around the whole is taken off. Throws
 * `TemplateError` for an unknown date specifier, an unknown or misplaced token, and any other brace.
 */
export function parseTemplate(text: string, category: TemplateCategory): FolderTemplate {
  const trimmed = text.trim();
  const bare = unwrap(trimmed);
  if (bare === "" || bare.toLowerCase() === "none") return { category, text, pieces: [], separatesLibraries: false };
  checkBraces(trimmed, bare);
  const tokens = checkTokens(bare, category);
  return { category, text, pieces: readPieces(bare), separatesLibraries: tokens.includes("library") };
}

/** What a template is filled with. */
export interface FolderValues {
  /** ms since the epoch. */
  readonly capturedAt: number;
  /** Seconds east of UTC; undefined: the zone of this machine. */
  readonly timeZoneOffset: number | undefined;
  /** Name of the album or smart folder, as its owner wrote it. */
  readonly album?: string | undefined;
  readonly library?: ZoneName | undefined;
}

export interface RenderOptions {
  /** Names that Windows can't create get a `_` in front. */
  readonly windows?: boolean;
  readonly machineZone?: ZoneOffset;
}

/**
 * The folder of a file, relative to the download folder, `/`-separated; empty for the folder itself. Whatever the names
 * hold, it stays inside: every segment is cleaned, none is empty or leads upwards.
 */
export function renderFolder(template: FolderTemplate, values: FolderValues, options: RenderOptions = {}): string {
  const time = localTime(values.capturedAt, values.timeZoneOffset, options.machineZone);
  const text = template.pieces
    .map((piece) => (typeof piece === "string" ? tokenText(piece, values, options) : formatDate(piece, time)))
    .join("");
  return text
    .split("/")
    .filter((segment) => segment !== "")
    .map((segment) => cleanComponent(segment, options))
    .join("/");
}

/** Longest form of a library's name that is not shortened. */
const SHORT_LIBRARY = "SharedSync-12345678".length;

/** Folder of a library: its zone, of a shared one the first eight characters of its number (files.md 3.2). */
export function librarySegment(zone: string): string {
  return zone.startsWith("SharedSync-") ? zone.slice(0, SHORT_LIBRARY) : zone;
}

/**
 * Splits a base template with `{album}` in it, as earlier tools had it, into the two of today; undefined when there is
 * nothing to split.
 */
export function splitLegacyTemplate(
  text: string,
): { readonly folderStructure: string; readonly folderStructureAlbums: string } | undefined {
  const bare = unwrap(text.trim());
  const rest = /^\{album\}(?:\/+(?<rest>.*))?$/s.exec(bare);
  if (rest === null) return undefined;
  return { folderStructure: rest.groups?.["rest"] || "none", folderStructureAlbums: bare };
}

function tokenText(token: Token, { album, library }: FolderValues, options: RenderOptions): string {
  if (token === "library") return library === undefined ? "" : cleanComponent(librarySegment(library), options);
  return album === undefined ? "" : cleanComponent(album, options);
}

/** Takes one Python format wrapper off, if it is around the whole. */
function unwrap(text: string): string {
  if (!text.startsWith("{:") || !text.endsWith("}")) return text;
  let depth = 0;
  for (const [index, character] of [...text].entries()) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (depth === 0) return index === [...text].length - 1 ? text.slice(2, -1) : text;
  }
  return text;
}

const TOKENS = /\{(?<token>library|album|smart-folder)\}/g;

function checkBraces(text: string, bare: string): void {
  const rest = bare.replaceAll(TOKENS, "");
  if (!/[{}]/.test(rest)) return;
  const converted = bare.replaceAll(/\{\d*:(?<inner>[^{}]*)\}/g, "$<inner>");
  const remedy = /[{}]/.test(converted.replaceAll(TOKENS, ""))
    ? "the only words in braces are {library}, {album} and {smart-folder}"
    : `write "${converted}"`;
  throw new TemplateError(`braces in "${text}" mean nothing here; ${remedy}`, { exit: EXIT.failure });
}

function checkTokens(bare: string, category: TemplateCategory): readonly Token[] {
  const segments = bare.split("/").filter((segment) => segment !== "");
  const tokens = [...bare.matchAll(TOKENS)].map((found) => found.groups?.["token"] as Token);
  for (const token of new Set(tokens)) {
    if (tokens.indexOf(token) !== tokens.lastIndexOf(token)) fail(bare, `{${token}} may stand there only once`);
    if (token === "library") {
      if (segments[0] !== "{library}") fail(bare, "{library} must be the whole first folder");
      continue;
    }
    if (HOME[token] !== category) {
      const parts = category === "unfiled" && token === "album" ? splitLegacyTemplate(bare) : undefined;
      const remedy =
        parts === undefined
          ? ""
          : `: set folder_structure_albums = "${parts.folderStructureAlbums}" and folder_structure = "${parts.folderStructure}"`;
      fail(bare, `{${token}} belongs into ${SETTING[HOME[token]]}${remedy}`);
    }
    const place = segments.findIndex((segment) => segment.includes(`{${token}}`));
    const wanted = tokens.includes("library") ? 1 : 0;
    if (place !== wanted) {
      fail(bare, `{${token}} must be ${wanted === 1 ? "directly after {library}" : "in the first folder"}`);
    }
  }
  return tokens;
}

function fail(template: string, reason: string): never {
  throw new TemplateError(`"${template}": ${reason}`, { exit: EXIT.failure });
}

function readPieces(bare: string): readonly Piece[] {
  try {
    // Read whole first, so that positions in messages are those of the whole.
    parseDatePattern(bare);
    const pieces: Piece[] = [];
    let end = 0;
    for (const found of bare.matchAll(TOKENS)) {
      pieces.push(parseDatePattern(bare.slice(end, found.index)), found.groups?.["token"] as Token);
      end = found.index + found[0].length;
    }
    pieces.push(parseDatePattern(bare.slice(end)));
    return pieces;
  } catch (error) {
    if (error instanceof StrftimeError) fail(bare, error.message);
    throw error;
  }
}
