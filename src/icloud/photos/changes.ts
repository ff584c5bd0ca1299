import type { AlbumId, AssetId } from "../../library/asset.ts";
import type { CloudKit, Database } from "../cloudkit/client.ts";
import { CloudKitError, type Problem, TokenRefused } from "../cloudkit/errors.ts";
import { asText, isObject, textField, truthyField, type WireRecord } from "../cloudkit/record.ts";
import { masterOf } from "./decode.ts";
import { recordsOf } from "./list.ts";
import { changesQuery, lookupQuery, RELATION_KEYS } from "./queries.ts";
import type { DatabaseChanges, Library, Relation, ZoneChange } from "./types.ts";
import { readZone } from "./zones.ts";

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
  return follow(
    cloudkit,
    library,
    token,
    RELATION_KEYS,
    (records) => onRelations(records.flatMap((record) => toRelation(record) ?? [])),
    signal,
  );
}

/** Which zones have changed in a database (cloudkit.md 4.1, 4.7). */
export async function databaseChanges(
  cloudkit: CloudKit,
  database: Database,
  start: string | undefined,
  signal: AbortSignal,
): Promise<DatabaseChanges> {
  const libraries: Library[] = [];
  const gone: string[] = [];
  const used = new Set<string | undefined>();
  for (let token = start; ; ) {
    used.add(token);
    const json = await refusingTokens(() =>
      cloudkit.call(database, "changes/database", token === undefined ? {} : { syncToken: token }, signal),
    );
    const next = tokenOf(json);
    for (const zone of Array.isArray(json["zones"]) ? json["zones"] : []) {
      const { library, deleted } = readZone(zone, database);
      if (deleted !== undefined) gone.push(deleted);
      if (library !== undefined) libraries.push(library);
    }
    if (json["moreComing"] !== true) return { libraries, gone, token: next };
    if (used.has(next)) throw unusable("changes/database", "the list of changed zones does not move on");
    token = next;
  }
}

/** Undefined when there is none, or nothing in it: an empty one must never be sent. */
function tokenOf(json: Record<string, unknown>): string | undefined {
  const token = asText(json["syncToken"]);
  return token?.trim() === "" ? undefined : token;
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
    const json = await refusingTokens(() =>
      cloudkit.call(library.database, "changes/zone", changesQuery(library, token, keys), signal),
    );
    const [zone] = Array.isArray(json["zones"]) ? json["zones"].filter(isObject) : [];
    const next = asText(zone?.["syncToken"]) ?? "";
    onRecords(recordsOf(zone ?? {}));
    if (zone?.["moreComing"] !== true) return next;
    if (used.has(next)) throw unusable("changes/zone", "the change feed does not move on");
    token = next;
  }
}

/** Token errors come as HTTP 400 or inside a 200; both mean the same. */
async function refusingTokens<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CloudKitError && error.problem.kind === "bad-request") throw new TokenRefused(error.message);
    throw error;
  }
}

function toChange(record: WireRecord): ZoneChange[] {
  if (record.recordName === undefined) return [];
  return [
    {
      recordName: record.recordName,
      recordType: record.recordType,
      deleted: record.deleted,
      masterId: masterOf(record),
      trashed: truthyField(record, "isDeleted") || truthyField(record, "isExpunged"),
      hidden: truthyField(record, "isHidden"),
      relation: toRelation(record),
    },
  ];
}

function unusable(operation: string, reason: string): CloudKitError {
  const problem: Problem = { kind: "transient", status: 200, code: undefined, reason, retryAfterMs: undefined };
  return new CloudKitError(operation, problem);
}

/** Names of memberships: who, and in which album. */
const RELATION_NAME = /^(?<asset>.+)-IN-(?<album>.+)$/;

/** Names that one lookup takes (cloudkit.md 4.6). */
const LOOKUP_NAMES = 200;

/**
 * Which of these photos are in which of these albums, by the names that memberships have (cloudkit.md 1.5). Names that
 * Apple does not know, or is silent about, are no memberships. Throws when it refuses to tell.
 */
export async function memberships(
  cloudkit: CloudKit,
  library: Library,
  ids: readonly AssetId[],
  albums: readonly AlbumId[],
  signal: AbortSignal,
): Promise<Relation[]> {
  const names = ids.flatMap((id) => albums.map((album) => `${id}-IN-${album}`));
  const found: Relation[] = [];
  for (let start = 0; start < names.length; start += LOOKUP_NAMES) {
    const query = lookupQuery(library, names.slice(start, start + LOOKUP_NAMES), RELATION_KEYS);
    const json = await cloudkit.call(library.database, "records/lookup", query, signal);
    for (const record of recordsOf(json)) {
      const relation = record.errorCode === undefined ? toRelation(record) : undefined;
      if (relation !== undefined && !relation.removed) found.push(relation);
    }
  }
  return found;
}

/** A membership, or the tombstone of one, which has nothing but its name (cloudkit.md 4.5). */
function toRelation(record: WireRecord): Relation | undefined {
  const named = RELATION_NAME.exec(record.recordName ?? "")?.groups;
  if (record.deleted ? named === undefined : record.recordType !== "CPLContainerRelation") return undefined;
  const asset = textField(record, "itemId") ?? named?.["asset"];
  const album = textField(record, "containerId") ?? named?.["album"];
  if (asset === undefined || album === undefined) return undefined;
  const removed = record.deleted || truthyField(record, "isDeleted");
  return { asset: asset as AssetId, album: album as AlbumId, removed };
}
