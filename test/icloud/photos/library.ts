import { assetData, FileMaker, masterData, masterFiles, plainAsset } from "./assemble.ts";
import { createRng, type Rng, type Seed } from "./random.ts";
import {
  type AlbumData,
  type AssetData,
  encoded,
  isAsset,
  type MasterData,
  type PlainData,
  type RecordData,
  type RelationData,
  type Resource,
  type ResourcePrefix,
  type Spoil,
  type Stamp,
  type StoredRecord,
} from "./records.ts";
import type { AddedAsset, AlbumSpec, AssetSpec, LibraryOptions, ResourceSpec, Writer } from "./spec.ts";
import { Zone, type ZoneOptions } from "./zone.ts";

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
export class PhotoLibrary {
  readonly seed: Seed;
  readonly user: string;
  readonly rng: Rng;
  readonly zones: Zone[] = [];
  /** Follows the double's clock once it serves this library. */
  now: () => number;
  #writes = 0;
  readonly #files: FileMaker;
  readonly #forgotten = new Set<string>();
  readonly #device: string;
  readonly #resources = new Map<string, { readonly resource: Resource; readonly zone: Zone; readonly owner: string }>();

  constructor(options: LibraryOptions = {}) {
    this.seed = options.seed ?? 1;
    this.#files = new FileMaker(this.seed);
    this.rng = createRng(`library/${this.seed}`);
    this.now = options.now ?? Date.now;
    this.user = options.user ?? `_${Buffer.from(createRng(`user/${this.seed}`).bytes(16)).toString("hex")}`;
    this.#device = Buffer.from(createRng(`device/${this.seed}`).bytes(32))
      .toString("hex")
      .toUpperCase();
    this.addZone({
      name: "PrimarySync",
      database: "private",
      ...(options.sequence === undefined ? {} : { sequence: options.sequence }),
      ...(options.tokenConstant === undefined ? {} : { tokenConstant: options.tokenConstant }),
    });
  }

  /** Writes of all zones so far; what database tokens count. */
  get writes(): number {
    return this.#writes;
  }

  get primary(): Zone {
    return this.zone("PrimarySync");
  }

  zone(name: string): Zone {
    const zone = this.zones.find((candidate) => candidate.name === name);
    if (zone === undefined) throw new Error(`no zone ${name}`);
    return zone;
  }

  addZone(options: Omit<ZoneOptions, "owner" | "onWrite"> & { readonly owner?: string }): Zone {
    const zone = new Zone({
      ...options,
      owner: options.owner ?? this.user,
      onWrite: () => {
        this.#writes += 1;
        return this.#writes;
      },
    });
    this.zones.push(zone);
    return zone;
  }

  /** A shared library: in `private` for its owner, in `shared` for everybody else (cloudkit.md 2.2). */
  addSharedLibrary(role: "owner" | "participant", id: string = this.rng.uuid()): Zone {
    const other = `_${Buffer.from(createRng(`other/${this.seed}/${id}`).bytes(16)).toString("hex")}`;
    return this.addZone({
      name: `SharedSync-${id}`,
      database: role === "owner" ? "private" : "shared",
      owner: role === "owner" ? this.user : other,
    });
  }

  /** Zones that are no libraries and must not be touched. */
  addDecoys(): void {
    for (const prefix of ["CMM-", "SharedCollection-", "AppLibrarySync-com.apple.GenerativePlayground-"]) {
      this.addZone({ name: `${prefix}${this.rng.uuid()}`, database: "private", role: "decoy" });
    }
    this.addZone({ name: `SharedSync-${this.rng.uuid()}`, database: "private", deleted: true });
  }

  stamp(deviceId: string = this.#device, at: number = this.now()): Stamp {
    return { timestamp: at, userRecordName: this.user, deviceId };
  }

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

  createAlbum(spec: AlbumSpec | string): string {
    const wanted: AlbumSpec = typeof spec === "string" ? { name: spec } : spec;
    const stamp = this.stamp();
    this.ensureRoot();
    const id = wanted.id ?? this.rng.uuid();
    const data: AlbumData = {
      kind: "album",
      name: wanted.name === null ? undefined : encoded(wanted.name),
      albumType: wanted.albumType ?? 0,
      parentId: wanted.parent,
      position: wanted.position ?? 1024 * (1 + [...this.primary.albums()].length),
      sortType: 0,
      modificationDate: stamp.timestamp,
    };
    this.primary.create(id, data, stamp);
    return id;
  }

