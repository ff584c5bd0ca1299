import type { AppleChecksum, AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, errorText, flag, number, optionalNumber, optionalText, sql, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import type { FileKey, PlacementRow, State, TempClaim } from "./types.ts";

type Placements = Pick<
  State,
  | "placementsOf"
  | "ownerOf"
  | "putPlacement"
  | "placementPresent"
  | "placementFailed"
  | "presentWith"
  | "placesWith"
  | "presentAfter"
  | "markMissing"
  | "retirePlacement"
  | "yieldPlace"
  | "dropPlacement"
  | "hasDownloads"
  | "claimTemp"
  | "releaseTemp"
  | "tempClaims"
>;

type Why = Parameters<State["markMissing"]>[2];

const PLACE = "library = ? AND asset = ? AND rendition = ? AND pass = ?";

/** Where each file stands or is to stand, and the temporary files kei may delete. */
export function placements(db: Connection): Placements {
  return {
    placementsOf: (library, id) =>
      db.all("SELECT * FROM placements WHERE library = ? AND asset = ? ORDER BY id", library, id).map(placementRow),
    ownerOf: (pathKey) => {
      const row = db.get("SELECT * FROM placements WHERE path_key = ? AND owner = 1", pathKey);
      return row === undefined ? undefined : placementRow(row);
    },
    putPlacement: (row) =>
      db.transaction(() => {
        db.run(
          `INSERT INTO placements (library, asset, rendition, pass, path, path_key, owner, status, checksum, local_size,
           local_mtime, method, seen_scan)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, (SELECT coalesce(max(id), 0) FROM scans WHERE library = ?1))
         ON CONFLICT (library, asset, rendition, pass) DO UPDATE SET path = excluded.path, path_key = excluded.path_key,
           owner = excluded.owner, status = excluded.status, checksum = excluded.checksum,
           local_size = excluded.local_size, local_mtime = excluded.local_mtime, method = excluded.method,
           seen_scan = excluded.seen_scan, last_error = iif(excluded.status = 'present', NULL, last_error),
           last_error_kind = iif(excluded.status = 'present', NULL, last_error_kind)`,
          ...place(row, row.pass),
          row.path,
          row.pathKey,
          sql(row.owner),
          row.status,
          row.checksum,
          sql(row.localSize),
          sql(row.localMtime),
          sql(row.method),
        );
        if (row.owner && row.status === "present") serveSharers(db, row);
      }),
    placementPresent: (key, pass, found) =>
      db.transaction(() => {
        const row = db.get(
          `UPDATE placements SET status = 'present', local_size = ?, local_mtime = ?, method = ?, last_error = NULL,
             last_error_kind = NULL WHERE ${PLACE} RETURNING *`,
          found.localSize,
          found.localMtime,
          found.method,
          ...place(key, pass),
        );
        if (row === undefined) throw missing(key, pass);
        const placed = placementRow(row);
        if (placed.owner) serveSharers(db, placed);
      }),
    placementFailed: (key, pass, why) =>
      db.runOne(
        placeName(key, pass),
        `UPDATE placements SET status = iif(status = 'present', status, 'failed'),
           last_error = iif(status = 'present', NULL, ?), last_error_kind = iif(status = 'present', NULL, ?) WHERE ${PLACE}`,
        sql(why === undefined ? undefined : errorText(why.error)),
        sql(why?.kind),
        ...place(key, pass),
      ),
    presentWith: (checksum, limit) =>
      db
        .all(
          "SELECT * FROM placements WHERE checksum = ? AND status = 'present' AND owner = 1 ORDER BY id LIMIT ?",
          checksum,
          limit,
        )
        .map(placementRow),
    placesWith: (checksum, limit) =>
      db
        .all(
          `SELECT * FROM placements WHERE checksum = ? AND status IN ('present', 'pending') AND owner = 1
             ORDER BY status = 'present' DESC, id LIMIT ?`,
          checksum,
          limit,
        )
        .map(placementRow),
    presentAfter: (after, limit) =>
      db
        .all("SELECT * FROM placements WHERE id > ? AND status = 'present' ORDER BY id LIMIT ?", after, limit)
        .map((row) => ({ ...placementRow(row), rowid: number(row, "id") })),
    markMissing: (key, pass, why) =>
      db.transaction(() => {
        const row = db.get(`SELECT * FROM placements WHERE ${PLACE}`, ...place(key, pass));
        if (row === undefined) throw missing(key, pass);
        // Whoever shares the file has lost it with its owner.
        const lost = [
          row,
          ...db.all(AT_PATH("owner = 1"), text(row, "path_key")),
          ...db.all(AT_PATH("owner = 0"), text(row, "path_key")),
        ];
        for (const one of lost.map(placementRow)) lose(db, one, why);
      }),
    retirePlacement: (key, pass) =>
      db.runOne(
        placeName(key, pass),
        // The row id makes the new pass key unique, however often a place is retired.
        `UPDATE placements SET status = 'historical', pass = pass || '#' || id WHERE ${PLACE}`,
        ...place(key, pass),
      ),
    yieldPlace: (key, pass) =>
      db.runOne(placeName(key, pass), `UPDATE placements SET owner = 0 WHERE ${PLACE}`, ...place(key, pass)),
    dropPlacement: (key, pass) => {
      db.run(`DELETE FROM placements WHERE ${PLACE} AND status IN ('pending', 'failed')`, ...place(key, pass));
    },
    hasDownloads: () => db.get("SELECT 1 AS one FROM placements WHERE status = 'present' LIMIT 1") !== undefined,

    claimTemp: (claim) => {
      db.run(
        `INSERT INTO temp_claims (path, library, asset, rendition, checksum, size, run, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET library = excluded.library, asset = excluded.asset,
           rendition = excluded.rendition, checksum = excluded.checksum, size = excluded.size, run = excluded.run,
           created_at = excluded.created_at`,
        claim.path,
        claim.library,
        claim.asset,
        claim.rendition,
        claim.checksum,
        claim.size,
        claim.run,
        claim.createdAt,
      );
    },
    releaseTemp: (path) => {
      db.run("DELETE FROM temp_claims WHERE path = ?", path);
    },
    tempClaims: () =>
      db.all("SELECT * FROM temp_claims ORDER BY path").map(
        (row): TempClaim => ({
          path: text(row, "path"),
          library: text(row, "library") as ZoneName,
          asset: text(row, "asset") as AssetId,
          rendition: text(row, "rendition") as Rendition,
          checksum: text(row, "checksum") as AppleChecksum,
          size: number(row, "size"),
          run: number(row, "run"),
          createdAt: number(row, "created_at"),
        }),
      ),
  };
}

/** Present placements at one path; a fixed `owner` lets each half use its own index. */
const AT_PATH = (owner: "owner = 1" | "owner = 0") =>
  `SELECT * FROM placements WHERE path_key = ? AND ${owner} AND status = 'present'`;

/** The file of `owner` stands: so do the files of all that share it. Its own file row is settled before. */
function serveSharers(db: Connection, owner: PlacementRow): void {
  const sharing = db.all(
    "SELECT * FROM placements WHERE path_key = ? AND owner = 0 AND status IN ('pending', 'failed') AND checksum = ?",
    owner.pathKey,
    owner.checksum,
  );
  for (const one of sharing.map(placementRow)) {
    db.run(
      `UPDATE placements SET status = 'present', local_size = ?, local_mtime = ?, last_error = NULL, last_error_kind = NULL
         WHERE ${PLACE}`,
      sql(owner.localSize),
      sql(owner.localMtime),
      ...place(one, one.pass),
    );
    db.run(
      `UPDATE files SET status = 'downloaded', dispatch_run = NULL, last_error = NULL, last_error_kind = NULL,
         (proof, downloaded_at) = (SELECT coalesce(o.proof, 'adopted'), o.downloaded_at FROM files o
           WHERE o.library = ?1 AND o.asset = ?2 AND o.rendition = ?3)
         WHERE library = ?4 AND asset = ?5 AND rendition = ?6 AND checksum = ?7`,
      owner.library,
      owner.asset,
      owner.rendition,
      one.library,
      one.asset,
      one.rendition,
      owner.checksum,
    );
  }
}

/**
 * Takes back that the file stands at this place; when it stands at no other, it is to be fetched, with fresh attempts.
 * With `why`, both have failed.
 */
function lose(db: Connection, placement: PlacementRow, why: Why): void {
  const status = why === undefined ? "pending" : "failed";
  const error = sql(why === undefined ? undefined : errorText(why.error));
  db.run(
    `UPDATE placements SET status = ?, local_size = NULL, local_mtime = NULL, last_error = coalesce(?, last_error),
       last_error_kind = coalesce(?, last_error_kind) WHERE ${PLACE}`,
    status,
    error,
    sql(why?.kind),
    ...place(placement, placement.pass),
  );
  db.run(
    `UPDATE files SET status = ?4, proof = NULL, attempts = 0, last_error = coalesce(?5, last_error),
       last_error_kind = coalesce(?6, last_error_kind) WHERE library = ?1 AND asset = ?2 AND rendition = ?3
       AND status = 'downloaded' AND NOT EXISTS (SELECT 1 FROM placements
         WHERE library = ?1 AND asset = ?2 AND rendition = ?3 AND status = 'present')`,
    placement.library,
    placement.asset,
    placement.rendition,
    status,
    error,
    sql(why?.kind),
  );
}

function placeName(key: FileKey, pass: string): string {
  return `place of ${key.rendition} of ${key.asset} in ${pass}`;
}

function missing(key: FileKey, pass: string): Error {
  return new Error(`state: row missing: ${placeName(key, pass)}`);
}

function place(key: FileKey, pass: string): [string, string, string, string] {
  return [key.library, key.asset, key.rendition, pass];
}

/** A row of `placements`. */
export function placementRow(row: SqlRow): PlacementRow {
  return {
    library: text(row, "library") as ZoneName,
    asset: text(row, "asset") as AssetId,
    rendition: text(row, "rendition") as Rendition,
    pass: text(row, "pass"),
    path: text(row, "path"),
    pathKey: text(row, "path_key"),
    owner: flag(row, "owner"),
    status: text(row, "status") as PlacementRow["status"],
    checksum: text(row, "checksum") as AppleChecksum,
    localSize: optionalNumber(row, "local_size"),
    localMtime: optionalNumber(row, "local_mtime"),
    method: optionalText(row, "method") as PlacementRow["method"],
  };
}
