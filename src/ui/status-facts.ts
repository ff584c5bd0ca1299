import type { RunRow, Totals } from "../state/types.ts";

/** What a status page is made from, as `cli/` gathers it. Times are ms since the epoch. */
export interface StatusFacts {
  readonly now: number;
  /** Lifetime attempts of a file; 0: no limit. */
  readonly cap: number;
  readonly totals: Totals;
  /** Assets on disk whose every file is the file of another asset. */
  readonly shared: number;
  readonly runs: readonly StatusRun[];
  /** Files that failed, as many as a list shows. */
  readonly failures: readonly ListedFailure[];
  /** All of them, by what they failed of, most first; one stands for the others. */
  readonly failedKinds: ReadonlyArray<{ readonly sample: ListedFailure; readonly files: number }>;
  /** Libraries whose list has not been read to its end, and since when. */
  readonly unfinished: ReadonlyArray<{ readonly library: string; readonly since: number | undefined }>;
  /** End of the last run that was told everything. */
  readonly lastWholeRun: number | undefined;
  /** What the last run, or the watch, has left for those who look on. */
  readonly health:
    | {
        readonly lastSuccessAt: number | undefined;
        readonly lastSyncAt: number | undefined;
        readonly consecutiveFailures: number;
        readonly lastError: string | undefined;
        readonly nextSyncAt: number | undefined;
        readonly codeWantedAt: number | undefined;
      }
    | undefined;
  /** Until when Apple wants to be left alone. */
  readonly breakUntil: number | undefined;
  readonly standing: {
    readonly signIn: {
      readonly hasSession: boolean;
      readonly isTrusted: boolean;
      readonly trustedAt: number | undefined;
      readonly throttledUntil: number | undefined;
      readonly passwordRefusedAt: number | undefined;
    };
    readonly root: "absent" | "empty" | undefined;
    readonly atWork: boolean;
  };
  /** The download folder, as far as the settings name one. */
  readonly directory: string | undefined;
}

export type StatusRun = Omit<RunRow, "id">;

export interface ListedFailure {
  readonly library: string;
  readonly asset: string;
  readonly rendition: string;
  readonly filename: string | undefined;
  readonly path: string | undefined;
  readonly error: string | undefined;
  readonly errorKind: string | undefined;
  readonly attempts: number;
  readonly seenAt: number | undefined;
}
