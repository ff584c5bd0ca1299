import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, errorText, number, optionalNumber, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { placementRow } from "./placements.ts";
import type { FileKey, Part, SavedFile, State } from "./types.ts";

type Saved = Pick<
  State,
  "savedFiles" | "countSaved" | "savedFile" | "placeless" | "failSaved" | "clearSyncTokens" | "zonesWithToken"
>;

/**
 * The place `p` says that a file stands there; a file that several places share is met once. Who shares it speaks for
 * it only where its owner does not.
 */
const STANDS = `p.status = 'present' AND (p.owner = 1 OR NOT EXISTS (
  SELECT 1 FROM placements q WHERE q.path_key = p.path_key AND q.owner = 1 AND q.status = 'present'))`;
const IN_PART = "p.id % ? = ?";
const COLUMNS = `p.*, (SELECT downloaded_at FROM files f
  WHERE f.library = p.library AND f.asset = p.asset AND f.rendition = p.rendition) AS downloaded_at`;

/** Files that have no place of their own where one stands at this path; a fixed `owner` lets it use its index. */
const SHARING =
  "SELECT DISTINCT library, asset, rendition FROM placements WHERE path_key = ? AND owner = 0 AND status = 'present'";

/** Files on disk for which no place is known, and none is waited for. */
const PLACELESS = `FROM files f WHERE f.status = 'downloaded' AND NOT EXISTS (SELECT 1 FROM placements p
  WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition AND p.status <> 'historical')`;

/** What should be on disk, for those who look whether it is; and what they find out. */
export function saved(db: Connection): Saved {
  return {
    savedFiles: (after, limit, part = WHOLE) =>
      db
        .all(
          `SELECT ${COLUMNS} FROM placements p WHERE (p.library, p.asset, p.rendition, p.pass) > (?, ?, ?, ?)
             AND ${STANDS} AND ${IN_PART} ORDER BY p.library, p.asset, p.rendition, p.pass LIMIT ?`,
          after?.library ?? "",
          after?.asset ?? "",
          after?.rendition ?? "",
          after?.pass ?? "",
          part.of,
          part.number % part.of,
          limit,
        )
        .map(savedFile),
    countSaved: (part = WHOLE) => {
      const row =
        db.get(
          `SELECT count(*) AS files, coalesce(sum(p.local_size), 0) AS bytes FROM placements p
             WHERE ${STANDS} AND ${IN_PART}`,
          part.of,
          part.number % part.of,
        ) ?? {};
      return { files: number(row, "files"), bytes: number(row, "bytes") };
    },
    savedFile: (rowid) => {
      const row = db.get(`SELECT ${COLUMNS} FROM placements p WHERE p.id = ? AND p.status = 'present'`, rowid);
      return row === undefined ? undefined : savedFile(row);
    },
    placeless: (limit) => ({
      files: db
        .all(`SELECT library, asset, rendition ${PLACELESS} ORDER BY library, asset, rendition LIMIT ?`, limit)
        .map(fileKey),
      count: number(db.get(`SELECT count(*) AS n ${PLACELESS}`) ?? {}, "n"),
    }),
    failSaved: (file, why) =>
      db.transaction(() => {
        const others = db.all(SHARING, file.pathKey).map(fileKey);
        const fail = ({ library, asset, rendition }: FileKey) =>
          db.run(
            `UPDATE files SET status = 'failed', attempts = 0, last_error = ?, last_error_kind = ?
               WHERE library = ? AND asset = ? AND rendition = ? AND status = 'downloaded'`,
            errorText(why.error),
            why.kind,
            library,
            asset,
            rendition,
          ) > 0;
        return [file, ...others].map(fail).includes(true);
      }),
    zonesWithToken: () =>
      db
        .all("SELECT substr(key, 12) AS zone FROM metadata WHERE key LIKE 'sync\\_token:%' ESCAPE '\\' ORDER BY key")
        .map((row) => text(row, "zone") as ZoneName),
    clearSyncTokens: () => {
      db.run(
        `DELETE FROM metadata WHERE key LIKE 'sync\\_token:%' ESCAPE '\\' OR key LIKE 'database\\_token:%' ESCAPE '\\'`,
      );
    },
  };
}

const WHOLE: Part = { number: 1, of: 1 };

function savedFile(row: SqlRow): SavedFile {
  const at = optionalNumber(row, "downloaded_at");
  return { ...placementRow(row), rowid: number(row, "id"), downloadedAt: at === undefined ? undefined : at * 1000 };
}

function fileKey(row: SqlRow): FileKey {
  return {
    library: text(row, "library") as ZoneName,
    asset: text(row, "asset") as AssetId,
    rendition: text(row, "rendition") as Rendition,
  };
}
