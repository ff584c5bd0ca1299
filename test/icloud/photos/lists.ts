/** The server-side indexes: which records stand at which rank of which list (cloudkit.md 3.1, 3.6). */
import type { AssetData, RelationData, StoredRecord } from "./records.ts";
import type { Zone } from "./zone.ts";

export const SMART_ALBUMS = {
  FAVORITE: "Favorite",
  VIDEO: "Video",
  LIVE: "Live",
  PANORAMA: "Panorama",
  SCREENSHOT: "Screenshot",
  SLOMO: "Slomo",
  TIMELAPSE: "Timelapse",
} as const;
export type SmartAlbum = keyof typeof SMART_ALBUMS;

export const isSmartAlbum = (value: unknown): value is SmartAlbum =>
  typeof value === "string" && Object.hasOwn(SMART_ALBUMS, value);

/** One list that can be walked or counted. */
export type ListKey =
  | { readonly kind: "all" | "added" | "bursts" | "hidden" | "deleted" }
  | { readonly kind: "smart"; readonly album: SmartAlbum }
  | { readonly kind: "album"; readonly album: string; readonly order: "date" | "position" };

/** What stands at one rank. */
export interface Row {
  readonly asset: StoredRecord<AssetData>;
  readonly relation?: StoredRecord<RelationData>;
}

export const LIST_TYPES = {
  CPLAssetAndMasterByAssetDateWithoutHiddenOrDeleted: "all",
  CPLAssetAndMasterByAddedDate: "added",
  CPLAssetAndMasterInSmartAlbumByAssetDate: "smart",
  CPLBurstStackAssetAndMasterByAssetDate: "bursts",
  CPLAssetAndMasterHiddenByAssetDate: "hidden",
  CPLAssetAndMasterDeletedByExpungedDate: "deleted",
  CPLContainerRelationLiveByAssetDate: "album",
  CPLContainerRelationLiveByPosition: "album",
} as const;
export type ListType = keyof typeof LIST_TYPES;

export const isListType = (type: string): type is ListType => Object.hasOwn(LIST_TYPES, type);

/** Index ids of HyperionIndexCountLookup; undefined for an id that no index has. */
export function countKey(indexId: string): ListKey | undefined {
  const [index, argument] = split(indexId);
  if (argument === undefined) {
    const kind = PLAIN_COUNTS[index];
    return kind === undefined ? undefined : { kind };
  }
  if (index === "CPLContainerRelationNotDeletedByAssetDate") return { kind: "album", album: argument, order: "date" };
  if (index !== "CPLAssetInSmartAlbumByAssetDate") return undefined;
  const smart = Object.entries(SMART_ALBUMS).find(([, name]) => name === argument)?.[0];
  return isSmartAlbum(smart) ? { kind: "smart", album: smart } : undefined;
}

const PLAIN_COUNTS: Readonly<Record<string, "all" | "added" | "bursts" | "hidden" | "deleted">> = {
  CPLAssetByAssetDateWithoutHiddenOrDeleted: "all",
  CPLAssetByAddedDate: "added",
  CPLAssetBurstStackAssetByAssetDate: "bursts",
  CPLAssetHiddenByAssetDate: "hidden",
  CPLAssetDeletedByExpungedDate: "deleted",
};

function split(indexId: string): [string, string | undefined] {
  const colon = indexId.indexOf(":");
  return colon < 0 ? [indexId, undefined] : [indexId.slice(0, colon), indexId.slice(colon + 1)];
}

const cacheKey = (list: ListKey): string =>
  list.kind === "album" ? `album/${list.order}/${list.album}` : list.kind === "smart" ? list.album : list.kind;

/** All rows of a list, in rank order: rank 0 is the newest. Sorted once per change of the zone. */
export function rowsOf(zone: Zone, list: ListKey): readonly Row[] {
  return zone.cached(cacheKey(list), () =>
    list.kind === "album" ? albumRows(zone, list.album, list.order) : assetRows(zone, list),
  );
}

