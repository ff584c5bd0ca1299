import { type AssetId, type MasterId, PRIMARY_ZONE, type ZoneName } from "../../library/asset.ts";
import { CloudKit, type CloudKitDeps, type Database } from "../cloudkit/client.ts";
import { CloudKitError, type Problem, problemOf, TokenRefused } from "../cloudkit/errors.ts";
import { asText, isObject, numberField, readRecord, textField, type WireRecord } from "../cloudkit/record.ts";
import { listAlbums } from "./albums.ts";
import { decodeAsset, masterOf } from "./decode.ts";
import { listAssets, recordsOf } from "./list.ts";
import { assetKeys, changesQuery, countBatch, indexingQuery, lookupQuery } from "./queries.ts";
import type { Library, LookupResult, Photos, ZoneChange } from "./types.ts";

export { CloudKitError, Throttled, TokenRefused } from "../cloudkit/errors.ts";

/** Asset and master of 100 photos: the most that one lookup takes (cloudkit.md 4.6). */
const LOOKUP_PAIRS = 100;
/** Lists counted in one call. */
const COUNT_BATCH = 50;

export interface PhotosDeps extends CloudKitDeps {
  /** Ask for the videos of edited Live Photos, too. */
  readonly editedMotion: boolean;
}

/** The photos of a signed-in account. All calls share one retry budget, one brake and one way to renew the session. */
export function createPhotos(deps: PhotosDeps): Photos {
  const cloudkit = new CloudKit(deps);
  const { clock, random, retries } = deps;
  const keys = assetKeys(deps.editedMotion);
  return {
    libraries: (signal) => listLibraries(cloudkit, signal),
    readiness: async (library, signal) => {
      const json = await cloudkit.call(library.database, "records/query", indexingQuery(library), signal);
      const [record] = recordsOf(json, "records/query");
      const state = record === undefined ? "missing" : (textField(record, "state") ?? "missing");
      return { ready: state === "FINISHED", state, token: asText(json["syncToken"]) };
    },
    albums: (library, signal) => listAlbums({ cloudkit, clock, random, retries }, library, signal),
    counts: async (library, lists, signal) => {
      const counts: Array<number | undefined> = [];
      for (let start = 0; start < lists.length; start += COUNT_BATCH) {
        const part = lists.slice(start, start + COUNT_BATCH);
        const json = await cloudkit.call(
          library.database,
          "internal/records/query/batch",
          countBatch(library, part),
          signal,
        );
        const answers = Array.isArray(json["batch"]) ? json["batch"] : [];
        for (const index of part.keys()) counts.push(countIn(answers[index]));
      }
      return counts;
    },
    list: (library, list, options) => listAssets({ cloudkit, clock, random, retries, keys }, library, list, options),
    lookup: async (library, ids, signal) => {
      const results: LookupResult[] = [];
      for (let start = 0; start < ids.length; start += LOOKUP_PAIRS) {
        results.push(...(await lookUp(cloudkit, library, ids.slice(start, start + LOOKUP_PAIRS), keys, signal)));
      }
      return results;
    },
    changesSince: (library, token, onChanges, signal) => followChanges(cloudkit, library, token, onChanges, signal),
  };
}

/** Zones that are libraries; every other kind is left alone (cloudkit.md 2.2). */
function isLibrary(zone: string): boolean {
  return zone === PRIMARY_ZONE || zone.startsWith("SharedSync-");
}

async function listLibraries(cloudkit: CloudKit, signal: AbortSignal) {
  const libraries = await zonesOf(cloudkit, "private", signal);
  const problems: string[] = [];
  try {
    // Who takes part in another's shared library finds it in the other database.
    const known = new Set(libraries.map((library) => library.zone));
    libraries.push(...(await zonesOf(cloudkit, "shared", signal)).filter((library) => !known.has(library.zone)));
  } catch (error) {
    if (!(error instanceof CloudKitError)) throw error;
    problems.push(`libraries shared by others could not be listed: ${error.message}`);
  }
  return { libraries, problems };
}

async function zonesOf(cloudkit: CloudKit, database: Database, signal: AbortSignal): Promise<Library[]> {
  const libraries: Library[] = [];
  let token: string | undefined;
  for (;;) {
    const json = await cloudkit.call(database, "zones/list", token === undefined ? {} : { syncToken: token }, signal);
    for (const zone of Array.isArray(json["zones"]) ? json["zones"] : []) {
      if (!isObject(zone) || zone["deleted"] === true || !isObject(zone["zoneID"])) continue;
      const name = asText(zone["zoneID"]["zoneName"]);
      if (name === undefined || !isLibrary(name)) continue;
      libraries.push({
        zone: name as ZoneName,
        database,
        owner: asText(zone["zoneID"]["ownerRecordName"]),
        zoneType: asText(zone["zoneID"]["zoneType"]),
      });
    }
    const next = asText(json["syncToken"]);
    if (json["moreComing"] !== true || next === undefined || next === token) return libraries;
    token = next;
  }
}

