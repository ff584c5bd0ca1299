import { PRIMARY_ZONE } from "./asset.ts";
/** Which albums, smart folders and libraries a person asked for (cli.md 1.5.1, files.md 4). */
import { EXIT, Failure } from "./failure.ts";
import { nearestNames } from "./nearest.ts";
import { SENSITIVE_FOLDERS, SMART_FOLDERS, type SmartFolder } from "./smart-folders.ts";
import { librarySegment } from "./template.ts";

export type SelectorKind = "albums" | "smart_folders" | "libraries";

export type SelectorFault =
  | "all-with-names"
  | "none-with-others"
  | "none-of-libraries"
  | "duplicate"
  | "empty"
  | "excluded-sentinel"
  | "mutually-exclusive"
  | "contradiction"
  | "friendly-form-unsupported"
  | "no-library"
  | "same-short-form";

/** Selectors that contradict themselves or mean nothing. The message names the value. */
export class SelectorError extends Failure {
  override readonly name = "SelectorError";
  readonly reason: SelectorFault;

  constructor(reason: SelectorFault, message: string) {
    super(message, { exit: EXIT.failure });
    this.reason = reason;
  }
}

/** Names are those of people, compared in NFC; both lists are sorted by code point. */
interface NamedSelectors {
  readonly mode: "all" | "none" | "named";
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}
export interface AlbumSelectors extends NamedSelectors {
  readonly kind: "albums";
}
export interface SmartFolderSelectors extends NamedSelectors {
  readonly kind: "smart_folders";
  /** `all` takes Hidden and Recently Deleted too. */
  readonly sensitive: boolean;
}
export interface LibrarySelectors {
  readonly kind: "libraries";
  readonly primary: boolean;
  readonly shared: boolean;
  readonly named: readonly string[];
  readonly exclude: readonly string[];
}

export type Selectors = AlbumSelectors | SmartFolderSelectors | LibrarySelectors;

/**
 * Reads selector values: `all`, `none`, a name, `!name`, `=literal`, `!=literal`; for libraries also `primary` and
 * `shared`. No values mean the default of the kind. Throws `SelectorError`.
 */
export function parseSelectors(kind: "albums", values: readonly string[]): AlbumSelectors;
export function parseSelectors(kind: "smart_folders", values: readonly string[]): SmartFolderSelectors;
export function parseSelectors(kind: "libraries", values: readonly string[]): LibrarySelectors;
export function parseSelectors(kind: SelectorKind, values: readonly string[]): Selectors;
export function parseSelectors(kind: SelectorKind, values: readonly string[]): Selectors {
  const parts = readParts(kind, values);
  if (kind === "libraries") return librarySelectors(parts);
  const named = namedSelectors(kind, parts);
  if (kind === "albums") return { kind, ...named };
  return { kind, ...named, sensitive: parts.words.has("all-with-sensitive") };
}