/** Apple counts an album's members of other zones too (cloudkit.md 3.7). */
export function countOf(zone: Zone, list: ListKey): number {
  if (list.kind !== "album") return rowsOf(zone, list).length;
  let count = 0;
  for (const relation of zone.relationsOf(list.album)) {
    const item = zone.get(relation.data.itemId);
    if (item?.data.kind !== "asset" || isLive(item.data)) count += 1;
  }
  return count;
}

const isDeleted = (asset: AssetData): boolean => asset.isDeleted === 1 || asset.isExpunged === 1;
const isLive = (asset: AssetData): boolean => !isDeleted(asset) && asset.isHidden === 0;

function assetRows(zone: Zone, list: Exclude<ListKey, { kind: "album" }>): readonly Row[] {
  const wanted = FILTERS[list.kind];
  const rows: Row[] = [];
  for (const asset of zone.assets()) {
    const belongs =
      list.kind === "smart" ? isLive(asset.data) && inSmartAlbum(zone, asset.data, list.album) : wanted(asset.data);
    if (belongs) rows.push({ asset });
  }
  const date = list.kind === "added" ? byAdded : list.kind === "deleted" ? byExpunged : byTaken;
  return rows.sort((a, b) => newestFirst(a.asset, b.asset, date));
}

const FILTERS: Readonly<
  Record<"all" | "added" | "bursts" | "hidden" | "deleted" | "smart", (asset: AssetData) => boolean>
> = {
  all: isLive,
  added: isLive,
  smart: isLive,
  bursts: (asset) => isLive(asset) && asset.burstKey === true,
  hidden: (asset) => !isDeleted(asset) && asset.isHidden === 1,
  deleted: isDeleted,
};

function inSmartAlbum(zone: Zone, asset: AssetData, album: SmartAlbum): boolean {
  const master = asset.masterName === undefined ? undefined : zone.master(asset.masterName)?.data;
  switch (album) {
    case "FAVORITE":
      return asset.isFavorite === 1;
    case "VIDEO":
      return master?.dataClass === 2;
    case "LIVE":
      return master?.resources.some((file) => file.prefix === "resOriginalVidCompl") ?? false;
    case "SCREENSHOT":
      return asset.subtypeV2 === 3;
    case "PANORAMA":
      return asset.subject === "panorama";
    case "SLOMO":
      return asset.subject === "slomo" || asset.adjustmentType === "com.apple.video.slomo";
    case "TIMELAPSE":
      return asset.subject === "timelapse";
  }
}

function albumRows(zone: Zone, album: string, order: "date" | "position"): readonly Row[] {
  const rows: Row[] = [];
  for (const relation of zone.relationsOf(album)) {
    const asset = zone.get(relation.data.itemId);
    if (asset?.data.kind !== "asset" || !isLive(asset.data)) continue;
    rows.push({ asset: asset as StoredRecord<AssetData>, relation });
  }
  if (order === "date") return rows.sort((a, b) => newestFirst(a.asset, b.asset, byTaken));
  return rows.sort((a, b) => (a.relation?.data.position ?? 0) - (b.relation?.data.position ?? 0));
}

type DateOf = (asset: AssetData) => number;
const byTaken: DateOf = (asset) => asset.assetDate ?? Number.NEGATIVE_INFINITY;
const byAdded: DateOf = (asset) => asset.addedDate;
const byExpunged: DateOf = (asset) => asset.dateExpunged ?? Number.NEGATIVE_INFINITY;

function newestFirst(a: StoredRecord<AssetData>, b: StoredRecord<AssetData>, date: DateOf): number {
  const left = date(a.data);
  const right = date(b.data);
  if (left !== right) return right > left ? 1 : -1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Albums and folders under a parent, by position, the root first; 200 a page. */
export function albumsUnder(zone: Zone, parent: string | undefined): ReadonlyArray<StoredRecord> {
  return zone.cached(`albums/${parent ?? ""}`, () =>
    [...zone.albums()]
      .filter((album) => album.data.parentId === parent)
      .sort((a, b) => a.data.position - b.data.position || (a.name < b.name ? -1 : 1)),
  );
}