function countIn(answer: unknown): number | undefined {
  if (!isObject(answer) || !Array.isArray(answer["records"])) return undefined;
  return numberField(readRecord(answer["records"][0]), "itemCount");
}

const GONE: ReadonlySet<string> = new Set(["NOT_FOUND", "UNKNOWN_ITEM"]);

async function lookUp(
  cloudkit: CloudKit,
  library: Library,
  ids: ReadonlyArray<{ readonly id: AssetId; readonly masterId: MasterId }>,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<LookupResult[]> {
  const names = new Set<string>(ids.flatMap(({ id, masterId }) => [masterId, id]));
  const json = await cloudkit.call(library.database, "records/lookup", lookupQuery(library, [...names], keys), signal);
  const found = new Map<string, WireRecord>();
  for (const record of recordsOf(json, "records/lookup"))
    if (record.recordName !== undefined) found.set(record.recordName, record);
  return ids.map(({ id, masterId }): LookupResult => {
    const asset = found.get(id);
    const master = found.get(masterId);
    const unknown = (reason: string): LookupResult => ({ id, state: "unknown", reason });
    // A name that is missing from the answer says nothing; only Apple's word for "gone" does (cloudkit.md 4.6).
    for (const record of [asset, master]) {
      if (record !== undefined && (record.deleted || GONE.has(record.errorCode?.toUpperCase() ?? "")))
        return { id, state: "gone" };
    }
    if (asset === undefined || master === undefined) return unknown("not in Apple's answer");
    const code = asset.errorCode ?? master.errorCode;
    if (code !== undefined) return unknown(code);
    if (masterOf(asset) !== masterId) return unknown("it belongs to another original now");
    const decoded = decodeAsset(library.zone, asset, master);
    return "reason" in decoded ? unknown(decoded.reason) : { id, state: "found", asset: decoded };
  });
}

async function followChanges(
  cloudkit: CloudKit,
  library: Library,
  start: string,
  onChanges: (changes: readonly ZoneChange[]) => void,
  signal: AbortSignal,
): Promise<string> {
  const used = new Set<string>();
  for (let token = start; ; ) {
    used.add(token);
    const json = await callChanges(cloudkit, library, token, signal);
    const zones = json["zones"];
    const zone: unknown = Array.isArray(zones) && zones.length === 1 ? zones[0] : undefined;
    if (!isObject(zone)) throw unusable("the answer holds no zone");
    refuseProblem(zone);
    const records = zone["records"];
    const next = asText(zone["syncToken"]);
    if (!Array.isArray(records) || next === undefined || next.trim() === "")
      throw unusable("the answer holds no changes");
    const changes = records.map(readRecord);
    const failed = changes.find((record) => record.errorCode !== undefined);
    if (failed !== undefined) throw unusable(`a change came as an error: ${failed.errorCode}`);
    onChanges(changes.flatMap(toChange));
    if (zone["moreComing"] !== true) return next;
    if (used.has(next)) throw unusable("the change feed does not move on");
    token = next;
  }
}

/** Token errors come as HTTP 400 or inside a 200; both mean the same. */
async function callChanges(cloudkit: CloudKit, library: Library, token: string, signal: AbortSignal) {
  try {
    return await cloudkit.call(library.database, "changes/zone", changesQuery(library, token), signal);
  } catch (error) {
    if (error instanceof CloudKitError && error.problem.kind === "bad-request") throw new TokenRefused(error.message);
    throw error;
  }
}

function refuseProblem(zone: Record<string, unknown>): void {
  if (asText(zone["serverErrorCode"]) === undefined) return;
  const problem = problemOf(200, zone);
  if (problem === undefined) return;
  if (problem.kind === "bad-request") throw new TokenRefused(problem.reason ?? "token refused");
  throw new CloudKitError("changes/zone", problem);
}

function toChange(record: WireRecord): ZoneChange[] {
  if (record.recordName === undefined) return [];
  return [
    {
      recordName: record.recordName,
      recordType: record.recordType,
      deleted: record.deleted,
      masterId: masterOf(record),
    },
  ];
}

function unusable(reason: string): CloudKitError {
  const problem: Problem = { kind: "transient", status: 200, code: undefined, reason, retryAfterMs: undefined };
  return new CloudKitError("changes/zone", problem);
}
