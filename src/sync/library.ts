import { CloudKitError, type ProblemKind, TokenRefused } from "../icloud/cloudkit/errors.ts";
import type { Album, AlbumListing, Library, Photos } from "../icloud/photos/types.ts";
import type { AlbumId } from "../library/asset.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { State } from "../state/types.ts";
import { type Delta, hasRemovals, isEmpty, readDelta } from "./delta.ts";
import { enumerate } from "./enumerate.ts";
import type { ForeignMembers } from "./foreign.ts";
import { followChanges } from "./incremental.ts";
import type { FullReason, Memory } from "./memory.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums, planPasses } from "./passes.ts";
import type { Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";
import type { SyncSettings } from "./types.ts";
import type { WalkDeps } from "./walk.ts";

export interface LibraryDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly memory: Memory;
  readonly settings: SyncSettings;
  readonly tally: Tally;
  readonly stops: Stops;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cancel: AbortSignal;
  readonly foreign: ForeignMembers;
  /** Raises the number of assets that are expected in this run. */
  readonly expect: (assets: number) => void;
  readonly walk: WalkDeps;
  /** Waits for the transfers and gives those that failed their second try. */
  readonly cleanUp: (library: Library) => Promise<void>;
}

/** A library whose turn it is. */
export interface Turn {
  readonly library: Library;
  /** Its photos are wanted; else it is asked only for what is looked for everywhere. */
  readonly selected: boolean;
  /** Why it is listed in full; undefined: its changes are enough. */
  readonly reason: FullReason | undefined;
}

/** The lists of a library that are walked, as they are now. */
export interface Prepared {
  /** Undefined where there are no albums to list, or nobody wants them. */
  readonly listing: AlbumListing | undefined;
  readonly passes: readonly Pass[];
  /** The library's own: those that hold photos of others are not among them. */
  readonly foreign: readonly Pass[];
  /** Sync token of the zone from before anything was listed. */
  readonly firstToken: string | undefined;
}

/**
 * Brings one library up to date: by its changes, where they are enough, else by listing it in full. Returns whether
 * everything up to the zone token that is stored now is on disk or on record. Why it was listed in full after all, when
 * Apple refused to tell the changes, is in `tally`.
 */
export async function syncLibrary(turn: Turn, deps: LibraryDeps): Promise<boolean> {
  try {
    return await bringUpToDate(turn, deps);
  } catch (error) {
    const { library } = turn;
    // That the own library is closed is a matter of the account; a shared one may be left at any moment.
    const why = error instanceof CloudKitError ? LEFT[error.problem.kind] : undefined;
    if (hasAlbums(library) || why === undefined) throw error;
    deps.tally.enumerationError(`${library.zone}: ${why}`);
    return false;
  }
}

/** What it means for a shared library alone that Apple refuses it. */
const LEFT: Readonly<Partial<Record<ProblemKind, string>>> = {
  "zone-gone": "the library has vanished in the middle of the run",
  "not-activated": "Apple does not let kei read this library; look whether you still take part in it",
};

async function bringUpToDate(turn: Turn, deps: LibraryDeps): Promise<boolean> {
  const { library, selected, reason } = turn;
  const { photos, tally, cancel } = deps;
  const readiness = await photos.readiness(library, cancel);
  if (!readiness.ready) {
    tally.enumerationError(
      `${library.zone}: Apple is still preparing this library (${readiness.state}); try again later`,
    );
    return false;
  }
  if (reason === undefined) {
    const followed = await followChanges(library, selected, deps);
    if (typeof followed === "boolean") return followed;
    tally.fullReason(followed);
  } else {
    tally.fullReason(reason);
  }
  return await listInFull(turn, await prepare(library, selected, readiness.token, deps), deps);
}

/** Finds out which albums there are, and makes passes of what is wanted. Throws `Failure` for a selection of nothing. */
export async function prepare(
  library: Library,
  selected: boolean,
  firstToken: string | undefined,
  { photos, state, settings, tally, logger, cancel, foreign }: LibraryDeps,
): Promise<Prepared> {
  const { zone } = library;
  const asked = hasAlbums(library) && (selected || settings.albumsAsked);
  const listing = asked ? await photos.albums(library, cancel) : undefined;
  if (listing?.complete === false) tally.enumerationError(`${zone}: Apple did not tell all albums`);
  for (const album of listing?.unsupported ?? [])
    logger.debug("album can't be listed", { album: album.name, reason: album.reason });
  const { passes, warnings } = planPasses(library, listing ?? NO_ALBUMS, settings, selected, state.albumNames(zone));
  for (const warning of warnings) {
    logger.warn(warning);
    tally.notice(warning);
  }
  const others = foreign.passesFor(library);
  return { listing, passes: [...others, ...passes], foreign: others, firstToken };
}

const NO_ALBUMS: AlbumListing = { albums: [], unsupported: [], complete: true };

/**
 * One full enumeration: albums, then smart folders, then what is in no album, then the changes that happened meanwhile.
 * The zone token is stored only when every part ended naturally (engine.md 5.5); failed files do not hold it, since
 * their rows are durable work (DECISIONS 13).
 */
