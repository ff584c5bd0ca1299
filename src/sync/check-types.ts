/** What `cli/` hands to `sync/` to look after what is saved, and what it gets back. */
import type { Part } from "../state/types.ts";
import type { AccountSettings } from "./types.ts";

/** An account's catalogue and the folder that it speaks of; nothing is asked of Apple. */
export interface CatalogueSettings extends Pick<AccountSettings, "username" | "domain" | "dataDir"> {
  /** Absolute download root. */
  readonly directory: string;
}

/** What is wrong with a saved file. */
export interface FileIssue {
  /**
   * - `missing`: nothing is there
   * - `truncated`: it is shorter than what was written
   * - `corrupted`: its content is not what Apple's checksum says
   * - `unreadable`: it can't be looked at or read, or is no file
   * - `no-path`: it counts as saved, but nobody knows where
   * - `not-saved`: iCloud has it, and it is not here
   */
  readonly kind: "missing" | "truncated" | "corrupted" | "unreadable" | "no-path" | "not-saved";
  /** Relative to the download folder; absent when unknown. */
  readonly path: string | undefined;
  readonly library: string;
  readonly asset: string;
  readonly rendition: string;
  /** When its bytes came, ms since the epoch. */
  readonly downloadedAt: number | undefined;
  /** What is known besides, for people. */
  readonly detail: string | undefined;
}

/** Told while saved files are looked at. Must not throw. */
export interface CheckListener {
  /** Before the first file: how many there are, and their bytes. */
  begin(files: number, bytes: number): void;
  /** In a stable order. */
  issue(issue: FileIssue): void;
  /** Files looked at and bytes read so far. */
  progress(files: number, bytes: number): void;
}

export interface ReconcileOptions {
  /** Write nothing. */
  readonly dryRun: boolean;
  /** Believe also that many files are gone. */
  readonly force: boolean;
}

/** Figures of a reconcile; files, each counted once. */
export interface ReconcileResult {
  readonly present: number;
  readonly missing: number;
  readonly truncated: number;
  readonly unreadable: number;
  readonly noPath: number;
  /** Files that failed by this. */
  readonly flipped: number;
  /** So much is missing that without `dryRun` nothing would be done unless forced. */
  readonly guarded: boolean;
}

export interface VerifyOptions {
  /** Read every byte. */
  readonly checksums: boolean;
  /** Only these of the saved files. */
  readonly part: Part | undefined;
}

/** Figures of a verification; files, each counted once. */
export interface VerifyResult {
  readonly verified: number;
  readonly missing: number;
  readonly truncated: number;
  readonly corrupted: number;
  readonly unreadable: number;
  readonly noPath: number;
  /** There, but of no checksum that could be computed anew. Not part of `verified`. */
  readonly unverifiable: number;
  /** Files that are wanted and not saved yet, or not any more; in no other figure. */
  readonly waiting: number;
  readonly bytesRead: number;
  /** A stop ended it early. */
  readonly stopped: boolean;
}

/** What iCloud has, measured against what is here. */
export interface CompletenessResult {
  /** Photos that iCloud listed, and those that the settings leave out. */
  readonly listed: number;
  readonly leftOut: number;
  /** Files that are selected and not here, besides those that are known to be missing. */
  readonly notSaved: number;
  /** Bytes of those. */
  readonly bytes: number;
  /** Selected photos that Apple's records make impossible to fetch, and other records that are of no use, by reason. */
  readonly issues: Readonly<Record<string, number>>;
  /** Parts of iCloud that could not be listed. */
  readonly unlisted: readonly string[];
  /** Everything that is selected is here, and all of iCloud was looked at. */
  readonly complete: boolean;
  readonly stopped: boolean;
}
