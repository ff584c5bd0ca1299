/** What `State` tells people: `kei status`, `kei why`, `kei manifest`. Nothing here writes. */
import type { AppleChecksum, AssetId, MediaKind, Rendition, ZoneName } from "../library/asset.ts";
import type { AssetRow, ListedFile, PlacementRow, RenditionRow, RenditionStatus } from "./types.ts";

/** Assets that a word means. */
export interface Found {
  /** How well the word fits: all of them equally well, and no other asset better. */
  readonly fit: "exact" | "other-case" | "part";
  /** In the order of library and id. */
  readonly assets: ReadonlyArray<{ readonly library: ZoneName; readonly id: AssetId }>;
  /** There are more than these. */
  readonly more: boolean;
}

/** Failed files that are alike. */
export interface FailedKind {
  /** Stands for the others. */
  readonly sample: ListedFile;
  readonly files: number;
}

/** Everything the catalogue says of one asset. */
export interface AssetStory {
  readonly asset: AssetRow;
  /** When the list that last showed it began (ms), if that list is still on record. */
  readonly seenAt: number | undefined;
  /** Names of the albums it is in. */
  readonly albums: readonly string[];
  readonly files: readonly RenditionRow[];
  /** In order; `lastError` is that of this place alone. */
  readonly places: ReadonlyArray<
    PlacementRow & { readonly lastError: string | undefined; readonly lastErrorKind: string | undefined }
  >;
  /** What Apple says of it that can't be used. */
  readonly issues: readonly RecordIssue[];
}

export interface RecordIssue {
  readonly library: ZoneName;
  readonly recordName: string;
  readonly reason: string;
  readonly detail: string | undefined;
}

/** One file, as the manifest tells it. Times are ms since the epoch. */
export interface ManifestRow {
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  readonly filename: string | undefined;
  /** Where the file stands, relative to the download root: the place that owns the file first. */
  readonly paths: readonly string[];
  readonly checksum: AppleChecksum;
  readonly size: number;
  /** Size of the file at the first of the paths, as kei left it. */
  readonly localSize: number | undefined;
  readonly proof: RenditionRow["proof"];
  readonly capturedAt: number;
  readonly addedAt: number | undefined;
  readonly downloadedAt: number | undefined;
  readonly seenAt: number | undefined;
  readonly kind: MediaKind;
  /** With all its places taken together, as `Totals.files` counts it. */
  readonly status: RenditionStatus;
  readonly albums: readonly string[];
}

export interface Answers {
  /** End (ms) of the last run that was told everything it asked for; what it saved or not does not matter. */
  lastWholeRun(): number | undefined;
  /** Assets that are on disk without a file of their own: each of their files is the file of another asset. */
  sharedAssets(): number;

  /**
   * Assets whose file stands, or is to stand, at one of these paths (relative to the download root). Several spellings of
   * one path may be given.
   */
  findPath(paths: readonly string[], limit: number): Found | undefined;
  /**
   * Assets that `word` means: by file name, name on disk, end of a path, or record name; whole in this case of letters,
   * else in any, else as a part. `*` and `?` stand for any run of characters and for one. Undefined when it means none.
   */
  findWord(word: string, limit: number): Found | undefined;
  /** File names that may have been meant by a word that means nothing; at most `limit`, in no order. */
  namesNear(word: string, limit: number): string[];
  /** Records of this name that never became an asset. */
  issuesOf(recordName: string): RecordIssue[];
  story(library: ZoneName, id: AssetId): AssetStory | undefined;

  /** Every file there is, one by one, in the order of library, asset and rendition: as they stand when the first is asked for. */
  manifest(): Iterable<ManifestRow>;
}
