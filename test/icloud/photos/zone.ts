import { createHash } from "node:crypto";
import type { Json } from "./json.ts";
import {
  type AlbumData,
  type AssetData,
  isAlbum,
  isAsset,
  isMaster,
  isRelation,
  type MasterData,
  type RecordData,
  type RelationData,
  type Stamp,
  type StoredRecord,
} from "./records.ts";
import { zoneToken } from "./token.ts";

export interface ZoneOptions {
  readonly name: string;
  readonly database: "private" | "shared";
  readonly owner: string;
  /** `decoy`: listed, but holds no photos (cloudkit.md 2.2). */
  readonly role?: "photos" | "decoy";
  readonly deleted?: boolean;
  /** Sequence before the first write. */
  readonly sequence?: number;
  /** The 16 bytes that are the same in all tokens of a zone; derived from the name when absent. */
  readonly tokenConstant?: Uint8Array;
  /** Told after each write; the account's database token rests on it. */
  readonly onWrite?: () => number;
}

const RECORD_TYPES: Readonly<Record<Exclude<RecordData["kind"], "plain" | "tombstone">, string>> = {
  master: "CPLMaster",
  asset: "CPLAsset",
  album: "CPLAlbum",
  relation: "CPLContainerRelation",
};

/** One CloudKit zone: records with the sequence of their last write, tombstones kept for ever (cloudkit.md 4.2). */
export class Zone {
  readonly name: string;
  readonly database: "private" | "shared";
  readonly owner: string;
  readonly role: "photos" | "decoy";
  readonly tokenConstant: Uint8Array;
  deleted: boolean;
  sequence: number;
  /** The account's write counter at this zone's last write. */
  lastWrite = 0;

  readonly #records = new Map<string, StoredRecord>();
  readonly #assets = new Map<string, StoredRecord<AssetData>>();
  readonly #albums = new Map<string, StoredRecord<AlbumData>>();
  readonly #relationsByAlbum = new Map<string, Set<StoredRecord<RelationData>>>();
  readonly #assetsByMaster = new Map<string, Set<string>>();
  #log: Array<{ readonly sequence: number; readonly name: string }> = [];
  readonly #cache = new Map<string, unknown>();
  readonly #onWrite: (() => number) | undefined;

  constructor(options: ZoneOptions) {
    this.name = options.name;
    this.database = options.database;
    this.owner = options.owner;
    this.role = options.role ?? "photos";
    this.deleted = options.deleted ?? false;
    this.sequence = options.sequence ?? 0;
    this.tokenConstant =
      options.tokenConstant ?? createHash("sha1").update(`${options.owner}/${options.name}`).digest().subarray(0, 16);
    this.#onWrite = options.onWrite;
  }

  get isShared(): boolean {
    return this.name.startsWith("SharedSync-");
  }

  /** The token that stands for everything written so far. */
  get token(): string {
    return zoneToken(this.sequence, this.tokenConstant);
  }

  get zoneId(): { readonly [key: string]: Json } {
    return { zoneName: this.name, ownerRecordName: this.owner, zoneType: "REGULAR_CUSTOM_ZONE" };
  }

  get(name: string): StoredRecord | undefined {
    return this.#records.get(name);
  }

  asset(name: string): StoredRecord<AssetData> {
    const record = this.#assets.get(name);
    if (record === undefined) throw new Error(`no asset ${name} in ${this.name}`);
    return record;
  }

  master(name: string): StoredRecord<MasterData> | undefined {
    const record = this.#records.get(name);
    return isMaster(record) ? record : undefined;
  }

  album(name: string): StoredRecord<AlbumData> {
    const record = this.#albums.get(name);
    if (record === undefined) throw new Error(`no album ${name} in ${this.name}`);
    return record;
  }

  records(): IterableIterator<StoredRecord> {
    return this.#records.values();
  }

  assets(): IterableIterator<StoredRecord<AssetData>> {
    return this.#assets.values();
  }

  albums(): IterableIterator<StoredRecord<AlbumData>> {
    return this.#albums.values();
  }

  relationsOf(album: string): Iterable<StoredRecord<RelationData>> {
    return this.#relationsByAlbum.get(album) ?? [];
  }

  memberCount(album: string): number {
    return this.#relationsByAlbum.get(album)?.size ?? 0;
  }

