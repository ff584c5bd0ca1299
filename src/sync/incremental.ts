import { CloudKitError, isAboutTheAnswer, TokenRefused } from "../icloud/cloudkit/errors.ts";
import type { Library } from "../icloud/photos/types.ts";
import type { AlbumId, AssetId, MasterId } from "../library/asset.ts";
import { applyDelta } from "./apply.ts";
import { type Delta, isEmpty, readDelta } from "./delta.ts";
import { idsOf, type LibraryDeps, type Prepared, placedAlbums, prepare } from "./library.ts";
import type { FullReason } from "./memory.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums } from "./passes.ts";
import { Walk } from "./walk.ts";

/** Changes since a moment within an enumeration: they belong to it. */
export interface Within {
  readonly token: string;
  readonly scan: number;
  /** Whether the token may be moved on. */
  readonly keep: boolean;
}

/**
 * Brings a library up to date by what has changed since the stored token, or `within` an enumeration (cloudkit.md 4,
 * engine.md 5.8). Returns whether the token could be moved on; or why the library must be listed in full after all.
 */
export async function followChanges(
  library: Library,
  selected: boolean,
  deps: LibraryDeps,
  within?: Within,
): Promise<boolean | FullReason> {
  const { state, memory, tally, clock, stops, settings } = deps;
  const { zone } = library;
  const token = within?.token ?? state.zoneToken(zone);
  if (token === undefined) return "no_stored_token";
  const delta = await deltaOf(library, token, deps);
  if (typeof delta === "string") return delta;
  const isAsked = hasAlbums(library) && deps.foreign.isAsked;
  if (isEmpty(delta) && deps.foreign.passesFor(library).length === 0 && !isAsked) {
    if (!settings.dryRun && within?.keep !== false) state.setZoneToken(zone, delta.token);
    return true;
  }

  const prepared = await prepare(library, selected, token, deps);
  const scan = within?.scan ?? state.beginScan(zone, clock.now());
  deps.expect(delta.changed.size);
  const albums = prepared.listing?.complete === true ? new Set(idsOf(prepared.listing.albums)) : undefined;
  const vanished = vanishedMembers(library, albums, deps);
  // Before anything is taken in: with an album that is gone for good its memberships go, and what they tell.
  const hasLost = albums !== undefined && deps.foreign.hasLost(albums);
  if (hasLost) deps.foreign.listOthers();
  // First who is in albums that are new: else their photos would come to the rest.
  let walked = await walkAll(albumsDue(library, prepared, deps), scan, deps);
  const applied = await applyDelta(
    library,
    { ...delta, changed: new Map([...vanished, ...delta.changed]) },
    prepared.passes,
    { scan, albums },
    deps,
  );
  // Only now: until then, who was in albums that are gone is known by these alone.
  if (applied.complete && albums !== undefined) state.keepAlbums(zone, [...albums]);
  const photosChanged = delta.changed.size + delta.hidden.size + delta.gone.size > 0;
  const smart = photosChanged ? prepared.passes.filter((pass) => pass.smartFolder !== undefined) : [];
  walked = (await walkAll(smart, scan, deps)) && walked;
  const albumPasses = prepared.passes.filter(({ album, list }) => album !== undefined && list.kind === "album");
  const isDisturbed = albumPasses.some(({ album }) => album !== undefined && applied.foreign.has(album.id));
  const cut = deps.walk.newest.end();
  if (isDisturbed || hasLost || (isAsked && deps.foreign.isDue)) await deps.foreign.disturb(library, albumPasses);
  else if (isAsked) await deps.foreign.learnAll(library, albumPasses);
  await deps.cleanUp(library);
  if (stops.stopped || settings.dryRun) return false;
  if (within === undefined) state.endScan(zone, scan, false);
  if (!applied.complete || !walked || prepared.listing?.complete === false) {
    tally.tokenHeld = "asset_delta_hydration_incomplete";
    return false;
  }
  if (cut) {
    // What a number leaves out, no later change tells of.
    state.clearZoneToken(zone);
    tally.tokenHeld = "recent_limited_full_enumeration";
    return false;
  }
  if (within?.keep !== false) memory.keepToken(library, delta.token, placedAlbums(prepared.passes));
  return true;
}

/**
 * The changes, or why they can't be used. Trouble of the whole service is thrown: a full list would meet it too. What stays
 * wrong with this one answer leads to a list, after which the feed is read from a later place.
 */
async function deltaOf(library: Library, token: string, deps: LibraryDeps): Promise<Delta | FullReason> {
  const { photos, state, logger, cancel } = deps;
  try {
    const delta = await readDelta(photos, library, token, state, cancel);
    if (delta !== undefined) return delta;
    logger.info("very much has changed; everything is listed", { library: library.zone });
    return "other_static_reason";
  } catch (error) {
    if (error instanceof TokenRefused) {
      logger.info("Apple no longer takes the sync token; everything is listed", { library: library.zone });
      state.clearZoneToken(library.zone);
      return "no_stored_token";
    }
    // A library that is really gone says so again when it is listed (engine.md DC-3).
    if (!(error instanceof CloudKitError && isAboutTheAnswer(error.problem))) throw error;
    logger.info("Apple does not tell the changes; everything is listed", {
      library: library.zone,
      reason: error.message,
    });
    return "other_static_reason";
  }
}

/** Members of albums that are there no more: they may be in no album now. */
function vanishedMembers(
  { zone }: Library,
  albums: ReadonlySet<AlbumId> | undefined,
  { state }: LibraryDeps,
): ReadonlyMap<AssetId, MasterId | undefined> {
  const members = new Map<AssetId, MasterId | undefined>();
  if (albums === undefined) return members;
  for (const album of state.albumsWithMembers(zone)) {
    if (albums.has(album)) continue;
    for (const id of state.membersOf(zone, album)) members.set(id, state.asset(zone, id)?.masterId);
  }
  return members;
}

/**
 * Albums that the feed alone does not fill: those that were never walked, those that are selected since they have another
 * name, and albums of the other library that hold photos of this one.
 */
function albumsDue(
  library: Library,
  { passes, foreign, listing }: Prepared,
  { state, memory }: LibraryDeps,
): readonly Pass[] {
  const { zone } = library;
  for (const { id, name } of listing?.albums ?? []) state.nameAlbum(zone, id, name);
  const placed = memory.placedAlbums(library);
  return passes.filter((pass) => {
    if (pass.album === undefined) return false;
    if (foreign.includes(pass) || !state.isWalked(zone, pass.album.id)) return true;
    return pass.purpose === "place" && !placed.has(pass.album.id);
  });
}

/** Walks lists to their ends, one after the other. Returns whether all of them were told whole. */
async function walkAll(passes: readonly Pass[], scan: number, deps: LibraryDeps): Promise<boolean> {
  let complete = true;
  for (const pass of passes) {
    if (deps.stops.stopped) return false;
    const end = await new Walk(pass, scan, () => undefined, deps.walk).finish();
    complete &&= end.complete;
  }
  return complete;
}
