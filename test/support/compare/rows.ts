/** What is compared: options of icloudpd, and those of kei that mean the same. */

export interface Row {
  readonly name: string;
  readonly icloudpd: readonly string[];
  readonly kei: readonly string[];
  /** Days that bound the selection, as both sides got them. */
  readonly from?: string;
  readonly to?: string;
  /** Only so many of the newest photos. */
  readonly recent?: number;
}

/** kei's way of walking a whole library into one tree, as icloudpd always does. */
const WHOLE = ["--album", "none"];

const both = (...args: string[]): Row => ({ name: args.join(" "), icloudpd: args, kei: [...WHOLE, ...args] });
const row = (icloudpd: readonly string[], kei: readonly string[]): Row => ({
  name: icloudpd.join(" "),
  icloudpd,
  kei: [...WHOLE, ...kei],
});

export const DEFAULT_ROW: Row = { ...both(), name: "default" };

const sizes = (...values: string[]) => both(...values.flatMap((value) => ["--size", value]));
const FROM = "2024-03-01";
const TO = "2024-04-01";

export const ROWS: readonly Row[] = [
  DEFAULT_ROW,
  sizes("medium"),
  sizes("thumb"),
  sizes("original", "medium", "thumb"),
  both("--size", "medium", "--force-size"),
  sizes("adjusted"),
  both("--size", "adjusted", "--force-size"),
  sizes("alternative"),
  sizes("original", "adjusted"),
  sizes("original", "adjusted", "alternative"),
  both("--live-photo-size", "medium"),
  both("--live-photo-mov-filename-policy", "original"),
  row(["--skip-live-photos"], ["--live-photo-mode", "image-only"]),
  row(["--skip-photos"], ["--skip-photos", "--live-photo-mode", "skip"]),
  both("--skip-videos"),
  both("--align-raw", "original"),
  both("--align-raw", "alternative"),
  both("--align-raw", "alternative", "--size", "original", "--size", "alternative"),
  both("--file-match-policy", "name-id7"),
  both("--file-match-policy", "name-id7", "--size", "medium"),
  both("--keep-unicode-in-filenames"),
  both("--folder-structure", "none"),
  both("--folder-structure", "{:%Y/%B}"),
  { ...both("--skip-created-before", FROM), from: FROM },
  { ...both("--skip-created-after", TO), to: TO },
  { ...both("--recent", "100"), recent: 100 },
  {
    name: "--album",
    icloudpd: ["--album", "Album 2"],
    kei: ["--album", "Album 2", "--unfiled=false", "--folder-structure-albums", "%Y/%m/%d"],
  },
];