  createFolder(name: string, parent?: string): string {
    return this.createAlbum({ name, albumType: 3, ...(parent === undefined ? {} : { parent }) });
  }

  /** The sentinel that comes first in the list of albums (cloudkit.md 3.7). */
  ensureRoot(): void {
    if (this.primary.get(ROOT_FOLDER) !== undefined) return;
    const stamp = this.stamp();
    this.primary.create<AlbumData>(
      ROOT_FOLDER,
      {
        kind: "album",
        name: undefined,
        albumType: 3,
        parentId: undefined,
        position: 0,
        sortType: 0,
        modificationDate: stamp.timestamp,
      },
      stamp,
    );
  }

  renameAlbum(album: string, name: string): void {
    this.#changeAlbum(album, (data) => {
      data.name = encoded(name);
    });
  }

  moveAlbum(album: string, parent: string | undefined): void {
    this.#changeAlbum(album, (data) => {
      data.parentId = parent;
    });
  }

  /** `isDeleted`; with `purged`, a tombstone, and tombstones of its memberships. */
  deleteAlbum(album: string, purged = false): void {
    if (!purged) {
      this.#changeAlbum(album, (data) => {
        data.isDeleted = 1;
      });
      return;
    }
    const stamp = this.stamp();
    for (const relation of [...this.primary.relationsOf(album)]) this.primary.remove(relation.name, stamp);
    this.primary.remove(album, stamp);
  }

  /** A relation in PrimarySync, also for members that live in a shared zone, and the album's record. */
  addToAlbum(asset: AddedAsset, album: string): void {
    const stamp = this.stamp();
    const data: RelationData = {
      kind: "relation",
      itemId: asset.id,
      containerId: album,
      position: 1024 * (1 + [...this.primary.relationsOf(album)].length),
      isKeyAsset: 0,
    };
    this.primary.create(relationName(asset.id, album), data, stamp);
    this.#changeAlbum(album);
  }

  removeFromAlbum(asset: AddedAsset, album: string): void {
    this.primary.remove(relationName(asset.id, album), this.stamp());
    this.#changeAlbum(album);
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

  /** Records of other kinds: they move the token and mean nothing to a downloader. */
  addNoise(zone: Zone = this.primary, count = 1): void {
    const types = ["CPLFaceCrop", "CPLPerson", "CPLMemory", "CPLSuggestion"];
    for (let index = 0; index < count; index += 1) {
      const data: PlainData = { kind: "plain", fields: { version: { value: 1, type: "INT64" } } };
      zone.create(this.rng.uuid(), data, this.stamp(), types[index % types.length] ?? "CPLFaceCrop");
    }
  }

  /** Spoils what the double sends of a record, without touching what the library knows about it. */
  spoil(zone: Zone, recordName: string, spoil: Spoil): void {
    const record = zone.get(recordName);
    if (record === undefined) throw new Error(`no record ${recordName} in ${zone.name}`);
    record.spoils = [...(record.spoils ?? []), spoil];
  }

  /** Which file a checksum names; what the CDN serves. */
  resource(checksum: string): { readonly resource: Resource; readonly zone: Zone; readonly owner: string } | undefined {
    return this.#resources.get(checksum);
  }

  /** Called when a download URL is made. */
  publish(resource: Resource, zone: Zone, owner: string): void {
    const { checksum } = resource.body;
    if (!this.#resources.has(checksum) && !this.#forgotten.has(checksum))
      this.#resources.set(checksum, { resource, zone, owner });
  }

  /** Makes a CDN forget a file: a resource that is gone (404). */
  forget(checksum: string): void {
    this.#resources.delete(checksum);
    this.#forgotten.add(checksum);
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

  #changeAlbum(album: string, change?: (data: AlbumData) => void): void {
    const stamp = this.stamp();
    const record = this.primary.album(album);
    change?.(record.data);
    record.data.modificationDate = stamp.timestamp;
    this.primary.touch(record, stamp);
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

export const ROOT_FOLDER = "----Root-Folder----";

export const relationName = (asset: string, album: string): string => `${asset}-IN-${album}`;

/** The asset behind a record name, e.g. one that a listing showed. */
export function assetHandle(library: PhotoLibrary, id: string, zone: Zone = library.primary): AddedAsset {
  const record = zone.get(id);
  if (!isAsset(record)) throw new Error(`no asset ${id} in ${zone.name}`);
  return { zone, id, masterName: record.data.masterName ?? "" };
}