  /** Record names of the assets that point to a master. */
  assetsOf(master: string): readonly string[] {
    return [...(this.#assetsByMaster.get(master) ?? [])];
  }

  /** Writes a new record, or over a tombstone of the same name. */
  create<D extends RecordData>(name: string, data: D, stamp: Stamp, type?: string): StoredRecord<D> {
    const existing = this.#records.get(name);
    if (existing !== undefined && existing.data.kind !== "tombstone") throw new Error(`${name} exists in ${this.name}`);
    const kind = data.kind;
    const recordType = kind === "plain" || kind === "tombstone" ? type : RECORD_TYPES[kind];
    if (recordType === undefined) throw new Error(`${name} needs a record type`);
    const record: StoredRecord<D> = { name, type: recordType, sequence: 0, created: stamp, modified: stamp, data };
    this.#records.set(name, record);
    this.#index(record);
    this.#write(record);
    return record;
  }

  /** Notes that a record was changed in place. */
  touch(record: StoredRecord, stamp: Stamp): void {
    record.modified = stamp;
    this.#write(record);
  }

  /** Hard delete: the record becomes a tombstone (cloudkit.md 4.5). */
  remove(name: string, stamp: Stamp): void {
    const record = this.#records.get(name);
    if (record === undefined || record.data.kind === "tombstone") return;
    this.#unindex(record);
    record.data = { kind: "tombstone" };
    record.type = null;
    record.expirationTime = undefined;
    delete record.spoils;
    this.touch(record, stamp);
  }

  /** Moves the sequence without a visible record: what invisible companions of a write do. */
  skip(count: number): void {
    if (count <= 0) return;
    this.sequence += count;
    this.#changed();
  }

  /** Records whose last write is later than `sequence`, in the order of their writes. */
  changesAfter(sequence: number, limit: number): { readonly records: readonly StoredRecord[]; readonly more: boolean } {
    const records: StoredRecord[] = [];
    for (let index = this.#firstAfter(sequence); index < this.#log.length; index += 1) {
      const entry = this.#log[index];
      if (entry === undefined) break;
      const record = this.#records.get(entry.name);
      // A later write of the same record stands further down: each record occurs once, in its latest state.
      if (record === undefined || record.sequence !== entry.sequence) continue;
      if (records.length === limit) return { records, more: true };
      records.push(record);
    }
    return { records, more: false };
  }

  /** A value that is computed once and forgotten at the next write. */
  cached<T>(key: string, compute: () => T): T {
    if (!this.#cache.has(key)) this.#cache.set(key, compute());
    return this.#cache.get(key) as T;
  }

  #write(record: StoredRecord): void {
    this.sequence += 1;
    record.sequence = this.sequence;
    this.#log.push({ sequence: this.sequence, name: record.name });
    if (this.#log.length > 64 && this.#log.length > this.#records.size * 3) this.#compact();
    this.#changed();
  }

  #compact(): void {
    this.#log = this.#log.filter((entry) => this.#records.get(entry.name)?.sequence === entry.sequence);
  }

  #changed(): void {
    this.#cache.clear();
    if (this.#onWrite !== undefined) this.lastWrite = this.#onWrite();
  }

  #firstAfter(sequence: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle]?.sequence ?? 0) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #index(record: StoredRecord): void {
    if (isAlbum(record)) this.#albums.set(record.name, record);
    if (isRelation(record)) {
      const album = record.data.containerId;
      const known = this.#relationsByAlbum.get(album) ?? new Set();
      this.#relationsByAlbum.set(album, known.add(record));
    }
    if (isAsset(record)) {
      this.#assets.set(record.name, record);
      const master = record.data.masterName;
      if (master === undefined) return;
      const known = this.#assetsByMaster.get(master) ?? new Set();
      this.#assetsByMaster.set(master, known.add(record.name));
    }
  }

  #unindex(record: StoredRecord): void {
    if (isAlbum(record)) this.#albums.delete(record.name);
    if (isRelation(record)) this.#relationsByAlbum.get(record.data.containerId)?.delete(record);
    if (isAsset(record)) {
      this.#assets.delete(record.name);
      if (record.data.masterName !== undefined) this.#assetsByMaster.get(record.data.masterName)?.delete(record.name);
    }
  }
}
