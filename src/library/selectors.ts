import { nearest } from "./nearest.ts";

/** Selection by name (files.md 4.1): what is included, what is excluded. */
export type SelectorKind = "albums" | "libraries";

export interface Selectors {
  readonly kind: SelectorKind;
  /** A word that stands for many, if one was given. */
  readonly words: ReadonlySet<string>;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Values that contradict each other or mean nothing; the text is for people. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

const WORDS: Readonly<Record<SelectorKind, readonly string[]>> = {
  albums: ["all", "none"],
  libraries: ["all", "none", "primary", "shared"],
};

/**
 * Reads the values of one selection setting: words (`all`, `none`, ...), names, `!name` for what is left out, `=name`
 * for a name that looks like a word. Throws `SelectorError`.
 */
export function parseSelectors(kind: SelectorKind, values: readonly string[]): Selectors {
  const words = new Set<string>();
  const include: string[] = [];
  const exclude: string[] = [];
  const fail = (reason: string): SelectorError => new SelectorError(`${kind}: ${reason}`);
  for (const raw of values) {
    const value = raw.trim();
    const negated = value.startsWith("!");
    const rest = negated ? value.slice(1) : value;
    const literal = rest.startsWith("=");
    const name = compose(literal ? rest.slice(1) : rest);
    if (name === "") throw fail("a name must not be empty");
    const word = literal ? undefined : WORDS[kind].find((known) => known === name.toLowerCase());
    if (word !== undefined && negated) throw fail(`"!${word}" leaves nothing; name what is to be left out`);
    const list = negated ? exclude : include;
    if (word === undefined) {
      if (list.includes(name)) throw fail(`"${name}" is given twice`);
      list.push(name);
    } else {
      if (words.has(word)) throw fail(`"${word}" is given twice`);
      words.add(word);
    }
  }
  const both = include.find((name) => exclude.includes(name));
  if (both !== undefined) throw fail(`"${both}" is both selected and left out`);
  if (words.has("none") && values.length > 1) throw fail(`"none" can't be combined with anything`);
  if (words.has("none") && kind === "libraries") throw fail("at least one library is needed");
  if (words.has("all") && (include.length > 0 || words.size > 1))
    throw fail(`"all" already includes everything else that is named`);
  return { kind, words, include, exclude };
}

export interface NamedAlbum {
  readonly id: string;
  readonly name: string;
  /** `Folder/Album`. */
  readonly path: string;
}

export interface ResolvedAlbums {
  readonly ids: readonly string[];
  /** `none` was asked for. */
  readonly none: boolean;
  /** Names that no album has, selected or left out. */
  readonly unknown: readonly string[];
  /** For unknown names, what may have been meant. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
}

/** Which albums are meant. A name stands for every album of that name; albums in folders also go by their path. */
export function resolveAlbums(selectors: Selectors, albums: readonly NamedAlbum[]): ResolvedAlbums {
  if (selectors.words.has("none")) return { ids: [], none: true, unknown: [], suggestions: {} };
  const matching = (name: string) =>
    albums.filter((album) => compose(album.name) === name || compose(album.path) === name);
  const unknown = [...selectors.include, ...selectors.exclude].filter((name) => matching(name).length === 0);
  const excluded = new Set(selectors.exclude.flatMap((name) => matching(name).map((album) => album.id)));
  const all = selectors.words.has("all") || selectors.include.length === 0;
  const included = all ? albums : selectors.include.flatMap(matching);
  const ids = [...new Set(included.map((album) => album.id))].filter((id) => !excluded.has(id));
  const names = albums.map((album) => album.path);
  const suggestions = Object.fromEntries(
    unknown.flatMap((name) => {
      const near = nearest(name, names);
      return near === undefined ? [] : [[name, [near]]];
    }),
  );
  return { ids, none: false, unknown, suggestions };
}

export interface ResolvedLibraries {
  readonly names: readonly string[];
  readonly unknown: readonly string[];
}

/** Which zones are meant: `primary`, `shared`, a zone's name or its short form, in any case of letters. */
export function resolveLibraries(selectors: Selectors, zones: readonly string[]): ResolvedLibraries {
  const primary = zones.filter((zone) => zone === "PrimarySync");
  const shared = zones.filter((zone) => zone.startsWith("SharedSync-"));
  const matching = (name: string) => {
    const wanted = name.toLowerCase();
    return zones.filter(
      (zone) => zone.toLowerCase() === wanted || (shared.includes(zone) && zone.slice(0, 19).toLowerCase() === wanted),
    );
  };
  const unknown = [...selectors.include, ...selectors.exclude].filter((name) => matching(name).length === 0);
  const excluded = new Set(selectors.exclude.flatMap(matching));
  const { words, include } = selectors;
  const included = [
    ...(words.has("all") || words.has("primary") || (words.size === 0 && include.length === 0) ? primary : []),
    ...(words.has("all") || words.has("shared") ? shared : []),
    ...include.flatMap(matching),
  ];
  return { names: [...new Set(included)].filter((zone) => !excluded.has(zone)), unknown };
}

/** One spelling for composed and decomposed letters. */
function compose(text: string): string {
  return text.normalize("NFC");
}
