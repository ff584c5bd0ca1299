/** From what the double keeps to what Apple sends: records with fields, projection, fresh URLs (cloudkit.md 1.5, 5). */

import { wrappingKeyOf } from "./assemble.ts";
import { referenceChecksum } from "./checksum.ts";
import type { PhotoLibrary } from "./library.ts";
import { countOf } from "./lists.ts";
import { encodePlist } from "./plist.ts";
import {
  type AlbumData,
  type AssetData,
  encoded,
  type Field,
  type Fields,
  isAlbum,
  isAsset,
  isMaster,
  isRelation,
  type MasterData,
  type RelationData,
  type Resource,
  type Stamp,
  type StoredRecord,
  type WireRecord,
} from "./records.ts";
import { changeTag } from "./token.ts";
import { mintUrl } from "./url.ts";
import type { Zone } from "./zone.ts";

export interface RenderContext {
  readonly library: PhotoLibrary;
  /** Only these fields; undefined: all, also those that bulk lists never ask for. */
  readonly keys: ReadonlySet<string> | undefined;
  readonly cdnHost: string;
  readonly partition: number;
  /** Unix seconds at which this answer's URLs die. */
  readonly expires: number;
  readonly requestId: string;
  /** `records/modify` answers have no zoneID. */
  readonly withoutZone?: boolean;
}

export function renderRecord(zone: Zone, record: StoredRecord, context: RenderContext): WireRecord {
  let wire = plainRecord(zone, record, context);
  for (const spoil of record.spoils ?? []) wire = spoil(wire) ?? wire;
  return wire;
}

function plainRecord(zone: Zone, record: StoredRecord, context: RenderContext): WireRecord {
  if (record.data.kind === "tombstone") {
    return {
      recordName: record.name,
      recordType: null,
      pluginFields: {},
      recordChangeTag: changeTag(record.sequence),
      created: stampOf(record.created),
      modified: stampOf(record.modified),
      deleted: true,
      zoneID: zone.zoneId,
    };
  }
  return {
    recordName: record.name,
    recordType: record.type,
    fields: fieldsOf(zone, record, context),
    pluginFields: {},
    recordChangeTag: changeTag(record.sequence),
    created: stampOf(record.created),
    modified: stampOf(record.modified),
    deleted: false,
    ...(context.withoutZone === true ? {} : { zoneID: zone.zoneId }),
    ...(record.expirationTime === undefined ? {} : { expirationTime: record.expirationTime }),
  };
}

/** A record that no zone stores: counts and readiness. Apple writes them itself. */
export function syntheticRecord(zone: Zone, name: string, type: string, fields: Fields, at: number): WireRecord {
  const stamp = { timestamp: at, userRecordName: "_10", deviceID: "1" };
  return {
    recordName: name,
    recordType: type,
    fields,
    pluginFields: {},
    recordChangeTag: "0",
    created: stamp,
    modified: stamp,
    deleted: false,
    zoneID: zone.zoneId,
  };
}

const stampOf = (stamp: Stamp): { [key: string]: unknown } => ({
  timestamp: stamp.timestamp,
  userRecordName: stamp.userRecordName,
  deviceID: stamp.deviceId,
});

function fieldsOf(zone: Zone, record: StoredRecord, context: RenderContext): Fields {
  const out = new FieldWriter(context.keys);
  if (isMaster(record)) masterFields(zone, record, out, context);
  else if (isAsset(record)) assetFields(zone, record, out, context);
  else if (isAlbum(record)) albumFields(record.data, out);
  else if (isRelation(record)) relationFields(record.data, out);
  else if (record.type === "CPLLibraryInfo") libraryInfo(zone, out);
  else if (record.data.kind === "plain") {
    for (const [name, field] of Object.entries(record.data.fields)) out.put(name, field);
  }
  return out.fields;
}

/** Collects fields, leaving out what was not asked for and what is not set. */
class FieldWriter {
  readonly fields: Fields = {};
  constructor(readonly keys: ReadonlySet<string> | undefined) {}

