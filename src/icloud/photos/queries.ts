import { type AlbumId, PRIMARY_ZONE, type ZoneName } from "../../library/asset.ts";
import type { SmartFolder } from "../../library/smart-folders.ts";
import type { KeptList, Library } from "./types.ts";

/** Request bodies, exactly as Apple's own page sends them (cloudkit.md 2, 3, 4). */

const SIZED = (prefix: string) => ["Width", "Height", "FileType", "Fingerprint", "Res"].map((end) => `${prefix}${end}`);

/** The 101 names of cloudkit.md 3.2: what a page of assets is asked for. */
const DESIRED_KEYS: readonly string[] = [
  ...[
    "resJPEGFull",
    "resJPEGLarge",
    "resJPEGMed",
    "resJPEGThumb",
    "resVidFull",
    "resVidMed",
    "resVidSmall",
    "resSidecar",
  ].flatMap(SIZED),
  ...["itemType", "dataClassType", "filenameEnc", "originalOrientation"],
  ...["resOriginal", "resOriginalAlt", "resOriginalVidCompl"].flatMap(SIZED),
  ...["isDeleted", "isExpunged", "dateExpunged", "remappedRef", "recordName", "recordType", "recordChangeTag"],
  ...[
    "masterRef",
    "adjustmentRenderType",
    "assetDate",
    "addedDate",
    "isFavorite",
    "isHidden",
    "orientation",
    "duration",
  ],
  ...["assetSubtype", "assetSubtypeV2", "assetHDRType", "burstFlags", "burstFlagsExt", "burstId", "captionEnc"],
  ...["locationEnc", "locationV2Enc", "locationLatitude", "locationLongitude", "adjustmentType", "timeZoneOffset"],
  ...[
    "vidComplDurValue",
    "vidComplDurScale",
    "vidComplDispValue",
    "vidComplDispScale",
    "keywordsEnc",
    "extendedDescEnc",
  ],
  ...["adjustedMediaMetaDataEnc", "adjustmentSimpleDataEnc", "vidComplVisibilityState", "customRenderedValue"],
  ...["containerId", "itemId", "position", "isKeyAsset"],
];

/** Apple's page does not ask for the video of an edited Live Photo; only who wants it does (files.md 1.1, RN-3). */
const EDITED_MOTION_KEYS = SIZED("resVidCompl");

/** What whole assets are asked for. */
export function assetKeys(editedMotion: boolean): readonly string[] {
  return editedMotion ? [...DESIRED_KEYS, ...EDITED_MOTION_KEYS] : DESIRED_KEYS;
}

/** Enough to know who is a member: no resources, so that no URL is made. */
export const ID_KEYS: readonly string[] = [
  "recordName",
  "masterRef",
  "itemId",
  "containerId",
  "isDeleted",
  "isHidden",
  "assetDate",
  "addedDate",
];

/** Also asked for when single records are looked up: they tell whether an asset is only a placeholder. */
const SPARSE_KEYS = ["isSparsePrivateRecord", "linkedShareZoneName", "linkedShareZoneOwner", "linkedShareRecordName"];

export interface ZoneId {
  readonly zoneName: ZoneName;
  readonly ownerRecordName?: string;
  readonly zoneType?: string;
}

/** A shared zone is identified by its owner too; the personal one by its name alone (cloudkit.md 2.3). */
export function zoneId(library: Library): ZoneId {
  if (library.zone === PRIMARY_ZONE) return { zoneName: library.zone };
  return {
    zoneName: library.zone,
    ...(library.owner === undefined ? {} : { ownerRecordName: library.owner }),
    ...(library.zoneType === undefined ? {} : { zoneType: library.zoneType }),
  };
}

interface ListShape {
  readonly recordType: string;
  readonly indexId: string;
  /** Records that Apple sends for one asset. */
  readonly recordsPerRank: number;
  readonly filter?: Filter;
}

interface Filter {
  readonly fieldName: string;
  readonly comparator: "EQUALS";
  readonly fieldValue: { readonly type: string; readonly value: string | number };
}

function equals(fieldName: string, type: string, value: string | number): Filter {
  return { fieldName, comparator: "EQUALS", fieldValue: { type, value } };
}

