import { CloudKitError, isAboutTheAnswer, TokenRefused } from "../icloud/cloudkit/errors.ts";
import type { Library, Photos } from "../icloud/photos/types.ts";
import type { AlbumId } from "../library/asset.ts";
import type { State } from "../state/types.ts";
import type { Turn } from "./library.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums } from "./passes.ts";
import type { Tally } from "./tally.ts";

interface ForeignDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** Libraries, other than the albums' own, that are walked in this run. */
  readonly others: readonly Library[];
  /** Others that are there, but not walked. */
  readonly unselected: readonly Library[];
  /** A library whose turn it is may have photos in the albums. */
  readonly isAsked: boolean;
}

const FOREIGN_DUE = "foreign_members_due";

/** Whether the library with the albums has to be looked at for the sake of the others. */
export function isForeignDue(state: Pick<State, "meta">): boolean {
  return state.meta(FOREIGN_DUE) !== undefined;
}

/** Whether photos of the library, which has no albums of its own, may be in albums: some are, or nothing is known of it. */
export function mayBeInAlbums(
  state: Pick<State, "albumsWithMembers">,
  { library, reason }: Pick<Turn, "library" | "reason">,
): boolean {
  if (hasAlbums(library)) return false;
  return reason === "no_stored_token" || state.albumsWithMembers(library.zone).length > 0;
}

/** An album that was walked, and how many of its members its own library did not show. */
export interface ShortAlbum {
  readonly pass: Pass;
  readonly missing: number;
}

/**
 * Members of albums that are photos of another library. Albums are kept with the own library, and their lists show only
 * its photos, while their counts include all (cloudkit.md 3.7). Who the others are is read from the memberships
 * themselves; they are then looked up by name in the other libraries, as albums of these (engine.md PL-14).
 */
export class ForeignMembers {
  readonly #deps: ForeignDeps;
  #albums: readonly Pass[] = [];
  /** Whether all albums were walked in this run, so that it is known who else is in them. */
  known = false;
  #disturbed = false;

  constructor(deps: ForeignDeps) {
    this.#deps = deps;
  }

  /**
   * Albums have got or lost members that their own library does not have: photos of the others, which are listed in full
   * for it, so that these find their places. `albums`: all there are.
   */
  async disturb(home: Library, albums: readonly Pass[]): Promise<void> {
    if (this.#deps.others.length === 0) return;
    this.listOthers();
    await this.learnAll(home, albums);
  }

  /** So that changes in the other libraries find the albums that their photos are in. */
  async learnAll(home: Library, albums: readonly Pass[]): Promise<void> {
    await this.learn(
      home,
      albums.map((pass) => ({ pass, missing: 0 })),
    );
  }

  /** Whether an album that is not among these holds photos of other libraries. */
  hasLost(albums: ReadonlySet<AlbumId>): boolean {
    const { others, state } = this.#deps;
    return others.some(({ zone }) => state.albumsWithMembers(zone).some((album) => !albums.has(album)));
  }

  /** Whether the albums, as they were learned in this run, have other members of other libraries than is on record. */
  hasNews(home: Library): boolean {
    const { others, state } = this.#deps;
    return this.#albums.some(({ album }) => {
      if (album === undefined) return false;
      const held = new Set(others.flatMap(({ zone }) => state.membersOf(zone, album.id)));
      const told = state.unmetMembers(home.zone, album.id);
      return told.length !== held.size || told.some((id) => !held.has(id));
    });
  }

  /** Has the other libraries listed in full; in a later run, with their members in albums, when this one breaks off. */
  listOthers(): void {
    const { others, state } = this.#deps;
    if (others.length === 0) return;
    state.transaction(() => {
      state.setMeta(FOREIGN_DUE, "1");
      for (const { zone } of others) state.clearZoneToken(zone);
    });
    this.#disturbed = true;
  }

  /** Whether the albums have to be known for the sake of another library, even if nothing has changed in their own. */
  get isAsked(): boolean {
    return this.#deps.isAsked || this.isDue;
  }

  /** Whether an earlier run broke off before the other libraries were listed. */
  get isDue(): boolean {
    return isForeignDue(this.#deps.state);
  }

  /** Every library has been brought up to date. */
  settled(): void {
    if (this.isDue) this.#deps.state.deleteMeta(FOREIGN_DUE);
  }

  /** A turn for a library in which nothing has changed, but albums have that may hold its photos. */
  turnOf(library: Library, selected: boolean): Turn | undefined {
    if (!this.#disturbed || !this.#deps.others.includes(library)) return undefined;
    return { library, selected, reason: "no_stored_token" };
  }

  /** To be told of the albums that fell short of their count, when all of a library were walked. */
  async learn(home: Library, short: readonly ShortAlbum[]): Promise<void> {
    const { others, unselected, tally } = this.#deps;
    const isToBeRead = short.length > 0 && others.length > 0;
    if (isToBeRead && !(await this.#readRelations(home))) return;
    this.known = true;
    if (isToBeRead) this.#albums = short.map(({ pass }) => pass);
    if (isToBeRead || unselected.length === 0) return;
    for (const { pass, missing } of short) {
      if (pass.purpose !== "place") continue;
      const photos = missing === 1 ? "1 photo" : `${missing} photos`;
      tally.notice(`left out: ${photos} of the album "${pass.label}", in a library that is not selected`);
    }
  }

  /** The albums that may have members in `library`, as passes of that library. */
  passesFor(library: Library): readonly Pass[] {
    return this.#albums.flatMap((pass) => {
      const ids = pass.album === undefined ? [] : this.#deps.state.unmetMembers(pass.library.zone, pass.album.id);
      return ids.length === 0 ? [] : [{ ...pass, library, list: { kind: "named", ids } as const }];
    });
  }

  /** What changed since last time; everything when that can't be told. False when Apple tells neither. */
  async #readRelations(home: Library): Promise<boolean> {
    const { photos, state, tally, signal } = this.#deps;
    const key = `relations_token:${home.zone}`;
    const read = (token: string | undefined) =>
      photos.relationsSince(home, token, (relations) => state.putRelations(home.zone, relations), signal);
    const fromTheBeginning = (error: unknown): Promise<string> => {
      if (!(error instanceof TokenRefused)) throw error;
      state.transaction(() => {
        state.deleteMeta(key);
        state.clearRelations(home.zone);
      });
      return read(undefined);
    };
    try {
      state.setMeta(key, await read(state.meta(key)).catch(fromTheBeginning));
      return true;
    } catch (error) {
      // One broken membership, which stays so, must not end runs that can do everything else.
      if (!(error instanceof CloudKitError && isAboutTheAnswer(error.problem))) throw error;
      state.setMeta(FOREIGN_DUE, "1");
      tally.enumerationError("Apple does not tell which photos of other libraries are in albums");
      return false;
    }
  }
}
