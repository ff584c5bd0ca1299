/**
 * What kei knows and what it has promised, as `sync/` and `cli/` see it. All calls are synchronous and short; nothing
 * here reads a whole table into memory. Behind it: SQLite (engine.md 4, DECISIONS 10, 16, 20).
 */

import type { AlbumId, AppleChecksum, AssetId, MasterId, MediaKind, Rendition, ZoneName } from "../library/asset.ts";
import type { Answers, FailedKind } from "./answers.ts";

export type RenditionStatus = "pending" | "downloaded" | "failed";

/** Row of the catalogue: one for every asset the cloud lists, wanted or not. */
export interface AssetRow {
  readonly library: ZoneName;
  readonly id: AssetId;
  readonly masterId: MasterId;
  readonly filename: string | undefined;
  readonly kind: MediaKind;
  readonly capturedAt: number;
  readonly timeZoneOffset: number | undefined;
  readonly addedAt: number | undefined;
  readonly isFavorite: boolean;
  readonly isHidden: boolean;
  readonly isDeleted: boolean;
  readonly changeTag: string | undefined;
  /**
   * `wanted`: its rendition rows tell how far it is. `left-out`: `rule` names the rule that excludes it. `broken`: it
   * is wanted but Apple's record cannot be used; `rule` names the defect.
   */
  readonly disposition: "wanted" | "left-out" | "broken";
  readonly rule: string | undefined;
  /** The scan that saw it last. */
  readonly seenScan: number;
}

/** One wanted file of an asset, wherever it is placed. Key: (library, asset, rendition). */
export interface RenditionRow {
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  readonly status: RenditionStatus;
  readonly checksum: AppleChecksum;
  readonly size: number;
  readonly uti: string;
  /** Failed transfers over all runs; engine.md RT-2. */
  readonly attempts: number;
  readonly lastError: string | undefined;
  readonly lastErrorKind: string | undefined;
  /** Run that enqueued it and has not settled it. */
  readonly dispatchRun: number | undefined;
  /** How the bytes on disk were proven. */
  readonly proof: "provider" | "size" | "adopted" | undefined;
  readonly downloadedAt: number | undefined;
}

/** One place of one file. Key: (library, asset, rendition, pass). */
export interface PlacementRow {
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  /** Identity of the pass: `unfiled`, `album:<record name>`. Not the rendered folder. */
  readonly pass: string;
  /** Relative to the download root, `/`-separated. */
  readonly path: string;
  /** `path` as the target file system compares it (folded case or Unicode form). Unique among owners. */
  readonly pathKey: string;
  /** False when another placement owns this very file and this one shares it. */
  readonly owner: boolean;
  readonly status: "pending" | "present" | "failed" | "historical";
  /** Content of the file that stands (or is to stand) there. */
  readonly checksum: AppleChecksum;
  /** Size and mtime (ms) of the file as left by kei, once present. */
  readonly localSize: number | undefined;
  readonly localMtime: number | undefined;
  /** How it came there. */
  readonly method: "download" | "reflink" | "hardlink" | "copy" | "adopted" | "shared" | undefined;
}

/** A place at which a file is said to stand. */
export interface SavedFile extends PlacementRow {
  /** Stays the same as long as the place does. */
  readonly rowid: number;
  /** When its bytes came, ms since the epoch. */
  readonly downloadedAt: number | undefined;
}

/** The `number`th of `of` parts into which all saved files are divided, the same ones every time. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/** A temporary file that kei created or is about to create. Only these may ever be deleted. */
export interface TempClaim {
  /** Absolute. */
  readonly path: string;
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  readonly checksum: AppleChecksum;
  readonly size: number;
  readonly run: number;
  /** Seconds since the epoch. */
  readonly createdAt: number;
}

export interface RunRow {
  readonly id: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly completedAt: number | undefined;
  readonly status: "running" | "complete" | "interrupted";
  readonly outcome: "success" | "partial_failure" | "interrupted" | "session_expired" | "failed" | undefined;
  readonly fullReason: string | undefined;
  readonly assetsSeen: number;
  readonly downloaded: number;
  readonly failed: number;
  readonly enumerationErrors: number;
}

