/** `records/lookup`: fresh records, and with them fresh URLs, by name (cloudkit.md 4.6). */
import { type Answer, badRequest, type Call, renderContext, tokenOf } from "./call.ts";
import { errorEntry } from "./faults.ts";
import type { Json } from "./json.ts";
import type { WireRecord } from "./records.ts";
import { renderRecord } from "./render.ts";
import { asArray, asObject, asString, type Body, desiredKeys, MAX_RECORDS, members, zoneOf } from "./validate.ts";

export function lookupRecords(call: Call, body: Body): Answer {
  members(body, "request", ["records", "zoneID"], ["desiredKeys"]);
  const zone = zoneOf(call, body["zoneID"]);
  const names = asArray(body["records"], "records").map((entry) =>
    asString(
      members(asObject(entry, "records"), "records", ["recordName"], ["desiredKeys"])["recordName"],
      "recordName",
    ),
  );
  if (names.length > MAX_RECORDS) throw badRequest(`too many records in lookup: ${names.length} > ${MAX_RECORDS}`);
  if (new Set(names).size !== names.length) throw badRequest("duplicate recordName in lookup");
  const context = renderContext(call, desiredKeys(body));
  const records: WireRecord[] = [];
  for (const name of names) {
    const record = zone.get(name);
    if (record !== undefined && record.data.kind !== "tombstone") records.push(renderRecord(zone, record, context));
    else if (call.settings.unknownName !== "omit") {
      records.push(errorEntry(name, { code: call.settings.unknownName, reason: "Record not found" }));
    }
  }
  const spoiled = call.faults.spoil(records, "records/lookup");
  return { body: { records: spoiled as unknown as Json, ...tokenOf(call, zone) }, weight: records.length };
}
