/** Reads request bodies and refuses what Apple refuses; also members it would only ignore, since they are mistakes. */
import { badRequest, type Call, CloudKitError, GatewayFailure } from "./call.ts";
import type { Zone } from "./zone.ts";

export type Body = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, what: string): Body {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest(`${what} must be an object`);
  return value as Body;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw badRequest(`${what} must be an array`);
  return value;
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== "string") throw badRequest(`${what} must be a string`);
  return value;
}

/** Refuses members that the operation does not have, and the lack of those that it needs. */
export function members(body: Body, what: string, needed: readonly string[], optional: readonly string[] = []): Body {
  for (const name of needed) {
    if (body[name] === undefined) throw badRequest(`missing required field ${name} in ${what}`);
  }
  for (const name of Object.keys(body)) {
    if (!needed.includes(name) && !optional.includes(name)) throw badRequest(`unexpected field ${name} in ${what}`);
  }
  return body;
}

export function desiredKeys(body: Body): ReadonlySet<string> | undefined {
  if (body["desiredKeys"] === undefined) return undefined;
  return new Set(asArray(body["desiredKeys"], "desiredKeys").map((key) => asString(key, "desiredKeys")));
}

/** Apple serves at most 200 records a reply, whatever was asked for (cloudkit.md 3.3). */
export const MAX_RECORDS = 200;

export function resultsLimit(body: Body, most: number): number {
  const limit = body["resultsLimit"];
  if (limit === undefined) return most;
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1) throw badRequest("invalid resultsLimit");
  return Math.min(limit, most);
}

export const zoneNotFound = (name: string): CloudKitError =>
  new CloudKitError(404, "ZONE_NOT_FOUND", `Zone '${name}' does not exist`);

/** The zone that a `zoneID` names in this database (cloudkit.md 2.3). Decoys answer as they do at Apple's. */
export function zoneOf(call: Call, value: unknown): Zone {
  const id = members(asObject(value, "zoneID"), "zoneID", ["zoneName"], ["ownerRecordName", "zoneType"]);
  const name = asString(id["zoneName"], "zoneName");
  const owner = id["ownerRecordName"] === undefined ? undefined : asString(id["ownerRecordName"], "ownerRecordName");
  const zone = call.library.zones.find(
    (candidate) => candidate.name === name && candidate.database === call.database && !candidate.deleted,
  );
  if (zone === undefined) throw zoneNotFound(name);
  if (!ownerAgrees(call, zone, owner)) throw zoneNotFound(name);
  if (zone.role === "decoy") {
    if (call.settings.decoyAnswer === 502) throw new GatewayFailure(502);
    throw zoneNotFound(name);
  }
  return zone;
}

/** `_defaultOwner` is the account itself; in `shared` the owner is part of the zone's identity. */
function ownerAgrees(call: Call, zone: Zone, owner: string | undefined): boolean {
  if (owner === undefined) return call.database === "private";
  return (owner === "_defaultOwner" ? call.library.user : owner) === zone.owner;
}

export interface Filter {
  readonly fieldName: string;
  readonly comparator: string;
  readonly type: string;
  readonly value: unknown;
}

/** `filterBy`, an array or (as peers send it for counts) one object. */
export function filtersOf(query: Body): readonly Filter[] {
  const raw = query["filterBy"];
  if (raw === undefined) return [];
  const list = Array.isArray(raw) ? raw : [raw];
  const filters = list.map((item) => {
    const filter = members(asObject(item, "filterBy"), "filterBy", ["fieldName", "comparator", "fieldValue"]);
    const value = members(asObject(filter["fieldValue"], "fieldValue"), "fieldValue", ["value"], ["type"]);
    return {
      fieldName: asString(filter["fieldName"], "fieldName"),
      comparator: asString(filter["comparator"], "comparator"),
      type: value["type"] === undefined ? "" : asString(value["type"], "type"),
      value: value["value"],
    };
  });
  const names = filters.map((filter) => filter.fieldName);
  if (new Set(names).size !== names.length) throw badRequest("duplicate fieldName in filterBy");
  return filters;
}

/** The value of a filter that must be there with this comparator and type. */
export function filterValue(filters: readonly Filter[], name: string, comparator: string, type: string): unknown {
  const filter = filters.find((candidate) => candidate.fieldName === name);
  if (filter === undefined) throw badRequest(`missing filter ${name}`);
  if (filter.comparator !== comparator) throw badRequest(`unsupported comparator ${filter.comparator} for ${name}`);
  if (filter.type !== type) throw badRequest(`filter ${name} must be of type ${type}`);
  return filter.value;
}

/** Refuses filters that the record type does not know. */
export function onlyFilters(filters: readonly Filter[], type: string, known: readonly string[]): void {
  for (const filter of filters) {
    if (!known.includes(filter.fieldName)) {
      throw badRequest(`Field '${filter.fieldName}' is not marked queryable for type ${type}`);
    }
  }
}
