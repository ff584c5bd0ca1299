/** What an answer must hold beyond its status, by operation: Apple hides errors in zones and records of a 200. */
import { isTransientCode, type Problem, problemOf } from "./errors.ts";
import { asText, isObject } from "./record.ts";

/**
 * What makes an answer unusable that is no refusal as a whole (engine.md 2.5), or undefined. Lists of assets and lookups
 * may hold records with errors: those are the caller's.
 */
export function inspect(operation: string, body: unknown, json: Record<string, unknown>): Problem | undefined {
  switch (operation) {
    case "records/query":
    case "records/lookup":
      return Array.isArray(json["records"]) ? undefined : unusable("the answer holds no list of records");
    case "zones/list":
      return Array.isArray(json["zones"]) ? undefined : unusable("the answer tells of no zones");
    case "changes/database":
      return Array.isArray(json["zones"]) && hasToken(json) ? undefined : unusable("the answer tells of no zones");
    case "changes/zone":
      return inspectZone(json["zones"], body);
    default:
      return undefined;
  }
}

/** The one zone that was asked for: its own error, errors of its records, and what it must have (cloudkit.md 4.1, 7.4). */
function inspectZone(zones: unknown, body: unknown): Problem | undefined {
  const zone: unknown = Array.isArray(zones) && zones.length === 1 ? zones[0] : undefined;
  if (!isObject(zone)) return unusable("the answer holds no zone");
  if (asText(zone["serverErrorCode"]) !== undefined) {
    const problem = problemOf(200, zone);
    // What nobody has heard of says nothing about the token (cloudkit.md 7.3).
    return problem?.kind === "permanent" ? { ...problem, kind: "transient" } : problem;
  }
  if (!isSameZone(zone["zoneID"], askedZone(body))) return unusable("the answer is about another zone");
  const records = zone["records"];
  if (!Array.isArray(records) || !hasToken(zone)) return unusable("the answer holds no changes");
  const codes = records.flatMap((record) => (isObject(record) ? (asText(record["serverErrorCode"]) ?? []) : []));
  const [code] = codes;
  if (code === undefined) return undefined;
  const problem = unusable(`a change came as an error: ${code}`);
  return codes.some(isTransientCode) ? problem : { ...problem, kind: "permanent" };
}

function hasToken(json: Record<string, unknown>): boolean {
  return (asText(json["syncToken"])?.trim() ?? "") !== "";
}

function askedZone(body: unknown): unknown {
  const zones = isObject(body) ? body["zones"] : undefined;
  const [zone] = Array.isArray(zones) ? zones : [];
  return isObject(zone) ? zone["zoneID"] : undefined;
}

/** What is missing on either side agrees, and so does `_defaultOwner` with everybody (cloudkit.md 2.3). */
function isSameZone(told: unknown, asked: unknown): boolean {
  if (!isObject(told) || !isObject(asked)) return true;
  return ["zoneName", "ownerRecordName"].every((name) => {
    const values = [asText(told[name]), asText(asked[name])];
    return values.some((value) => value === undefined || value === "_defaultOwner") || values[0] === values[1];
  });
}

function unusable(reason: string): Problem {
  return { kind: "transient", status: 200, code: undefined, reason, retryAfterMs: undefined };
}
