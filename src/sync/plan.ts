import { basename, join } from "node:path";
import { tempName } from "../download/temp.ts";
import type { Asset, Rendition, Resource } from "../library/asset.ts";
import { isVerifiable } from "../library/checksum.ts";
import { type ChosenFile, chooseFiles, type FileRole } from "../library/choose.ts";
import { fileName, type NamingSettings } from "../library/names.ts";
import { type PathTraits, pathKey } from "../library/pathkey.ts";
import { choosePlace } from "../library/place.ts";
import { renderFolder } from "../library/template.ts";
import type { AssetRow, FileKey, PlacementRow, RenditionRow, State } from "../state/types.ts";
import { DiskView } from "./disk.ts";
import type { Job } from "./jobs.ts";
import type { Pass } from "./pass.ts";
import type { AssetOutcome, Tally } from "./tally.ts";

/** What a plan is made from. */
export interface PlannerDeps {
  readonly state: State;
  readonly tally: Tally;
  /** Absolute download folder. */
  readonly root: string;
  readonly naming: NamingSettings;
  readonly traits: PathTraits;
  readonly tempSuffix: string;
  /** Lifetime attempts per file; 0: no cap. */
  readonly perAsset: number;
  /** Only files that failed before are taken up (engine.md 1.9). */
  readonly retryOnly: boolean;
  readonly run: number;
  /** Ends planning between two files that have to be read. */
  readonly signal: AbortSignal;
  /** Seconds since the epoch, for new claims. */
  readonly nowSeconds: () => number;
}

/** Thrown inside a transaction to take its writes back: the folder must be looked at first. */
class LookFirst extends Error {}

/** What one page's plan will have changed once its transaction stands. */
interface Draft {
  readonly jobs: Job[];
  readonly effects: Array<(tally: Tally) => void>;
}

/**
 * Decides, page by page and in listing order, what is to be done for each asset (engine.md 1.6, files.md 6), and
 * commits the rows that promise it before any work starts. The order of the list alone decides names: nothing here
 * depends on what the workers are doing.
 */
export class Planner {
  readonly #deps: PlannerDeps;

  constructor(deps: PlannerDeps) {
    this.#deps = deps;
  }