  wants(name: string): boolean {
    return this.keys === undefined || this.keys.has(name);
  }
  put(name: string, field: Field | null | undefined): void {
    if (field !== undefined && this.wants(name)) this.fields[name] = field;
  }
  int(name: string, value: number | undefined): void {
    if (value !== undefined) this.put(name, { value, type: "INT64" });
  }
  text(name: string, value: string | undefined): void {
    if (value !== undefined) this.put(name, { value, type: "STRING" });
  }
  time(name: string, value: number | null | undefined): void {
    if (value === null) this.put(name, null);
    else if (value !== undefined) this.put(name, { value, type: "TIMESTAMP" });
  }
  encoded(name: string, value: string | undefined): void {
    if (value !== undefined && this.wants(name)) this.fields[name] = encoded(value);
  }
}

function resourceFields(zone: Zone, owner: string, file: Resource, out: FieldWriter, context: RenderContext): void {
  const { prefix, body } = file;
  if (out.wants(`${prefix}Res`)) {
    context.library.publish(file, zone, owner);
    const wrappingKey = wrappingKeyOf(file);
    const reference = referenceChecksum(wrappingKey);
    out.put(`${prefix}Res`, {
      value: {
        fileChecksum: body.checksum,
        size: body.size,
        wrappingKey: Buffer.from(wrappingKey).toString("base64"),
        referenceChecksum: reference,
        downloadURL: mintUrl(
          {
            fileChecksum: body.checksum,
            referenceChecksum: reference,
            wrappingKey,
            zone: zone.name,
            expires: context.expires,
            requestId: context.requestId,
          },
          { host: context.cdnHost, partition: context.partition },
        ),
      },
      type: "ASSETID",
    });
  }
  out.text(`${prefix}FileType`, body.uti);
  if (out.wants(`${prefix}Fingerprint`)) out.text(`${prefix}Fingerprint`, body.checksum);
  out.int(`${prefix}Width`, file.width);
  out.int(`${prefix}Height`, file.height);
  if (out.keys === undefined) out.int(`${prefix}FileSize`, body.size);
}

function masterFields(zone: Zone, record: StoredRecord<MasterData>, out: FieldWriter, context: RenderContext): void {
  const data = record.data;
  out.put("itemType", data.itemType);
  out.put("filenameEnc", data.filename);
  out.int("originalOrientation", data.originalOrientation);
  out.int("dataClassType", data.dataClass);
  for (const file of data.resources) resourceFields(zone, record.name, file, out, context);
  out.int("isDeleted", data.isDeleted);
  out.time("dateExpunged", data.dateExpunged);
  contributors(zone, data.contributors, out);
  if (out.keys !== undefined) return;
  out.time("importDate", data.importDate);
  out.time("originalCreationDate", data.importDate);
  out.time("recordModificationDate", record.modified.timestamp);
  out.int("importedBy", 3);
  out.encoded("importedByBundleIdentifierEnc", "com.apple.camera");
  out.encoded("importedByDisplayNameEnc", "Camera");
  out.text("mediaMetaDataType", "CGImageProperties");
  out.int("fullSizeJPEGSource", 0);
  out.int("videoFrameRate", 0);
}

