import type {
  AppleChecksum,
  Asset,
  AssetId,
  MasterId,
  MediaKind,
  Rendition,
  Resource,
  ZoneName,
} from "../../library/asset.ts";
import { isMediaUrl } from "../../library/media-hosts.ts";
import { isImage } from "../../library/uti.ts";
import {
  asText,
  fieldType,
  fieldValue,
  isObject,
  numberField,
  referenceField,
  textField,
  truthyField,
  type WireRecord,
} from "../cloudkit/record.ts";
import type { RecordIssue } from "./types.ts";

/** Where the fields of a rendition are looked for. The asset comes first: edits are kept there (cloudkit.md 5.2). */
interface Place {
  readonly rendition: Rendition;
  readonly prefix: string;
  readonly on: "asset-then-master" | "asset";
}

const place = (rendition: Rendition, prefix: string, on: Place["on"] = "asset-then-master"): Place => ({
  rendition,
  prefix,
  on,
});

/** files.md 1.1. The first place that has a rendition wins; an edited Live motion is never the master's. */
const IMAGE_PLACES: readonly Place[] = [
  place("original", "resOriginal"),
  place("alternative", "resOriginalAlt"),
  place("adjusted", "resJPEGFull"),
  place("medium", "resJPEGMed"),
  place("thumb", "resJPEGThumb"),
  place("live_original", "resOriginalVidCompl"),
  place("live_medium", "resVidMed"),
  place("live_thumb", "resVidSmall"),
  place("live_adjusted", "resVidCompl", "asset"),
  place("live_adjusted", "resVidFull", "asset"),
];
const MOVIE_PLACES: readonly Place[] = [
  place("original", "resOriginal"),
  place("adjusted", "resVidFull"),
  place("medium", "resVidMed"),
  place("thumb", "resVidSmall"),
];
const LIVE: readonly Rendition[] = ["live_original", "live_medium", "live_thumb", "live_adjusted"];

/** A day in seconds: an offset this large or larger is no time zone (files.md FT-11). */
const DAY_SECONDS = 86_400;

/**
 * Makes an asset of a CPLAsset and its CPLMaster (cloudkit.md 5), or says why that is not possible. Single renditions
 * that can't be used are listed as defects; the rest of the asset stands.
 */
export function decodeAsset(zone: ZoneName, asset: WireRecord, master: WireRecord): Asset | RecordIssue {
  const issue = (reason: string): RecordIssue => ({ recordName: asset.recordName, reason });
  if (asset.recordName === undefined) return issue("no-record-name");
  if (master.recordName === undefined) return issue("no-master-name");
  const capturedAt = numberField(asset, "assetDate");
  // Beyond what a date can hold no folder can be made for it.
  if (capturedAt === undefined || Number.isNaN(new Date(capturedAt).getTime())) return issue("no-capture-date");

  const filename = decodeText(master, "filenameEnc");
  const itemType = textField(master, "itemType");
  const image = isImage(itemType, filename);
  const renditions: Partial<Record<Rendition, Resource>> = {};
  const defects: Array<Asset["defects"][number]> = [];
  for (const { rendition, prefix, on } of image ? IMAGE_PLACES : MOVIE_PLACES) {
    if (renditions[rendition] !== undefined) continue;
    const found =
      readResource(asset, prefix) ?? (on === "asset-then-master" ? readResource(master, prefix) : undefined);
    if (found === undefined) continue;
    if ("defect" in found) defects.push({ rendition, reason: found.defect });
    else renditions[rendition] = found;
  }
  const live = image && LIVE.some((rendition) => renditions[rendition] !== undefined);
  const kind: MediaKind = live ? "live-photo" : image ? "photo" : "video";
  return {
    library: zone,
    id: asset.recordName as AssetId,
    masterId: master.recordName as MasterId,
    filename,
    itemType,
    kind,
    capturedAt,
    timeZoneOffset: usableOffset(numberField(asset, "timeZoneOffset")),
    addedAt: numberField(asset, "addedDate"),
    isFavorite: truthyField(asset, "isFavorite"),
    isHidden: truthyField(asset, "isHidden"),
    isDeleted: truthyField(asset, "isDeleted") || truthyField(asset, "isExpunged"),
    changeTag: asset.changeTag,
    renditions,
    defects,
  };
}

/** Name of the master that an asset belongs to. */
export function masterOf(asset: WireRecord): MasterId | undefined {
  return referenceField(asset, "masterRef") as MasterId | undefined;
}

/** Undefined when the record has no such rendition; a defect when it has one that can't be used (files.md RN-1). */
function readResource(record: WireRecord, prefix: string): Resource | { readonly defect: string } | undefined {
  const value = fieldValue(record, `${prefix}Res`);
  if (!isObject(value)) return undefined;
  const uti = textField(record, `${prefix}FileType`);
  const url = asText(value["downloadURL"]);
  const checksum = asText(value["fileChecksum"]);
  const size = value["size"];
  if (url === undefined) return { defect: "no-download-url" };
  if (checksum === undefined) return { defect: "no-checksum" };
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size <= 0) return { defect: "no-size" };
  if (uti === undefined) return { defect: "no-file-type" };
  if (!isMediaUrl(url)) return { defect: "foreign-url" };
  return {
    checksum: checksum as AppleChecksum,
    size,
    url,
    uti,
    width: numberField(record, `${prefix}Width`),
    height: numberField(record, `${prefix}Height`),
  };
}

function usableOffset(seconds: number | undefined): number | undefined {
  if (seconds === undefined || !Number.isInteger(seconds)) return undefined;
  return Math.abs(seconds) < DAY_SECONDS ? seconds : undefined;
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Text of an `...Enc` field (cloudkit.md 5.4): a STRING as it is, anything else as strict base64 of strict UTF-8.
 * Undefined when it is missing, empty or broken; never throws.
 */
export function decodeText(record: WireRecord, name: string): string | undefined {
  const value = textField(record, name);
  if (value === undefined) return undefined;
  const type = fieldType(record, name);
  if (type === "STRING") return value;
  if ((type !== undefined && type !== "ENCRYPTED_BYTES") || !BASE64.test(value)) return undefined;
  try {
    return asText(STRICT_UTF8.decode(Buffer.from(value, "base64")));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
