/** `records/query` and `internal/records/query/batch` (cloudkit.md 2.1, 3). */
import { type Answer, badRequest, type Call, renderContext, tokenOf } from "./call.ts";
import type { Json } from "./json.ts";
import {
  albumsUnder,
  countKey,
  countOf,
  isListType,
  isSmartAlbum,
  LIST_TYPES,
  type ListKey,
  type ListType,
} from "./lists.ts";
import { readPage, vanishedRanks } from "./page.ts";
import { createRng } from "./random.ts";
import type { WireRecord } from "./records.ts";
import { renderRecord, syntheticRecord } from "./render.ts";
import { continuationMarker, parseMarker } from "./token.ts";
import {
  asArray,
  asObject,
  asString,
  type Body,
  desiredKeys,
  filtersOf,
  filterValue,
  members,
  onlyFilters,
  resultsLimit,
  zoneOf,
} from "./validate.ts";
import type { Zone } from "./zone.ts";

const OPTIONAL = ["resultsLimit", "desiredKeys", "continuationMarker", "zoneWide"] as const;

export function queryRecords(call: Call, body: Body): Answer {
  members(body, "request", ["query", "zoneID"], OPTIONAL);
  const query = members(asObject(body["query"], "query"), "query", ["recordType"], ["filterBy", "sortBy"]);
  const type = asString(query["recordType"], "recordType");
  const zone = zoneOf(call, body["zoneID"]);
  if (type === "CheckIndexingState") return readiness(call, zone, query);
  if (type === "HyperionIndexCountLookup") return counts(call, zone, query);
  if (type === "CPLAlbumByPositionLive") return albums(call, zone, query, body);
  if (isListType(type)) return assets(call, zone, type, query, body);
  throw badRequest(`Type is not marked indexable: ${type}`);
}

export function queryBatch(call: Call, body: Body): Answer {
  const entries = asArray(members(body, "request", ["batch"])["batch"], "batch");
  const answers = entries.map((entry) => queryRecords(call, asObject(entry, "batch")));
  return {
    body: { batch: answers.map((answer) => answer.body) },
    weight: answers.reduce((sum, answer) => sum + answer.weight, 0),
  };
}

function readiness(call: Call, zone: Zone, query: Body): Answer {
  onlyFilters(filtersOf(query), "CheckIndexingState", []);
  const set = call.faults.readiness.get(zone.name) ?? { state: "FINISHED", progress: 100 };
  const record = syntheticRecord(
    zone,
    `_${createRng(`indexing/${zone.name}`).uuid().toLowerCase()}`,
    "CheckIndexingState",
    {
      ...(set.progress === undefined ? {} : { progress: { value: set.progress, type: "INT64" } }),
      ...(set.state === undefined ? {} : { state: { value: set.state, type: "STRING" } }),
    },
    call.context.now(),
  );
  return reply(call, zone, set.noRecord === true ? [] : [record], {});
}

function counts(call: Call, zone: Zone, query: Body): Answer {
  const filters = filtersOf(query);
  onlyFilters(filters, "HyperionIndexCountLookup", ["indexCountID"]);
  const ids = asArray(filterValue(filters, "indexCountID", "IN", "STRING_LIST"), "indexCountID");
  const records: WireRecord[] = [];
  for (const value of ids) {
    const id = asString(value, "indexCountID");
    const list = countKey(id);
    if (list === undefined || !servedIn(call, zone, list)) throw badRequest(`Unknown index: ${id}`);
    const fault = call.faults.counts.get(id);
    if (fault === "no-record") continue;
    const actual = countOf(zone, list) + vanishedRanks(call, zone, list);
    const count: Json = fault === "text" ? "many" : typeof fault === "number" ? fault : actual;
    const fields = fault === "missing" ? {} : { itemCount: { value: count, type: "INT64" } };
    records.push(syntheticRecord(zone, id, "IndexCountResult", fields, call.context.now()));
  }
  return reply(call, zone, records, {});
}

