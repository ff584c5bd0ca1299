import { basename, join } from "node:path";
import { tempName } from "../download/temp.ts";
import type { Asset, Resource } from "../library/asset.ts";
import { isVerifiable } from "../library/checksum.ts";
import type { ChosenFile } from "../library/choose.ts";
import { pathKey } from "../library/pathkey.ts";
import type { FileKey, PlacementRow, RenditionRow } from "../state/types.ts";
import type { DiskView } from "./disk.ts";
import type { Pass } from "./pass.ts";
import { findPlace, holds } from "./placing.ts";
import type { Draft, PlannerDeps } from "./plan.ts";
import type { AssetOutcome } from "./tally.ts";

/** An asset as one pass meets it, with what the catalogue knew of it before. */
export interface AssetInPass {
  readonly asset: Asset;
  readonly pass: Pass;
  /** When its signed URLs arrived, ms. */
  readonly receivedAt: number;
  readonly rows: readonly RenditionRow[];
  readonly placements: readonly PlacementRow[];
  /** Leaf of the still's place: the motion half follows it (files.md NM-15). */
  stillName: string | undefined;
}

/** What becomes of one file, and where it stands or is to stand (relative to the download folder). */
export interface Planned {
  readonly outcome: AssetOutcome;
  readonly path: string | undefined;
}

/** The plan of one file of an asset in one pass (engine.md 1.6). */
export class FilePlan {
  readonly key: FileKey;

  constructor(
    readonly deps: PlannerDeps,
    readonly disk: DiskView,
    readonly draft: Draft,
    readonly about: AssetInPass,
    readonly file: ChosenFile,
  ) {
    this.key = { library: about.asset.library, asset: about.asset.id, rendition: file.rendition };
  }

  make(): Planned {
    const { perAsset } = this.deps;
    const { rows, placements, pass } = this.about;
    const { resource, rendition } = this.file;
    const row = rows.find((candidate) => candidate.rendition === rendition);
    const same = row?.checksum === resource.checksum;
    const here = placements.find(
      (place) => place.rendition === rendition && place.pass === pass.key && place.status !== "historical",
    );

    if (this.deps.retryOnly && row?.status !== "failed" && here?.status !== "failed") {
      return { outcome: row?.status === "downloaded" ? "by_state" : "retry_only", path: here?.path };
    }
    if (same && row.status === "failed" && perAsset > 0 && row.attempts >= perAsset) {
      return { outcome: "retry_exhausted", path: here?.path };
    }
    return (here === undefined ? undefined : this.#keepPlace(row, here, same)) ?? this.#newPlace();
  }

  /**
   * A file that has a place keeps it: a recorded name never changes. Undefined when the place can't be used any more
   * (other content is to come, or a different file stands there) and a new one is needed.
   */
  #keepPlace(row: RenditionRow | undefined, here: PlacementRow, same: boolean): Planned | undefined {
    const { state } = this.deps;
    const { key } = this;
    const { resource } = this.file;
    const kept: Planned = { outcome: "by_state", path: here.path };
    const owner = here.owner ? undefined : state.ownerOf(here.pathKey);
    if (owner !== undefined && owner.status !== "historical" && owner.checksum === resource.checksum) {
      return this.#share(here.path);
    }
    const found = this.disk.look(here.path);

    if (here.status === "present" && here.checksum === resource.checksum) {
      if (found.kind === "unreadable") {
        // Unknown is not missing: fetching it again could put a second copy beside a file that is there.
        return kept;
      }
      if (found.kind === "file" && found.size >= (here.localSize ?? resource.size)) {
        if (row !== undefined && row.status !== "downloaded" && same) state.adopt(this.#row(), this.deps.nowSeconds());
        return kept;
      }
      if (found.kind === "absent") {
        state.markMissing(key, here.pass);
        return this.#need(here.path);
      }
      // Cut short, or replaced by something that is no file: left alone, and a good copy is placed beside it.
      state.retirePlacement(key, here.pass);
      return undefined;
    }

    if (here.status === "present") {
      state.retirePlacement(key, here.pass);
      return undefined;
    }
    if (found.kind === "absent") {
      return this.#need(here.path);
    }
    if (found.kind === "file" && holds(this.disk, here.path, resource)) {
      return this.#adopt(here.path, found, "on_disk");
    }
    state.dropPlacement(key, here.pass);
    return undefined;
  }

  #newPlace(): Planned {
    const place = findPlace(this.deps, this.disk, this.about, this.file);
    switch (place.how) {
      case "adopt": {
        const found = this.disk.look(place.path);
        if (found.kind === "file")
          return this.#adopt(place.path, found, place.otherSpelling ? "ampm_variant" : "on_disk");
        return this.#need(place.path);
      }
      case "share":
        return this.#share(place.path);
      case "free":
        return this.#need(place.path);
    }
  }

