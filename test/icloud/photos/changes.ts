/** `changes/zone`, `changes/database` and `zones/list` (cloudkit.md 2.2, 4). */
import { type Answer, badRequest, type Call, CloudKitError, renderContext } from "./call.ts";
import type { CodeFault } from "./faults.ts";
import type { Json } from "./json.ts";
import type { WireRecord } from "./records.ts";
import { renderRecord } from "./render.ts";
import { databaseToken, parseDatabaseToken, parseZoneToken, zoneToken } from "./token.ts";
import { asArray, asObject, asString, type Body, desiredKeys, members, resultsLimit, zoneOf } from "./validate.ts";
import type { Zone } from "./zone.ts";

interface ZoneEntry {
  readonly json: { readonly [key: string]: Json };
  readonly weight: number;
}

export function changesZone(call: Call, body: Body): Answer {
  if (!call.wantsToken) throw badRequest("changes are of no use without getCurrentSyncToken");
  const zones = asArray(members(body, "request", ["zones"])["zones"], "zones");
  if (zones.length === 0) throw badRequest("zones must not be empty");
  const entries = zones.map((entry) => zoneChanges(call, asObject(entry, "zones")));
  return {
    body: { zones: entries.map((entry) => entry.json) },
    weight: entries.reduce((sum, entry) => sum + entry.weight, 0),
  };
}

function zoneChanges(call: Call, entry: Body): ZoneEntry {
  const optional = ["syncToken", "resultsLimit", "desiredKeys", "desiredRecordTypes", "reverse"];
  members(entry, "zones", ["zoneID"], optional);
  const asked = asObject(entry["zoneID"], "zoneID");
  const zone = known(call, asked);
  if (zone instanceof CloudKitError) return failed(asked, { code: zone.code, reason: zone.reason });
  const fault = call.faults.zoneFault(zone.name);
  if (fault !== undefined) return failed(zone.zoneId, fault);

  const token = entry["syncToken"] === undefined ? undefined : asString(entry["syncToken"], "syncToken");
  // An empty token means "caught up" (cloudkit.md 4.3); a client must never send it.
  if (token === "") return delta(zone, [], zone.token, false);
  const limit = resultsLimit(entry, call.settings.mostRecords);
  const keys = desiredKeys(entry);
  if (token === undefined && call.settings.historyBeginsEmpty)
    return delta(zone, [], zoneToken(0, zone.tokenConstant), zone.sequence > 0);
  const parsed = parseZoneToken(token ?? zoneToken(0, zone.tokenConstant), zone.tokenConstant);
  if (!parsed.ok) return failed(zone.zoneId, { code: "BAD_REQUEST", reason: parsed.reason });
  if (parsed.sequence < (call.faults.expiredBefore.get(zone.name) ?? 0) || parsed.sequence > zone.sequence) {
    return failed(zone.zoneId, { code: "BAD_REQUEST", reason: "Unknown sync continuation type" });
  }
  call.settings.beforeDelta?.({ zone, sequence: parsed.sequence });
  const step = parsed.step ?? 0;
  if (step < call.settings.emptyDeltaPages && parsed.sequence < zone.sequence) {
    return delta(zone, [], zoneToken(parsed.sequence, zone.tokenConstant, step + 1), true);
  }
  const { records, more } = zone.changesAfter(parsed.sequence, limit);
  const context = renderContext(call, keys);
  const rendered = records.map((record) => renderRecord(zone, record, context));
  const last = records.at(-1)?.sequence ?? zone.sequence;
  const next = more ? zoneToken(last, zone.tokenConstant, call.settings.emptyDeltaPages || undefined) : zone.token;
  return delta(zone, call.faults.spoil(rendered, "changes/zone"), next, more);
}

/** Zone errors stand inside the entry, in a 200. */
function known(call: Call, zoneId: Body): Zone | CloudKitError {
  try {
    return zoneOf(call, zoneId);
  } catch (error) {
    if (error instanceof CloudKitError && error.code === "ZONE_NOT_FOUND") return error;
    throw error;
  }
}

function delta(zone: Zone, records: readonly WireRecord[], syncToken: string, moreComing: boolean): ZoneEntry {
  return {
    json: { zoneID: zone.zoneId, syncToken, moreComing, records: records as unknown as Json },
    weight: records.length,
  };
}

function failed(zoneId: Body, fault: CodeFault): ZoneEntry {
  return {
    json: {
      zoneID: zoneId as { readonly [key: string]: Json },
      serverErrorCode: fault.code,
      reason: fault.reason ?? fault.code,
      ...(fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }),
    },
    weight: 0,
  };
}

export function changesDatabase(call: Call, body: Body): Answer {
  members(body, "request", [], ["syncToken", "resultsLimit"]);
  const since = position(body["syncToken"]);
  const zones = call.library.zones.filter((zone) => zone.database === call.database && zone.lastWrite >= since.writes);
  const page = zones.slice(since.skip, since.skip + call.settings.zonesPerPage);
  const end = since.skip + page.length;
  const moreComing = end < zones.length;
  call.memory.databaseCalls += 1;
  const listed = page.map((zone) => ({
    zoneID: zone.zoneId,
    ...(zone.deleted ? { deleted: true } : {}),
    ...(call.settings.databaseZonesCarryTokens && !zone.deleted ? { syncToken: zone.token } : {}),
  }));
  const token = databaseToken(call.library.writes + 1, call.memory.databaseCalls);
  return {
    body: { syncToken: moreComing ? pageToken(since.writes, end) : token, moreComing, zones: listed },
    weight: page.length,
  };
}

export function listZones(call: Call, body: Body): Answer {
  members(body, "request", [], ["syncToken"]);
  const zones = call.library.zones.filter((zone) => zone.database === call.database);
  const skip = position(body["syncToken"]).skip;
  const page = zones.slice(skip, skip + call.settings.zonesPerPage);
  const end = skip + page.length;
  const moreComing = end < zones.length;
  const current = zones.find((zone) => !zone.deleted)?.token ?? call.library.primary.token;
  return {
    body: {
      moreComing,
      syncToken: moreComing ? pageToken(0, end) : current,
      zones: page.map((zone) => ({ zoneID: zone.zoneId, ...(zone.deleted ? { deleted: true } : {}) })),
    },
    weight: page.length,
  };
}

const PAGE_PREFIX = "zones:";

const pageToken = (writes: number, skip: number): string =>
  Buffer.from(`${PAGE_PREFIX}${writes}:${skip}`, "latin1").toString("base64");

/** Where a database token or a page token goes on. Zones written at or after `writes` have changed. */
function position(token: unknown): { readonly writes: number; readonly skip: number } {
  if (token === undefined) return { writes: 0, skip: 0 };
  const text = asString(token, "syncToken");
  const page = Buffer.from(text, "base64").toString("latin1");
  if (page.startsWith(PAGE_PREFIX)) {
    const [writes, skip] = page.slice(PAGE_PREFIX.length).split(":").map(Number);
    if (writes !== undefined && skip !== undefined) return { writes, skip };
  }
  const writes = parseDatabaseToken(text);
  if (writes === undefined) throw badRequest("Unknown sync continuation type");
  return { writes, skip: 0 };
}
