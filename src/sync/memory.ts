import type { Library } from "../icloud/photos/types.ts";
import type { ZoneName } from "../library/asset.ts";
import type { State } from "../state/types.ts";
import { filesHash, selectionHash } from "./config-hash.ts";
import type { SyncSettings } from "./types.ts";

type Database = Library["database"];

const LIBRARIES = "libraries";
const EVER = "libraries_ever";
const FOLLOWED = "libraries_followed";
const databaseKey = (database: Database): string => `database_token:${database}`;
const selectionKey = (library: Library): string => `selection_hash:${library.zone}`;
const filesKey = (library: Library): string => `files_hash:${library.zone}`;
const placedKey = (library: Library): string => `placed_albums:${library.zone}`;

/** What a run leaves for the next one, so that it need not list everything again. */
export class Memory {
  readonly #state: State;
  readonly #settings: SyncSettings;

  constructor(state: State, settings: SyncSettings) {
    this.#state = state;
    this.#settings = settings;
  }

  /** The libraries that were there last time; undefined when nothing is known of them. */
  get libraries(): readonly Library[] | undefined {
    return readJson<Library[]>(this.#state.meta(LIBRARIES));
  }

  /** Every library that was ever there: a selected one that is gone is a warning, not an error. */
  get everKnown(): readonly ZoneName[] {
    return readJson<ZoneName[]>(this.#state.meta(EVER)) ?? [];
  }

  noteLibraries(libraries: readonly Library[]): void {
    this.#state.setMeta(EVER, JSON.stringify([...new Set([...this.everKnown, ...libraries.map(({ zone }) => zone)])]));
  }

  /** Whether the next run begins with the question what has changed, not with a list of what there is. */
  get asksOneQuestion(): boolean {
    return this.libraries !== undefined && this.databaseToken("private") !== undefined && !this.#settings.retryFailed;
  }

  databaseToken(database: Database): string | undefined {
    return this.#state.meta(databaseKey(database));
  }

  /**
   * To be kept only when every library of the selection (`followed`) has been brought up to date (engine.md 5.6). What
   * has changed in the others until now, the next question does not tell.
   */
  keepDatabases(
    libraries: readonly Library[],
    followed: readonly Library[],
    tokens: ReadonlyMap<Database, string>,
  ): void {
    this.#state.transaction(() => {
      this.#state.setMeta(LIBRARIES, JSON.stringify(libraries));
      this.#state.setMeta(FOLLOWED, JSON.stringify(followed.map(({ zone }) => zone)));
      for (const [database, token] of tokens) this.#state.setMeta(databaseKey(database), token);
    });
  }

  /** Libraries that were up to date when the databases' tokens were kept. */
  get followed(): ReadonlySet<string> {
    return new Set(readJson<ZoneName[]>(this.#state.meta(FOLLOWED)) ?? []);
  }

  /** The place in a library's change feed up to which everything is on disk or on record, under these settings. */
  keepToken(library: Library, token: string, placed: readonly string[]): void {
    this.#state.transaction(() => {
      this.#state.setMeta(selectionKey(library), selectionHash(this.#settings));
      this.#state.setMeta(filesKey(library), filesHash(this.#settings));
      this.#state.setMeta(placedKey(library), JSON.stringify(placed));
      this.#state.setZoneToken(library.zone, token);
    });
  }

  /**
   * To be called before a library is listed in full. What these settings leave out loses the work that was still to be
   * done for it, which no change in iCloud brings back: unless they are those of the token, it counts no longer.
   */
  beginList(library: Library): void {
    const { recent } = this.#settings;
    const mayCut = recent !== undefined && "count" in recent;
    if (mayCut || !this.#isSameSelection(library) || !this.#areSameFiles(library))
      this.#state.clearZoneToken(library.zone);
  }

  #isSameSelection(library: Library): boolean {
    return this.#state.meta(selectionKey(library)) === selectionHash(this.#settings);
  }

  #areSameFiles(library: Library): boolean {
    return this.#state.meta(filesKey(library)) === filesHash(this.#settings);
  }

  /** Albums that had folders of their own when the token was kept. */
  placedAlbums(library: Library): ReadonlySet<string> {
    return new Set(readJson<string[]>(this.#state.meta(placedKey(library))) ?? []);
  }

  /**
   * Why a library has to be listed in full, in the closed vocabulary of the report; the first that applies (engine.md
   * 5.2). Undefined: its changes are enough. Asked before failed files are put back to pending, or that reason could
   * never be told.
   */
  fullReason(library: Library): FullReason | undefined {
    const { retryFailed, perAsset } = this.#settings;
    if (retryFailed) return "explicit_retry_failed";
    if (this.#state.zoneToken(library.zone) === undefined) return "no_stored_token";
    if (!this.#isSameSelection(library)) return "enum_config_hash_drift";
    if (!this.#areSameFiles(library)) return "download_config_hash_drift";
    const open = this.#state.openWork(library.zone, perAsset);
    if (open.failed > 0) return "retry_failed_rows";
    return open.pending > 0 ? "pending_rows" : undefined;
  }
}

/** Reasons for a full enumeration, strongest first (cli.md 6.3). */
export const FULL_REASONS = [
  "explicit_retry_failed",
  "no_stored_token",
  "enum_config_hash_drift",
  "download_config_hash_drift",
  "retry_failed_rows",
  "pending_rows",
  "other_static_reason",
] as const;
export type FullReason = (typeof FULL_REASONS)[number];

/** Undefined for what is missing or damaged: then it is found out again. */
function readJson<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
