/** What `cli/` hands to `sync/`, and what it gets back. Plain values; everything that acts is a port. */
import type { CodeByText, CodeRequest, PhoneLine } from "../icloud/auth/types.ts";
import type { MediaKind } from "../library/asset.ts";
import type { RenditionSettings } from "../library/choose.ts";
import type { Recent } from "../library/recent.ts";
import type { Clock, Logger, Random } from "../runtime/ports.ts";
import type {
  CatalogueSettings,
  CheckListener,
  CompletenessResult,
  ReconcileOptions,
  ReconcileResult,
  VerifyOptions,
  VerifyResult,
} from "./check-types.ts";

export type { CodeByText, CodeRequest, PhoneLine } from "../icloud/auth/types.ts";

/** Where a password may come from; asked only when SRP is really needed (auth.md 6.1). */
export interface PasswordSource {
  /** For messages: `ICLOUD_PASSWORD`, `--password-file`, `prompt`. */
  readonly name: string;
  /** True when a person at a terminal has typed it, which is known once it was read: then a refused one may be sent again. */
  readonly interactive: boolean;
  /** The password exactly as given. Throws `Failure` (exit 3) when the source yields none. */
  read(): Promise<string>;
  /** Asks a person for another one than the configured. Absent without a terminal. */
  readonly ask?: () => Promise<string>;
  /** To be called when Apple has accepted the password that was given last. Never throws. */
  accepted?(): Promise<void>;
}

/** Questions to a person. Absent where no terminal is. */
export interface Prompts {
  /** The six-digit code as typed; an empty answer means "send it again". Rejects with the signal's reason when aborted. */
  code(question: string, signal: AbortSignal): Promise<string>;
}

export interface AccountSettings {
  readonly username: string;
  readonly domain: "com" | "cn";
  /** Region of the sign-in service, where it is another one. */
  readonly signInDomain?: "com" | "cn" | undefined;
  /** Absolute; created 0700 on demand. */
  readonly dataDir: string;
  readonly password: PasswordSource;
}

export interface SyncSettings extends AccountSettings {
  /** Absolute download root. */
  readonly directory: string;
  /** Selector values of cli.md 1.5.1, already checked for contradictions. */
  readonly albums: readonly string[];
  /** Someone has named albums: then they are looked for in every library (files.md SL-2). */
  readonly albumsAsked: boolean;
  readonly smartFolders: readonly string[];
  readonly libraries: readonly string[];
  readonly unfiled: boolean;
  readonly media: readonly MediaKind[];
  /** As written, already checked: the distance in days counts from the start of each run (files.md FI-10). */
  readonly skipCreatedBefore: string | undefined;
  readonly skipCreatedAfter: string | undefined;
  readonly recent: Recent | undefined;
  readonly recentScope: "global" | "per-filter";
  readonly filenameExclude: readonly string[];
  readonly folderStructure: string;
  readonly folderStructureAlbums: string;
  readonly folderStructureSmartFolders: string;
  readonly renditions: RenditionSettings;
  readonly albumCopies: "link" | "copy";
  readonly keepUnicode: boolean;
  readonly livePhotoMovNaming: "suffix" | "original";
  readonly fileMatchPolicy: "name-size-dedup-with-suffix" | "name-id7";
  readonly threads: number;
  /** Retries inside one transfer after the first try. */
  readonly perTransfer: number;
  /** Lifetime attempts per file; 0: no cap. */
  readonly perAsset: number;
  readonly tempSuffix: string;
  /** Bytes per second over all transfers; undefined: as fast as it goes. */
  readonly bandwidthLimit: number | undefined;
  /** Only files that the catalogue knows as failed, with fresh attempts (engine.md 1.9). */
  readonly retryFailed: boolean;
  readonly dryRun: boolean;
  /** One of many runs: whether files are still there is looked at now and then, not each time (DECISIONS 14). */
  readonly watching: boolean;
  /** Go on although the download folder looks like another one (DECISIONS 17). */
  readonly force: boolean;
}

