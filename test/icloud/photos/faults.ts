/** Wrong data on demand (cloudkit.md 9.14 rows 4, 11, 16, 21). HTTP faults by count or rate are the doors' affair. */
import type { ListKey } from "./lists.ts";
import type { WireRecord } from "./records.ts";

export interface Readiness {
  /** `FINISHED`, `RUNNING`, `NOT_FINISHED`, anything; undefined: the field is absent. */
  readonly state: string | undefined;
  readonly progress?: number;
  /** Answer without any record. */
  readonly noRecord?: boolean;
}

/** A wrong count: another number, no `itemCount` field, a text instead of a number, or no record at all. */
export type CountFault = number | "missing" | "text" | "no-record";

interface Limited {
  times: number;
}

export interface CodeFault {
  readonly code: string;
  readonly reason?: string;
  /** Seconds, JSON member `retryAfter`. */
  readonly retryAfter?: number;
  /** How often; default: always. */
  readonly times?: number;
}

interface RecordFault extends Limited {
  readonly match: (recordName: string, operation: string) => boolean;
  readonly fault: CodeFault;
}

interface ZoneFault extends Limited {
  readonly zone: string;
  readonly fault: CodeFault;
}

interface RowFault {
  readonly list: ListKey["kind"];
  readonly zone: string;
  readonly at: number;
}

export interface HoleFault extends RowFault {
  readonly ranks: number;
  /** Whether a page that lies wholly in the hole still carries a marker. */
  readonly marker: boolean;
}

export class DataFaults {
  readonly readiness = new Map<string, Readiness>();
  readonly counts = new Map<string, CountFault>();
  readonly holes: HoleFault[] = [];
  readonly repeats: RowFault[] = [];
  /** Asset name to what happens to its master on the page. */
  readonly lateMasters = new Map<string, "next-page" | "never">();
  /** Assets whose master comes without them. */
  readonly loneMasters = new Set<string>();
  /** Zone name to the sequence before which tokens have expired. */
  readonly expiredBefore = new Map<string, number>();
  readonly #records: RecordFault[] = [];
  readonly #zones: ZoneFault[] = [];

  /** What CheckIndexingState says of a zone. */
  setReadiness(readiness: Readiness, zone = "PrimarySync"): void {
    this.readiness.set(zone, readiness);
  }

  /** What a count says, by index id, e.g. `CPLAssetByAssetDateWithoutHiddenOrDeleted`. */
  setCount(indexId: string, fault: CountFault): void {
    this.counts.set(indexId, fault);
  }

  /** A run of ranks whose records have vanished. */
  addHole(hole: { at: number; ranks: number; list?: ListKey["kind"]; zone?: string; marker?: boolean }): void {
    this.holes.push({ list: "all", zone: "PrimarySync", marker: true, ...hole });
  }

  /** The row at a rank comes again at the next one; at 99 that is the first of the second page. */
  repeatRow(row: { at: number; list?: ListKey["kind"]; zone?: string }): void {
    this.repeats.push({ list: "all", zone: "PrimarySync", ...row });
  }

  /** A record is replaced by an error entry in queries, lookups and change feeds (or in the operations matched). */
  failRecord(match: string | ((recordName: string, operation: string) => boolean), fault: CodeFault): void {
    const matches = typeof match === "string" ? (name: string) => name === match : match;
    this.#records.push({ match: matches, fault, times: fault.times ?? Number.POSITIVE_INFINITY });
  }

  /** A zone's entry in `changes/zone` is an error. */
  failZone(zone: string, fault: CodeFault): void {
    this.#zones.push({ zone, fault, times: fault.times ?? Number.POSITIVE_INFINITY });
  }

  /** Tokens older than this sequence are refused. */
  expireTokens(beforeSequence: number, zone = "PrimarySync"): void {
    this.expiredBefore.set(zone, beforeSequence);
  }

  clear(): void {
    this.readiness.clear();
    this.counts.clear();
    this.holes.length = 0;
    this.repeats.length = 0;
    this.lateMasters.clear();
    this.loneMasters.clear();
    this.expiredBefore.clear();
    this.#records.length = 0;
    this.#zones.length = 0;
  }

  zoneFault(zone: string): CodeFault | undefined {
    return take(this.#zones.find((fault) => fault.zone === zone && fault.times > 0));
  }

  recordFault(name: string, operation: string): CodeFault | undefined {
    return take(this.#records.find((fault) => fault.times > 0 && fault.match(name, operation)));
  }

  /** The records of an answer with the faulty ones replaced. */
  spoil(records: readonly WireRecord[], operation: string): WireRecord[] {
    if (this.#records.length === 0) return [...records];
    return records.map((record) => {
      const fault = this.recordFault(record.recordName, operation);
      return fault === undefined ? record : errorEntry(record.recordName, fault);
    });
  }
}

export function errorEntry(recordName: string, fault: CodeFault): WireRecord {
  return {
    recordName,
    reason: fault.reason ?? fault.code,
    serverErrorCode: fault.code,
    ...(fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }),
  };
}

function take<F extends Limited & { readonly fault: CodeFault }>(found: F | undefined): CodeFault | undefined {
  if (found === undefined) return undefined;
  found.times -= 1;
  return found.fault;
}
