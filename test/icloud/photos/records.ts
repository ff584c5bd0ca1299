/** What the double keeps about each record. The wire form is made from it on demand (`render.ts`). */
import type { Body } from "./body.ts";
import type { Json } from "./json.ts";

/** A field as it stands in a record; undefined members are left out. */
export type Field = { readonly value?: Json; readonly type?: string };
export type Fields = { [name: string]: Field | null | undefined };

export const RESOURCE_PREFIXES = [
  "resOriginal",
  "resOriginalAlt",
  "resOriginalVidCompl",
  "resJPEGFull",
  "resJPEGLarge",
  "resJPEGMed",
  "resJPEGThumb",
  "resVidFull",
  "resVidLarge",
  "resVidHDRMed",
  "resVidMed",
  "resVidSmall",
  "resVidCompl",
  "resSidecar",
] as const;
export type ResourcePrefix = (typeof RESOURCE_PREFIXES)[number];

/** One downloadable file of a master or an asset. */
export interface Resource {
  readonly prefix: ResourcePrefix;
  readonly body: Body;
  readonly width: number;
  readonly height: number;
  /** Given by tests that need an exact one; else derived from the checksum. */
  readonly wrappingKey?: Uint8Array;
}

export interface Stamp {
  readonly timestamp: number;
  readonly userRecordName: string;
  readonly deviceId: string;
}

export interface MasterData {
  readonly kind: "master";
  itemType: Field | undefined;
  /** 1 image, 2 video. */
  dataClass: 1 | 2;
  filename: Field | undefined;
  originalOrientation: number;
  resources: Resource[];
  importDate: number;
  isDeleted?: 0 | 1 | undefined;
  dateExpunged?: number | undefined;
  contributors?: readonly string[] | undefined;
}

export interface Motion {
  /** Length of the motion and place of the still in it, ns. */
  readonly durationNs: number;
  readonly stillNs: number;
}

export interface Location {
  readonly lat: number;
  readonly lon: number;
  readonly alt?: number;
  readonly timestamp?: Date;
}

/** What only smart folders tell apart; Apple's own marks for them are not known (cloudkit.md 5.3). */
export type Subject = "panorama" | "slomo" | "timelapse";

export interface AssetData {
  readonly kind: "asset";
  /** Undefined: no `masterRef` (sparse and faulty records). */
  masterName: string | undefined;
  /** ms UTC; undefined: the field is absent; null: the field is null. */
  assetDate: number | null | undefined;
  addedDate: number;
  /** Seconds east of UTC. */
  timeZoneOffset: number | undefined;
  timeZoneName?: string | undefined;
  isFavorite: 0 | 1;
  isHidden: 0 | 1;
  isDeleted?: 0 | 1 | undefined;
  isExpunged?: 0 | 1 | undefined;
  dateExpunged?: number | undefined;
  trashReason?: number | undefined;
  deletedBy?: string | undefined;
  orientation: number;
  durationMs: number;
  subtype: number;
  subtypeV2: number;
  hdrType: number;
  customRendered: number;
  adjustmentType?: string | undefined;
  adjustmentRenderType: number;
  motion?: Motion | undefined;
  burstId?: string | undefined;
  burstFlags: number;
  /** The frame that stands for its burst in the Bursts folder. */
  burstKey?: boolean | undefined;
  subject?: Subject | undefined;
  location?: Location | undefined;
  title?: string | undefined;
  description?: string | undefined;
  keywords?: readonly string[] | undefined;
  resources: Resource[];
  contributors?: readonly string[] | undefined;
  sparse?: { readonly zone: string; readonly owner: string; readonly record: string } | undefined;
}

export interface AlbumData {
  readonly kind: "album";
  /** Undefined: the root folder, or a record without a name. */
  name: Field | undefined;
  /** 0 album, 3 folder, 6 user-made smart album, others unknown. */
  albumType: number;
  parentId: string | undefined;
  position: number;
  sortType: 0 | 1;
  modificationDate: number;
  isDeleted?: 0 | 1 | undefined;
}

export interface RelationData {
  readonly kind: "relation";
  itemId: string;
  containerId: string;
  position: number;
  isKeyAsset: 0 | 1;
}

/** Library info, face crops, persons: whatever else moves a zone's token. */
export interface PlainData {
  readonly kind: "plain";
  fields: Fields;
}

/** A hard-deleted record: only its name is left. */
export interface TombstoneData {
  readonly kind: "tombstone";
}

export type RecordData = MasterData | AssetData | AlbumData | RelationData | PlainData | TombstoneData;

/** A rendered record; open for the faults that tests put in. */
export type WireRecord = { [member: string]: unknown; recordName: string; fields?: Fields | null };
/** Spoils a rendered record, or replaces it. */
export type Spoil = (record: WireRecord) => WireRecord | undefined;

export interface StoredRecord<D extends RecordData = RecordData> {
  readonly name: string;
  /** Null once hard-deleted. */
  type: string | null;
  /** Zone sequence of the last write. */
  sequence: number;
  created: Stamp;
  modified: Stamp;
  /** Seconds since the epoch, only on soft-deleted records. */
  expirationTime?: number | undefined;
  data: D;
  spoils?: Spoil[];
}

export const isMaster = (record: StoredRecord | undefined): record is StoredRecord<MasterData> =>
  record?.data.kind === "master";
export const isAsset = (record: StoredRecord | undefined): record is StoredRecord<AssetData> =>
  record?.data.kind === "asset";
export const isAlbum = (record: StoredRecord | undefined): record is StoredRecord<AlbumData> =>
  record?.data.kind === "album";
export const isRelation = (record: StoredRecord | undefined): record is StoredRecord<RelationData> =>
  record?.data.kind === "relation";

/** ENCRYPTED_BYTES of a text: plain base64 of its UTF-8 (cloudkit.md 5.4). */
export const encoded = (text: string): Field => ({
  value: Buffer.from(text, "utf8").toString("base64"),
  type: "ENCRYPTED_BYTES",
});
