/** Which photos are left out, and by which rule (files.md 5). */
import type { Asset, MediaKind } from "./asset.ts";
import type { RenditionSettings } from "./choose.ts";
import { type BoundContext, compareToBound, type DateBound } from "./date-bound.ts";

/** The rules that look at the photo alone, in the order in which they are asked. */
export type FilterRule = "by_media_type" | "by_live_photo" | "by_date_range" | "by_filename";

export interface Filters {
  readonly media: ReadonlySet<MediaKind>;
  readonly livePhotoMode: RenditionSettings["livePhotoMode"];
  /** What was taken earlier is left out; what was taken on it stays. */
  readonly createdBefore: readonly DateBound[];
  /** What was taken later is left out; what was taken on it stays. */
  readonly createdAfter: readonly DateBound[];
  /** A name that one of them matches is left out, with all files of its photo. */
  readonly filenameExclude: ReadonlyArray<(name: string) => boolean>;
}

/**
 * The first rule that leaves the photo out; undefined when none does. Names are those that the provider gave, or
 * `fallbackName` where there is none: how kei calls the file does not matter.
 */
export function leftOutBy(
  asset: Asset,
  filters: Filters,
  context: BoundContext,
  fallbackName: () => string,
): FilterRule | undefined {
  if (!filters.media.has(asset.kind)) return "by_media_type";
  if (asset.kind === "live-photo" && filters.livePhotoMode === "skip") return "by_live_photo";
  if (
    filters.createdBefore.some((bound) => compareToBound(asset, bound, context) < 0) ||
    filters.createdAfter.some((bound) => compareToBound(asset, bound, context) > 0)
  ) {
    return "by_date_range";
  }
  if (filters.filenameExclude.length === 0) return undefined;
  const name = asset.filename ?? fallbackName();
  return filters.filenameExclude.some((matches) => matches(name)) ? "by_filename" : undefined;
}
