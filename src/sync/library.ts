import { CloudKitError, TokenRefused } from "../icloud/cloudkit/errors.ts";
import type { AlbumListing, Library, Photos } from "../icloud/photos/types.ts";
import type { AssetId } from "../library/asset.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { State } from "../state/types.ts";
import { type Bridge, bridgeChanges } from "./bridge.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums, planPasses } from "./passes.ts";
import type { Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";
import type { SyncSettings } from "./types.ts";
import { finishWalk, type OpenWalk, openWalk, type WalkDeps } from "./walk.ts";

export interface LibraryDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly settings: SyncSettings;
  readonly tally: Tally;
  readonly stops: Stops;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cancel: AbortSignal;
  /** Raises the number of assets that are expected in this run. */
  readonly expect: (assets: number) => void;
  readonly walk: WalkDeps;
  /** Waits for the transfers and gives those that failed their second try. */
  readonly cleanUp: (library: Library) => Promise<void>;
}

/**
 * One full enumeration of a library: albums, then what is in none, then the changes that happened meanwhile. The zone
 * token is stored only when every part ended naturally (engine.md 5.5); failed files do not hold it, since their rows
 * are durable work (DECISIONS 13). A library that is not `selected` is asked only for what is looked for everywhere.
 */
export async function syncLibrary(library: Library, selected: boolean, deps: LibraryDeps): Promise<void> {
  const { photos, state, settings, tally, logger, clock, cancel } = deps;
  const zone = library.zone;
  const readiness = await photos.readiness(library, cancel);
  if (!readiness.ready) {
    tally.enumerationError(`${zone}: Apple is still preparing this library (${readiness.state}); try again later`);
    return;
  }
  const listing: AlbumListing =
    hasAlbums(library) && (selected || settings.albumsAsked)
      ? await photos.albums(library, cancel)
      : { albums: [], unsupported: [], complete: true };
  if (!listing.complete) tally.enumerationError(`${zone}: Apple did not tell all albums`);
  for (const album of listing.unsupported)
    logger.debug("album can't be listed", { album: album.name, reason: album.reason });
  const { passes, warnings } = planPasses(library, listing, settings, selected, state.albumNames(zone));
  for (const warning of warnings) {
    logger.warn(warning);
    tally.notice(warning);
  }
  const counts = countInBackground(library, passes, deps);

  const scan = state.beginScan(zone, clock.now());
  const complete = await walkAll(passes, scan, counts, listing.complete, deps);
  const { cut } = deps.walk.newest;
  deps.walk.newest.forget();
  await deps.cleanUp(library);
  if (!complete || settings.dryRun || deps.stops.stopped) return;
  if (hasAlbums(library) && (selected || settings.albumsAsked))
    state.keepAlbums(
      zone,
      listing.albums.map((album) => album.id),
    );
  // What a whole walk over the selection did not meet is gone, or no longer selected.
  const pruned = cut || settings.retryFailed ? 0 : state.pruneUnseen(zone, scan);
  if (pruned > 0)
    logger.info("forgot unfinished work for photos that are gone or no longer selected", { files: pruned });
  state.endScan(zone, scan);
  const held = reasonToHold(settings, cut);
  if (held !== undefined) tally.tokenHeld = held;
  else await storeToken(library, passes, scan, readiness.token, deps);
}

/** Why a run that has walked to every end must not claim to have seen everything (files.md FI-8, engine.md 5.7). */
function reasonToHold(settings: SyncSettings, cut: boolean): string | undefined {
  // A run that skips new photos on purpose must not step over them.
  if (settings.retryFailed) return "explicit_retry_failed";
  if (cut) return "recent_limited_full_enumeration";
  // An upper limit in days moves: photos come to lie below it without a change in iCloud.
  return settings.skipCreatedAfter?.endsWith("d") === true ? "date_bounded_full_enumeration" : undefined;
}

/** Counts are for progress and for the end of a walk; nothing waits for them, and their failure is no failure. */
function countInBackground(library: Library, passes: readonly Pass[], deps: LibraryDeps): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  deps.photos
    .counts(
      library,
      passes.map((pass) => pass.list),
      deps.cancel,
    )
    .then((found) => {
      for (const [index, pass] of passes.entries()) {
        const count = found[index];
        if (count !== undefined) counts.set(pass.key, count);
      }
      deps.expect(expected(passes, counts));
    })
    .catch((error: unknown) => deps.logger.debug("could not count the library", { reason: String(error) }));
  return counts;
}

/** The whole list when it is walked (albums are parts of it), else the albums. */
function expected(passes: readonly Pass[], counts: ReadonlyMap<string, number>): number {
  const whole = passes.find((pass) => pass.list.kind === "all");
  if (whole !== undefined) return counts.get(whole.key) ?? 0;
  return passes.reduce((sum, pass) => sum + (counts.get(pass.key) ?? 0), 0);
}

