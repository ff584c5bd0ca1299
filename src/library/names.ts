import { createHash } from "node:crypto";
import type { Asset, MasterId } from "./asset.ts";
import type { ChosenFile } from "./choose.ts";
import { addSuffix, cleanName, splitName } from "./clean.ts";
import { extensionOfUti } from "./uti.ts";

/** The part of the settings that decides file names. */
export interface NamingSettings {
  /** Keep characters beyond ASCII; by default they are dropped, as earlier tools do. */
  readonly keepUnicode: boolean;
  readonly fileMatchPolicy: "name-size-dedup-with-suffix" | "name-id7";
  readonly livePhotoMovNaming: "suffix" | "original";
}

/**
 * Planned leaf name of a file, before collisions (files.md 1.5): provider name, non-ASCII dropped, extension of this
 * very rendition, id7 where asked for, cleaned. A Live Photo's video follows `stillName`, the name its still really has.
 */
export function fileName(
  asset: Asset,
  file: ChosenFile,
  settings: NamingSettings,
  stillName: string | undefined,
): string {
  const id7 = settings.fileMatchPolicy === "name-id7" ? `_${shortId(asset.masterId)}` : "";
  if (file.role === "motion") {
    // Under id7 the video is named like its still, not after it (files.md NM-16).
    if (stillName !== undefined && id7 === "") return cleanName(motionName(stillName, settings, ""));
    return cleanName(motionName(baseName(asset, "", settings), settings, id7));
  }
  return cleanName(addSuffix(baseName(asset, file.resource.uti, settings), id7));
}

/** Provider name with the extension of `uti`, or a fingerprint where there is no usable name (files.md 1.8). */
function baseName(asset: Asset, uti: string, { keepUnicode }: NamingSettings): string {
  const provider = asset.filename ?? fingerprint(asset);
  const kept = keepUnicode ? provider : stripNonAscii(provider);
  const { stem, extension } = splitName(kept);
  const mapped = extensionOfUti(uti);
  const ending = mapped === undefined ? extension : `.${mapped}`;
  return `${stem === "" ? splitName(fingerprint(asset)).stem : stem}${ending}`;
}

/** 12 hex digits of the original's identity, with the extension of its first rendition. */
function fingerprint(asset: Asset): string {
  const digits = createHash("sha256").update(asset.masterId, "utf8").digest("hex").slice(0, 12);
  const [first] = Object.values(asset.renditions);
  return `${digits}.${(first === undefined ? undefined : extensionOfUti(first.uti)) ?? "unknown"}`;
}

/** Removes every character beyond ASCII; nothing is transliterated (files.md SZ-9). */
export function stripNonAscii(name: string): string {
  return name.replaceAll(/[\u{80}-\u{10ffff}]/gu, "");
}

/** First seven characters of base64url over the id (files.md NM-11). */
function shortId(id: MasterId): string {
  return Buffer.from(id, "utf8").toString("base64url").slice(0, 7);
}

function motionName(still: string, { livePhotoMovNaming }: NamingSettings, id7: string): string {
  const { stem, extension } = splitName(still);
  const heic = livePhotoMovNaming === "suffix" && extension.toUpperCase() === ".HEIC";
  return `${stem}${id7}${heic ? "_HEVC" : ""}.MOV`;
}
