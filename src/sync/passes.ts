import type { Album, AlbumListing, Library } from "../icloud/photos/types.ts";
import { PRIMARY_ZONE, type ZoneName } from "../library/asset.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { parseSelectors, resolveAlbums, resolveLibraries, resolveSmartFolders } from "../library/selectors.ts";
import { isSmartFolder } from "../library/smart-folders.ts";
import { parseTemplate } from "../library/template.ts";
import type { Pass } from "./pass.ts";
import type { SyncSettings } from "./types.ts";

/**
 * The libraries that `settings.libraries` selects, and the names of those that are gone although they were there once
 * (`everKnown`). Throws `Failure` (exit 1) for a name that never existed.
 */
export function selectLibraries(
  settings: Pick<SyncSettings, "libraries">,
  libraries: readonly Library[],
  everKnown: readonly ZoneName[],
): { readonly libraries: readonly Library[]; readonly gone: readonly string[] } {
  const selectors = parseSelectors("libraries", settings.libraries);
  const there = libraries.map((library) => library.zone);
  const selected = resolveLibraries(selectors, there);
  const unknown =
    selected.unknown.length === 0 ? [] : resolveLibraries(selectors, [...new Set([...there, ...everKnown])]).unknown;
  if (unknown.length > 0) {
    throw new Failure(`There is no library ${quoted(unknown)}`, {
      exit: EXIT.failure,
      remedy: `This account has: ${libraries.map((library) => library.zone).join(", ") || "none"}. See \`kei list libraries\`.`,
    });
  }
  const wanted = new Set<string>(selected.names);
  return { libraries: libraries.filter((library) => wanted.has(library.zone)), gone: selected.unknown };
}

/**
 * The libraries that are looked at: the selected ones, and every other one when somebody has asked for albums or smart
 * folders, which are looked for everywhere (files.md SL-2).
 */
export function searchedLibraries(
  settings: SyncSettings,
  libraries: readonly Library[],
  selected: readonly Library[],
): readonly Library[] {
  const searched = looksEverywhere(settings) ? libraries : selected;
  // Albums first: they tell which photos of other libraries are in them.
  return searched.toSorted((a, b) => Number(hasAlbums(b)) - Number(hasAlbums(a)));
}

/** Whether albums or smart folders were asked for, which may hold photos of any library. */
export function looksEverywhere({ albumsAsked, albums, smartFolders }: SyncSettings): boolean {
  return (
    (albumsAsked && parseSelectors("albums", albums).mode !== "none") ||
    parseSelectors("smart_folders", smartFolders).mode !== "none"
  );
}

/** Albums are kept with the account's own library only (cloudkit.md 2.4). */
export function hasAlbums(library: Library): boolean {
  return library.zone === PRIMARY_ZONE;
}

/** Said when several libraries share one tree (files.md SL-3). */
export function mergedTrees(settings: SyncSettings, selected: number, searched: number): string | undefined {
  const smart = parseSelectors("smart_folders", settings.smartFolders).mode !== "none";
  const merged =
    (settings.unfiled && selected > 1 && !parseTemplate(settings.folderStructure, "unfiled").separatesLibraries) ||
    (smart && searched > 1 && !parseTemplate(settings.folderStructureSmartFolders, "smart-folders").separatesLibraries);
  return merged
    ? "several libraries share one tree of folders; {library}/ at the start of a template parts them"
    : undefined;
}

export interface PassPlan {
  readonly passes: readonly Pass[];
  readonly warnings: readonly string[];
}

/**
 * The passes of one library, in the order in which they are walked: selected albums by name, then the albums that are
 * walked only for their members, then smart folders, then the unfiled rest (files.md 4.3, engine.md 1.2). `selected`:
 * the library itself is wanted, not only what is looked for everywhere. `remembered` are album names the catalogue
 * knows: a selected one that is gone is then a warning, not an error (DECISIONS 5).
 */
