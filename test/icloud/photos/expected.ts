/** What a downloader should end up with: the library's files, for comparing byte by byte. */
import type { PhotoLibrary } from "./library.ts";
import {
  type AssetData,
  type Field,
  isRelation,
  type MasterData,
  type Resource,
  type ResourcePrefix,
} from "./records.ts";
import type { Zone } from "./zone.ts";

export type ExpectedRendition =
  | "original"
  | "alternative"
  | "adjusted"
  | "medium"
  | "thumb"
  | "live_original"
  | "live_medium"
  | "live_thumb"
  | "live_adjusted";

export interface ExpectedFile {
  readonly zone: string;
  readonly assetId: string;
  readonly masterName: string;
  /** Provider name decoded; undefined when it is missing or cannot be decoded. */
  readonly filename: string | undefined;
  readonly prefix: ResourcePrefix;
  readonly rendition: ExpectedRendition | undefined;
  readonly uti: string;
  readonly checksum: string;
  readonly size: number;
  /** ms UTC. */
  readonly assetDate: number | undefined;
  readonly timeZoneOffset: number | undefined;
  readonly favorite: boolean;
  readonly hidden: boolean;
  readonly deleted: boolean;
  /** Record names of the live albums it is in. */
  readonly albums: readonly string[];
  bytes(): Uint8Array;
}

export interface ExpectedOptions {
  /** Zone names; PrimarySync when absent. */
  readonly zones?: readonly string[];
  readonly hidden?: boolean;
  readonly deleted?: boolean;
  /** Default: originals and Live Photo videos, what a plain sync fetches. */
  readonly renditions?: readonly ExpectedRendition[] | "all";
}

const PLAIN: readonly ExpectedRendition[] = ["original", "live_original"];

export function expectedFiles(library: PhotoLibrary, options: ExpectedOptions = {}): ExpectedFile[] {
  const wanted = options.renditions ?? PLAIN;
  const files: ExpectedFile[] = [];
  const memberships = albumsByAsset(library);
  for (const name of options.zones ?? ["PrimarySync"]) {
    const zone = library.zone(name);
    for (const asset of zone.assets()) {
      const data = asset.data;
      const deleted = data.isDeleted === 1 || data.isExpunged === 1;
      if ((data.isHidden === 1 && options.hidden !== true) || (deleted && options.deleted !== true)) continue;
      for (const file of filesOf(zone, asset.name, data)) {
        const rendition = file.rendition;
        if (wanted !== "all" && (rendition === undefined || !wanted.includes(rendition))) continue;
        files.push({ ...file, deleted, albums: memberships.get(asset.name) ?? [] });
      }
    }
  }
  return files;
}

function* filesOf(zone: Zone, assetId: string, data: AssetData): Generator<Omit<ExpectedFile, "deleted" | "albums">> {
  const masterName = data.masterName ?? "";
  const master = zone.master(masterName)?.data;
  if (master === undefined) return;
  // The asset's rendition wins over the master's of the same kind (cloudkit.md 5.2).
  const onAsset = new Set(data.resources.map((file) => file.prefix));
  const onMaster = master.resources.filter((file) => !onAsset.has(file.prefix));
  const list: ReadonlyArray<readonly [Resource, boolean]> = [
    ...onMaster.map((file) => [file, false] as const),
    ...data.resources.map((file) => [file, true] as const),
  ];
  for (const [file, edited] of list) {
    yield {
      zone: zone.name,
      assetId,
      masterName,
      filename: decodeName(master.filename),
      prefix: file.prefix,
      rendition: renditionOf(file.prefix, master, edited),
      uti: file.body.uti,
      checksum: file.body.checksum,
      size: file.body.size,
      assetDate: data.assetDate ?? undefined,
      timeZoneOffset: data.timeZoneOffset,
      favorite: data.isFavorite === 1,
      hidden: data.isHidden === 1,
      bytes: () => file.body.bytes(),
    };
  }
}

/** cloudkit.md 5.2, files.md 1.1. */
function renditionOf(prefix: ResourcePrefix, master: MasterData, onAsset: boolean): ExpectedRendition | undefined {
  const video = master.dataClass === 2;
  const live = master.resources.some((file) => file.prefix === "resOriginalVidCompl");
  switch (prefix) {
    case "resOriginal":
      return "original";
    case "resOriginalAlt":
      return "alternative";
    case "resOriginalVidCompl":
      return "live_original";
    case "resJPEGFull":
      return video ? undefined : "adjusted";
    case "resJPEGMed":
      return video ? undefined : "medium";
    case "resJPEGThumb":
      return video ? undefined : "thumb";
    case "resVidFull":
      return video ? "adjusted" : onAsset ? "live_adjusted" : undefined;
    case "resVidCompl":
      return video ? undefined : "live_adjusted";
    case "resVidMed":
      return video ? "medium" : live ? "live_medium" : undefined;
    case "resVidSmall":
      return video ? "thumb" : live ? "live_thumb" : undefined;
    default:
      return undefined;
  }
}

/** The name as a person would see it. */
export function decodeName(field: Field | undefined): string | undefined {
  if (typeof field?.value !== "string" || field.value === "") return undefined;
  if (field.type === "STRING") return field.value;
  if (field.value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(field.value)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(field.value, "base64"));
  } catch {
    // Not UTF-8: there is no name to expect.
    return undefined;
  }
}

function albumsByAsset(library: PhotoLibrary): Map<string, string[]> {
  const albums = new Map<string, string[]>();
  for (const record of library.primary.records()) {
    if (!isRelation(record)) continue;
    const { itemId, containerId } = record.data;
    const album = library.primary.get(containerId);
    if (album?.data.kind !== "album" || album.data.isDeleted === 1) continue;
    albums.set(itemId, [...(albums.get(itemId) ?? []), containerId]);
  }
  return albums;
}
