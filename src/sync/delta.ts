import type { Library, Photos, Relation, ZoneChange } from "../icloud/photos/types.ts";
import type { AlbumId, AssetId, MasterId } from "../library/asset.ts";
import type { State } from "../state/types.ts";

/** Changes that are taken one by one; beyond, listing everything is cheaper and needs less memory. */
const MOST_CHANGES = 20_000;

/** What has changed in a library, sorted by what it means. */
export interface Delta {
  /** After all of it. */
  readonly token: string;
  /** Photos that are new or changed, and there; with their originals, as far as the feed names them. */
  readonly changed: ReadonlyMap<AssetId, MasterId | undefined>;
  /** Photos that were put out of sight, by the rule that now leaves them out. */
  readonly hidden: ReadonlyMap<AssetId, "hidden" | "recently_deleted">;
  /** Photos that are gone for good. */
  readonly gone: ReadonlySet<AssetId>;
  readonly relations: readonly Relation[];
  /** Albums came, went, or were renamed. */
  readonly albums: boolean;
}

/**
 * Follows a library's change feed. Undefined when there is too much of it. Records that had issues and matter no longer are
 * settled by it: no list may come that would say so. Throws `TokenRefused`.
 */
export async function readDelta(
  photos: Photos,
  library: Library,
  token: string,
  state: State,
  signal: AbortSignal,
): Promise<Delta | undefined> {
  const sorter = new Sorter(library, state);
  const end = await photos.changesSince(library, token, (changes) => sorter.take(changes), signal);
  state.transaction(() => {
    for (const name of sorter.settled) state.dropIssues(library.zone, name);
  });
  if (sorter.size > MOST_CHANGES) return undefined;
  const { changed, hidden, gone, albums } = sorter;
  return { changed, hidden, gone, albums, token: end, relations: [...sorter.relations.values()] };
}

export function isEmpty({ changed, hidden, gone, relations, albums }: Delta): boolean {
  return changed.size + hidden.size + gone.size + relations.length === 0 && !albums;
}

/** Whether anything left a list: then what stood behind it has moved up. */
export function hasRemovals({ hidden, gone, relations }: Delta): boolean {
  return hidden.size + gone.size > 0 || relations.some(({ removed }) => removed);
}

/** Takes changes in their order; a record that comes again says the last word. */
class Sorter {
  readonly changed = new Map<AssetId, MasterId | undefined>();
  readonly hidden = new Map<AssetId, "hidden" | "recently_deleted">();
  readonly gone = new Set<AssetId>();
  readonly relations = new Map<string, Relation>();
  albums = false;
  /** Records with issues that are gone, and originals of photos that were put out of sight. */
  readonly settled = new Set<string>();
  readonly #library: Library;
  readonly #state: State;
  readonly #troubled: ReadonlySet<string>;

  constructor(library: Library, state: State) {
    this.#library = library;
    this.#state = state;
    this.#troubled = state.namesWithIssues(library.zone);
  }

  get size(): number {
    return this.changed.size + this.hidden.size + this.gone.size + this.relations.size;
  }

  take(changes: readonly ZoneChange[]): void {
    for (const change of changes) {
      if (this.size > MOST_CHANGES) return;
      if (change.relation !== undefined) {
        this.relations.set(`${change.relation.album} ${change.relation.asset}`, change.relation);
      } else if (change.deleted) {
        this.#takeTombstone(change.recordName);
      } else if (change.recordType === "CPLAsset") {
        this.#takeAsset(change);
      } else if (change.recordType === "CPLMaster") {
        this.#takeMaster(change.recordName as MasterId);
      } else if (change.recordType === "CPLAlbum") {
        this.albums = true;
      }
    }
  }

  /** Only a name: of a photo that is known, of an album, or of something that never mattered (cloudkit.md 4.5). */
  #takeTombstone(name: string): void {
    const id = name as AssetId;
    this.changed.delete(id);
    this.hidden.delete(id);
    this.#settle(name);
    if (this.#state.asset(this.#library.zone, id) !== undefined) this.gone.add(id);
    else if (this.#state.isWalked(this.#library.zone, name as AlbumId)) this.albums = true;
    else this.#takeMaster(name as MasterId);
  }

  #takeAsset({ recordName, masterId, trashed, hidden }: ZoneChange): void {
    const id = recordName as AssetId;
    this.changed.delete(id);
    this.hidden.delete(id);
    this.gone.delete(id);
    if (trashed) this.hidden.set(id, "recently_deleted");
    else if (hidden) this.hidden.set(id, "hidden");
    else this.changed.set(id, masterId);
    if ((trashed || hidden) && masterId !== undefined) this.#settle(masterId);
  }

  #settle(name: string): void {
    if (this.#troubled.has(name)) this.settled.add(name);
  }

  /** An original alone: the photos that show it are looked at again. Those that are new come with the feed themselves. */
  #takeMaster(master: MasterId): void {
    for (const id of this.#state.assetsOf(this.#library.zone, master)) {
      const known = this.#state.asset(this.#library.zone, id);
      if (known?.disposition === "left-out" && (known.isDeleted || known.isHidden)) continue;
      if (!this.changed.has(id) && !this.hidden.has(id) && !this.gone.has(id)) this.changed.set(id, master);
    }
  }
}