/** Lists of folders that Photos fills by itself (cloudkit.md 3.6). */
const SMART_LISTS: Readonly<Record<SmartFolder, ListShape>> = {
  Favorites: inSmartAlbum("FAVORITE", "Favorite"),
  Videos: inSmartAlbum("VIDEO", "Video"),
  Live: inSmartAlbum("LIVE", "Live"),
  Panoramas: inSmartAlbum("PANORAMA", "Panorama"),
  Screenshots: inSmartAlbum("SCREENSHOT", "Screenshot"),
  "Slo-mo": inSmartAlbum("SLOMO", "Slomo"),
  "Time-lapse": inSmartAlbum("TIMELAPSE", "Timelapse"),
  Bursts: {
    recordType: "CPLBurstStackAssetAndMasterByAssetDate",
    indexId: "CPLAssetBurstStackAssetByAssetDate",
    recordsPerRank: 2,
  },
  Hidden: { recordType: "CPLAssetAndMasterHiddenByAssetDate", indexId: "CPLAssetHiddenByAssetDate", recordsPerRank: 2 },
  "Recently Deleted": {
    recordType: "CPLAssetAndMasterDeletedByExpungedDate",
    indexId: "CPLAssetDeletedByExpungedDate",
    recordsPerRank: 2,
  },
};

function inSmartAlbum(value: string, index: string): ListShape {
  return {
    recordType: "CPLAssetAndMasterInSmartAlbumByAssetDate",
    indexId: `CPLAssetInSmartAlbumByAssetDate:${index}`,
    recordsPerRank: 2,
    filter: equals("smartAlbum", "STRING", value),
  };
}

function shapeOf(list: KeptList): ListShape {
  switch (list.kind) {
    case "all":
      return {
        recordType: "CPLAssetAndMasterByAssetDateWithoutHiddenOrDeleted",
        indexId: "CPLAssetByAssetDateWithoutHiddenOrDeleted",
        recordsPerRank: 2,
      };
    case "added":
      return { recordType: "CPLAssetAndMasterByAddedDate", indexId: "CPLAssetByAddedDate", recordsPerRank: 2 };
    case "smart":
      return SMART_LISTS[list.folder];
    case "album":
      return {
        recordType: "CPLContainerRelationLiveByAssetDate",
        indexId: `CPLContainerRelationNotDeletedByAssetDate:${list.album}`,
        recordsPerRank: 3,
        filter: equals("parentId", "STRING", list.album),
      };
  }
}

/** Most records in one answer, whatever is asked for. */
const MOST_RECORDS = 200;

/** Assets on a full page: 100, or 66 where each comes with its membership. */
export function ranksPerPage(list: KeptList): number {
  return Math.floor(MOST_RECORDS / shapeOf(list).recordsPerRank);
}

/** One page of a list from `rank` on. Ascending rank means newest first (cloudkit.md 3.1). */
export function listQuery(library: Library, list: KeptList, rank: number, keys: readonly string[]): object {
  const { recordType, recordsPerRank, filter } = shapeOf(list);
  return {
    query: {
      recordType,
      filterBy: [
        equals("startRank", "INT64", rank),
        equals("direction", "STRING", "ASCENDING"),
        ...(filter === undefined ? [] : [filter]),
      ],
    },
    resultsLimit: ranksPerPage(list) * recordsPerRank,
    desiredKeys: keys,
    zoneID: zoneId(library),
  };
}

export function indexingQuery(library: Library): object {
  return { query: { recordType: "CheckIndexingState" }, zoneID: zoneId(library) };
}

/** Counts of several lists at once; here, and only here, `filterBy` is an object (cloudkit.md 3.6). */
export function countBatch(library: Library, lists: readonly KeptList[]): object {
  return {
    batch: lists.map((list) => ({
      resultsLimit: 1,
      query: {
        filterBy: {
          fieldName: "indexCountID",
          fieldValue: { type: "STRING_LIST", value: [shapeOf(list).indexId] },
          comparator: "IN",
        },
        recordType: "HyperionIndexCountLookup",
      },
      zoneWide: true,
      zoneID: zoneId(library),
    })),
  };
}

/** Albums at the top level, or those in a folder. */
export function albumQuery(library: Library, parent: AlbumId | undefined, marker: string | undefined): object {
  return {
    query: {
      recordType: "CPLAlbumByPositionLive",
      ...(parent === undefined ? {} : { filterBy: [equals("parentId", "STRING", parent)] }),
    },
    zoneID: zoneId(library),
    ...(marker === undefined ? {} : { continuationMarker: marker }),
  };
}

export function lookupQuery(library: Library, names: readonly string[], keys: readonly string[]): object {
  return {
    records: names.map((recordName) => ({ recordName })),
    zoneID: zoneId(library),
    desiredKeys: [...keys, ...SPARSE_KEYS],
  };
}

/** What changed since `token`; with none everything that ever did. An empty token would mean: nothing (cloudkit.md 4.3). */
export function changesQuery(library: Library, token: string | undefined, keys?: readonly string[]): object {
  const since = token === undefined ? {} : { syncToken: token };
  const wanted = keys === undefined ? {} : { desiredKeys: keys };
  return { zones: [{ zoneID: zoneId(library), ...since, resultsLimit: MOST_RECORDS, ...wanted }] };
}

/** Enough to know who is in which album. */
export const RELATION_KEYS: readonly string[] = ["containerId", "itemId", "isDeleted"];
