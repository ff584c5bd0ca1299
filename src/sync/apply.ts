import type { Library, LookupResult } from "../icloud/photos/types.ts";
import type { AlbumId, Asset, AssetId, MasterId } from "../library/asset.ts";
import type { Delta } from "./delta.ts";
import type { LibraryDeps } from "./library.ts";
import type { Pass } from "./pass.ts";

/** Photos looked up and planned at once: one request, and addresses that are minutes old at most. */
const BATCH = 100;

/** What the application of changes has left open. */
export interface Applied {
  /** Whether everything is on record; else the token must stay where it was. */
  readonly complete: boolean;
  /** Albums that have members of other libraries, new ones among them. */
  readonly foreign: ReadonlySet<AlbumId>;
}

/** What the changes are applied to. */
export interface Ground {
  readonly scan: number;
  /** The albums there are; undefined when that was not told whole. */
  readonly albums: ReadonlySet<AlbumId> | undefined;
}

/** A photo to look at again: its original, as far as it is known. */
type Wanted = Map<AssetId, MasterId | undefined>;

/**
 * Brings the catalogue up to what has changed in a library, and plans what follows from it: for each photo fresh records,
 * and all passes that it belongs to now (engine.md 5.8). What iCloud deletes stays on disk.
 */
export async function applyDelta(
  library: Library,
  delta: Delta,
  passes: readonly Pass[],
  ground: Ground,
  deps: LibraryDeps,
): Promise<Applied> {
  return await new Application(library, delta, passes, ground, deps).run();
}

class Application {
  readonly #library: Library;
  readonly #delta: Delta;
  readonly #passes: readonly Pass[];
  readonly #scan: number;
  readonly #albums: Ground["albums"];
  readonly #deps: LibraryDeps;
  readonly #foreign = new Set<AlbumId>();
  readonly #newestArrival: number;
  #complete = true;

