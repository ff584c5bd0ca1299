/**
 * An iCloud that says the same in other ways: everything that cloudkit.md calls optional, unordered, or to be ignored is
 * left out, mixed up, or added, by a seed. What kei makes of it must not change.
 */
import type { LoggedRequest } from "../icloud/contract.ts";
import { createRng, type Rng } from "../icloud/photos/random.ts";

type Json = unknown;
type Members = Record<string, Json>;

/** Members of a record's envelope that may be missing (cloudkit.md 1.5). */
const OPTIONAL = ["pluginFields", "created", "modified", "zoneID", "expirationTime", "recordChangeTag"];

/** What a zone listing holds besides libraries, and kei must not touch (cloudkit.md 2.2). */
const STRANGE_ZONES = ["_defaultZone", "CMM-00000000-0000-4000-8000-0000000000C1", "SharedSynchrony", "PrimarySync2"];

export interface Contrariness {
  /** How often an answer is a passing error, at the top, in the zone, or in a record. */
  readonly moods?: number;
  /** No page says that more follow. */
  readonly withoutMarkers?: boolean;
}

/** For `startDouble({ transform })`. */
export function contrary(seed: number, { moods = 0, withoutMarkers = false }: Contrariness = {}) {
  const rng = createRng(`contrary/${seed}`);
  return async (response: Response, { operation }: LoggedRequest): Promise<Response> => {
    if (!/^(private|shared)\//.test(operation) || !(response.headers.get("content-type") ?? "").includes("json"))
      return response;
    const headers = new Headers(response.headers);
    headers.set("content-type", rng.chance(0.5) ? "text/html;charset=ISO-8859-1" : "text/plain");
    const json = (await response.json()) as Members;
    if (response.status === 421) return new Response(JSON.stringify(json), { status: rng.pick(SESSION_OVER), headers });
    if (rng.chance(moods)) return new Response(JSON.stringify(trouble(json, operation, rng)), { headers });
    for (const part of [json, ...membersOf(json["batch"]), ...membersOf(json["zones"])]) {
      if (withoutMarkers && !operation.endsWith(":albums")) delete part["continuationMarker"];
      if (!Array.isArray(part["records"])) continue;
      const isSynthetic = operation.endsWith("batch");
      const told = membersOf(part["records"]);
      const isFeed = operation.endsWith("changes/zone");
      const records = (isFeed ? withoutCompanions(told, rng) : told).map((record) => restated(record, rng));
      if (isFeed) for (const record of records) reduce(record, rng);
      part["records"] = isSynthetic ? records : shuffled([...records, ...strangers(rng)], rng);
    }
    if (/zones\/list$|changes\/database$/.test(operation) && Array.isArray(json["zones"]) && json["zones"].length > 0)
      json["zones"] = shuffled([...json["zones"], ...STRANGE_ZONES.map((zoneName) => ({ zoneID: { zoneName } }))], rng);
    if (json["moreComing"] === false && rng.chance(0.5)) delete json["moreComing"];
    return new Response(JSON.stringify(reordered(json, rng)), { status: response.status, headers });
  };
}

/** Ways to say that the session is over; the reason is in the body (auth.md 5.8, 1.7). */
const SESSION_OVER = [200, 401, 403, 421, 450, 500];

/** The same trouble, where Apple is known to put it (cloudkit.md 7.1); the zone's entry or a record, if there are any. */
function trouble(json: Members, operation: string, rng: Rng): Members {
  const error = { serverErrorCode: rng.pick(["RETRY_LATER", "CAS_OP_LOCK", "zone_busy"]), reason: "Sync zone busy" };
  const [zone] = membersOf(json["zones"]);
  if (operation.endsWith("changes/zone") && zone !== undefined) {
    if (rng.chance(0.5)) return { zones: [{ zoneID: zone["zoneID"], syncToken: "", ...error }] };
    return { zones: [{ ...zone, records: [...membersOf(zone["records"]), { recordName: rng.uuid(), ...error }] }] };
  }
  const records = membersOf(json["records"]);
  if (records.length === 0 || rng.chance(0.5)) return error;
  return { ...json, records: records.map(({ recordName }) => ({ recordName, ...error })) };
}

const membersOf = (value: Json): Members[] => (Array.isArray(value) ? (value as Members[]) : []);

function restated(record: Members, rng: Rng): Members {
  const out: Members = { ...record, somethingNew: { value: [1, { a: null }] } };
  for (const name of OPTIONAL) if (rng.chance(0.3)) delete out[name];
  if (out["deleted"] === false && rng.chance(0.3)) delete out["deleted"];
  if (out["deleted"] === true) {
    const form = rng.int(0, 2);
    if (form === 0) delete out["recordType"];
    if (form === 1 && String(record["recordName"]).includes("-IN-")) out["recordType"] = "CPLContainerRelation";
    if (form === 2) out["fields"] = null;
  }
  const fields = record["fields"] as Record<string, Members | null> | undefined;
  if (fields === undefined || fields === null) return out;
  out["fields"] = Object.fromEntries([
    ...Object.entries(fields).map(([name, field]) => [name, field === null ? null : restatedField(field, rng)]),
    ["isExpunged2", { value: 1, type: "INT64" }],
    ["remarkEnc", null],
    ["oddities", { value: null, type: "UNHEARD_OF" }],
  ]);
  return out;
}

/**
 * What need not be told beside something else: memberships of what is gone, albums whose members have changed, and originals
 * of photos (cloudkit.md 4.5, 4.6).
 */
function withoutCompanions(records: readonly Members[], rng: Rng): Members[] {
  const name = (record: Members): string => String(record["recordName"]);
  const gone = new Set(records.filter(({ deleted }) => deleted === true).map(name));
  const parts = records.map((record) => name(record).split("-IN-"));
  const touched = new Set(parts.flatMap(([, album]) => album ?? []));
  return records.filter((record, index) => {
    const [asset = "", album] = parts[index] ?? [];
    const isCompanion =
      album === undefined
        ? record["recordType"] === "CPLMaster" || (record["recordType"] === "CPLAlbum" && touched.has(asset))
        : record["deleted"] === true && (gone.has(asset) || gone.has(album));
    return !isCompanion || rng.chance(0.5);
  });
}

/** Some changes of assets come without a word about their masters (cloudkit.md 4.6). */
function reduce({ recordType, fields }: Members, rng: Rng): void {
  if (recordType === "CPLAsset" && fields !== undefined && rng.chance(0.3)) delete (fields as Members)["masterRef"];
}

function restatedField(field: Members, rng: Rng): Members {
  const out: Members = { ...field, extra: true };
  // Without its type text can't be told from base64.
  if (field["type"] !== "STRING" && rng.chance(0.3)) delete out["type"];
  return out;
}

/** Records of kinds that nobody has heard of, some without a name. */
function strangers(rng: Rng): Members[] {
  return [
    { recordName: rng.uuid(), recordType: "CPLFaceCrop", fields: { isDeleted: { value: 1 } } },
    { recordName: rng.uuid(), recordType: "CPLSomethingNew", fields: {} },
    { recordName: rng.uuid(), recordType: null, deleted: true },
    { recordType: "CPLNameless", fields: null },
  ].slice(0, rng.int(0, 4));
}

function shuffled<T>(values: readonly T[], rng: Rng): T[] {
  const left = [...values];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(rng.int(0, left.length - 1), 1));
  return out;
}

/** The same values with their members in another order. */
function reordered(value: Json, rng: Rng): Json {
  if (Array.isArray(value)) return value.map((item) => reordered(item, rng));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(shuffled(Object.entries(value), rng).map(([name, item]) => [name, reordered(item, rng)]));
}
