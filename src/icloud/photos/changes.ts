import type { AlbumId, AssetId } from "../../library/asset.ts";
import type { CloudKit } from "../cloudkit/client.ts";
import { CloudKitError, type Problem, problemOf, TokenRefused } from "../cloudkit/errors.ts";
import { asText, isObject, readRecord, textField, truthyField, type WireRecord } from "../cloudkit/record.ts";
import { masterOf } from "./decode.ts";
import { changesQuery, RELATION_KEYS } from "./queries.ts";
import type { Library, Relation, ZoneChange } from "./types.ts";

/** What changed since `token`, page by page (cloudkit.md 4); returns the token to go on from. */
export function changesSince(
  cloudkit: CloudKit,
  library: Library,
  token: string,
  onChanges: (changes: readonly ZoneChange[]) => void,
  signal: AbortSignal,
): Promise<string> {
  return follow(cloudkit, library, token, undefined, (records) => onChanges(records.flatMap(toChange)), signal);
}

/** Who came into albums and left them since `token`, or ever. */
export function relationsSince(
  cloudkit: CloudKit,
  library: Library,
  token: string | undefined,
  onRelations: (relations: readonly Relation[]) => void,
  signal: AbortSignal,
): Promise<string> {
  return follow(cloudkit, library, token, RELATION_KEYS, (records) => onRelations(records.flatMap(toRelation)), signal);
}

async function follow(
  cloudkit: CloudKit,
  library: Library,
  start: string | undefined,
  keys: readonly string[] | undefined,
  onRecords: (records: readonly WireRecord[]) => void,
  signal: AbortSignal,
): Promise<string> {
  const used = new Set<string | undefined>();
  for (let token = start; ; ) {
    used.add(token);
    const json = await callChanges(cloudkit, library, changesQuery(library, token, keys), signal);
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
    onRecords(changes);
    if (zone["moreComing"] !== true) return next;
    if (used.has(next)) throw unusable("the change feed does not move on");
    token = next;
  }
}

/** Token errors come as HTTP 400 or inside a 200; both mean the same. */
async function callChanges(cloudkit: CloudKit, library: Library, query: object, signal: AbortSignal) {
  try {
    return await cloudkit.call(library.database, "changes/zone", query, signal);
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

/** Names of memberships: who, and in which album. */
const RELATION_NAME = /^(?<asset>.+)-IN-(?<album>.+)$/;

/** A membership, or the tombstone of one, which has nothing but its name (cloudkit.md 4.5). */
function toRelation(record: WireRecord): Relation[] {
  const named = RELATION_NAME.exec(record.recordName ?? "")?.groups;
  if (record.deleted ? named === undefined : record.recordType !== "CPLContainerRelation") return [];
  const asset = textField(record, "itemId") ?? named?.["asset"];
  const album = textField(record, "containerId") ?? named?.["album"];
  if (asset === undefined || album === undefined) return [];
  const removed = record.deleted || truthyField(record, "isDeleted");
  return [{ asset: asset as AssetId, album: album as AlbumId, removed }];
}
