import type { AssetId, MasterId } from "../../library/asset.ts";
import type { Clock } from "../../runtime/ports.ts";
import type { CloudKit } from "../cloudkit/client.ts";
import type { WireRecord } from "../cloudkit/record.ts";
import { decodeAsset, masterOf } from "./decode.ts";
import { recordsOf } from "./list.ts";
import { lookupQuery } from "./queries.ts";
import type { AssetPage, Library, ListingEnd, ListingOptions, LookupResult, RecordIssue } from "./types.ts";

/** Asset and master of 100 photos: the most that one lookup takes (cloudkit.md 4.6). */
export const LOOKUP_PAIRS = 100;

const GONE: ReadonlySet<string> = new Set(["NOT_FOUND", "UNKNOWN_ITEM"]);

/** Fresh records of photos whose originals are known; at most `LOOKUP_PAIRS`. */
export async function lookUp(
  cloudkit: CloudKit,
  library: Library,
  ids: ReadonlyArray<{ readonly id: AssetId; readonly masterId: MasterId }>,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<LookupResult[]> {
  const names = new Set<string>(ids.flatMap(({ id, masterId }) => [masterId, id]));
  const json = await cloudkit.call(library.database, "records/lookup", lookupQuery(library, [...names], keys), signal);
  const found = new Map<string, WireRecord>();
  for (const record of recordsOf(json)) if (record.recordName !== undefined) found.set(record.recordName, record);
  return ids.map(({ id, masterId }): LookupResult => {
    const asset = found.get(id);
    const master = found.get(masterId);
    const unknown = (reason: string): LookupResult => ({ id, state: "unknown", reason });
    if (isGone(asset)) return { id, state: "gone" };
    const named = asset === undefined ? undefined : masterOf(asset);
    // Said before its old original is looked at: that one may well be gone.
    if (named !== undefined && named !== masterId) return { id, state: "moved" };
    if (isGone(master)) return { id, state: "gone" };
    if (asset === undefined || master === undefined) return unknown("not in Apple's answer");
    const code = asset.errorCode ?? master.errorCode;
    if (code !== undefined) return unknown(code);
    if (named === undefined) return unknown("its record names no original");
    const decoded = decodeAsset(library.zone, asset, master);
    return "reason" in decoded
      ? { id, state: "broken", reason: decoded.reason }
      : { id, state: "found", asset: decoded };
  });
}

/** A name that is missing from the answer says nothing; only Apple's word for "gone" does (cloudkit.md 4.6). */
function isGone(record: WireRecord | undefined): boolean {
  return record !== undefined && (record.deleted || GONE.has(record.errorCode?.toUpperCase() ?? ""));
}

/**
 * Walks photos that are known by name alone: first the assets, then the originals they name. Those that the library
 * does not have are passed over; those that Apple is silent about are issues.
 */
export async function* listNamed(
  { cloudkit, clock, keys }: { readonly cloudkit: CloudKit; readonly clock: Clock; readonly keys: readonly string[] },
  library: Library,
  ids: readonly AssetId[],
  options: ListingOptions,
): AsyncGenerator<AssetPage, ListingEnd, void> {
  let complete = true;
  for (let start = 0; start < ids.length; start += LOOKUP_PAIRS) {
    const part = ids.slice(start, start + LOOKUP_PAIRS);
    const query = lookupQuery(library, part, ["masterRef"]);
    const json = await cloudkit.call(library.database, "records/lookup", query, options.signal);
    const pairs: Array<{ readonly id: AssetId; readonly masterId: MasterId }> = [];
    const issues: RecordIssue[] = [];
    const silent = new Set<string>(part);
    for (const record of recordsOf(json)) {
      if (!silent.delete(record.recordName ?? "")) continue;
      const code = record.errorCode?.toUpperCase();
      if (code !== undefined && !GONE.has(code))
        issues.push({ recordName: record.recordName, reason: "record-error", detail: code });
      if (code !== undefined || record.deleted) continue;
      const masterId = masterOf(record);
      if (masterId === undefined) issues.push({ recordName: record.recordName, reason: "no-master-ref" });
      else pairs.push({ id: record.recordName as AssetId, masterId });
    }
    // Silence proves nothing (cloudkit.md 4.6).
    for (const recordName of silent)
      issues.push({ recordName, reason: "record-error", detail: "not in Apple's answer" });
    const receivedAt = clock.now();
    const results = pairs.length === 0 ? [] : await lookUp(cloudkit, library, pairs, keys, options.signal);
    for (const result of results) {
      if (result.state === "broken") issues.push({ recordName: result.id, reason: result.reason });
      if (result.state === "unknown" || result.state === "moved") {
        const detail = result.state === "moved" ? "it has just got another original" : result.reason;
        issues.push({ recordName: result.id, reason: "record-error", detail });
      }
    }
    complete &&= issues.length === 0;
    yield {
      assets: results.flatMap((result) => (result.state === "found" ? [result.asset] : [])),
      issues,
      duplicates: 0,
      receivedAt,
    };
  }
  const reasons = complete ? [] : ["Apple did not tell of some members"];
  return { complete, accounted: true, reasons, firstToken: undefined, issues: [] };
}