/** What a run is doing, for progress displays. Figures are totals of this run so far. */
export interface Progress {
  readonly phase: "signing-in" | "listing" | "downloading" | "finishing";
  /** Assets looked at, and how many Apple counts in what was selected (undefined: not known). */
  readonly assetsSeen: number;
  readonly assetsExpected: number | undefined;
  readonly filesPlanned: number;
  readonly filesDone: number;
  readonly filesFailed: number;
  readonly bytesPlanned: number;
  readonly bytesDone: number;
  /** Folder or album being listed. */
  readonly pass: string | undefined;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborts when a stop was asked for: finish what is in flight, start nothing new. */
  readonly stop: AbortSignal;
  /** Aborts when the time to finish is over, or at a second signal. */
  readonly cancel: AbortSignal;
  readonly prompts: Prompts | undefined;
  /** Told at most a few times a second; must not throw. */
  readonly onProgress: (progress: Progress) => void;
  /** Told each path, below the download folder, that a dry run would write. */
  readonly onPlanned: (path: string) => void;
  /** Told where a run is; must not throw. */
  readonly onStage: (stage: Stage) => void;
  /** Told at the end of every run, also of one that fails. What it has to say is said before the run returns or throws. */
  readonly onEnd: (end: RunEnd) => Promise<void>;
}

/** Where kei is, for those who watch over it. */
export type Stage =
  /** Signed in, and the libraries are known. */
  | { readonly kind: "ready" }
  /** There is something to do. */
  | { readonly kind: "running" }
  | { readonly kind: "waiting"; readonly ms: number }
  | { readonly kind: "waiting-for-code" };

/** How a run has ended. */
export interface RunEnd {
  /** Absent when it did not get as far as listing. */
  readonly report: SyncReport | undefined;
  /** What ended it, when it failed or was cut off. */
  readonly error: unknown;
  /** A stop was asked for, and that is why it ended early. */
  readonly stopped: boolean;
  /** What stands between kei and the account, when that ended the run. */
  readonly locked: "code-needed" | "signed-out" | undefined;
}

/** Result of one sync run. The parts of `skipped` and the figures add up to `assetsSeen` (engine.md PL-22). */
export interface SyncReport {
  readonly outcome: "success" | "partial_failure" | "interrupted" | "session_expired";
  readonly dryRun: boolean;
  /** Only what had failed before was asked for. */
  readonly retryOnly: boolean;
  /** Nothing had changed, in iCloud or here: nothing was listed. */
  readonly unchanged: boolean;
  readonly assetsSeen: number;
  /** Files. */
  readonly downloaded: number;
  readonly adopted: number;
  readonly linked: number;
  readonly failed: number;
  readonly exhausted: number;
  /** Transfers were tried, none came through, and a file failed that had not failed before (DECISIONS 12). */
  readonly completeFailure: boolean;
  /** Files that were left for the next run, for trouble that is nobody's own. */
  readonly putOff: number;
  /** Photos with something left to fetch, in whatever library, as the catalogue says. */
  readonly waiting: number;
  readonly bytesDownloaded: number;
  readonly bytesWritten: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Records that could not be used, by reason. */
  readonly issues: Readonly<Record<string, number>>;
  readonly enumerationErrors: readonly string[];
  /** Lists that ended before Apple's count of them was reached, and the photos that may be missing for it. */
  readonly shortfall: { readonly lists: number; readonly photos: number };
  readonly fullReason: string | undefined;
  readonly elapsedMs: number;
  /** First failed files with their errors, at most 200. */
  readonly failedFiles: ReadonlyArray<{
    readonly id: string;
    readonly rendition: string;
    readonly name: string;
    readonly error: string | undefined;
  }>;
  /** Failed files beyond those named. */
  readonly failedUnnamed: number;
  /** Answers of Apple's that asked to slow down. */
  readonly rateLimited: number;
  /** Assets met again in another pass, in no sum. */
  readonly duplicates: number;
  /** What Apple counted in the selection at the start, when it did. */
  readonly expected: number | undefined;
  readonly tokenHeld: string | undefined;
  /** What the catalogue says after the run: files of wanted photos by status, and the bytes of all files on disk. */
  readonly onRecord: {
    readonly downloaded: number;
    readonly pending: number;
    readonly failed: number;
    readonly bytes: number;
  };
  /** Things said once: left-out libraries, merged trees, what a dry run would do. */
  readonly notices: readonly string[];
  /** With `dryRun`: files that would be written, and their bytes. */
  readonly planned: { readonly files: number; readonly bytes: number } | undefined;
}