  constructor(library: Library, delta: Delta, passes: readonly Pass[], { scan, albums }: Ground, deps: LibraryDeps) {
    this.#library = library;
    this.#delta = delta;
    this.#passes = passes;
    this.#scan = scan;
    this.#albums = albums;
    this.#deps = deps;
    this.#newestArrival = deps.state.newestArrival(library.zone) ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<Applied> {
    const { state, stops } = this.#deps;
    const wanted = state.transaction(() => this.#recordWhatIsKnown());
    const ids = [...wanted];
    for (let start = 0; start < ids.length; start += BATCH) {
      if (stops.stopped) return { complete: false, foreign: this.#foreign };
      await this.#take(new Map(ids.slice(start, start + BATCH)));
    }
    return { complete: this.#complete, foreign: this.#foreign };
  }

  /** What the feed says by itself; returns the photos about which Apple must be asked. */
  #recordWhatIsKnown(): Wanted {
    const { state } = this.#deps;
    const { zone } = this.#library;
    const wanted: Wanted = new Map(this.#delta.changed);
    for (const [id, rule] of this.#delta.hidden) {
      state.dropIssues(zone, id);
      const known = state.asset(zone, id);
      if (known === undefined) continue;
      const isDeleted = rule === "recently_deleted";
      state.putAsset({ ...known, isDeleted, isHidden: !isDeleted, disposition: "left-out", rule });
      state.dropUnwanted(zone, id, []);
    }
    for (const id of this.#delta.gone) {
      for (const album of state.albumsHolding(zone, id)) state.dropMember(album, id);
      state.forgetAsset(zone, id);
    }
    for (const { album, asset, removed } of this.#delta.relations) {
      if (removed) state.dropMember(album, asset);
      if (this.#delta.gone.has(asset)) continue;
      if (this.#delta.hidden.has(asset)) {
        // It may come back, and then nothing will be said of this.
        if (!removed && !this.#isGone(album)) state.putMember(zone, album, asset);
        continue;
      }
      if (removed && state.asset(zone, asset) === undefined) {
        // It may be a photo of another library that has lost its folder.
        this.#foreign.add(album);
        continue;
      }
      if (!wanted.has(asset)) wanted.set(asset, undefined);
    }
    for (const [id, masterId] of wanted) wanted.set(id, masterId ?? state.asset(zone, id)?.masterId);
    return wanted;
  }

  /** Fresh records of one batch, and the places that follow from them. */
  async #take(batch: Wanted): Promise<void> {
    const { state, tally, clock, walk } = this.#deps;
    const { zone } = this.#library;
    const results = await this.#lookUp(batch);
    const receivedAt = clock.now();
    const assets: Asset[] = [];
    const found = new Set<AssetId>();
    for (const result of results) {
      if (result.state === "found") {
        assets.push(result.asset);
        found.add(result.id);
      } else if (result.state === "gone") {
        state.forgetAsset(zone, result.id);
      } else {
        const reason = result.state === "broken" ? result.reason : "record-error";
        tally.issue(reason);
        state.putIssue(zone, this.#scan, result.id, reason, undefined);
        // A record that can't be used is on record; silence proves nothing and is asked again.
        if (result.state === "broken") continue;
        this.#complete = false;
        tally.enumerationError(`${zone}: Apple did not tell of some photos that have changed; the next run asks again`);
      }
    }
    this.#noteMembers(batch, found);
    await this.#recallMembers(assets);
    // As a list tells them: the newest first.
    assets.sort((a, b) => b.capturedAt - a.capturedAt || (a.id < b.id ? -1 : 1));
    for (const pass of this.#passes) {
      const theirs = assets.filter((asset) => this.#belongs(asset, pass));
      if (theirs.length === 0) continue;
      const jobs = await walk.planner.plan(pass, theirs, this.#scan, receivedAt);
      if (jobs.length > 0) await walk.beforeFirstByte();
      for (const job of jobs) {
        if (await walk.enqueue(job)) continue;
        this.#complete = false;
        return;
      }
      await walk.betweenPages(pass);
    }
  }

  /** Members that this library has; the others are those of another one. */
  #noteMembers(batch: Wanted, found: ReadonlySet<AssetId>): void {
    const { state } = this.#deps;
    const { zone } = this.#library;
    state.transaction(() => {
      for (const id of found)
        for (const album of state.albumsHolding(zone, id)) if (this.#isGone(album)) state.dropMember(album, id);
      for (const relation of this.#delta.relations) {
        if (relation.removed || !batch.has(relation.asset) || this.#isGone(relation.album)) continue;
        state.putRelations(zone, [relation]);
        if (found.has(relation.asset)) state.putMember(zone, relation.album, relation.asset);
        else this.#foreign.add(relation.album);
      }
    });
  }

  /** Whoever is in an album that is not there any more is in no album. */
  #isGone(album: AlbumId): boolean {
    return this.#albums !== undefined && !this.#albums.has(album);
  }

  /**
   * A photo that was hidden or in the trash comes back without a word about the albums it is in, and no list of theirs
   * has shown it meanwhile: they are asked for.
   */
  async #recallMembers(assets: readonly Asset[]): Promise<void> {
    const { photos, state, cancel } = this.#deps;
    const { zone } = this.#library;
    const back = assets.filter((asset) => {
      const known = state.asset(zone, asset.id);
      if (asset.isHidden || asset.isDeleted) return false;
      // Of one that is met for the first time although it is not new, nothing is known at all.
      if (known === undefined) return asset.addedAt !== undefined && asset.addedAt < this.#newestArrival;
      return known.isHidden || known.isDeleted;
    });
    const albums = this.#passes.flatMap(({ album, list }) =>
      album === undefined || list.kind !== "album" ? [] : album.id,
    );
    if (back.length === 0 || albums.length === 0) return;
    const ids = back.map(({ id }) => id);
    const relations = await photos.memberships(this.#library, ids, albums, cancel);
    state.transaction(() => {
      for (const { album, asset } of relations) state.putMember(zone, album, asset);
    });
  }

  #belongs(asset: Asset, pass: Pass): boolean {
    if (pass.purpose !== "place" || pass.smartFolder !== undefined) return false;
    if (pass.album === undefined) return true;
    return this.#deps.state.albumsHolding(asset.library, asset.id).includes(pass.album.id);
  }

  /** Photos whose originals are known in one request; the others, and those that have another one now, by their own records first. */
  async #lookUp(batch: Wanted): Promise<readonly LookupResult[]> {
    const { photos, cancel } = this.#deps;
    const known: Array<{ readonly id: AssetId; readonly masterId: MasterId }> = [];
    const unknown: AssetId[] = [];
    for (const [id, masterId] of batch) {
      if (masterId === undefined) unknown.push(id);
      else known.push({ id, masterId });
    }
    const answered = known.length === 0 ? [] : await photos.lookup(this.#library, known, cancel);
    const results = answered.filter(({ state }) => state !== "moved");
    unknown.push(...answered.flatMap(({ id, state }) => (state === "moved" ? [id] : [])));
    if (unknown.length === 0) return results;
    const pages = photos.list(
      this.#library,
      { kind: "named", ids: unknown },
      { signal: cancel, lookAhead: () => 1, seenBefore: () => false },
    );
    const missing = new Set<string>(unknown);
    for await (const page of pages) {
      for (const asset of page.assets) results.push({ id: asset.id, state: "found", asset });
      for (const { recordName, reason, detail } of page.issues) {
        if (recordName === undefined) continue;
        missing.delete(recordName);
        const state = reason === "record-error" ? "unknown" : "broken";
        results.push({ id: recordName as AssetId, state, reason: detail ?? reason });
      }
      for (const asset of page.assets) missing.delete(asset.id);
    }
    return [...results, ...[...missing].map((id) => ({ id: id as AssetId, state: "gone" }) as const)];
  }
}
