/** Which of an asset's renditions become files (files.md 1.3, 1.4). */
import { type Asset, RENDITIONS, type Rendition, type Resource } from "./asset.ts";
import { isRaw } from "./uti.ts";

/** What a file is to its asset. */
export type FileRole = "primary" | "edited" | "alternative" | "edited-motion" | "motion";

/** One rendition that becomes a file. */
export interface ChosenFile {
  /** The resource's own kind, also where it takes another's part: a swapped RAW, a fallback. */
  readonly rendition: Rendition;
  readonly role: FileRole;
  readonly resource: Resource;
  /** Goes before the extension: `-medium`, `_edited`, `_RAW`. Empty: none. */
  readonly mark: string;
  /** Named after the provider's name where its kin would follow the still: the parts of an edited Live Photo. */
  readonly ownName: boolean;
}

/**
 * A file that can stand for the photo. `adjusted` and `alternative` take the plain name of the original where the photo
 * has them, as the first releases of kei and other tools have it (files.md RN-9).
 */
export type Resolution = "original" | "medium" | "thumb" | "adjusted" | "alternative";

/** The part of the settings that decides which files there are. */
export interface RenditionSettings {
  /** Which files of the photo itself, in this order; none for an empty list. */
  readonly resolutions: readonly Resolution[];
  /** Edited versions too. */
  readonly edited: boolean;
  /** The other half of RAW pairs too. */
  readonly alternative: boolean;
  /** Whose name is the plain one: the original's, or the edited version's. */
  readonly editedNaming: "suffix" | "primary";
  /** No other resolution in place of a size that is missing. */
  readonly forceResolution: boolean;
  readonly rawPolicy: "as-is" | "prefer-raw" | "prefer-jpeg";
  readonly livePhotoMode: "both" | "image-only" | "video-only" | "skip";
  readonly liveResolution: "original" | "medium" | "thumb" | "adjusted";
}

/** Originals, and the videos of Live Photos. */
export const DEFAULT_RENDITIONS: RenditionSettings = {
  resolutions: ["original"],
  edited: false,
  alternative: false,
  editedNaming: "suffix",
  forceResolution: false,
  rawPolicy: "as-is",
  livePhotoMode: "both",
  liveResolution: "original",
};

/**
 * The files that an asset becomes, in the order in which they get their names: primary, edited, alternative, edited
 * motion, motion. The still comes before its video, which follows its name.
 */
export function chooseFiles(asset: Asset, settings: RenditionSettings = DEFAULT_RENDITIONS): readonly ChosenFile[] {
  const live = asset.kind === "live-photo";
  const mode = live ? settings.livePhotoMode : "both";
  const files: ChosenFile[] = [];
  const add = (rendition: Rendition | undefined, role: FileRole, mark: string, ownName = false): void => {
    const resource = rendition === undefined ? undefined : asset.renditions[rendition];
    if (rendition === undefined || resource === undefined) return;
    // The same URL offered twice is one file.
    if (files.some((file) => file.resource.url === resource.url)) return;
    files.push({ rendition, role, resource, mark, ownName });
  };

  const stills = mode === "both" || mode === "image-only";
  const films = live && (mode === "both" || mode === "video-only");
  const { adjusted, live_adjusted: adjustedMotion } = asset.renditions;
  const editedStill = stills && settings.edited && adjusted !== undefined;
  // With `primary` the edited version has the plain name, and the original gives way.
  const swapNames = settings.editedNaming === "primary";
  const editedFilm = films && settings.edited && adjustedMotion !== undefined;
  const swapFilms = swapNames && (editedStill || (mode === "video-only" && editedFilm));

  if (stills) {
    const [original, alternative] = originals(asset, settings);
    const renditionOf = { original, alternative, adjusted: "adjusted", medium: "medium", thumb: "thumb" } as const;
    const originalMark = swapNames && editedStill ? "_original" : "";
    const marks = { original: originalMark, alternative: "", adjusted: "", medium: "-medium", thumb: "-thumb" };
    for (const wanted of settings.resolutions) {
      const there = asset.renditions[renditionOf[wanted]] !== undefined;
      if (!there && settings.forceResolution && !isVersion(wanted)) continue;
      const taken = there ? wanted : "original";
      add(renditionOf[taken], "primary", marks[taken]);
    }
    if (editedStill) add("adjusted", "edited", swapNames ? "" : "_edited");
    if (settings.alternative && !live) {
      const resource = asset.renditions[alternative];
      add(alternative, "alternative", resource !== undefined && isRaw(resource.uti) ? "_RAW" : "_alt");
    }
  }
  if (films) {
    if (editedFilm) add("live_adjusted", "edited-motion", swapFilms ? "" : "_edited", swapFilms);
    add(motionOf(asset, settings), "motion", swapFilms ? "_original" : "", swapFilms);
  }
  return files;
}

/** The two halves of a RAW pair: which of them counts as the original, and which as the alternative. */
function originals(asset: Asset, { rawPolicy }: RenditionSettings): readonly [Rendition, Rendition] {
  const { original, alternative } = asset.renditions;
  const swap =
    alternative !== undefined &&
    ((rawPolicy === "prefer-raw" && isRaw(alternative.uti)) ||
      (rawPolicy === "prefer-jpeg" && original !== undefined && isRaw(original.uti)));
  return swap ? ["alternative", "original"] : ["original", "alternative"];
}

function motionOf(asset: Asset, { liveResolution, forceResolution }: RenditionSettings): Rendition | undefined {
  const wanted = `live_${liveResolution}` as const;
  if (asset.renditions[wanted] !== undefined) return wanted;
  return forceResolution && !isVersion(liveResolution) ? undefined : "live_original";
}

/** Most photos have no versions, and nobody means to leave all of these out: only a size can be forced (files.md RN-9). */
function isVersion(resolution: Resolution): boolean {
  return resolution === "adjusted" || resolution === "alternative";
}

/** A wanted file that a photo should have, but that can't be had because of what Apple says of it. */
export interface MissingFile {
  readonly rendition: Rendition;
  readonly reason: string;
}

/**
 * The files that the settings ask for and that only a defect of the asset's record keeps away; not those for which
 * another rendition stands in.
 */
export function missingFiles(asset: Asset, settings: RenditionSettings, chosen: readonly ChosenFile[]): MissingFile[] {
  return asset.defects.filter(({ rendition }) => {
    if (asset.renditions[rendition] !== undefined) return false;
    const mended: Asset = {
      ...asset,
      kind: rendition.startsWith("live_") ? "live-photo" : asset.kind,
      renditions: { ...asset.renditions, [rendition]: STAND_IN },
    };
    const wanted = chooseFiles(mended, settings).find((file) => file.rendition === rendition);
    return wanted !== undefined && !chosen.some((file) => file.role === wanted.role);
  });
}

const STAND_IN: Resource = {
  checksum: "" as Resource["checksum"],
  size: 1,
  url: "",
  uti: "",
  width: undefined,
  height: undefined,
};

/** The first resource that an asset has, in the order of the renditions. */
export function firstResource(asset: Asset): Resource | undefined {
  for (const rendition of RENDITIONS) {
    const resource = asset.renditions[rendition];
    if (resource !== undefined) return resource;
  }
  return undefined;
}