export interface LibraryLine {
  readonly zone: string;
  /** What to write in `--library`. */
  readonly selector: string;
  readonly kind: "primary" | "shared";
  readonly count: number | undefined;
}

export interface AlbumLine {
  /** `Folder/Album`. */
  readonly path: string;
  readonly id: string;
  readonly count: number | undefined;
}

export interface WatchOptions {
  /** Pause between the end of a cycle and the start of the next, ms. */
  readonly intervalMs: number;
  /** Look after every so many cycles whether files are still there; 0: never. */
  readonly reconcileEvery: number;
}

/** The calls `cli/` makes. `src/sync/index.ts` exports a function for each. */
export interface SyncApi {
  /** One sync run. Throws `Failure` when it could not run. */
  runSync(settings: SyncSettings, ports: Ports): Promise<SyncReport>;
  /** Sync runs with pauses between them, until a stop. The last report, or the failure that ended or marked the last run. */
  watch(settings: SyncSettings, ports: Ports, options: WatchOptions): Promise<SyncReport | undefined>;
  /**
   * Looks whether every saved file is still there; what is not has failed, and comes with the next run. Undefined when
   * there is no catalogue. Throws `Failure` when so much is missing that it looks like another disk.
   */
  reconcile(
    settings: CatalogueSettings,
    options: ReconcileOptions,
    listener: CheckListener,
    ports: Ports,
  ): Promise<ReconcileResult | undefined>;
  /** Looks at every saved file, and at every byte where that is asked for. Reads only. Undefined without a catalogue. */
  verify(
    settings: CatalogueSettings,
    options: VerifyOptions,
    listener: CheckListener,
    ports: Ports,
  ): Promise<VerifyResult | undefined>;
  /** The same, and then asks iCloud what there is, and whether all that is selected of it is here. */
  verifyComplete(
    settings: SyncSettings,
    options: VerifyOptions,
    listener: CheckListener,
    ports: Ports,
  ): Promise<{ readonly here: VerifyResult; readonly cloud: CompletenessResult | undefined }>;
  /** Deletes the catalogue; the files it speaks of stay. Returns what was deleted. */
  resetState(settings: Omit<CatalogueSettings, "directory">, ports: Ports): Promise<readonly string[]>;
  /** Forgets how far the changes in iCloud were followed; undefined without a catalogue, else the number of libraries. */
  resetSyncTokens(settings: Omit<CatalogueSettings, "directory">, ports: Ports): Promise<number | undefined>;
  /** Forgets the session: the next sign-in needs password and code. Returns what was deleted. */
  resetSession(settings: Omit<CatalogueSettings, "directory">, ports: Ports): Promise<readonly string[]>;
  /**
   * Signs in, asking for a code where a terminal is; with none, throws with exit 3 and names the two commands. A password
   * that Apple has refused before is asked for anew.
   */
  signIn(settings: AccountSettings, ports: Ports, byText?: CodeByText): Promise<"already" | "signed-in">;
  /** Asks Apple to send a code to the trusted devices, or to a phone; `already` when no code is needed. */
  requestCode(settings: AccountSettings, ports: Ports, byText?: CodeByText): Promise<CodeRequest>;
  /** The phones that a code can be sent to; `already` when no code is needed. */
  listPhones(settings: AccountSettings, ports: Ports): Promise<"already" | readonly PhoneLine[]>;
  submitCode(settings: AccountSettings, code: string, ports: Ports): Promise<"already" | "accepted">;
  /** Those that `asked` selects (cli.md 1.5.1), or all. */
  listLibraries(settings: AccountSettings, ports: Ports, asked?: readonly string[]): Promise<readonly LibraryLine[]>;
  listAlbums(
    settings: AccountSettings,
    ports: Ports,
    asked?: readonly string[],
  ): Promise<
    ReadonlyArray<{
      readonly library: string;
      readonly albums: readonly AlbumLine[];
      readonly unsupported: readonly string[];
    }>
  >;
}