/** Every asset counted once; the parts add up to `assets`. */
export interface Totals {
  readonly assets: number;
  /** Every wanted file on disk. */
  readonly onDisk: number;
  /** Excluded, by rule. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Something is still to be fetched, nothing failed. */
  readonly waiting: number;
  /** At least one file failed and will be tried again. */
  readonly failed: number;
  /** At least one file has used up its attempts. */
  readonly exhausted: number;
  /** Apple's record cannot be used, by defect. */
  readonly broken: Readonly<Record<string, number>>;
  /**
   * Not part of `assets`: files of them are on disk, but iCloud no longer has them (`gone`), or no list that was asked
   * for shows them any more (`unlisted`).
   */
  readonly kept: Readonly<Record<string, number>>;
  /** Files (renditions) of wanted assets: `downloaded` when every place of theirs is served, else by what is missing. */
  readonly files: { readonly downloaded: number; readonly pending: number; readonly failed: number };
  /** All files on disk, each counted once, whatever became of their assets since. */
  readonly savedFiles: number;
  /** Of them. */
  readonly bytes: number;
  /** Records that never became an asset, by reason (not part of `assets`). */
  readonly issues: Readonly<Record<string, number>>;
}

/** A row for people: `kei status --failed` and the report. */
export interface ListedFile {
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  readonly filename: string | undefined;
  readonly path: string | undefined;
  readonly error: string | undefined;
  readonly errorKind: string | undefined;
  readonly attempts: number;
  readonly seenAt: number | undefined;
}

export type FileKey = Pick<RenditionRow, "library" | "asset" | "rendition">;

/** A file that gets a second try at one of its places, and what the run's figures hold it for until then. */
export interface SecondTry extends FileKey {
  readonly pass: string;
  readonly counted: "failed" | "put-off";
}

export interface State extends Answers {
  /**
   * Runs `work` in one transaction; nested calls join it. Rolls back when it throws, also when a nested call threw and
   * the error was caught on the way. Any call of State may throw `StateFailure` when the file or its disk fails.
   */
  transaction<T>(work: () => T): T;
  /** Runs reads that must agree with each other while another process writes. Nothing may be written in it. */
  snapshot<T>(work: () => T): T;
  /** Folds the log into the file and closes it. */
  close(): void;

  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
  deleteMeta(key: string): void;

  /** Turns runs left `running` by a dead process into `interrupted`; returns how many. */
  promoteOrphanRuns(): number;
  beginRun(startedAt: number): number;
  endRun(id: number, end: Omit<RunRow, "id" | "startedAt">): void;
  lastRuns(limit: number): RunRow[];

  zoneToken(zone: ZoneName): string | undefined;
  setZoneToken(zone: ZoneName, token: string): void;
  clearZoneToken(zone: ZoneName): void;

  /** A new number for one enumeration of a library; assets and issues carry the last scan that met them. */
  beginScan(library: ZoneName, startedAt: number): number;
  /**
   * Natural end of a scan: clears the mark that says it is unfinished. What a `whole` one did not meet again of earlier
   * issues is settled; one over changes alone leaves them.
   */
  endScan(library: ZoneName, scan: number, whole?: boolean): void;
  /** Start (ms) of an enumeration that never ended, if any. */
  unfinishedScan(library: ZoneName): number | undefined;
  /** Libraries whose last enumeration never ended. */
  unfinishedScans(): ZoneName[];

  /**
   * Marks `id` as met in the walk named `walk` and says whether it had been before. Marks live in a temporary table
   * and vanish with `forgetWalk` or with the process.
   */
  metInWalk(walk: string, id: string): boolean;
  forgetWalk(walk: string): void;

  /** Notes when a photo came to iCloud (ms), among others under the name `marks`; kept in a temporary table. */
  noteNewest(marks: string, id: AssetId, addedAt: number): void;
  /** Keeps the `count` photos that came last (equal times: by id) and returns how many were dropped. */
  keepNewest(marks: string, count: number): number;
  isAmongNewest(marks: string, id: AssetId): boolean;
  forgetNewest(marks: string): void;

  /** Notes a file for the cleanup pass of this run; forgotten with the process. */
  noteSecondTry(key: FileKey, pass: string, counted: SecondTry["counted"]): void;
  /** Whether the file is noted for any of its places. */
  awaitsSecondTry(key: FileKey): boolean;
  /** Takes the first files that were noted for the library, at most `limit`. */
  takeSecondTries(library: ZoneName, limit: number): SecondTry[];

