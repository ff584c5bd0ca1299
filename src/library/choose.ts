import type { Asset, Rendition, Resource } from "./asset.ts";

/** What a file is to its asset. */
export type FileRole = "primary" | "motion";

/** One rendition that becomes a file. */
export interface ChosenFile {
  readonly rendition: Rendition;
  readonly role: FileRole;
  readonly resource: Resource;
}

/** The files an asset becomes: its original, and the video half of a Live Photo. Still first: the video follows it. */
export function chooseFiles(asset: Asset): readonly ChosenFile[] {
  const files: ChosenFile[] = [];
  const { original, live_original: motion } = asset.renditions;
  if (original !== undefined) files.push({ rendition: "original", role: "primary", resource: original });
  // The same URL offered twice is one file.
  if (asset.kind === "live-photo" && motion !== undefined && motion.url !== original?.url) {
    files.push({ rendition: "live_original", role: "motion", resource: motion });
  }
  return files;
}
