/** The names that icloudpd 1.32 gives to files, for recognising them (files.md 1, 7.4). Never for writing. */
import type { Asset, Rendition, Resource } from "../asset.ts";
import type { NamingSettings } from "../names.ts";
import { stripNonAscii } from "../unicode.ts";
import { extensionOfUti } from "../uti.ts";

/** A type that icloudpd does not know: its files keep the provider's extension. */
const UNKNOWN_THERE = "org.webmproject.webp";

function extensionThere(uti: string): string | undefined {
  return uti === UNKNOWN_THERE ? undefined : extensionOfUti(uti);
}

/** Name of an asset that has none: twelve characters of its id, with the extension of its type. */
export function icloudpdFingerprint(id: string, itemType: string | undefined): string {
  const stem = id.replaceAll(/[^0-9A-Za-z]/g, "_").slice(0, 12);
  return `${stem}.${(itemType === undefined ? undefined : extensionThere(itemType)) ?? "unknown"}`;
}

/** As Python splits: dots at the beginning belong to the stem. */
function split(name: string): { readonly stem: string; readonly extension: string } {
  const start = /^\.*/.exec(name)?.[0].length ?? 0;
  const dot = name.lastIndexOf(".");
  return dot < start ? { stem: name, extension: "" } : { stem: name.slice(0, dot), extension: name.slice(dot) };
}

function withMark(name: string, mark: string): string {
  const { stem, extension } = split(name);
  return `${stem}${mark}${extension}`;
}

/** The extension of a listed type; else the name's own, and a bare dot where it has none. */
function typed(name: string, uti: string): string {
  const { stem, extension } = split(name);
  const mapped = extensionThere(uti);
  return `${stem}${mapped === undefined ? extension || "." : `.${mapped}`}`;
}

/** First seven characters of standard base64, padding included (files.md NM-11). */
function shortIdThere(id: string): string {
  return Buffer.from(id, "utf8").toString("base64").slice(0, 7);
}

/** Names under which a rendition may have been saved, the likeliest first. */
export function icloudpdNames(
  asset: Asset,
  rendition: Rendition,
  { uti, size }: Resource,
  { keepUnicode, fileMatchPolicy, livePhotoMovNaming }: NamingSettings,
): readonly string[] {
  const provider =
    asset.filename === undefined || asset.filename === ""
      ? icloudpdFingerprint(asset.masterId, asset.itemType)
      : asset.filename;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this tool replaces NUL, and no other control character.
  const cleaned = provider.replaceAll(/[/\\:*?"<>|\u0000]/g, "_");
  const id7 = fileMatchPolicy === "name-id7";
  const stripped = keepUnicode ? cleaned : stripNonAscii(cleaned);
  const base = id7 ? withMark(stripped, `_${shortIdThere(asset.masterId)}`) : stripped;
  const names = namesOf(rendition, base, cleaned, uti, livePhotoMovNaming);
  return id7 ? names : [...names, ...names.map((name) => withMark(name, `-${size}`))];
}

function namesOf(
  rendition: Rendition,
  base: string,
  cleaned: string,
  uti: string,
  policy: NamingSettings["livePhotoMovNaming"],
): readonly string[] {
  const plain = typed(base, uti);
  switch (rendition) {
    case "original":
      return [plain, withMark(plain, "-original")];
    case "adjusted":
      return [plain, withMark(typed(cleaned, uti), "-adjusted")];
    case "alternative":
      return [plain, withMark(typed(cleaned, uti), "-alternative")];
    case "medium":
    case "thumb":
      return [withMark(plain, `-${rendition}`)];
    case "live_original":
      return [motionThere(base, policy)];
    case "live_medium":
      return [withMark(motionThere(base, policy), "-medium")];
    case "live_thumb":
      return [withMark(motionThere(base, policy), "-thumb")];
    case "live_adjusted":
      return [];
  }
}

/** From the provider's own extension, never from a still with a suffix; a name without one stays as it is. */
function motionThere(base: string, policy: NamingSettings["livePhotoMovNaming"]): string {
  const { stem, extension } = split(base);
  if (extension === "") return base;
  const heic = policy === "suffix" && extension.toUpperCase() === ".HEIC";
  return `${stem}${heic ? "_HEVC" : ""}.MOV`;
}
