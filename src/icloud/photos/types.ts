/** What the photos room offers to `sync/`. Nothing of the wire leaks through here but opaque tokens. */
import type { AlbumId, Asset, AssetId, MasterId, ZoneName } from "../../library/asset.ts";
import type { SmartFolder } from "../../library/smart-folders.ts";

/** One library of the account, with the database that must be asked for it (cloudkit.md 2.2). */
export interface Library {
  readonly zone: ZoneName;
  readonly database: "private" | "shared";
  /** Owner's record name as listed; part of the zone's identity in the shared database. */
  readonly owner: string | undefined;
  readonly zoneType: string | undefined;
}

/** A user album. Folders and smart albums are walked through or left out, never returned. */
export interface Album {
  readonly id: AlbumId;
  /** Album name as Apple sent it; the record name when it has none. */
  readonly name: string;
  /** Names of the folders above it, outermost first. */
  readonly folders: readonly string[];
}

export interface AlbumListing {
  readonly albums: readonly Album[];
  /** Albums that exist but cannot be listed (user-made smart albums, unknown types), with the reason. */
  readonly unsupported: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
  /** False when Apple sent passing errors instead of some albums: then nobody knows which photos are in none. */
  readonly complete: boolean;
}

/** Which listing of a library is walked. */
export type AssetList =
  /** Everything but hidden and deleted photos, by capture date. */
  | { readonly kind: "all" }
  /** The same by arrival in iCloud; it may hold hidden and deleted photos, too (cloudkit.md 3.1). */
  | { readonly kind: "added" }
  | { readonly kind: "smart"; readonly folder: SmartFolder }
  | { readonly kind: "album"; readonly album: AlbumId }
  /** Photos that are known by name; those that the library does not have are passed over. */
  | { readonly kind: "named"; readonly ids: readonly AssetId[] };

/** A list that Apple keeps and counts. */
export type KeptList = Exclude<AssetList, { readonly kind: "named" }>;

/** A record that could not become an asset. Counted, never fatal, never silent. */
export interface RecordIssue {
  readonly recordName: string | undefined;
  /** Closed vocabulary, for counting; e.g. `no-capture-date`, `no-master-ref`, `unpaired-asset`, `record-error`. */
  readonly reason: string;
  readonly detail?: string;
}

/** One page of a listing, in rank order. */
export interface AssetPage {
  readonly assets: readonly Asset[];
  readonly issues: readonly RecordIssue[];
  /** Assets dropped because their id was met before in this walk. */
  readonly duplicates: number;
  /** Clock.now() when the answer arrived: the age of the signed URLs. */
  readonly receivedAt: number;
}

/** How a walk ended. Only a complete one may lead to a stored token. */
export interface ListingEnd {
  /** What Apple counts but gave nothing for, and how much it gave, when the list ended in empty pages. */
  readonly shortfall?: { readonly missing: number; readonly listed: number };
  /** Every record that could not be had is told by its name: nothing is missing that nobody knows of. */
  readonly accounted: boolean;
  readonly complete: boolean;
  /** Why not, when incomplete. */
  readonly reasons: readonly string[];
  /** `syncToken` of the first answer of the walk, undefined when Apple sent none. */
  readonly firstToken: string | undefined;
  /** Issues found only at the end (halves that never met their partner). */
  readonly issues: readonly RecordIssue[];
}

export interface ListingOptions {
  readonly signal: AbortSignal;
  /**
   * How many pages may be on their way at once, asked before each request; 1 is strictly sequential. The walk keeps
   * rank order whatever the answer.
   */
  readonly lookAhead: () => number;
  /** Number of assets Apple counts in this list, when known: a hint for the end of the walk, never a proof. */
  readonly expected?: number | undefined;
  /**
   * Marks an id as met in this walk and says whether it had been before. The caller keeps the marks (in a table), so
   * that memory does not grow with the library.
   */
  readonly seenBefore: (id: AssetId) => boolean;
  /** Ids only: ask for no resources, so that no URL is minted. Assets then have empty `renditions`. */
  readonly idsOnly?: boolean;
}