  /** The bytes must come to `path`: commit the promise, and hand out the job. */
  #need(path: string): Planned {
    const { state, root, run, tempSuffix, nowSeconds } = this.deps;
    const { key } = this;
    const { resource } = this.file;
    const finalPath = join(root, path);
    const tempPath = join(
      finalPath,
      "..",
      tempName({ ...key, checksum: resource.checksum, leaf: basename(path), suffix: tempSuffix }),
    );
    const row = state.rendition(key);
    const onDiskElsewhere = row?.status === "downloaded" && row.checksum === resource.checksum;
    if (!onDiskElsewhere) state.putPending(this.#row(), run);
    state.putPlacement(this.#placement(path, "pending"));
    state.claimTemp({
      ...key,
      path: tempPath,
      checksum: resource.checksum,
      size: resource.size,
      run,
      createdAt: nowSeconds(),
    });
    const { from, shared } = this.#elsewhere(resource, path);
    this.draft.jobs.push({
      key,
      pass: this.about.pass.key,
      path,
      finalPath,
      tempPath,
      resource,
      receivedAt: this.about.receivedAt,
      modifiedAt: this.about.asset.capturedAt,
      from,
      shared,
    });
    this.draft.effects.push((tally) => {
      tally.filesPlanned += 1;
      if (!shared) tally.bytesPlanned += resource.size;
    });
    return { outcome: "forwarded", path };
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

  #adopt(path: string, found: { readonly size: number; readonly mtimeMs: number }, outcome: AssetOutcome): Planned {
    this.deps.state.adopt(this.#row(), this.deps.nowSeconds());
    this.deps.state.putPlacement({
      ...this.#placement(path, "present"),
      localSize: found.size,
      localMtime: Math.trunc(found.mtimeMs),
      method: "adopted",
    });
    this.draft.effects.push((tally) => {
      tally.adopted += 1;
    });
    return { outcome, path };
  }

  /** The very file of another row serves this one too. */
  #share(path: string): Planned {
    const { state } = this.deps;
    const { key } = this;
    const owner = state.ownerOf(pathKey(path, this.deps.traits));
    const present = owner?.status === "present";
    const onItsWay = !present && owner !== undefined && state.rendition(owner)?.dispatchRun === this.deps.run;
    if (!onItsWay && this.disk.look(path).kind === "absent") {
      // The owner may never be listed again (gone from iCloud, library no longer selected): this file takes its part.
      if (owner !== undefined) state.yieldPlace(owner, owner.pass);
      return this.#need(path);
    }
    if (present) {
      state.adopt(this.#row(), this.deps.nowSeconds());
    } else {
      // It waits for the owner's transfer, which is dispatched; this row itself is not.
      state.putPending(this.#row(), this.deps.run);
      state.putBack(key);
    }
    state.putPlacement({
      ...this.#placement(path, present ? "present" : "pending"),
      owner: false,
      localSize: owner?.localSize,
      localMtime: owner?.localMtime,
      method: "shared",
    });
    return { outcome: "by_state", path };
  }

  #row() {
    const { checksum, size, uti } = this.file.resource;
    return { ...this.key, checksum, size, uti };
  }

  #placement(path: string, status: PlacementRow["status"]): PlacementRow {
    return {
      ...this.key,
      pass: this.about.pass.key,
      path,
      pathKey: pathKey(path, this.deps.traits),
      owner: true,
      status,
      checksum: this.file.resource.checksum,
      localSize: undefined,
      localMtime: undefined,
      method: undefined,
    };
  }
}
