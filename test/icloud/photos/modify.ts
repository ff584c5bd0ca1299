/** `records/modify` (cloudkit.md 8): the few writes that clients make. */
import { type Answer, badRequest, type Call, CloudKitError, renderContext, tokenOf } from "./call.ts";
import { errorEntry } from "./faults.ts";
import type { Json } from "./json.ts";
import { assetHandle } from "./library.ts";
import { isAsset, type WireRecord } from "./records.ts";
import { renderRecord } from "./render.ts";
import type { AddedAsset } from "./spec.ts";
import { changeTag } from "./token.ts";
import { asArray, asObject, asString, type Body, desiredKeys, MAX_RECORDS, members, zoneOf } from "./validate.ts";
import type { Zone } from "./zone.ts";

interface Operation {
  readonly name: string;
  /** Undefined when it can be done; else why not. */
  readonly problem: { readonly code: string; readonly reason: string } | undefined;
  run(): void;
}

export function modifyRecords(call: Call, body: Body): Answer {
  members(body, "request", ["operations", "zoneID"], ["atomic", "desiredKeys"]);
  const zone = zoneOf(call, body["zoneID"]);
  const raw = asArray(body["operations"], "operations");
  if (raw.length === 0 || raw.length > MAX_RECORDS) throw badRequest("between 1 and 200 operations are allowed");
  if (body["atomic"] !== undefined && typeof body["atomic"] !== "boolean") throw badRequest("atomic must be a boolean");
  const operations = raw.map((entry) => readOperation(call, zone, asObject(entry, "operations")));
  const broken = operations.find((operation) => operation.problem !== undefined)?.problem;
  if (broken?.code === "CONFLICT" && call.settings.conflictStatus === 409) {
    throw new CloudKitError(409, broken.code, broken.reason);
  }
  const atomicFailure = body["atomic"] === true && broken !== undefined;
  const context = { ...renderContext(call, desiredKeys(body)), withoutZone: true };
  const records: WireRecord[] = operations.map((operation) => {
    if (operation.problem !== undefined) return errorEntry(operation.name, operation.problem);
    if (atomicFailure) return errorEntry(operation.name, { code: "ATOMIC_ERROR", reason: "Atomic batch failure" });
    operation.run();
    const record = zone.get(operation.name);
    if (record === undefined || record.data.kind === "tombstone") return { recordName: operation.name, deleted: true };
    return renderRecord(zone, record, context);
  });
  return { body: { records: records as unknown as Json, ...tokenOf(call, zone) }, weight: records.length };
}

function readOperation(call: Call, zone: Zone, entry: Body): Operation {
  members(entry, "operation", ["operationType", "record"]);
  const type = asString(entry["operationType"], "operationType");
  const record = members(
    asObject(entry["record"], "record"),
    "record",
    ["recordName"],
    ["recordType", "recordChangeTag", "fields"],
  );
  const name = asString(record["recordName"], "recordName");
  if (type === "forceDelete") return relationRemoval(call, zone, name);
  if (type !== "update") throw badRequest(`unsupported operationType ${type}`);
  return assetUpdate(call, zone, name, record);
}

const nothing = (): void => undefined;

function relationRemoval(call: Call, zone: Zone, name: string): Operation {
  const [item, album] = name.split("-IN-");
  // A permanent purge is not known to be possible this way (cloudkit.md 8).
  if (item === undefined || album === undefined) throw badRequest("only album memberships can be deleted");
  const there = zone.get(name)?.data.kind === "relation";
  return {
    name,
    problem: there ? undefined : { code: "NOT_FOUND", reason: "Record not found" },
    run: () => call.library.removeFromAlbum({ zone, id: item, masterName: "" }, album),
  };
}

function assetUpdate(call: Call, zone: Zone, name: string, record: Body): Operation {
  if (record["recordType"] !== "CPLAsset") throw badRequest(`cannot update type ${String(record["recordType"])}`);
  const fields = asObject(record["fields"], "fields");
  const changes = Object.entries(fields).map(([field, value]) => {
    const change = members(asObject(value, field), field, ["value"], ["type"])["value"];
    if (!["isDeleted", "isFavorite", "isHidden"].includes(field)) throw badRequest(`Field '${field}' cannot be set`);
    if (change !== 0 && change !== 1) throw badRequest(`invalid value for ${field}`);
    return { field, on: change === 1 };
  });
  if (changes.length === 0) throw badRequest("no fields to update");
  const stored = zone.get(name);
  if (!isAsset(stored)) return { name, problem: { code: "NOT_FOUND", reason: "Record not found" }, run: nothing };
  const stale = call.settings.checkTags && record["recordChangeTag"] !== changeTag(stored.sequence);
  return {
    name,
    problem: stale ? { code: "CONFLICT", reason: "oplock failure: record was changed" } : undefined,
    run: () => {
      for (const { field, on } of changes) apply(call, assetHandle(call.library, name, zone), field, on);
    },
  };
}

function apply(call: Call, asset: AddedAsset, field: string, on: boolean): void {
  const { library } = call;
  if (field === "isDeleted") {
    if (on) library.softDelete(asset, "web");
    else library.restore(asset, "web");
  } else if (field === "isFavorite") library.favourite(asset, on, "web");
  else library.hide(asset, on, "web");
}