function assetFields(zone: Zone, record: StoredRecord<AssetData>, out: FieldWriter, context: RenderContext): void {
  const data = record.data;
  if (data.masterName !== undefined) {
    out.put("masterRef", {
      value: { recordName: data.masterName, action: "DELETE_SELF", zoneID: zone.zoneId },
      type: "REFERENCE",
    });
  }
  out.time("assetDate", data.assetDate);
  out.time("addedDate", data.addedDate);
  out.int("timeZoneOffset", data.timeZoneOffset);
  out.int("isFavorite", data.isFavorite);
  out.int("isHidden", data.isHidden);
  out.int("isDeleted", data.isDeleted);
  out.int("isExpunged", data.isExpunged);
  out.time("dateExpunged", data.dateExpunged);
  out.int("orientation", data.orientation);
  out.int("duration", data.durationMs);
  out.int("assetSubtype", data.subtype);
  out.int("assetSubtypeV2", data.subtypeV2);
  out.int("assetHDRType", data.hdrType);
  out.int("customRenderedValue", data.customRendered);
  out.int("burstFlags", data.burstFlags);
  out.text("burstId", data.burstId);
  if (data.burstId !== undefined) out.int("burstFlagsExt", data.burstKey === true ? 4 : 0);
  out.text("adjustmentType", data.adjustmentType);
  out.int("adjustmentRenderType", data.adjustmentRenderType);
  out.int("vidComplDurValue", data.motion?.durationNs ?? 0);
  out.int("vidComplDurScale", data.motion === undefined ? 0 : 1_000_000_000);
  out.int("vidComplDispValue", data.motion?.stillNs ?? 0);
  out.int("vidComplDispScale", data.motion === undefined ? 0 : 1_000_000_000);
  out.int("vidComplVisibilityState", 0);
  encodedFields(data, out);
  for (const file of data.resources) resourceFields(zone, record.name, file, out, context);
  contributors(zone, data.contributors, out);
  if (data.sparse !== undefined) {
    out.int("isSparsePrivateRecord", 1);
    out.text("linkedShareZoneName", data.sparse.zone);
    out.text("linkedShareRecordName", data.sparse.record);
    out.put("linkedShareZoneOwner", {
      value: { recordName: data.sparse.owner, action: "NONE", zoneID: zone.zoneId },
      type: "REFERENCE",
    });
  }
  out.int("trashReason", data.trashReason);
  if (data.deletedBy !== undefined) {
    out.put("deletedBy", {
      value: { recordName: data.deletedBy, action: "NONE", zoneID: zone.zoneId },
      type: "REFERENCE",
    });
  }
  if (out.keys !== undefined) return;
  out.encoded("timeZoneNameEnc", data.timeZoneName);
  out.time("recordModificationDate", record.modified.timestamp);
  out.time("mostRecentAddedDate", data.addedDate);
  out.int("playCount", 0);
  out.int("viewCount", 0);
  out.int("facesVersion", 0);
  out.int("originalChoice", 0);
}

function encodedFields(data: AssetData, out: FieldWriter): void {
  out.encoded("captionEnc", data.title);
  out.encoded("extendedDescEnc", data.description);
  if (data.keywords !== undefined && out.wants("keywordsEnc"))
    out.put("keywordsEnc", bytes(encodePlist(data.keywords)));
  if (data.location === undefined || !out.wants("locationEnc")) return;
  const { lat, lon, alt, timestamp } = data.location;
  out.put(
    "locationEnc",
    bytes(
      encodePlist({
        alt: alt ?? 0,
        course: -1,
        horzAcc: 5,
        lat,
        lon,
        speed: 0,
        timestamp: timestamp ?? new Date(Date.UTC(2001, 0, 1)),
        vertAcc: 4,
      }),
    ),
  );
}

const bytes = (value: Uint8Array): Field => ({ value: Buffer.from(value).toString("base64"), type: "ENCRYPTED_BYTES" });

function contributors(zone: Zone, users: readonly string[] | undefined, out: FieldWriter): void {
  if (users === undefined) return;
  const value = users.map((user) => ({ recordName: user, action: "NONE", zoneID: zone.zoneId }));
  out.put("contributors", { value, type: "REFERENCE_LIST" });
}

function albumFields(data: AlbumData, out: FieldWriter): void {
  out.time("recordModificationDate", data.modificationDate);
  out.int("sortAscending", 1);
  out.int("sortType", data.sortType);
  out.int("albumType", data.albumType);
  out.put("albumNameEnc", data.name);
  out.int("position", data.position);
  out.int("sortTypeExt", 0);
  out.text("parentId", data.parentId);
  out.int("isDeleted", data.isDeleted);
}

function relationFields(data: RelationData, out: FieldWriter): void {
  out.text("itemId", data.itemId);
  out.text("containerId", data.containerId);
  out.int("position", data.position);
  out.int("isKeyAsset", data.isKeyAsset);
}

function libraryInfo(zone: Zone, out: FieldWriter): void {
  const videos = countOf(zone, { kind: "smart", album: "VIDEO" });
  out.int("photosCount", countOf(zone, { kind: "all" }) - videos);
  out.int("videosCount", videos);
  out.int("hiddenPhotosCount", countOf(zone, { kind: "hidden" }));
  out.int("irisCount", countOf(zone, { kind: "smart", album: "LIVE" }));
  out.int("albumsCount", [...zone.albums()].filter((album) => album.data.albumType === 0).length);
  out.int("burstsExcludedFromPhotosCount", 0);
}
