/** What a file is called, before it meets others (files.md 1.5 to 1.11). */
import { createHash } from "node:crypto";
import type { Asset } from "./asset.ts";
import { type ChosenFile, firstResource, type RenditionSettings } from "./choose.ts";
import { addSuffix, type CleanOptions, cleanName, splitName } from "./clean.ts";
import { stripNonAscii } from "./unicode.ts";
import { extensionOfUti } from "./uti.ts";

/** The part of the settings that decides files and their names. */
export interface NamingSettings extends RenditionSettings, CleanOptions {
  /** Keep characters beyond ASCII; by default they are dropped, as earlier tools do. */
  readonly keepUnicode: boolean;
  readonly fileMatchPolicy: "name-size-dedup-with-suffix" | "name-id7";
  readonly livePhotoMovNaming: "suffix" | "original";
}

/**
 * Planned leaf name of a file, before collisions: provider name, non-ASCII dropped, extension of this very rendition,
 * mark, id7 where asked for, cleaned. A Live Photo's video follows `stillName`, the name its still really has.
 */
export function fileName(
  asset: Asset,
  file: ChosenFile,
  settings: NamingSettings,
  stillName: string | undefined,
): string {
  const id7 = settings.fileMatchPolicy === "name-id7" ? `_${shortId(asset.masterId)}` : "";
  if (file.role === "motion" || (file.role === "edited-motion" && file.ownName)) {
    // Under id7 the video is named like its still, not after it (files.md NM-16).
    const follows = stillName !== undefined && id7 === "" && !file.ownName;
    const still = follows ? stillName : addSuffix(cleanName(baseName(asset, undefined, settings), settings), id7);
    return addSuffix(motionName(still, settings.livePhotoMovNaming), file.mark);
  }
  const base = baseName(asset, file.resource.uti, settings, file.role === "edited-motion" ? ".MOV" : undefined);
  // Cleaned before the suffixes: where a name is too long, they stay whole (files.md SZ-4).
  return addSuffix(cleanName(base, settings), `${file.mark}${id7}`);
}

/** Name of a Live Photo's video beside a still. */
export function motionName(still: string, naming: NamingSettings["livePhotoMovNaming"]): string {
  const { stem, extension } = splitName(still);
  const heic = naming === "suffix" && extension.toUpperCase() === ".HEIC";
  return addSuffix(`${stem}.MOV`, heic ? "_HEVC" : "");
}

/**
 * Provider name with the extension of a type, or a fingerprint where there is no usable name (files.md 1.8). A type that
 * says nothing leaves the name's own extension, or gives `otherwise`.
 */
function baseName(asset: Asset, uti: string | undefined, { keepUnicode }: NamingSettings, otherwise?: string): string {
  const provider = asset.filename === undefined || asset.filename === "" ? fingerprint(asset) : asset.filename;
  const name = withExtension(keepUnicode ? provider : stripNonAscii(provider), uti, otherwise);
  const { stem, extension } = splitName(name);
  // Nor may a name be the folder above.
  return stem === "" || name === ".." ? `${splitName(fingerprint(asset)).stem}${extension}` : name;
}

/** Replaces a name's extension by that of a type; a type without one of its own leaves it, or gives `otherwise`. */
export function withExtension(name: string, uti: string | undefined, otherwise?: string): string {
  const { stem, extension } = splitName(name);
  const mapped = uti === undefined ? undefined : extensionOfUti(uti);
  return `${stem}${mapped === undefined ? (otherwise ?? extension) : `.${mapped}`}`;
}

/** Name of an asset that has none: 12 hex digits of the original's identity, with the extension of its first file. */
export function fingerprint(asset: Asset): string {
  return fingerprintName(asset.masterId, firstResource(asset)?.uti);
}

export function fingerprintName(id: string, uti: string | undefined): string {
  const digits = createHash("sha256").update(id, "utf8").digest("hex").slice(0, 12);
  return `${digits}.${(uti === undefined ? undefined : extensionOfUti(uti)) ?? "unknown"}`;
}

/** First seven characters of base64url over an id (files.md NM-11). */
export function shortId(id: string): string {
  return Buffer.from(id, "utf8").toString("base64url").slice(0, 7);
}
