import { AlbumStore, relationName } from "./albums.ts";
import { assetData, FileMaker, masterData, masterFiles, plainAsset } from "./assemble.ts";
import {
  type AssetData,
  isAsset,
  type MasterData,
  type PlainData,
  type RecordData,
  type ResourcePrefix,
  type Stamp,
  type StoredRecord,
} from "./records.ts";
import type { AddedAsset, AssetSpec, ResourceSpec, Writer } from "./spec.ts";
import type { Zone } from "./zone.ts";

const DAY_MS = 86_400_000;
/** A trashed item is purged after 30 days; its record expires after 40 (cloudkit.md 5.6). */
export const PURGE_AFTER_MS = 30 * DAY_MS;
export const EXPIRE_AFTER_MS = 40 * DAY_MS;
/** `deviceID` of writes that came through the web. */
export const WEB_DEVICE = "2";
/** A web write moves the sequence by six, of which two or three records are visible (cloudkit.md 4.2, 9.8, 9.13). */
const WEB_WRITE_STEPS = 6;

/**
 * The photo account behind the double: its zones and what its owner does with the photos. Every act writes the records
 * that cloudkit.md 4.5 lists, with new sequence numbers, so that change feeds tell the same story.
 */
export class PhotoLibrary extends AlbumStore {
  readonly #files = new FileMaker(this.seed);

  /** New photo or import: CPLMaster, CPLAsset and the library's counters. */
  addAsset(spec: AssetSpec = {}): AddedAsset {
    const zone = this.zone(spec.zone ?? "PrimarySync");
    const stamp = this.stamp();
    const contributors = zone.isShared ? [spec.contributor ?? this.user] : undefined;
    const masterName = spec.master ?? this.#addMaster(zone, spec, stamp, contributors);
    const master = zone.master(masterName)?.data;
    const isLive = master?.resources.some((file) => file.prefix === "resOriginalVidCompl") ?? false;
    const id = spec.id ?? this.rng.uuid();
    const files = this.#files.all(spec.assetResources ?? {});
    const record = zone.create(id, assetData(spec, masterName, stamp.timestamp, files, isLive, contributors), stamp);
    if (spec.deletedAt !== undefined) this.#trash(record, spec.deletedAt);
    this.#count(zone, stamp);
    return { zone, id, masterName };
  }

  /** "Duplicate": another asset on the same master, which is written again. */
  duplicate(asset: AddedAsset, spec: AssetSpec = {}): AddedAsset {
    const original = asset.zone.asset(asset.id).data;
    const copy = this.addAsset({
      zone: asset.zone.name,
      master: asset.masterName,
      ...(typeof original.assetDate === "number" ? { assetDate: original.assetDate } : {}),
      ...spec,
    });
    this.#touchMaster(asset.zone, asset.masterName);
    return copy;
  }

