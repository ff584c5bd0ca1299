/** Names of operations for the request log, so that tests can count them. */

/** E.g. `private/records/query:assets`, `private/internal/records/query/batch`, `shared/changes/zone`, `cdn`. */
export function operationOf(path: string, body: unknown): string {
  const match = /\/com\.apple\.photos\.cloud\/production\/(private|shared)\/(.+)$/.exec(path);
  const [, database, operation] = match ?? [];
  if (database === undefined || operation === undefined) return path.startsWith("/B/") ? "cdn" : path;
  const name = `${database}/${operation}`;
  if (operation !== "records/query") return name;
  const type = recordType(body);
  return `${name}:${QUERY_KINDS[type] ?? (type.startsWith("CPL") ? "assets" : type)}`;
}

const QUERY_KINDS: Readonly<Record<string, string>> = {
  CheckIndexingState: "readiness",
  HyperionIndexCountLookup: "count",
  CPLAlbumByPositionLive: "albums",
  CPLContainerRelationLiveByAssetDate: "members",
  CPLContainerRelationLiveByPosition: "members",
};

function recordType(body: unknown): string {
  if (typeof body !== "object" || body === null || !("query" in body)) return "unknown";
  const { query } = body;
  if (typeof query !== "object" || query === null || !("recordType" in query)) return "unknown";
  return String(query.recordType);
}
