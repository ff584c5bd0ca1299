import type { Album, AlbumListing, Library } from "../icloud/photos/types.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { parseSelectors, resolveAlbums, resolveLibraries } from "../library/selectors.ts";
import { parseTemplate } from "../library/template.ts";
import type { Pass } from "./pass.ts";
import type { SyncSettings } from "./types.ts";

/** The libraries that `settings.libraries` selects. Throws `Failure` (exit 1) for a name that does not exist. */
export function selectLibraries(settings: SyncSettings, libraries: readonly Library[]): readonly Library[] {
  const selected = resolveLibraries(
    parseSelectors("libraries", settings.libraries),
    libraries.map((library) => library.zone),
  );
  if (selected.unknown.length > 0) {
    throw new Failure(`There is no library ${quoted(selected.unknown)}`, {
      exit: EXIT.failure,
      remedy: `This account has: ${libraries.map((library) => library.zone).join(", ") || "none"}. See \`kei list libraries\`.`,
    });
  }
  const wanted = new Set<string>(selected.names);
  return libraries.filter((library) => wanted.has(library.zone));
}

export interface PassPlan {
  readonly passes: readonly Pass[];
  readonly warnings: readonly string[];
}

/**
 * The passes of one library, in the order in which they are walked: selected albums by name, then the albums that are
 * walked only for their members, then the unfiled rest (files.md 4.3, engine.md 1.2). `remembered` are album names the
 * catalogue knows: a selected one that is gone is then a warning, not an error (DECISIONS 5).
 */
export function planPasses(
  library: Library,
  listing: AlbumListing,
  settings: SyncSettings,
  remembered: readonly string[],
): PassPlan {
  const albumTemplate = parseTemplate(settings.folderStructureAlbums, "albums");
  const unfiledTemplate = parseTemplate(settings.folderStructure, "unfiled");
  const selectors = parseSelectors("albums", settings.albums);
  const byName = listing.albums.toSorted((a, b) => compare(pathOf(a), pathOf(b)) || compare(a.id, b.id));
  const resolved = resolveAlbums(
    selectors,
    byName.map((album) => ({ id: album.id, name: album.name, path: pathOf(album) })),
  );

  const warnings: string[] = [];
  const gone = resolved.unknown.filter((name) => remembered.includes(name));
  const unknown = resolved.unknown.filter((name) => !remembered.includes(name));
  if (unknown.length > 0) {
    const hints = unknown.flatMap((name) => resolved.suggestions[name] ?? []);
    throw new Failure(`There is no album ${quoted(unknown)}`, {
      exit: EXIT.failure,
      remedy:
        hints.length > 0
          ? `Did you mean ${quoted(hints)}? See \`kei list albums\`.`
          : "See `kei list albums` for their names.",
    });
  }
  for (const name of gone) warnings.push(`album ${quoted([name])} is no longer in iCloud; what was saved of it stays`);

  const selected = new Set<string>(resolved.ids);
  const albumPass = (album: Album, purpose: Pass["purpose"]): Pass => ({
    key: `album:${album.id}`,
    library,
    list: { kind: "album", album: album.id },
    album,
    template: albumTemplate,
    label: pathOf(album),
    purpose,
    onlyUnfiled: false,
  });
  const passes = byName.filter((album) => selected.has(album.id)).map((album) => albumPass(album, "place"));
  if (settings.unfiled) {
    // `--album none` asks for the whole library in one tree, so nothing is taken out of it (files.md 4.4).
    const whole = resolved.none;
    if (!whole) {
      passes.push(...byName.filter((album) => !selected.has(album.id)).map((album) => albumPass(album, "members")));
    }
    passes.push({
      key: "unfiled",
      library,
      list: { kind: "all" },
      album: undefined,
      template: unfiledTemplate,
      label: whole ? "library" : "photos in no album",
      purpose: "place",
      onlyUnfiled: !whole,
    });
  }
  return { passes, warnings };
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
