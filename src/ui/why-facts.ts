import type { AssetStory, Found, RecordIssue } from "../state/answers.ts";

/** A setting that decides, as a person finds it. */
export interface WhyLever {
  readonly flag: string | undefined;
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly origin: "flag" | "env" | "file" | "default";
}

/** A photo that was found, and the settings behind the rule that leaves it out, if one does. */
export interface WhyAsset {
  readonly story: AssetStory;
  readonly levers: readonly WhyLever[];
}

/** What an answer to "why?" is made from. Times are ms since the epoch. */
export interface WhyFacts {
  /** What was asked for, as typed. */
  readonly word: string;
  readonly fit: Found["fit"] | undefined;
  readonly assets: readonly WhyAsset[];
  /** More photos fit than these. */
  readonly more: boolean;
  /** Records of this name that never became a photo. */
  readonly records: readonly RecordIssue[];
  /** Names that may have been meant; for a word that means nothing. */
  readonly near: readonly string[];
  /** Lifetime attempts of a file; 0: no limit. */
  readonly cap: number;
  readonly now: number;
  /** When a watch runs next. */
  readonly nextAt: number | undefined;
  /** When everything in iCloud was last known. */
  readonly asOf: number | undefined;
  /** Records that Apple sent and that could not become a photo, or a file of one. */
  readonly unusable: number;
  /** Libraries whose list was not read to its end. */
  readonly unfinished: readonly string[];
  /** The libraries that are selected, as the settings say it. */
  readonly libraries: readonly string[];
}
