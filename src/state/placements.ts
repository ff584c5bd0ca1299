import type { AppleChecksum, AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, flag, number, optionalNumber, optionalText, sql, text } from "./connection.ts";
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
  | "presentAfter"
  | "markMissing"
  | "retirePlacement"
  | "dropPlacement"
  | "hasDownloads"
  | "claimTemp"
  | "releaseTemp"
  | "tempClaims"
>;

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
    putPlacement: (row) => {
      db.run(
        `INSERT INTO placements (library, asset, rendition, pass, path, path_key, owner, status, checksum, local_size,
           local_mtime, method) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (library, asset, rendition, pass) DO UPDATE SET path = excluded.path, path_key = excluded.path_key,
           owner = excluded.owner, status = excluded.status, checksum = excluded.checksum,
           local_size = excluded.local_size, local_mtime = excluded.local_mtime, method = excluded.method`,
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
    },
    placementPresent: (key, pass, found) => {
      const row = db.get(
        `UPDATE placements SET status = 'present', local_size = ?, local_mtime = ?, method = ? WHERE ${PLACE}
           RETURNING path_key`,
        found.localSize,
        found.localMtime,
        found.method,
        ...place(key, pass),
      );
      if (row === undefined)
        throw new Error(`state: row missing: place of ${key.rendition} of ${key.asset} in ${pass}`);
      // Rows that share this very file have it now, too.
      db.run(
        `UPDATE placements SET status = 'present', local_size = ?, local_mtime = ?
           WHERE path_key = ? AND owner = 0 AND status = 'pending'`,
        found.localSize,
        found.localMtime,
        text(row, "path_key"),
      );
    },
    placementFailed: (key, pass) => {
      db.run(`UPDATE placements SET status = 'failed' WHERE ${PLACE} AND status = 'pending'`, ...place(key, pass));
    },
    presentWith: (checksum, limit) =>
      db
        .all(
          "SELECT * FROM placements WHERE checksum = ? AND status = 'present' AND owner = 1 ORDER BY id LIMIT ?",
          checksum,
          limit,
        )
        .map(placementRow),
    presentAfter: (after, limit) =>
      db
        .all("SELECT * FROM placements WHERE id > ? AND status = 'present' ORDER BY id LIMIT ?", after, limit)
        .map((row) => ({ ...placementRow(row), rowid: number(row, "id") })),
    markMissing: (key, pass) => {
      db.runOne(
        `place of ${key.rendition} of ${key.asset} in ${pass}`,
        `UPDATE placements SET status = 'pending', local_size = NULL, local_mtime = NULL WHERE ${PLACE}`,
        ...place(key, pass),
      );
      db.run(
        `UPDATE files SET status = 'pending', proof = NULL WHERE library = ?1 AND asset = ?2 AND rendition = ?3
           AND NOT EXISTS (SELECT 1 FROM placements WHERE library = ?1 AND asset = ?2 AND rendition = ?3 AND status = 'present')`,
        key.library,
        key.asset,
        key.rendition,
      );
    },
    retirePlacement: (key, pass) =>
      db.runOne(
        `place of ${key.rendition} of ${key.asset} in ${pass}`,
        // The row id makes the new pass key unique, however often a place is retired.
        `UPDATE placements SET status = 'historical', pass = pass || '#' || id WHERE ${PLACE}`,
        ...place(key, pass),
      ),
    dropPlacement: (key, pass) => {
      db.run(`DELETE FROM placements WHERE ${PLACE} AND status IN ('pending', 'failed')`, ...place(key, pass));
    },
    hasDownloads: () => db.get("SELECT 1 AS one FROM placements WHERE status = 'present' LIMIT 1") !== undefined,

    claimTemp: (claim) => {
      db.run(
        `INSERT INTO temp_claims (path, library, asset, rendition, checksum, size, run, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET run = excluded.run, created_at = excluded.created_at`,
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

function place(key: FileKey, pass: string): [string, string, string, string] {
  return [key.library, key.asset, key.rendition, pass];
}

function placementRow(row: SqlRow): PlacementRow {
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