  asset(library: ZoneName, id: AssetId): AssetRow | undefined;
  /** When the newest known photo of the library came to iCloud, ms since the epoch. */
  newestArrival(library: ZoneName): number | undefined;
  /** The assets that show an original. */
  assetsOf(library: ZoneName, master: MasterId): AssetId[];
  /**
   * iCloud no longer has the asset: unfinished work for it is forgotten, and the row too when no file of it is on disk.
   * What is on disk stays, under the rule `gone`. Unknown assets are no mistake.
   */
  forgetAsset(library: ZoneName, id: AssetId): void;
  /** Inserts or refreshes a catalogue row. */
  putAsset(row: AssetRow): void;
  /** Records that could not become assets; replaced per scan. */
  putIssue(library: ZoneName, scan: number, recordName: string, reason: string, detail: string | undefined): void;
  /** The record is good now, or no longer matters. */
  dropIssues(library: ZoneName, recordName: string): void;
  /** Names of the records that have issues. */
  namesWithIssues(library: ZoneName): ReadonlySet<string>;

  renditionsOf(library: ZoneName, id: AssetId): RenditionRow[];
  rendition(key: FileKey): RenditionRow | undefined;
  /**
   * Makes a wanted file pending for `run`. A changed checksum resets `attempts`; otherwise they are kept
   * (engine.md RT-3, RT-4).
   */
  putPending(row: FileKey & Pick<RenditionRow, "checksum" | "size" | "uti">, run: number): void;
  /** Settles a file as on disk. Throws when there is no such row (DB-4). */
  putDownloaded(key: FileKey, done: { readonly proof: "provider" | "size" | "adopted"; readonly at: number }): void;
  /** Inserts or updates in one step for a file found on disk (never two steps). */
  adopt(row: FileKey & Pick<RenditionRow, "checksum" | "size" | "uti">, at: number): void;
  /** Settles a file as failed; `charge` adds one to its attempts. Throws when there is no such row. */
  putFailed(key: FileKey, why: { readonly error: string; readonly kind: string; readonly charge: boolean }): void;
  /** Back to pending without a charge (interrupted, never started). */
  putBack(key: FileKey): void;
  /**
   * Forgets unfinished work of an asset that is no longer asked for: pending and failed rows and places of all
   * renditions but `wanted`. What is on disk stays.
   */
  dropUnwanted(library: ZoneName, id: AssetId, wanted: readonly Rendition[]): void;
  /** Failed rows below the cap (0: no cap) become pending again; returns how many. */
  requeueFailed(cap: number): number;
  /** Failed files get fresh attempts: their owner asks for it. Returns how many there are. */
  forgiveFailed(): number;
  /** Rows still dispatched by `run` become failed with "Not resolved during sync"; returns how many. */
  settleUnfinished(run: number): number;
  /**
   * Forgets what the complete, unbounded scan `scan` shows to be gone: pending and failed rows of assets that it did
   * not meet (returns how many), places nothing asked for any more, and assets left without any file. What was
   * downloaded stays, under the rule `unlisted`.
   */
  pruneUnseen(library: ZoneName, scan: number): number;
  /** Files that still need work in this library, at any of their places; without those that used up `cap` attempts. */
  openWork(library: ZoneName, cap: number): { readonly failed: number; readonly pending: number };

  placementsOf(library: ZoneName, id: AssetId): PlacementRow[];
  /** The placement that owns this path key, if any. */
  ownerOf(pathKey: string): PlacementRow | undefined;
  putPlacement(row: PlacementRow): void;
  /**
   * The file now stands at its place; its row is settled before (`putDownloaded`). Rows that share this very file
   * (same path, not owners) are settled with it. Throws when there is no such placement.
   */
  placementPresent(
    key: FileKey,
    pass: string,
    found: {
      readonly localSize: number;
      readonly localMtime: number;
      readonly method: NonNullable<PlacementRow["method"]>;
    },
  ): void;
  /**
   * The file could not be brought to this place, though it stands at another. Does nothing when it stands here by now.
   * Throws when there is no such placement.
   */
  placementFailed(key: FileKey, pass: string, why?: { readonly error: string; readonly kind: string }): void;
  /** Present placements of any asset that hold this content: the sources for local copies. At most `limit`. */
  presentWith(checksum: AppleChecksum, limit: number): PlacementRow[];
  /** Places that hold this content or wait for it, those on disk first. At most `limit`. */
  placesWith(checksum: AppleChecksum, limit: number): PlacementRow[];
  /** Present placements in key order after `after`, for walking all of them in pages. */
  presentAfter(after: number, limit: number): Array<PlacementRow & { readonly rowid: number }>;
  /**
   * A present file has vanished or changed: all placements at its path go back to pending, and so do the files that
   * stand nowhere else, with fresh attempts (DECISIONS 17). With `why` they count as failed, not as pending.
   */
  markMissing(key: FileKey, pass: string, why?: { readonly error: string; readonly kind: string }): void;
  /**
   * The content of this place is history: the placement becomes `historical` under a pass key of its own, so that its
   * path stays claimed and the pass can be given another place.
   */
  retirePlacement(key: FileKey, pass: string): void;
  /** The placement no longer owns its path, but shares the file that another will bring there. */
  yieldPlace(key: FileKey, pass: string): void;
  /** Forgets a placement that never came to be (pending or failed), with its claim on the path. */
  dropPlacement(key: FileKey, pass: string): void;
  hasDownloads(): boolean;

