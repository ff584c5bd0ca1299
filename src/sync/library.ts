import { CloudKitError, TokenRefused } from "../icloud/cloudkit/errors.ts";
import type { Album, AlbumListing, Library, Photos } from "../icloud/photos/types.ts";
import type { AssetId } from "../library/asset.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { State } from "../state/types.ts";
import { type Bridge, bridgeChanges } from "./bridge.ts";
import { enumerate } from "./enumerate.ts";
import type { ForeignMembers } from "./foreign.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums, planPasses } from "./passes.ts";
import type { Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";
import type { SyncSettings } from "./types.ts";
import type { WalkDeps } from "./walk.ts";

export interface LibraryDeps {
  readonly photos: Photos;
  readonly state: State;
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
  const planned = planPasses(library, listing, settings, selected, state.albumNames(zone));
  const { warnings } = planned;
  const foreign = deps.foreign.passesFor(library);
  const passes = [...foreign, ...planned.passes];
  for (const warning of warnings) {
    logger.warn(warning);
    tally.notice(warning);
  }
  // Whose members are known already: nobody is in any other album.
  if (deps.foreign.known)
    keepAlbums(
      library,
      foreign.flatMap(({ album }) => album ?? []),
      state,
    );
  const scan = state.beginScan(zone, clock.now());
  const complete = await enumerate(library, passes, scan, listing.complete, deps);
  const { cut } = deps.walk.newest;
  deps.walk.newest.forget();
  await deps.cleanUp(library);
  if (!complete || settings.dryRun || deps.stops.stopped) return;
  if (hasAlbums(library) && (selected || settings.albumsAsked)) keepAlbums(library, listing.albums, state);
  // What a whole walk over the selection did not meet is gone, or no longer selected.
  const pruned = cut || settings.retryFailed ? 0 : state.pruneUnseen(zone, scan);
  if (pruned > 0)
    logger.info("forgot unfinished work for photos that are gone or no longer selected", { files: pruned });
  state.endScan(zone, scan);
  const held = reasonToHold(settings, cut);
  if (held !== undefined) tally.tokenHeld = held;
  else await storeToken(library, passes, scan, readiness.token, deps);
}

function keepAlbums(library: Library, albums: readonly Album[], state: State): void {
  state.keepAlbums(
    library.zone,
    albums.map(({ id }) => id),
  );
}

/** Why a run that has walked to every end must not claim to have seen everything (files.md FI-8, engine.md 5.7). */
function reasonToHold(settings: SyncSettings, cut: boolean): string | undefined {
  // A run that skips new photos on purpose must not step over them.
  if (settings.retryFailed) return "explicit_retry_failed";
  if (cut) return "recent_limited_full_enumeration";
  // An upper limit in days moves: photos come to lie below it without a change in iCloud.
  return settings.skipCreatedAfter?.endsWith("d") === true ? "date_bounded_full_enumeration" : undefined;
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