/** Fate of one record that was looked up by name. */
export type LookupResult =
  | { readonly id: AssetId; readonly state: "found"; readonly asset: Asset }
  | { readonly id: AssetId; readonly state: "gone" }
  /** Apple gave its records, and they can't be used. */
  | { readonly id: AssetId; readonly state: "broken"; readonly reason: string }
  /** Apple was silent about it, or answered with an error: that proves nothing. */
  | { readonly id: AssetId; readonly state: "unknown"; readonly reason: string }
  /** Its record names another original than the one that was asked for with it. */
  | { readonly id: AssetId; readonly state: "moved" };

export interface Relation {
  readonly album: AlbumId;
  readonly asset: AssetId;
  readonly removed: boolean;
}

/** One record of the change feed, in its latest state (cloudkit.md 4.4, 4.5). */
export interface ZoneChange {
  readonly recordName: string;
  readonly recordType: string | null;
  /** Hard-deleted: a tombstone that carries only its name. */
  readonly deleted: boolean;
  /** `masterRef` of an asset, when the record carries it. */
  readonly masterId: MasterId | undefined;
  /** In Recently Deleted, or on its way out of it. */
  readonly trashed: boolean;
  readonly hidden: boolean;
  /** Somebody came into an album or left it. */
  readonly relation: Relation | undefined;
}

/** What changed in a database. */
export interface DatabaseChanges {
  /** Libraries with any change, even if it concerns no photo. */
  readonly libraries: readonly Library[];
  /** Zones that are gone. */
  readonly gone: readonly string[];
  /** Where to go on from, when that was told; not to be stored for an answer that tells of nothing (engine.md 5.6). */
  readonly token: string | undefined;
}

export interface Photos {
  /** Libraries of both databases. A failing `shared` listing is reported in `problems`, not thrown. */
  libraries(
    signal: AbortSignal,
  ): Promise<{ readonly libraries: readonly Library[]; readonly problems: readonly string[] }>;
  /** CheckIndexingState. `token` is the zone's current sync token. */
  readiness(
    library: Library,
    signal: AbortSignal,
  ): Promise<{ readonly ready: boolean; readonly state: string; readonly token: string | undefined }>;
  albums(library: Library, signal: AbortSignal): Promise<AlbumListing>;
  /**
   * Who was put into and taken out of albums since `token`, or ever: members of other libraries too, which no list
   * tells (cloudkit.md 3.7). Returns the token to go on from. Throws `TokenRefused` when Apple does not accept `token`.
   */
  relationsSince(
    library: Library,
    token: string | undefined,
    onRelations: (relations: readonly Relation[]) => void,
    signal: AbortSignal,
  ): Promise<string>;
  /** Counts of several lists in one call, in order; undefined where Apple gave none. */
  counts(library: Library, lists: readonly KeptList[], signal: AbortSignal): Promise<ReadonlyArray<number | undefined>>;
  /** Walks a list in rank order. Throws on session loss or a page that stays broken after its retries. */
  list(library: Library, list: AssetList, options: ListingOptions): AsyncGenerator<AssetPage, ListingEnd, void>;
  /** Fresh records, and with them fresh URLs, for known assets. Any number of ids; asked in batches. */
  lookup(
    library: Library,
    ids: ReadonlyArray<{ readonly id: AssetId; readonly masterId: MasterId }>,
    signal: AbortSignal,
  ): Promise<readonly LookupResult[]>;
  /** Which of these photos are in which of these albums, asked name by name: for a few. */
  memberships(
    library: Library,
    ids: readonly AssetId[],
    albums: readonly AlbumId[],
    signal: AbortSignal,
  ): Promise<readonly Relation[]>;
  /**
   * Which libraries of a database have changed since `token`; all of them for none. One call, when little has changed.
   * Throws `TokenRefused` when Apple does not accept the token.
   */
  databaseChanges(
    database: Library["database"],
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<DatabaseChanges>;
  /**
   * Follows the change feed from `token` to its end and returns the token after it, with the changed records seen on
   * the way handed to `onChanges` page by page. Throws `TokenRefused` when Apple does not accept the token.
   */
  changesSince(
    library: Library,
    token: string,
    onChanges: (changes: readonly ZoneChange[]) => void,
    signal: AbortSignal,
  ): Promise<string>;
}