  favourite(asset: AddedAsset, on = true, from: Writer = "device"): void {
    this.#change(asset, from, (data) => {
      data.isFavorite = on ? 1 : 0;
    });
  }

  hide(asset: AddedAsset, on = true, from: Writer = "device"): void {
    this.#change(asset, from, (data) => {
      data.isHidden = on ? 1 : 0;
    });
  }

  /** Any other change of the asset record: title, date, place. */
  update(asset: AddedAsset, change: (data: AssetData) => void): void {
    this.#change(asset, "device", change);
  }

  /** An edit: a new full-size rendition on the asset, the master untouched. */
  edit(asset: AddedAsset, files: Readonly<Partial<Record<ResourcePrefix, ResourceSpec>>>): void {
    this.#change(asset, "device", (data) => {
      data.adjustmentType = "com.apple.photo";
      data.adjustmentRenderType = 3074;
      data.resources = this.#files.all(files);
    });
  }

  revertEdit(asset: AddedAsset): void {
    this.#change(asset, "device", (data) => {
      data.adjustmentType = undefined;
      data.adjustmentRenderType = 0;
      data.resources = [];
    });
  }

  /** Into Recently Deleted: asset, normally the master, and the counters. */
  softDelete(asset: AddedAsset, from: Writer = "device"): void {
    const { zone, id } = asset;
    const stamp = this.stamp(from === "web" ? WEB_DEVICE : undefined);
    const start = zone.sequence;
    const record = zone.asset(id);
    this.#trash(record, stamp.timestamp);
    if (from === "web") record.data.isExpunged = undefined;
    zone.touch(record, stamp);
    this.#trashMaster(zone, record, stamp);
    this.#count(zone, stamp);
    if (from === "web") zone.skip(WEB_WRITE_STEPS - (zone.sequence - start));
  }

  /** Out of Recently Deleted: the asset only; a restore through the web leaves 0 behind instead of nothing. */
  restore(asset: AddedAsset, from: Writer = "device"): void {
    this.#change(asset, from, (data, record) => {
      data.isDeleted = from === "web" ? 0 : undefined;
      data.isExpunged = undefined;
      data.dateExpunged = undefined;
      data.trashReason = undefined;
      record.expirationTime = undefined;
    });
    const master = asset.zone.master(asset.masterName);
    if (master === undefined) return;
    master.data.isDeleted = undefined;
    master.data.dateExpunged = undefined;
    master.expirationTime = undefined;
  }

  /** Gone for good: tombstones of the asset and, with its last asset, of the master. */
  purge(asset: AddedAsset): void {
    const { zone, id, masterName } = asset;
    const stamp = this.stamp();
    for (const album of zone.albums()) {
      const name = relationName(id, album.name);
      if (zone.get(name)?.data.kind === "relation") zone.remove(name, stamp);
    }
    zone.remove(id, stamp);
    if (zone.assetsOf(masterName).length === 0) zone.remove(masterName, stamp);
    this.#count(zone, stamp);
  }

  /** Own photo into a shared library: the same master in both zones, the personal pair in the trash. */
  moveToShared(asset: AddedAsset, shared: Zone): AddedAsset {
    const moved = this.#copyTo(asset, shared);
    this.softDelete(asset);
    return moved;
  }

  /** A shared photo back into the personal library: moved, which is not deleted (cloudkit.md 4.5). */
  moveToPersonal(asset: AddedAsset): AddedAsset {
    const moved = this.#copyTo(asset, this.primary);
    this.softDelete(asset);
    this.#change(asset, "device", (data) => {
      data.trashReason = 0;
      data.deletedBy = this.user;
      data.isExpunged = 1;
    });
    return moved;
  }

  /** A placeholder in PrimarySync for something that lives in a shared zone (cloudkit.md 4.6). */
  addSparse(link: { readonly zone: Zone; readonly record: string }, assetDate: number = this.now()): string {
    const stamp = this.stamp();
    const id = this.rng.uuid();
    this.primary.create<AssetData>(
      id,
      {
        ...plainAsset(undefined, assetDate, stamp.timestamp),
        sparse: { zone: link.zone.name, owner: link.zone.owner, record: link.record },
      },
      stamp,
    );
    return id;
  }

  #addMaster(zone: Zone, spec: AssetSpec, stamp: Stamp, contributors: readonly string[] | undefined): string {
    const resources = this.#files.all(masterFiles(spec));
    const original = resources[0];
    if (original === undefined) throw new Error("a master needs an original");
    const name = spec.masterName ?? original.body.checksum;
    // Importing the same bytes again makes a second asset on the master that is there already.
    if (zone.master(name) === undefined)
      zone.create(name, masterData(spec, resources, stamp.timestamp, contributors), stamp);
    return name;
  }

  #change(
    { zone, id }: AddedAsset,
    from: Writer,
    change: (data: AssetData, record: StoredRecord<AssetData>) => void,
  ): void {
    const stamp = this.stamp(from === "web" ? WEB_DEVICE : undefined);
    const start = zone.sequence;
    const record = zone.asset(id);
    change(record.data, record);
    zone.touch(record, stamp);
    this.#count(zone, stamp);
    if (from === "web") zone.skip(WEB_WRITE_STEPS - (zone.sequence - start));
  }

  #trash(record: StoredRecord<AssetData>, at: number): void {
    record.data.isDeleted = 1;
    record.data.isExpunged = 0;
    record.data.dateExpunged = at + PURGE_AFTER_MS;
    record.data.trashReason = 1;
    record.expirationTime = Math.floor((at + EXPIRE_AFTER_MS) / 1000);
  }

  /** The master follows into the trash unless another live asset uses it. */
  #trashMaster(zone: Zone, record: StoredRecord<AssetData>, stamp: Stamp): void {
    const name = record.data.masterName;
    const master = name === undefined ? undefined : zone.master(name);
    if (name === undefined || master === undefined) return;
    const sibling = zone.assetsOf(name).some((other) => zone.asset(other).data.isDeleted !== 1);
    if (sibling) return;
    master.data.isDeleted = 1;
    master.data.dateExpunged = record.data.dateExpunged;
    master.expirationTime = record.expirationTime;
    zone.touch(master, stamp);
  }

  #touchMaster(zone: Zone, name: string): void {
    const master = zone.master(name);
    if (master !== undefined) zone.touch(master, this.stamp());
  }

  #copyTo(asset: AddedAsset, target: Zone): AddedAsset {
    const stamp = this.stamp();
    const record = asset.zone.asset(asset.id);
    const master = asset.zone.master(asset.masterName);
    if (master === undefined) throw new Error(`no master ${asset.masterName}`);
    const contributors = target.isShared ? [this.user] : undefined;
    const existing = target.get(asset.masterName);
    if (existing === undefined || existing.data.kind === "tombstone") {
      target.create<MasterData>(
        asset.masterName,
        { ...master.data, isDeleted: undefined, dateExpunged: undefined, contributors },
        stamp,
      );
    }
    const id = this.rng.uuid();
    target.create<AssetData>(
      id,
      {
        ...record.data,
        isDeleted: undefined,
        isExpunged: undefined,
        dateExpunged: undefined,
        trashReason: target.isShared ? 0 : undefined,
        deletedBy: undefined,
        contributors,
      },
      stamp,
    );
    if (target.isShared) this.#quota(target, stamp);
    this.#count(target, stamp);
    return { zone: target, id, masterName: asset.masterName };
  }

  #quota(zone: Zone, stamp: Stamp): void {
    const name = `SharedLibraryQuota-${this.user}`;
    const known = zone.get(name);
    if (known !== undefined) {
      zone.touch(known, stamp);
      return;
    }
    const fields = { contributedQuotaInSharedLibrary: { value: 1, type: "INT64" } };
    zone.create<PlainData>(name, { kind: "plain", fields }, stamp, "CPLSharedLibraryQuota");
  }

  /** CPLLibraryInfo: comes with nearly every change. Its figures are made when it is sent. */
  #count(zone: Zone, stamp: Stamp): void {
    const name = `${zone.name}-0000-LI`;
    const known = zone.get(name);
    if (known === undefined) zone.create<RecordData>(name, { kind: "plain", fields: {} }, stamp, "CPLLibraryInfo");
    else zone.touch(known, stamp);
  }
}

/** The asset behind a record name, e.g. one that a listing showed. */
export function assetHandle(library: PhotoLibrary, id: string, zone: Zone = library.primary): AddedAsset {
  const record = zone.get(id);
  if (!isAsset(record)) throw new Error(`no asset ${id} in ${zone.name}`);
  return { zone, id, masterName: record.data.masterName ?? "" };
}
