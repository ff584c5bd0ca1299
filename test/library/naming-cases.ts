/** The table of naming cases: its shape, and how its options and resources are said here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type {
  AppleChecksum,
  Asset,
  AssetId,
  MasterId,
  Rendition,
  Resource,
  ZoneName,
} from "../../src/library/asset.ts";
import { DEFAULT_RENDITIONS } from "../../src/library/choose.ts";
import type { ZoneOffset } from "../../src/library/local-time.ts";
import type { NamingSettings } from "../../src/library/names.ts";
import { isImage } from "../../src/library/uti.ts";

/** One file of the table: which record offers it, its size and its type. */
interface CaseResource {
  readonly record: "master" | "asset";
  readonly size: number;
  readonly uti: string;
}

export interface CaseAsset {
  readonly masterId: string;
  readonly assetId: string;
  readonly filename: string | null;
  readonly itemType: string | null;
  readonly created: number;
  readonly captureOffsetSec: number | null;
  readonly album?: string;
  readonly resources: Readonly<Record<string, CaseResource>>;
}

export interface CaseOptions {
  readonly resolution?: "original" | "medium" | "thumb" | "none";
  readonly edited?: boolean;
  readonly alternative?: boolean;
  readonly edited_naming?: NamingSettings["editedNaming"];
  readonly force_resolution?: boolean;
  readonly raw_policy?: NamingSettings["rawPolicy"];
  readonly live_photo_mode?: NamingSettings["livePhotoMode"];
  readonly live_resolution?: NamingSettings["liveResolution"];
  readonly mov_policy?: NamingSettings["livePhotoMovNaming"];
  readonly match?: NamingSettings["fileMatchPolicy"];
  readonly keep_unicode?: boolean;
  readonly folder_structure?: string;
  readonly folder_structure_albums?: string;
  readonly library?: string;
  readonly case_insensitive?: boolean;
}

export interface PathCase {
  readonly id: string;
  readonly kind: "path";
  readonly title: string;
  readonly hostTz: string;
  readonly assets: readonly CaseAsset[];
  readonly keiOptions?: CaseOptions;
  readonly existingFiles?: Readonly<Record<string, number>>;
  readonly icloudpdOptions?: {
    readonly match?: NamingSettings["fileMatchPolicy"];
    readonly mov?: NamingSettings["livePhotoMovNaming"];
    readonly unicode?: boolean;
    readonly folder?: string;
  };
  readonly expect: { readonly kei?: readonly string[]; readonly icloudpd?: readonly string[] };
}

/** A case of one pure function; `in` and `out` are as the function needs them. */
export interface FunctionCase {
  readonly id: string;
  readonly kind: string;
  readonly in: unknown;
  readonly out: unknown;
}

/** Cases of adopting folders that other tools, or kei itself, made. */
export interface AdoptionCase {
  readonly id: string;
  readonly kind: "import" | "adopt-icloudpd";
  readonly title: string;
  readonly hostTz?: string;
  readonly assets?: readonly CaseAsset[];
  readonly keiOptions?: CaseOptions;
  readonly existingFiles?: Readonly<Record<string, number>>;
  /** Links, and the files they lead to. */
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly unreadable?: readonly string[];
  readonly adopted?: readonly string[];
  readonly expectRequired?: ReadonlyArray<{
    readonly path: string;
    readonly masterId: string;
    readonly rendition: string;
  }>;
  readonly expect?: {
    readonly matched?: number;
    readonly unmatched?: number;
    readonly filtered?: number;
    readonly hashErrors?: number;
    readonly warnings?: readonly string[];
  };
}

interface Table {
  readonly cases: ReadonlyArray<PathCase | FunctionCase | AdoptionCase>;
}

const table: Table = JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/naming-cases.json"), "utf8"));

export const PATH_CASES = table.cases.filter((one): one is PathCase => one.id.startsWith("P"));
export const FUNCTION_CASES = table.cases.filter((one): one is FunctionCase => one.id.startsWith("F"));
export const ADOPTION_CASES = table.cases.filter((one): one is AdoptionCase => /^[AM]/.test(one.id));
export const ALL_CASES = table.cases.length;

export function namingOf(options: CaseOptions): NamingSettings {
  return {
    ...DEFAULT_RENDITIONS,
    resolutions: options.resolution === "none" ? [] : [options.resolution ?? "original"],
    edited: options.edited ?? DEFAULT_RENDITIONS.edited,
    alternative: options.alternative ?? DEFAULT_RENDITIONS.alternative,
    editedNaming: options.edited_naming ?? DEFAULT_RENDITIONS.editedNaming,
    forceResolution: options.force_resolution ?? DEFAULT_RENDITIONS.forceResolution,
    rawPolicy: options.raw_policy ?? DEFAULT_RENDITIONS.rawPolicy,
    livePhotoMode: options.live_photo_mode ?? DEFAULT_RENDITIONS.livePhotoMode,
    liveResolution: options.live_resolution ?? DEFAULT_RENDITIONS.liveResolution,
    livePhotoMovNaming: options.mov_policy ?? "suffix",
    fileMatchPolicy: options.match ?? "name-size-dedup-with-suffix",
    keepUnicode: options.keep_unicode ?? false,
  };
}

/** Where a rendition lives: iCloud's field names, for stills and for films (files.md 1.1). */
const STILL_FIELDS: Readonly<Record<string, Rendition>> = {
  resOriginal: "original",
  resOriginalAlt: "alternative",
  resJPEGFull: "adjusted",
  resJPEGMed: "medium",
  resJPEGThumb: "thumb",
  resOriginalVidCompl: "live_original",
  resVidMed: "live_medium",
  resVidSmall: "live_thumb",
  resVidCompl: "live_adjusted",
};
const FILM_FIELDS: Readonly<Record<string, Rendition>> = {
  resOriginal: "original",
  resVidFull: "adjusted",
  resVidMed: "medium",
  resVidSmall: "thumb",
};

export function assetOf(from: CaseAsset, library: string): Asset {
  const image = isImage(from.itemType ?? undefined, from.filename ?? undefined);
  const fields = image ? STILL_FIELDS : FILM_FIELDS;
  const renditions: Partial<Record<Rendition, Resource>> = {};
  for (const [field, resource] of Object.entries(from.resources)) {
    const rendition = fields[field];
    if (rendition === undefined) continue;
    renditions[rendition] = {
      // Equal sizes are not equal bytes: each file of each asset has a content of its own.
      checksum: `${from.assetId}/${field}` as AppleChecksum,
      size: resource.size,
      url: `https://cvws.icloud-content.com/${from.assetId}/${field}`,
      uti: resource.uti,
      width: undefined,
      height: undefined,
    };
  }
  const live = image && Object.keys(renditions).some((rendition) => rendition.startsWith("live_"));
  return {
    library: library as ZoneName,
    id: from.assetId as AssetId,
    masterId: from.masterId as MasterId,
    filename: from.filename ?? undefined,
    itemType: from.itemType ?? undefined,
    kind: live ? "live-photo" : image ? "photo" : "video",
    capturedAt: from.created,
    timeZoneOffset: from.captureOffsetSec ?? undefined,
    addedAt: undefined,
    isFavorite: false,
    isHidden: false,
    isDeleted: false,
    changeTag: undefined,
    renditions,
    defects: [],
  };
}

/** Offset of a named zone, to stand for that of the machine. */
export function zoneOffset(timeZone: string): ZoneOffset {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instant) => {
    if (timeZone === "UTC") return 0;
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const part = (name: string): number => Number(parts[name]);
    const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
    return Math.round((wall - Math.floor(instant / 1000) * 1000) / 1000);
  };
}