  /**
   * Plans one page of `pass`, listed in scan `scan`. When it returns, every returned job has a committed row, place
   * and temporary file claim. `receivedAt` is when the page's signed URLs arrived.
   */
  async plan(pass: Pass, assets: readonly Asset[], scan: number, receivedAt: number): Promise<readonly Job[]> {
    const disk = new DiskView(this.#deps.root);
    for (;;) {
      const draft: Draft = { jobs: [], effects: [] };
      try {
        this.#deps.state.transaction(() => {
          for (const asset of assets) new AssetPlan(this.#deps, disk, draft, pass, asset, scan, receivedAt).make();
          if (disk.incomplete) throw new LookFirst();
        });
      } catch (error) {
        if (!(error instanceof LookFirst)) throw error;
        await disk.resolve(this.#deps.signal);
        continue;
      }
      for (const effect of draft.effects) effect(this.#deps.tally);
      return draft.jobs;
    }
  }
}

const STRENGTH: readonly AssetOutcome[] = ["retry_only", "retry_exhausted", "by_state", "on_disk", "forwarded"];

/** What these renditions are to an asset; without the others a backup is whole. */
const ROLE_OF: Partial<Record<Rendition, FileRole>> = { original: "primary", live_original: "motion" };

/** The plan of one asset in one pass. */
class AssetPlan {
  readonly #outcomes: AssetOutcome[] = [];
  #placements: readonly PlacementRow[] = [];
  /** Leaf of the still's place: the motion half follows it (files.md NM-15). */
  #stillName: string | undefined;

  constructor(
    readonly deps: PlannerDeps,
    readonly disk: DiskView,
    readonly draft: Draft,
    readonly pass: Pass,
    readonly asset: Asset,
    readonly scan: number,
    readonly receivedAt: number,
  ) {}

  make(): void {
    const { state } = this.deps;
    const { asset } = this;
    const known = state.asset(asset.library, asset.id);
    const first = known?.seenScan !== this.scan;
    this.#effect((tally) => {
      if (first) tally.seen += 1;
      else tally.duplicates += 1;
    });

    if (this.deps.retryOnly && known === undefined) {
      // A new photo is for the next ordinary run, which must find it as new as it is now.
      this.#effect((tally) => tally.skip("retry_only"));
      return;
    }
    const rule = this.#leftOutBy();
    if (rule !== undefined) {
      if (first) {
        this.#record("left-out", rule);
        this.#effect((tally) => tally.skip(rule));
      }
      return;
    }

    const chosen = chooseFiles(asset);
    if (chosen.length === 0) {
      const defect = asset.defects[0]?.reason ?? "no-usable-file";
      if (first) this.#effect((tally) => tally.countBroken(defect));
      this.#record("broken", defect);
      return;
    }
    this.#record("wanted", undefined);
    const edited = asset.renditions.adjusted !== undefined && !chosen.some((file) => file.rendition === "adjusted");
    if (first && edited) {
      this.#effect((tally) => {
        tally.edited += 1;
      });
    }
    if (first) this.#tellDefects(chosen);
    this.#placements = state.placementsOf(asset.library, asset.id);
    for (const file of chosen) this.#planFile(file);
    if (first) this.#count();
  }

  /** Files that are wanted but can't be had, because of what Apple says of them: each is told, the others are saved. */
  #tellDefects(chosen: readonly ChosenFile[]): void {
    const { asset, scan } = this;
    for (const { rendition, reason } of asset.defects) {
      const role = ROLE_OF[rendition];
      if (role === undefined || chosen.some((file) => file.role === role)) continue;
      this.deps.state.putIssue(asset.library, scan, asset.id, reason, rendition);
      this.#effect((tally) => {
        tally.issue(reason);
        tally.incomplete += 1;
      });
    }
  }

  #leftOutBy(): string | undefined {
    if (this.asset.isDeleted) return "recently_deleted";
    if (this.asset.isHidden) return "hidden";
    if (this.pass.onlyUnfiled && this.deps.state.isFiled(this.asset.library, this.asset.id)) return "by_excluded_album";
    return undefined;
  }

  #record(disposition: AssetRow["disposition"], rule: string | undefined): void {
    const { asset, scan } = this;
    this.deps.state.putAsset({
      library: asset.library,
      id: asset.id,
      masterId: asset.masterId,
      filename: asset.filename,
      kind: asset.kind,
      capturedAt: asset.capturedAt,
      timeZoneOffset: asset.timeZoneOffset,
      addedAt: asset.addedAt,
      isFavorite: asset.isFavorite,
      isHidden: asset.isHidden,
      isDeleted: asset.isDeleted,
      changeTag: asset.changeTag,
      disposition,
      rule,
      seenScan: scan,
    });
  }

  /** The strongest outcome of its files is the asset's (engine.md PL-23). */
  #count(): void {
    const strongest = STRENGTH.findLast((outcome) => this.#outcomes.includes(outcome)) ?? "by_state";
    this.#effect((tally) => {
      if (strongest === "forwarded") tally.forwarded += 1;
      else tally.skip(strongest);
    });
  }

  #effect(change: (tally: Tally) => void): void {
    this.draft.effects.push(change);
  }

  #planFile(file: ChosenFile): void {
    const { state, perAsset } = this.deps;
    const { resource } = file;
    const key: FileKey = { library: this.asset.library, asset: this.asset.id, rendition: file.rendition };
    const row = state.rendition(key);
    const same = row?.checksum === resource.checksum;
    const here = this.#placements.find(
      (place) => place.rendition === file.rendition && place.pass === this.pass.key && place.status !== "historical",
    );

    if (this.deps.retryOnly && row?.status !== "failed" && here?.status !== "failed") {
      if (here !== undefined) this.#noteStill(file, here.path);
      this.#outcomes.push(row?.status === "downloaded" ? "by_state" : "retry_only");
      return;
    }
    if (same && row.status === "failed" && perAsset > 0 && row.attempts >= perAsset) {
      if (here !== undefined) this.#noteStill(file, here.path);
      this.#outcomes.push("retry_exhausted");
      return;
    }
    if (here !== undefined && this.#keepsItsPlace(file, key, row, here, same)) return;
    this.#findPlace(file, key);
  }

  /**
   * A file that has a place keeps it: a recorded name never changes. False when the place can't be used any more
   * (other content is to come, or a different file stands there) and a new one is needed.
   */
  #keepsItsPlace(
    file: ChosenFile,
    key: FileKey,
    row: RenditionRow | undefined,
    here: PlacementRow,
    same: boolean,
  ): boolean {
    const { state } = this.deps;
    const { resource } = file;
    const owner = here.owner ? undefined : state.ownerOf(here.pathKey);
    if (owner !== undefined && owner.status !== "historical" && owner.checksum === resource.checksum) {
      this.#share(file, key, here.path);
      return true;
    }
    const found = this.disk.look(here.path);

    if (here.status === "present" && here.checksum === resource.checksum) {
      if (found.kind === "unreadable") {
        // Unknown is not missing: fetching it again could put a second copy beside a file that is there.
        this.#noteStill(file, here.path);
        this.#outcomes.push("by_state");
        return true;
      }
      if (found.kind === "file" && found.size >= (here.localSize ?? resource.size)) {
        if (row !== undefined && row.status !== "downloaded" && same) state.adopt({ ...key, ...resource }, this.#now());
        this.#noteStill(file, here.path);
        this.#outcomes.push("by_state");
        return true;
      }
      if (found.kind === "absent") {
        state.markMissing(key, here.pass);
        this.#need(file, key, here.path);
        return true;
      }
      // Cut short, or replaced by something that is no file: left alone, and a good copy is placed beside it.
      state.retirePlacement(key, here.pass);
      return false;
    }

    if (here.status === "present") {
      state.retirePlacement(key, here.pass);
      return false;
    }
    if (found.kind === "absent") {
      this.#need(file, key, here.path);
      return true;
    }
    if (found.kind === "file" && this.#holds(here.path, resource)) {
      this.#adopt(file, key, here.path, found.size, found.mtimeMs);
      return true;
    }
    state.dropPlacement(key, here.pass);
    return false;
  }

  /** First placement of this file in this pass: the planned name, or the first free one after it (files.md 6.2). */
  #findPlace(file: ChosenFile, key: FileKey): void {
    const { naming, traits, state } = this.deps;
    const { asset, pass } = this;
    const folder = renderFolder(
      pass.template,
      {
        capturedAt: asset.capturedAt,
        timeZoneOffset: asset.timeZoneOffset,
        album: pass.album?.name,
        library: asset.library,
      },
      { windows: naming.windows === true },
    );
    const leaf = fileName(asset, file, naming, this.#stillName);
    const place = choosePlace(
      { folder, leaf, role: file.role, size: file.resource.size, assetId: asset.id, policy: naming.fileMatchPolicy },
      (path) => {
        const owner = state.ownerOf(pathKey(path, traits));
        if (owner !== undefined) {
          const same = owner.checksum === file.resource.checksum && owner.status !== "historical";
          if (same && isSameFile(owner, key)) return { by: "this-file" };
          const size = state.rendition(owner)?.size ?? 0;
          return { by: "other-asset", size, sameContent: same, otherLibrary: owner.library !== key.library };
        }
        const found = this.disk.look(path);
        if (found.kind === "absent") return undefined;
        if (found.kind !== "file") return { by: "not-a-file" };
        const same = found.size === file.resource.size && this.#holds(path, file.resource);
        return { by: "stray-file", size: found.size, sameContent: same };
      },
    );
    if (place.how === "adopt") {
      const found = this.disk.look(place.path);
      if (found.kind === "file") this.#adopt(file, key, place.path, found.size, found.mtimeMs);
      return;
    }
    if (place.how === "share") {
      this.#share(file, key, place.path);
      return;
    }
    this.#need(file, key, place.path);
  }

  #holds(path: string, resource: Resource): boolean {
    return isVerifiable(resource.checksum) && this.disk.holds(path, resource.checksum, resource.size);
  }

  /** The bytes must come to `path`: commit the promise, and hand out the job. */
  #need(file: ChosenFile, key: FileKey, path: string): void {
    const { state, root, run, tempSuffix, nowSeconds } = this.deps;
    const { resource } = file;
    const finalPath = join(root, path);
    const tempPath = join(
      finalPath,
      "..",
      tempName({ ...key, checksum: resource.checksum, leaf: basename(path), suffix: tempSuffix }),
    );
    const row = state.rendition(key);
    const onDiskElsewhere = row?.status === "downloaded" && row.checksum === resource.checksum;
    if (!onDiskElsewhere)
      state.putPending({ ...key, checksum: resource.checksum, size: resource.size, uti: resource.uti }, run);
    state.putPlacement(this.#placement(key, path, resource, "pending"));
    state.claimTemp({
      ...key,
      path: tempPath,
      checksum: resource.checksum,
      size: resource.size,
      run,
      createdAt: nowSeconds(),
    });
    this.#noteStill(file, path);
    this.#outcomes.push("forwarded");
    const { from, shared } = this.#elsewhere(resource, path);
    this.draft.jobs.push({
      key,
      pass: this.pass.key,
      path,
      finalPath,
      tempPath,
      resource,
      receivedAt: this.receivedAt,
      modifiedAt: this.asset.capturedAt,
      from,
      shared,
    });
    this.#effect((tally) => {
      tally.filesPlanned += 1;
      if (!shared) tally.bytesPlanned += resource.size;
    });
  }

  /** Whether other places hold or await the same proven bytes, and where they are on disk by now. */
  #elsewhere(resource: Resource, path: string): { readonly from: string | undefined; readonly shared: boolean } {
    if (!isVerifiable(resource.checksum)) return { from: undefined, shared: false };
    const others = this.deps.state.placesWith(resource.checksum, 4).filter((place) => place.path !== path);
    const source = others.find((place) => {
      if (place.status !== "present") return false;
      const found = this.disk.look(place.path);
      return found.kind === "file" && found.size === resource.size;
    });
    return { from: source === undefined ? undefined : join(this.deps.root, source.path), shared: others.length > 0 };
  }

  #adopt(file: ChosenFile, key: FileKey, path: string, size: number, mtimeMs: number): void {
    const { resource } = file;
    this.deps.state.adopt({ ...key, checksum: resource.checksum, size: resource.size, uti: resource.uti }, this.#now());
    this.deps.state.putPlacement({
      ...this.#placement(key, path, resource, "present"),
      localSize: size,
      localMtime: Math.trunc(mtimeMs),
      method: "adopted",
    });
    this.#noteStill(file, path);
    this.#outcomes.push("on_disk");
    this.#effect((tally) => {
      tally.adopted += 1;
    });
  }

  /** The very file of another row serves this one too. */
  #share(file: ChosenFile, key: FileKey, path: string): void {
    const { state } = this.deps;
    const { resource } = file;
    const owner = state.ownerOf(pathKey(path, this.deps.traits));
    const present = owner?.status === "present";
    const onItsWay = !present && owner !== undefined && state.rendition(owner)?.dispatchRun === this.deps.run;
    if (!onItsWay && this.disk.look(path).kind === "absent") {
      // The owner may never be listed again (gone from iCloud, library no longer selected): this file takes its part.
      if (owner !== undefined) state.yieldPlace(owner, owner.pass);
      this.#need(file, key, path);
      return;
    }
    const row = { ...key, checksum: resource.checksum, size: resource.size, uti: resource.uti };
    if (present) {
      state.adopt(row, this.#now());
    } else {
      // It waits for the owner's transfer, which is dispatched; this row itself is not.
      state.putPending(row, this.deps.run);
      state.putBack(key);
    }
    state.putPlacement({
      ...this.#placement(key, path, resource, present ? "present" : "pending"),
      owner: false,
      localSize: owner?.localSize,
      localMtime: owner?.localMtime,
      method: "shared",
    });
    this.#noteStill(file, path);
    this.#outcomes.push("by_state");
  }

  #placement(key: FileKey, path: string, resource: Resource, status: PlacementRow["status"]): PlacementRow {
    return {
      ...key,
      pass: this.pass.key,
      path,
      pathKey: pathKey(path, this.deps.traits),
      owner: true,
      status,
      checksum: resource.checksum,
      localSize: undefined,
      localMtime: undefined,
      method: undefined,
    };
  }

  #noteStill(file: ChosenFile, path: string): void {
    if (file.role === "primary") this.#stillName = basename(path);
  }

  #now(): number {
    return this.deps.nowSeconds();
  }
}

function isSameFile(a: FileKey, b: FileKey): boolean {
  return a.library === b.library && a.asset === b.asset && a.rendition === b.rendition;
}
