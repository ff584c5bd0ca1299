import { sumOf } from "../library/sum.ts";
import { FULL_REASONS, type FullReason } from "./memory.ts";
import type { Progress, SyncReport } from "./types.ts";

/** How one listed asset was dealt with; the strongest outcome of its files (engine.md PL-23). */
export type AssetOutcome = "forwarded" | "on_disk" | "ampm_variant" | "by_state" | "retry_exhausted" | "retry_only";

/**
 * The running count of one sync run. Every asset is counted once, when it is first met; later meetings in other passes
 * are `duplicates` and belong to no sum. So `seen = forwarded + all skips + broken`, which `checkSum` asserts.
 */
export class Tally {
  seen = 0;
  forwarded = 0;
  duplicates = 0;
  downloaded = 0;
  adopted = 0;
  linked = 0;
  failed = 0;
  /** Files that go back to pending uncharged: not reached any more, or in no trouble of their own. */
  putOff = 0;
  bytesReceived = 0;
  bytesWritten = 0;
  filesPlanned = 0;
  bytesPlanned = 0;
  unproven = 0;
  /** Files that failed for the first time, by what the service answered: not for a reason of this machine. */
  newlyFailed = 0;
  /** Answers that asked to slow down, each try counted. */
  rateLimited = 0;
  /** Lists that ended before Apple's count of them was reached, and the photos that may be missing for it. */
  readonly shortfall = { lists: 0, photos: 0 };
  /** Why the sync token was not stored, if it was not. */
  tokenHeld: string | undefined;
  listedInFull: FullReason | undefined;
  /** Assets whose edited version is not among the files that were chosen. */
  edited = 0;
  readonly skipped: Record<string, number> = {};
  readonly broken: Record<string, number> = {};
  readonly issues: Record<string, number> = {};
  readonly enumerationErrors: string[] = [];
  readonly notices: string[] = [];

  skip(rule: string): void {
    this.skipped[rule] = (this.skipped[rule] ?? 0) + 1;
  }

  /** Takes one skip back: the photo is wanted elsewhere. */
  unskip(rule: string): void {
    this.skipped[rule] = (this.skipped[rule] ?? 0) - 1;
  }

  countBroken(defect: string): void {
    this.broken[defect] = (this.broken[defect] ?? 0) + 1;
  }

  issue(reason: string): void {
    this.issues[reason] = (this.issues[reason] ?? 0) + 1;
  }

  /** Why a library was listed in full; of several reasons the strongest is reported (cli.md 6.3). */
  fullReason(reason: FullReason): void {
    const weight = (one: FullReason | undefined) =>
      one === undefined ? FULL_REASONS.length : FULL_REASONS.indexOf(one);
    if (weight(reason) < weight(this.listedInFull)) this.listedInFull = reason;
  }

  /** Said once, however often it happens. */
  notice(text: string): void {
    if (!this.notices.includes(text)) this.notices.push(text);
  }

  fellShort(missing: number): void {
    this.shortfall.lists += 1;
    this.shortfall.photos += missing;
  }

  enumerationError(text: string): void {
    if (!this.enumerationErrors.includes(text)) this.enumerationErrors.push(text);
  }

  /** Undefined when the parts add up to what was seen, else a description of the gap. */
  checkSum(): string | undefined {
    const parts = this.forwarded + sumOf(this.skipped) + sumOf(this.broken);
    if (parts === this.seen) return undefined;
    return `assets seen ${this.seen}, accounted for ${parts} (forwarded ${this.forwarded}, skipped ${JSON.stringify(this.skipped)}, broken ${JSON.stringify(this.broken)})`;
  }

  progress(phase: Progress["phase"], expected: number | undefined, pass: string | undefined): Progress {
    return {
      phase,
      assetsSeen: this.seen,
      assetsExpected: expected,
      filesPlanned: this.filesPlanned,
      filesDone: this.downloaded + this.linked,
      filesFailed: this.failed,
      bytesPlanned: this.bytesPlanned,
      bytesDone: this.bytesReceived,
      pass,
    };
  }

  /** The issues and broken assets together: everything Apple listed that could not be used. */
  allIssues(): SyncReport["issues"] {
    const all: Record<string, number> = { ...this.issues };
    for (const [reason, count] of Object.entries(this.broken)) all[reason] = (all[reason] ?? 0) + count;
    return all;
  }
}