async function listInFull(turn: Turn, prepared: Prepared, deps: LibraryDeps): Promise<boolean> {
  const { library } = turn;
  const { state, memory, settings, tally, logger, clock, stops } = deps;
  const { zone } = library;
  const { listing, passes, foreign } = prepared;
  memory.beginList(library);
  // Photos of this library are in these albums of the other one, and in no others any more.
  if (deps.foreign.known) state.keepAlbums(zone, idsOf(foreign.flatMap(({ album }) => album ?? [])));
  // First of all: who was only in albums that are gone is in no album when the rest is walked.
  if (listing?.complete === true) {
    const ids = idsOf(listing.albums);
    forgetAlbums(library, ids, state);
    if (deps.foreign.hasLost(new Set(ids))) deps.foreign.listOthers();
  }
  const scan = state.beginScan(zone, clock.now());
  const complete = await enumerate(library, passes, scan, listing?.complete ?? true, deps);
  if (complete && hasAlbums(library) && deps.foreign.hasNews(library)) deps.foreign.listOthers();
  const cut = deps.walk.newest.end();
  await deps.cleanUp(library);
  if (!complete || stops.stopped) return false;
  // What a whole walk over the selection did not meet is gone, or no longer selected.
  const pruned = cut || settings.retryFailed || settings.dryRun ? 0 : state.pruneUnseen(zone, scan);
  if (pruned > 0)
    logger.info("forgot unfinished work for photos that are gone or no longer selected", { files: pruned });
  state.endScan(zone, scan);
  if (settings.dryRun) return false;
  const held = reasonToHold(settings, cut);
  if (held !== undefined) {
    tally.tokenHeld = held;
    return false;
  }
  return await bridge(turn, prepared, scan, deps);
}

/**
 * Forgets albums that are gone, and who was in them. With that, changes would no longer lead to these photos: if the walk
 * that is to find them new places breaks off, the next one has to be whole again.
 */
function forgetAlbums({ zone }: Library, keep: readonly AlbumId[], state: State): void {
  const kept = new Set<string>(keep);
  state.transaction(() => {
    if (state.albumsWithMembers(zone).some((album) => !kept.has(album))) state.clearZoneToken(zone);
    state.keepAlbums(zone, keep);
  });
}

export function idsOf(albums: readonly Album[]): readonly AlbumId[] {
  return albums.map(({ id }) => id);
}

/** Why a run that has walked to every end must not claim to have seen everything (files.md FI-8, engine.md 5.7). */
function reasonToHold(settings: SyncSettings, cut: boolean): string | undefined {
  // A run that skips new photos on purpose must not step over them.
  if (settings.retryFailed) return "explicit_retry_failed";
  if (cut) return "recent_limited_full_enumeration";
  // An upper limit in days moves: photos come to lie below it without a change in iCloud.
  return settings.skipCreatedAfter?.endsWith("d") === true ? "date_bounded_full_enumeration" : undefined;
}

/**
 * A list is not a snapshot: what changed while it was walked is asked for and taken in, and only then the token is moved
 * on (cloudkit.md 3.9). What was taken out meanwhile has moved the rest, so that a photo may have been passed over: then
 * the next run lists everything again.
 */
async function bridge(turn: Turn, prepared: Prepared, scan: number, deps: LibraryDeps): Promise<boolean> {
  const { tally, logger, memory } = deps;
  const { library, selected } = turn;
  const { firstToken, passes } = prepared;
  if (firstToken === undefined || firstToken.trim() === "") {
    tally.tokenHeld = "icloud_sync_token_missing";
    logger.warn("Apple sent no sync token; the next run lists everything again", { library: library.zone });
    return false;
  }
  const delta = await deltaOrNothing(library, firstToken, deps);
  if (delta === undefined) {
    tally.tokenHeld = "asset_delta_hydration_incomplete";
    return false;
  }
  if (hasRemovals(delta)) {
    tally.tokenHeld = "producer_enumeration_incomplete";
    logger.info("photos were taken away while the library was listed; the next run lists everything again", {
      library: library.zone,
    });
    // What was added meanwhile is saved all the same.
    await followChanges(library, selected, deps, { token: firstToken, scan, keep: false });
    return false;
  }
  if (isEmpty(delta)) {
    memory.keepToken(library, delta.token, placedAlbums(passes));
    return true;
  }
  memory.keepToken(library, firstToken, placedAlbums(passes));
  return (await followChanges(library, selected, deps, { token: firstToken, scan, keep: true })) === true;
}

/** Ids of the albums that have folders of their own. */
export function placedAlbums(passes: readonly Pass[]): readonly string[] {
  return passes.flatMap(({ purpose, album }) => (purpose === "place" && album !== undefined ? [album.id] : []));
}

/** Refusals of the change feed that say nothing about the session or the account. */
const UNTOLD: ReadonlySet<string> = new Set(["transient", "bad-request", "zone-gone", "permanent"]);

/** Undefined when Apple will not tell what has changed: all files are safe, and the next run lists everything again. */
async function deltaOrNothing(library: Library, token: string, deps: LibraryDeps): Promise<Delta | undefined> {
  try {
    return await readDelta(deps.photos, library, token, deps.state, deps.cancel);
  } catch (error) {
    if (!(error instanceof TokenRefused || (error instanceof CloudKitError && UNTOLD.has(error.problem.kind))))
      throw error;
    deps.logger.warn("could not find out what changed while the library was listed; the next run lists it again", {
      library: library.zone,
      reason: error.message,
    });
    return undefined;
  }
}