export function planPasses(
  library: Library,
  listing: AlbumListing,
  settings: SyncSettings,
  selected: boolean,
  remembered: readonly string[],
): PassPlan {
  const whole = parseSelectors("albums", settings.albums).mode === "none";
  const unfiled = settings.unfiled && selected;
  const { albums, warnings } =
    hasAlbums(library) && (selected || settings.albumsAsked)
      ? albumPasses(library, listing, settings, remembered)
      : { albums: [], warnings: [] };
  const passes = albums.filter((pass) => pass.purpose === "place");
  // `--album none` asks for the whole library in one tree, so nothing is taken out of it (files.md 4.4).
  if (unfiled && !whole) passes.push(...albums.filter((pass) => pass.purpose === "members"));
  passes.push(...smartPasses(library, settings));
  if (unfiled) {
    passes.push({
      key: "unfiled",
      library,
      list: { kind: "all" },
      album: undefined,
      smartFolder: undefined,
      template: parseTemplate(settings.folderStructure, "unfiled"),
      label: whole ? "library" : "photos in no album",
      purpose: "place",
      onlyUnfiled: !whole,
    });
  }
  return { passes, warnings };
}

/** Every album of the library: those that are selected get files, the others are only asked for their members. */
function albumPasses(
  library: Library,
  listing: AlbumListing,
  settings: SyncSettings,
  remembered: readonly string[],
): { readonly albums: readonly Pass[]; readonly warnings: readonly string[] } {
  const template = parseTemplate(settings.folderStructureAlbums, "albums");
  const byName = listing.albums.toSorted((a, b) => compare(pathOf(a), pathOf(b)) || compare(a.id, b.id));
  const resolved = resolveAlbums(
    parseSelectors("albums", settings.albums),
    byName.map((album) => ({ id: album.id, name: album.name, path: pathOf(album) })),
  );
  const gone = resolved.unknown.filter((name) => remembered.includes(name));
  const unknown = resolved.unknown.filter((name) => !remembered.includes(name));
  // Of albums that were not told whole, one may be among those that are missing.
  if (unknown.length > 0 && listing.complete) throw noSuchAlbum(unknown, resolved.suggestions);
  const warnings = [
    ...gone.map((name) => `album ${quoted([name])} is no longer in iCloud; what was saved of it stays`),
    ...(listing.complete ? [] : unknown.map((name) => `album ${quoted([name])} is not among those that Apple told of`)),
  ];
  const selected = new Set<string>(resolved.ids);
  const albums = byName.map(
    (album): Pass => ({
      key: `album:${album.id}`,
      library,
      list: { kind: "album", album: album.id },
      album,
      smartFolder: undefined,
      template,
      label: pathOf(album),
      purpose: selected.has(album.id) ? "place" : "members",
      onlyUnfiled: false,
    }),
  );
  return { albums, warnings };
}

function noSuchAlbum(unknown: readonly string[], suggestions: Readonly<Record<string, readonly string[]>>): Failure {
  const smart = unknown.find(isSmartFolder);
  const hints = unknown.flatMap((name) => suggestions[name] ?? []);
  return new Failure(`There is no album ${quoted(unknown)}`, {
    exit: EXIT.failure,
    remedy:
      smart !== undefined
        ? `Photos fills ${quoted([smart])} by itself: select it with --smart-folder.`
        : hints.length > 0
          ? `Did you mean ${quoted(hints)}? See \`kei list albums\`.`
          : "See `kei list albums` for their names.",
  });
}

function smartPasses(library: Library, settings: SyncSettings): readonly Pass[] {
  const selectors = parseSelectors("smart_folders", settings.smartFolders);
  const template = parseTemplate(settings.folderStructureSmartFolders, "smart-folders");
  return resolveSmartFolders(selectors).map((folder) => ({
    key: `smart:${folder}`,
    library,
    list: { kind: "smart", folder },
    album: undefined,
    smartFolder: folder,
    template,
    label: folder,
    purpose: "place",
    onlyUnfiled: false,
  }));
}

/** `Folder/Album`, as people select it. */
export function pathOf(album: Album): string {
  return [...album.folders, album.name].join("/");
}

/** By code point, so that no locale of a machine decides an order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