  /**
   * Files that are said to stand on disk, in the order of library, asset, rendition and pass, after `after`; a file that
   * several places share comes once.
   */
  savedFiles(after: SavedFile | undefined, limit: number, part?: Part): SavedFile[];
  /** How many `savedFiles` there are in all, and their bytes. */
  countSaved(part?: Part): { readonly files: number; readonly bytes: number };
  /** One of them, while it still counts as on disk. */
  savedFile(rowid: number): SavedFile | undefined;
  /** Files that count as on disk although no place of theirs is known: at most `limit`, and their number. */
  placeless(limit: number): { readonly files: readonly FileKey[]; readonly count: number };
  /**
   * A file on disk is no longer good: it has failed, with fresh attempts, and so has every other file that is this one; their
   * places are looked at by the next run. Returns false when it did not count as on disk.
   */
  failSaved(
    file: FileKey & Pick<PlacementRow, "pathKey">,
    why: { readonly error: string; readonly kind: string },
  ): boolean;
  zonesWithToken(): ZoneName[];
  /** Forgets every sync token: the next run lists everything anew. */
  clearSyncTokens(): void;

  claimTemp(claim: TempClaim): void;
  releaseTemp(path: string): void;
  tempClaims(): TempClaim[];

  /** Starts a new generation of an album's members; the old one stays valid until `completeMembers`. */
  beginMembers(library: ZoneName, album: AlbumId, name: string): number;
  addMembers(library: ZoneName, album: AlbumId, generation: number, ids: readonly AssetId[]): void;
  completeMembers(library: ZoneName, album: AlbumId, generation: number): void;
  /** Forgets albums of the library that are not in `keep`. */
  keepAlbums(library: ZoneName, keep: readonly AlbumId[]): void;
  /** Is the asset a member of any user album: in its last complete walk, or met in one since? */
  isFiled(library: ZoneName, id: AssetId): boolean;
  /** Takes in who came into albums and who left them, whichever library they are of. */
  putRelations(
    library: ZoneName,
    relations: ReadonlyArray<{ readonly album: AlbumId; readonly asset: AssetId; readonly removed: boolean }>,
  ): void;
  clearRelations(library: ZoneName): void;
  /** Notes that one asset came into an album, or left it; an album that was never walked whole is left alone. */
  putMember(library: ZoneName, album: AlbumId, asset: AssetId): void;
  dropMember(album: AlbumId, asset: AssetId): void;
  /** Whether the album was ever walked to its end. */
  isWalked(library: ZoneName, album: AlbumId): boolean;
  /** Albums of the library that have members. */
  albumsWithMembers(library: ZoneName): AlbumId[];
  membersOf(library: ZoneName, album: AlbumId): AssetId[];
  /** Albums that the asset is in. */
  albumsHolding(library: ZoneName, asset: AssetId): AlbumId[];
  nameAlbum(library: ZoneName, album: AlbumId, name: string): void;
  /** Who is said to be in the album of `library`, but was not met when it was walked. */
  unmetMembers(library: ZoneName, album: AlbumId): AssetId[];
  /** How many members of the album are known from its walks. */
  memberCount(library: ZoneName, album: AlbumId, generation: number): number;
  /**
   * Every name an album of this library was ever walked under: a selection that still uses the name of a renamed or
   * deleted one gets a warning, not an error (DECISIONS 5).
   */
  albumNames(library: ZoneName): string[];

  totals(cap: number): Totals;
  listFiles(status: RenditionStatus, limit: number): ListedFile[];
  /** The failed files, all of them, by kind of error and whether they have used up the `cap` (0: none) of attempts. */
  failedKinds(cap: number): FailedKind[];
}