function albums(call: Call, zone: Zone, query: Body, body: Body): Answer {
  // Albums live in PrimarySync only (cloudkit.md 2.4).
  if (zone.isShared) throw badRequest("Type is not marked indexable: CPLAlbumByPositionLive");
  const filters = filtersOf(query);
  onlyFilters(filters, "CPLAlbumByPositionLive", ["parentId"]);
  const parent =
    filters.length === 0 ? undefined : asString(filterValue(filters, "parentId", "EQUALS", "STRING"), "parentId");
  const all = albumsUnder(zone, parent);
  const start = markerRank(body) ?? 0;
  const limit = resultsLimit(body, call.settings.mostRecords);
  const page = all.slice(start, start + limit);
  const context = renderContext(call, desiredKeys(body));
  const next = start + page.length;
  const marker = next < all.length ? { continuationMarker: continuationMarker(next, page.at(-1)?.name ?? "") } : {};
  return reply(
    call,
    zone,
    page.map((album) => renderRecord(zone, album, context)),
    marker,
  );
}

function assets(call: Call, zone: Zone, type: ListType, query: Body, body: Body): Answer {
  const filters = filtersOf(query);
  const kind = LIST_TYPES[type];
  const extra = kind === "smart" ? ["smartAlbum"] : kind === "album" ? ["parentId"] : [];
  onlyFilters(filters, type, ["startRank", "direction", ...extra]);
  const rank = filterValue(filters, "startRank", "EQUALS", "INT64");
  if (typeof rank !== "number" || !Number.isInteger(rank) || rank < 0) throw badRequest("invalid startRank");
  const direction = filterValue(filters, "direction", "EQUALS", "STRING");
  if (direction !== "ASCENDING" && direction !== "DESCENDING") throw badRequest("invalid direction");
  const list = listKey(type, filters);
  if (!servedIn(call, zone, list)) throw badRequest(`Type is not marked indexable: ${type}`);
  const keys = desiredKeys(body);
  const startRank = markerRank(body) ?? rank;

  const seen = `${zone.name}/${JSON.stringify(list)}`;
  const earlierPages = call.memory.pagesServed.get(seen) ?? 0;
  call.memory.pagesServed.set(seen, earlierPages + 1);
  call.settings.beforePage?.({ zone, list, startRank, earlierPages });

  const page = readPage(call, {
    zone,
    list,
    startRank,
    direction,
    limit: resultsLimit(body, call.settings.mostRecords),
  });
  const context = renderContext(call, keys);
  const records = page.records.map((record) => renderRecord(zone, record, context));
  const marker =
    page.nextRank === undefined ? {} : { continuationMarker: continuationMarker(page.nextRank, page.lastAsset) };
  return reply(call, zone, records, marker);
}

function listKey(type: ListType, filters: ReturnType<typeof filtersOf>): ListKey {
  const kind = LIST_TYPES[type];
  if (kind === "smart") {
    const album = filterValue(filters, "smartAlbum", "EQUALS", "STRING");
    if (!isSmartAlbum(album)) throw badRequest(`Unknown smart album: ${String(album)}`);
    return { kind, album };
  }
  if (kind === "album") {
    const album = asString(filterValue(filters, "parentId", "EQUALS", "STRING"), "parentId");
    return { kind, album, order: type === "CPLContainerRelationLiveByPosition" ? "position" : "date" };
  }
  return { kind };
}

/** Which lists a shared zone has (cloudkit.md 2.4). */
function servedIn(call: Call, zone: Zone, list: ListKey): boolean {
  if (!zone.isShared || list.kind === "all" || list.kind === "added" || list.kind === "deleted") return true;
  if (list.kind === "album") return false;
  const mode = call.settings.sharedSmartAlbums;
  return mode === "all" || (mode === "favorites" && list.kind === "smart" && list.album === "FAVORITE");
}

function markerRank(body: Body): number | undefined {
  const marker = body["continuationMarker"];
  if (marker === undefined) return undefined;
  const rank = parseMarker(asString(marker, "continuationMarker"));
  if (rank === undefined) throw badRequest("Invalid continuation format");
  return rank;
}

function reply(
  call: Call,
  zone: Zone,
  records: readonly WireRecord[],
  marker: { continuationMarker?: string },
): Answer {
  const spoiled = call.faults.spoil(records, "records/query");
  return { body: { records: spoiled as unknown as Json, ...marker, ...tokenOf(call, zone) }, weight: records.length };
}