interface Parts {
  readonly words: ReadonlySet<string>;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const WORDS: Readonly<Record<SelectorKind, readonly string[]>> = {
  albums: ["all", "none"],
  smart_folders: ["all", "all-with-sensitive", "none"],
  libraries: ["all", "none", "primary", "shared"],
};

function readParts(kind: SelectorKind, values: readonly string[]): Parts {
  const words = new Set<string>();
  const include = new Map<string, string>();
  const exclude = new Map<string, string>();
  for (const value of values) {
    const { text, excluded, literal } = readValue(kind, value);
    const word = literal ? undefined : WORDS[kind].find((candidate) => candidate === text.toLowerCase());
    if (word !== undefined && excluded) {
      throw new SelectorError("excluded-sentinel", `${labelOf(kind)} "${value}": "${word}" can't be excluded`);
    }
    if (!literal && kind === "libraries" && /^shared:/i.test(text)) {
      throw new SelectorError(
        "friendly-form-unsupported",
        `${labelOf(kind)} "${value}": write the library's own name; \`kei list libraries\` shows it`,
      );
    }
    const list = excluded ? exclude : include;
    const key = keyOf(kind, text);
    if (word === undefined ? list.has(key) : words.has(word)) {
      throw new SelectorError("duplicate", `${labelOf(kind)} "${value}" is given twice`);
    }
    if (word === undefined) list.set(key, text);
    else words.add(word);
  }
  const both = [...include].find(([key]) => exclude.has(key));
  if (both !== undefined) {
    throw new SelectorError("contradiction", `${labelOf(kind)} "${both[1]}" is both selected and excluded`);
  }
  checkWords(kind, words, values.length, include.size);
  return {
    words,
    include: [...include.values()].toSorted(byCodePoint),
    exclude: [...exclude.values()].toSorted(byCodePoint),
  };
}

function readValue(
  kind: SelectorKind,
  value: string,
): { readonly text: string; readonly excluded: boolean; readonly literal: boolean } {
  const trimmed = value.trim();
  const excluded = trimmed.startsWith("!");
  const rest = excluded ? trimmed.slice(1).trim() : trimmed;
  const literal = rest.startsWith("=");
  const text = (literal ? rest.slice(1) : rest).trim();
  if (text === "") throw new SelectorError("empty", `${labelOf(kind)} "${value}" names nothing`);
  return { text: text.normalize("NFC"), excluded, literal };
}

function checkWords(kind: SelectorKind, words: ReadonlySet<string>, values: number, names: number): void {
  if (words.has("none")) {
    if (kind === "libraries") {
      throw new SelectorError("none-of-libraries", 'library "none": at least one library must be selected');
    }
    if (values > 1) throw new SelectorError("none-with-others", `${labelOf(kind)} "none" stands alone or not at all`);
  }
  if (words.has("all") && words.has("all-with-sensitive")) {
    throw new SelectorError("mutually-exclusive", `${labelOf(kind)} "all" and "all-with-sensitive" exclude each other`);
  }
  if ((words.has("all") || words.has("all-with-sensitive")) && names > 0) {
    throw new SelectorError("all-with-names", `${labelOf(kind)} "all" takes exclusions ("!name") beside it, no names`);
  }
}

function namedSelectors(kind: "albums" | "smart_folders", { words, include, exclude }: Parts): NamedSelectors {
  if (words.has("none")) return { mode: "none", include: [], exclude: [] };
  if (include.length > 0) return { mode: "named", include, exclude };
  const nothingSaid = words.size === 0 && exclude.length === 0;
  return { mode: nothingSaid && kind === "smart_folders" ? "none" : "all", include, exclude };
}

function librarySelectors({ words, include, exclude }: Parts): LibrarySelectors {
  const nothingIncluded = words.size === 0 && include.length === 0;
  return {
    kind: "libraries",
    primary: nothingIncluded || words.has("primary") || words.has("all"),
    shared: words.has("shared") || words.has("all"),
    named: include,
    exclude,
  };
}

/** An album as selectors see it. */
export interface SelectableAlbum {
  readonly id: string;
  readonly name: string;
  /** `Folder/Album`; the name alone where there is no folder. */
  readonly path: string;
}

export interface ResolvedAlbums {
  /** Ids of the selected albums, in the order of the list. */
  readonly ids: readonly string[];
  /** No album was wanted: `none`. */
  readonly none: boolean;
  /** Selected or excluded names that are no album's, or could be that of several. */
  readonly unknown: readonly string[];
  /** For each unknown name, what may have been meant. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
}

/**
 * Finds the albums that selectors name: by `Folder/Album`, or by the album's own name where only one path ends in it.
 * Two albums of one path are both meant (files.md FT-16, FT-17).
 */
export function resolveAlbums(selectors: AlbumSelectors, albums: readonly SelectableAlbum[]): ResolvedAlbums {
  const unknown: string[] = [];
  const suggestions: Record<string, readonly string[]> = {};
  const find = (name: string): readonly SelectableAlbum[] => {
    const exact = albums.filter((album) => album.path.normalize("NFC") === name);
    if (exact.length > 0) return exact;
    const nested = albums.filter((album) => album.name.normalize("NFC") === name);
    const paths = new Set(nested.map((album) => album.path));
    if (paths.size === 1) return nested;
    unknown.push(name);
    suggestions[name] =
      paths.size > 1
        ? [...paths]
        : nearestNames(
            name,
            albums.flatMap((album) => [album.path, album.name]),
          );
    return [];
  };
  const included = new Set(selectors.include.flatMap(find).map((album) => album.id));
  const excluded = new Set(selectors.exclude.flatMap(find).map((album) => album.id));
  const ids = albums
    .map((album) => album.id)
    .filter((id) => selectors.mode === "all" || included.has(id))
    .filter((id) => selectors.mode !== "none" && !excluded.has(id));
  return { ids, none: selectors.mode === "none", unknown, suggestions };
}

/** The smart folders that selectors name, in the order of their names. */
export function resolveSmartFolders({
  mode,
  include,
  exclude,
  sensitive,
}: SmartFolderSelectors): readonly SmartFolder[] {
  if (mode === "none") return [];
  return SMART_FOLDERS.filter((folder) =>
    mode === "named" ? include.includes(folder) : sensitive || !SENSITIVE_FOLDERS.has(folder),
  ).filter((folder) => !exclude.includes(folder));
}

/** The libraries that selectors name, among zones. `unknown` holds what resolves to none. */
export function resolveLibraries<Zone extends string>(
  selectors: LibrarySelectors,
  zones: readonly Zone[],
): { readonly names: readonly Zone[]; readonly unknown: readonly string[] } {
  const isNamed = (name: string) => (zone: Zone) =>
    keyOf("libraries", name) === keyOf("libraries", zone) ||
    keyOf("libraries", name) === keyOf("libraries", librarySegment(zone));
  const isShared = (zone: Zone): boolean => zone.startsWith("SharedSync-");

  const unknown = [...selectors.named, ...selectors.exclude].filter((name) => !zones.some(isNamed(name)));
  // `all` is content with what there is; `shared` alone asks for something.
  if (selectors.shared && !selectors.primary && !zones.some(isShared)) unknown.push("shared");
  const names = zones.filter(
    (zone) =>
      ((selectors.primary && zone === PRIMARY_ZONE) ||
        (selectors.shared && isShared(zone)) ||
        selectors.named.some((name) => isNamed(name)(zone))) &&
      !selectors.exclude.some((name) => isNamed(name)(zone)),
  );
  if (names.length === 0 && unknown.length === 0) {
    throw new SelectorError("no-library", "the library selection leaves no library");
  }
  const short = names.map(librarySegment);
  const double = short.find((name, index) => short.indexOf(name) !== index);
  if (double !== undefined) {
    throw new SelectorError("same-short-form", `two selected libraries are both called "${double}" in folders`);
  }
  return { names, unknown };
}

/** Zones are the service's names, in any case; other names are people's, and exact. */
function keyOf(kind: SelectorKind, name: string): string {
  return kind === "libraries" ? name.toLowerCase() : name.normalize("NFC");
}

function labelOf(kind: SelectorKind): string {
  return { albums: "album", smart_folders: "smart folder", libraries: "library" }[kind];
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
