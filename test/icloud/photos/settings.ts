/** How the double behaves; tests may change any of it while it runs. */

import type { ListKey } from "./lists.ts";
import type { Zone } from "./zone.ts";

/** What a test may do between two requests (cloudkit.md 9.14 row 12): change the library and so shift the ranks. */
export interface PageEvent {
  readonly zone: Zone;
  readonly list: ListKey;
  readonly startRank: number;
  /** Pages of this list asked for before, counted over the life of the double. */
  readonly earlierPages: number;
}

export interface PhotosSettings {
  /** `masters-first` as recorded; the others were seen in other captures. */
  order: "masters-first" | "interleaved" | "asset-first" | "shuffled";
  /** Fill a page to its limit although the last rank's records do not all fit. */
  cutTuples: boolean;
  /** Records in an answer, whatever is asked for; Apple serves 200 at most. */
  mostRecords: number;
  /** Send a master once for each of its assets on a page instead of once a page. */
  repeatMasters: boolean;
  /** Print JSON as Apple does. Compact is faster. */
  pretty: boolean;
  /** Compress when the client accepts it. */
  gzip: boolean;
  /** Apple's pace: about 2.5 s for a full page, 70 ms for a small answer (cloudkit.md 10.1). A factor; 0 is off. */
  latency: number;
  /** How long download URLs live, ms. */
  urlLifetimeMs: number;
  /** Which smart folders exist in a shared zone (cloudkit.md 2.4). */
  sharedSmartAlbums: "favorites" | "all" | "none";
  /** `changes/database` says each zone's token, or not. */
  databaseZonesCarryTokens: boolean;
  /** Zones per page of the zone listings; the rest follows with `moreComing`. */
  zonesPerPage: number;
  /** What lookup says of a name that no record has. */
  unknownName: "NOT_FOUND" | "UNKNOWN_ITEM" | "omit";
  /** History, asked for without a token, begins with an empty page; else with records at once (cloudkit.md 4.3). */
  historyBeginsEmpty: boolean;
  /** Empty pages with `moreComing` before each delta. */
  emptyDeltaPages: number;
  /** Compare `recordChangeTag` in `records/modify`. */
  checkTags: boolean;
  /** A stale tag is told inside a 200, or by the status. */
  conflictStatus: 200 | 409;
  /** How a decoy zone fails when it is queried. */
  decoyAnswer: 502 | "ZONE_NOT_FOUND";
  /** Called before each page of a list is read. */
  beforePage: ((event: PageEvent) => void) | undefined;
  /** Called before each page of a change feed is read. */
  beforeDelta: ((event: { readonly zone: Zone; readonly sequence: number }) => void) | undefined;
  /** How to wait; tests with a clock of their own may replace it. */
  sleep: (ms: number) => Promise<void>;
}

export const HOUR_MS = 3_600_000;

export function defaultSettings(): PhotosSettings {
  return {
    order: "masters-first",
    cutTuples: false,
    mostRecords: 200,
    repeatMasters: false,
    pretty: true,
    gzip: false,
    latency: 0,
    urlLifetimeMs: HOUR_MS,
    sharedSmartAlbums: "favorites",
    databaseZonesCarryTokens: true,
    zonesPerPage: 200,
    unknownName: "NOT_FOUND",
    historyBeginsEmpty: true,
    emptyDeltaPages: 0,
    checkTags: true,
    conflictStatus: 200,
    decoyAnswer: "ZONE_NOT_FOUND",
    beforePage: undefined,
    beforeDelta: undefined,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}