/**
 * Walks the passes in order; while one is planned, the first pages of the next ones are on their way as far as the
 * pace allows. The unfiled rest is opened only when every album is known (engine.md 1.3), so its URLs are fresh.
 */
async function walkAll(
  passes: readonly Pass[],
  scan: number,
  counts: ReadonlyMap<string, number>,
  albumsKnown: boolean,
  deps: LibraryDeps,
): Promise<boolean> {
  const open: OpenWalk[] = [];
  let upcoming = 0;
  let complete = albumsKnown;
  let filedKnown = albumsKnown;
  const openMore = (atMost: number) => {
    while (open.length < atMost) {
      const pass = passes[upcoming];
      if (pass === undefined || (pass.onlyUnfiled && open.length > 0)) return;
      upcoming += 1;
      open.push(openWalk(pass, scan, () => counts.get(pass.key), deps.walk));
    }
  };
  try {
    for (;;) {
      openMore(1);
      const walk = open[0];
      if (walk === undefined) return complete;
      if (walk.pass.onlyUnfiled && !filedKnown) {
        deps.tally.enumerationError(
          "photos in no album were left for the next run, because not every album could be read",
        );
        return false;
      }
      openMore(deps.walk.pace.lookAhead());
      const end = await finishWalk(walk, scan, deps.walk);
      open.shift();
      complete &&= end.complete;
      filedKnown &&= end.accounted;
      if (deps.stops.stopped) return false;
    }
  } finally {
    await Promise.all(
      open.map((walk) =>
        walk.pages.return({ complete: false, accounted: false, reasons: [], firstToken: undefined, issues: [] }),
      ),
    );
  }
}

async function storeToken(
  library: Library,
  passes: readonly Pass[],
  scan: number,
  firstToken: string | undefined,
  deps: LibraryDeps,
): Promise<void> {
  const { photos, state, logger, cancel } = deps;
  if (firstToken === undefined || firstToken.trim() === "") {
    deps.tally.tokenHeld = "icloud_sync_token_missing";
    logger.warn("Apple sent no sync token; the next run lists everything again", { library: library.zone });
    return;
  }
  const bridge = await bridgeOrNothing(library, firstToken, deps);
  if (bridge === undefined) {
    deps.tally.tokenHeld = "asset_delta_hydration_incomplete";
    return;
  }
  let told = bridge.complete;
  if (bridge.changed.length > 0) {
    const looked = await photos.lookup(library, bridge.changed, cancel);
    for (const result of looked) {
      if (result.state === "unknown") told = false;
      if (result.state !== "found") continue;
      for (const pass of passesOf(result.asset.id, library, passes, state)) {
        const jobs = await deps.walk.planner.plan(pass, [result.asset], scan, deps.clock.now());
        for (const job of jobs) if (!(await deps.walk.enqueue(job))) return;
      }
    }
  }
  if (told) {
    state.setZoneToken(library.zone, bridge.token);
  } else {
    deps.tally.tokenHeld = "asset_delta_hydration_incomplete";
    logger.info("the library changed while it was listed; the next run lists everything again", {
      library: library.zone,
    });
  }
}

/** Refusals of the change feed that say nothing about the session or the account. */
const UNTOLD: ReadonlySet<string> = new Set(["transient", "bad-request", "zone-gone", "permanent"]);

/** Undefined when Apple will not tell what has changed: all files are safe, and the next run lists everything again. */
async function bridgeOrNothing(library: Library, firstToken: string, deps: LibraryDeps): Promise<Bridge | undefined> {
  try {
    return await bridgeChanges(deps.photos, library, firstToken, deps.cancel);
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

/** Where an asset that changed during the walk is planned again: where it is placed, else with the unfiled rest. */
function passesOf(id: AssetId, library: Library, passes: readonly Pass[], state: State): readonly Pass[] {
  const keys = new Set(state.placementsOf(library.zone, id).map((place) => place.pass));
  const held = passes.filter((pass) => pass.purpose === "place" && keys.has(pass.key));
  return held.length > 0 ? held : passes.filter((pass) => pass.list.kind === "all");
}

/**
 * Why a library is listed in full, in the closed vocabulary of the report; the first that applies (cli.md 6.3). Asked
 * before failed files are put back to pending, or the reason could never be told.
 */
export function fullReasonOf(library: Library, state: State, settings: SyncSettings): string {
  if (settings.retryFailed) return "explicit_retry_failed";
  if (state.zoneToken(library.zone) === undefined) return "no_stored_token";
  const open = state.openWork(library.zone, settings.perAsset);
  if (open.failed > 0) return "retry_failed_rows";
  if (open.pending > 0) return "pending_rows";
  return "other_static_reason";
}
