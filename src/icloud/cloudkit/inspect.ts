/** What an answer must hold beyond its status, by operation: Apple hides errors in zones and records of a 200. */
import { isTransientCode, type Problem, problemOf } from "./errors.ts";
import { asText, isObject } from "./record.ts";

/** What is wrong with an answer. */
export interface Flaw {
  readonly problem: Problem;
  /** The rest of the answer is good: it may be used when asking again has not helped. */
  readonly bearable: boolean;
}

/**
 * Undefined for an answer without a flaw (engine.md 2.5, 2.6). `body` is what was asked, `json` what came, undefined when it is
 * no JSON. Errors of records that will stay are the caller's.
 */
export function inspect(operation: string, body: unknown, status: number, json: unknown): Flaw | undefined {
  const refusal = problemOf(status, json);
  if (refusal !== undefined)
    return { problem: operation === "changes/zone" ? lenient(refusal) : refusal, bearable: false };
  return isObject(json) ? inspectGood(operation, body, json) : unusable("the answer is no object");
}

function inspectGood(operation: string, body: unknown, json: Record<string, unknown>): Flaw | undefined {
  switch (operation) {
    case "records/query":
    case "records/lookup":
      return inspectRecords(json["records"]);
    case "zones/list":
    case "changes/database":
      if (!Array.isArray(json["zones"])) return unusable("the answer tells of no zones");
      return json["moreComing"] === true && !hasToken(json) ? unusable("there is no way to the rest") : undefined;
    case "changes/zone":
      return inspectZone(json["zones"], body);
    default:
      return undefined;
  }
}

/** Records that Apple could not tell just now (cloudkit.md 7.4). */
function inspectRecords(records: unknown): Flaw | undefined {
  if (!Array.isArray(records)) return unusable("the answer holds no list of records");
  const failed = records.find((record) => isTransientCode(codeOf(record) ?? ""));
  const problem = failed === undefined ? undefined : problemOf(200, failed);
  return problem === undefined ? undefined : { problem, bearable: true };
}

/** The one zone that was asked for: its own error, errors of its records, and what it must have (cloudkit.md 4.1, 7.4). */
function inspectZone(zones: unknown, body: unknown): Flaw | undefined {
  const zone: unknown = Array.isArray(zones) && zones.length === 1 ? zones[0] : undefined;
  if (!isObject(zone)) return unusable("the answer holds no zone");
  if (codeOf(zone) !== undefined) {
    const problem = problemOf(200, zone);
    return problem === undefined ? undefined : { problem: lenient(problem), bearable: false };
  }
  if (!isSameZone(zone["zoneID"], askedZone(body))) return unusable("the answer is about another zone");
  const records = zone["records"];
  if (!Array.isArray(records) || !hasToken(zone)) return unusable("the answer holds no changes");
  const codes = records.flatMap((record) => codeOf(record) ?? []);
  const [code] = codes;
  if (code === undefined) return undefined;
  const { problem } = unusable(`a change came as an error: ${code}`);
  // What stays would stand in the way of all later changes, too: then the library is listed.
  return { problem: codes.some(isTransientCode) ? problem : { ...problem, kind: "permanent" }, bearable: false };
}

/** A code in a 200 that nobody has heard of says nothing about the token: it passes (cloudkit.md 7.3). */
function lenient(problem: Problem): Problem {
  return problem.kind === "permanent" && problem.status === 200 ? { ...problem, kind: "transient" } : problem;
}

function codeOf(value: unknown): string | undefined {
  return isObject(value) ? asText(value["serverErrorCode"]) : undefined;
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

function unusable(reason: string): Flaw {
  return {
    problem: { kind: "transient", status: 200, code: undefined, reason, retryAfterMs: undefined },
    bearable: false,
  };
}
