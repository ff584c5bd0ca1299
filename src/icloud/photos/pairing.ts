import type { Asset, AssetId, MasterId, ZoneName } from "../../library/asset.ts";
import type { WireRecord } from "../cloudkit/record.ts";
import { decodeAsset, masterOf } from "./decode.ts";
import type { RecordIssue } from "./types.ts";

/** Masters that are kept for siblings on later pages, and assets that wait for theirs: four pages' worth. */
const BUFFER = 400;

/** What one page yields once its halves are put together. */
export interface Paired {
  readonly assets: Asset[];
  readonly issues: RecordIssue[];
  duplicates: number;
}

/**
 * Puts assets and masters together over page borders (cloudkit.md 3.4): in any order, several assets to a master, with
 * a bounded memory. The order of the assets is that in which Apple listed them; one whose master comes later follows
 * when it does.
 */
export class Pairing {
  readonly #zone: ZoneName;
  readonly #seenBefore: (id: AssetId) => boolean;
  /** Oldest first. */
  readonly #masters = new Map<MasterId, { readonly record: WireRecord; used: boolean }>();
  readonly #waiting = new Map<MasterId, WireRecord[]>();
  #waitingCount = 0;

  constructor(zone: ZoneName, seenBefore: (id: AssetId) => boolean) {
    this.#zone = zone;
    this.#seenBefore = seenBefore;
  }

  /** Takes in the records of the next page, in the order of the list. */
  take(records: readonly WireRecord[]): Paired {
    const out: Paired = { assets: [], issues: [], duplicates: 0 };
    for (const record of records) if (record.recordType === "CPLMaster") this.#takeMaster(record, out);
    for (const record of records) if (record.recordType === "CPLAsset") this.#takeAsset(record, out);
    this.#trim(out.issues);
    return out;
  }

  /** The halves that never met their partner. */
  leftovers(): RecordIssue[] {
    const issues: RecordIssue[] = [];
    for (const records of this.#waiting.values()) {
      for (const record of records) issues.push({ recordName: record.recordName, reason: "unpaired-asset" });
    }
    for (const [name, master] of this.#masters) {
      if (!master.used) issues.push({ recordName: name, reason: "unpaired-master" });
    }
    return issues;
  }

  #takeMaster(record: WireRecord, out: Paired): void {
    const name = record.recordName as MasterId | undefined;
    if (name === undefined) {
      out.issues.push({ recordName: undefined, reason: "no-master-name" });
      return;
    }
    const waiting = this.#waiting.get(name);
    const used = this.#masters.get(name)?.used === true || waiting !== undefined;
    this.#masters.delete(name);
    this.#masters.set(name, { record, used });
    if (waiting === undefined) return;
    this.#waiting.delete(name);
    this.#waitingCount -= waiting.length;
    for (const asset of waiting) this.#emit(asset, record, out);
  }

  #takeAsset(record: WireRecord, out: Paired): void {
    const masterId = masterOf(record);
    if (record.recordName === undefined) {
      out.issues.push({ recordName: undefined, reason: "no-record-name" });
      return;
    }
    if (masterId === undefined) {
      if (!this.#seenBefore(record.recordName as AssetId)) {
        out.issues.push({ recordName: record.recordName, reason: "no-master-ref" });
      }
      return;
    }
    const master = this.#masters.get(masterId);
    if (master !== undefined) master.used = true;
    if (this.#seenBefore(record.recordName as AssetId)) {
      out.duplicates += 1;
      return;
    }
    if (master !== undefined) {
      this.#emit(record, master.record, out);
      return;
    }
    const waiting = this.#waiting.get(masterId);
    if (waiting === undefined) this.#waiting.set(masterId, [record]);
    else waiting.push(record);
    this.#waitingCount += 1;
  }

  #emit(asset: WireRecord, master: WireRecord, out: Paired): void {
    const decoded = decodeAsset(this.#zone, asset, master);
    if ("reason" in decoded) out.issues.push(decoded);
    else out.assets.push(decoded);
  }

  /** Forgets the oldest halves when there are too many; what is forgotten unpaired is said. */
  #trim(issues: RecordIssue[]): void {
    for (const [name, master] of this.#masters) {
      if (this.#masters.size <= BUFFER) break;
      this.#masters.delete(name);
      if (!master.used) issues.push({ recordName: name, reason: "unpaired-master" });
    }
    for (const [name, records] of this.#waiting) {
      if (this.#waitingCount <= BUFFER) break;
      this.#waiting.delete(name);
      this.#waitingCount -= records.length;
      for (const record of records) issues.push({ recordName: record.recordName, reason: "unpaired-asset" });
    }
  }
}
