import type { AppleChecksum, AssetId, MasterId, MediaKind, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, errorText, flag, number, optionalNumber, optionalText, sql, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { FILE_STATE, fileState, KEPT, OPEN_PLACE, WANTED } from "./file-state.ts";
import type { AssetRow, FileKey, RenditionRow, State } from "./types.ts";

type Catalogue = Pick<
  State,
  | "asset"
  | "assetsOf"
  | "newestArrival"
  | "forgetAsset"
  | "putAsset"
  | "putIssue"
  | "dropIssues"
  | "namesWithIssues"
  | "renditionsOf"
  | "rendition"
  | "putPending"
  | "putDownloaded"
  | "adopt"
  | "putFailed"
  | "putBack"
  | "dropUnwanted"
  | "requeueFailed"
  | "forgiveFailed"
  | "settleUnfinished"
  | "pruneUnseen"
  | "openWork"
>;

const KEY = "library = ? AND asset = ? AND rendition = ?";
/** What Apple lists, and how far each wanted file of it is (transitions: engine.md 4.5). */
export function catalogue(db: Connection): Catalogue {
  const dropIssues: State["dropIssues"] = (library, recordName) => {
    db.run("DELETE FROM issues WHERE library = ? AND record_name = ?", library, recordName);
  };
  return {
    dropIssues,
    namesWithIssues: (library) =>
      new Set(
        db.all("SELECT record_name FROM issues WHERE library = ?", library).map((row) => text(row, "record_name")),
      ),
    asset: (library, id) => {
      const row = db.get("SELECT * FROM assets WHERE library = ? AND id = ?", library, id);
      return row === undefined ? undefined : assetRow(row);
    },
    newestArrival: (library) =>
      optionalNumber(db.get("SELECT max(added_at) AS newest FROM assets WHERE library = ?", library) ?? {}, "newest"),
    assetsOf: (library, master) =>
      db
        .all("SELECT id FROM assets WHERE library = ? AND master_id = ? ORDER BY id", library, master)
        .map((row) => text(row, "id") as AssetId),
    forgetAsset: (library, id) =>
      db.transaction(() => {
        dropIssues(library, id);
        db.run(`DELETE FROM placements AS p WHERE library = ? AND asset = ? AND ${OPEN_PLACE}`, library, id);
        db.run("DELETE FROM files WHERE library = ? AND asset = ? AND status <> 'downloaded'", library, id);
        db.run(
          `DELETE FROM assets AS a WHERE library = ? AND id = ?
             AND NOT EXISTS (SELECT 1 FROM files f WHERE f.library = a.library AND f.asset = a.id)`,
          library,
          id,
        );
        db.run(
          `UPDATE assets SET disposition = 'left-out', rule = '${KEPT.gone}' WHERE library = ? AND id = ?`,
          library,
          id,
        );
      }),
    putAsset: (row) => {
      db.run(
        `INSERT INTO assets (library, id, master_id, filename, kind, captured_at, time_zone_offset, added_at, is_favorite,
           is_hidden, is_deleted, change_tag, disposition, rule, seen_scan)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (library, id) DO UPDATE SET master_id = excluded.master_id, filename = excluded.filename,
           kind = excluded.kind, captured_at = excluded.captured_at, time_zone_offset = excluded.time_zone_offset,
           added_at = excluded.added_at, is_favorite = excluded.is_favorite, is_hidden = excluded.is_hidden,
           is_deleted = excluded.is_deleted, change_tag = excluded.change_tag, disposition = excluded.disposition,
           rule = excluded.rule, seen_scan = excluded.seen_scan`,
        row.library,
        row.id,
        row.masterId,
        sql(row.filename),
        row.kind,
        row.capturedAt,
        sql(row.timeZoneOffset),
        sql(row.addedAt),
        sql(row.isFavorite),
        sql(row.isHidden),
        sql(row.isDeleted),
        sql(row.changeTag),
        row.disposition,
        sql(row.rule),
        row.seenScan,
      );
    },
    putIssue: (library, scan, recordName, reason, detail) => {
      db.run(
        `INSERT INTO issues (library, record_name, reason, detail, seen_scan) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET detail = excluded.detail, seen_scan = excluded.seen_scan`,
        library,
        recordName,
        reason,
        sql(detail),
        scan,
      );
    },

    renditionsOf: (library, id) =>
      db.all("SELECT * FROM files WHERE library = ? AND asset = ? ORDER BY rendition", library, id).map(renditionRow),
    rendition: (key) => {
      const row = db.get(`SELECT * FROM files WHERE ${KEY}`, ...values(key));
      return row === undefined ? undefined : renditionRow(row);
    },
    putPending: (row, run) => {
      db.run(
        `INSERT INTO files (library, asset, rendition, status, checksum, size, uti, dispatch_run)
         VALUES (?, ?, ?, 'pending', ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET status = 'pending', dispatch_run = excluded.dispatch_run,
           attempts = iif(checksum = excluded.checksum, attempts, 0), proof = NULL,
           checksum = excluded.checksum, size = excluded.size, uti = excluded.uti`,
        ...values(row),
        row.checksum,
        row.size,
        row.uti,
        run,
      );
    },
    putDownloaded: (key, done) =>
      db.runOne(
        name(key),
        `UPDATE files SET status = 'downloaded', proof = ?, downloaded_at = ?, dispatch_run = NULL, last_error = NULL,
           last_error_kind = NULL WHERE ${KEY}`,
        done.proof,
        done.at,
        ...values(key),
      ),
    adopt: (row, at) => {
      db.run(
        `INSERT INTO files (library, asset, rendition, status, checksum, size, uti, proof, downloaded_at)
         VALUES (?, ?, ?, 'downloaded', ?, ?, ?, 'adopted', ?)
         ON CONFLICT DO UPDATE SET status = 'downloaded', checksum = excluded.checksum, size = excluded.size,
           uti = excluded.uti, proof = 'adopted', downloaded_at = excluded.downloaded_at, dispatch_run = NULL,
           attempts = iif(checksum = excluded.checksum, attempts, 0), last_error = NULL, last_error_kind = NULL`,
        ...values(row),
        row.checksum,
        row.size,
        row.uti,
        at,
      );
    },
    putFailed: (key, why) =>
      db.runOne(
        name(key),
        `UPDATE files SET status = 'failed', last_error = ?, last_error_kind = ?, attempts = attempts + ?,
           dispatch_run = NULL WHERE ${KEY}`,
        errorText(why.error),
        why.kind,
        why.charge ? 1 : 0,
        ...values(key),
      ),
    putBack: (key) => {
      db.run(`UPDATE files SET dispatch_run = NULL WHERE ${KEY} AND status = 'pending'`, ...values(key));
    },
    dropUnwanted: (library, id, wanted) =>
      db.transaction(() => {
        const rest = "library = ? AND asset = ? AND rendition NOT IN (SELECT value FROM json_each(?))";
        const kept = JSON.stringify(wanted);
        db.run(`DELETE FROM placements AS p WHERE ${rest} AND ${OPEN_PLACE}`, library, id, kept);
        db.run(`DELETE FROM files WHERE ${rest} AND status <> 'downloaded'`, library, id, kept);
      }),
    requeueFailed: (cap) =>
      db.run("UPDATE files SET status = 'pending' WHERE status = 'failed' AND (? = 0 OR attempts < ?)", cap, cap),
    forgiveFailed: () => db.run("UPDATE files SET attempts = 0 WHERE status = 'failed'"),
    settleUnfinished: (run) =>
      db.run(
        `UPDATE files SET status = 'failed', last_error = 'Not resolved during sync', last_error_kind = 'unknown',
           dispatch_run = NULL WHERE dispatch_run = ? AND status = 'pending'`,
        run,
      ),
    pruneUnseen: (library, scan) =>
      db.transaction(() => {
        const forgotten = db.run(
          `DELETE FROM files WHERE library = ?1 AND status <> 'downloaded'
             AND asset IN (SELECT id FROM assets WHERE library = ?1 AND seen_scan < ?2)`,
          library,
          scan,
        );
        // Nothing asked for these places any more: the photo has left the album, or the library.
        db.run(
          `DELETE FROM placements AS p WHERE library = ?1 AND ${OPEN_PLACE} AND seen_scan < ?2
             AND EXISTS (SELECT 1 FROM files f WHERE f.library = p.library AND f.asset = p.asset
               AND f.rendition = p.rendition AND f.status = 'downloaded')`,
          library,
          scan,
        );
        db.run(
          `DELETE FROM assets AS a WHERE library = ?1 AND seen_scan < ?2
             AND NOT EXISTS (SELECT 1 FROM files f WHERE f.library = a.library AND f.asset = a.id)`,
          library,
          scan,
        );
        // No list shows what is hidden or deleted: then more is known than that.
        db.run(
          `UPDATE assets SET disposition = 'left-out', rule = '${KEPT.unlisted}' WHERE library = ?1 AND seen_scan < ?2
             AND NOT (disposition = 'left-out' AND rule IN ('hidden', 'recently_deleted', '${KEPT.gone}', '${KEPT.unlisted}'))`,
          library,
          scan,
        );
        return forgotten;
      }),
    openWork: (library, cap) => {
      const row =
        db.get(
          `SELECT count(*) FILTER (WHERE state = ${FILE_STATE.failed}) AS failed,
             count(*) FILTER (WHERE state = ${FILE_STATE.pending}) AS pending
           FROM (
             SELECT ${fileState("?2")} AS state FROM files f INDEXED BY files_open
               WHERE f.library = ?1 AND f.status <> 'downloaded' AND ${WANTED}
             UNION ALL
             SELECT ${fileState("?2")} AS state FROM files f WHERE f.library = ?1 AND f.status = 'downloaded' AND ${WANTED}
               AND (f.asset, f.rendition) IN (
                 SELECT asset, rendition FROM placements p WHERE library = ?1 AND ${OPEN_PLACE})
           )`,
          library,
          cap,
        ) ?? {};
      return { failed: number(row, "failed"), pending: number(row, "pending") };
    },
  };
}

function values(key: FileKey): [string, string, string] {
  return [key.library, key.asset, key.rendition];
}

function name(key: FileKey): string {
  return `${key.rendition} of ${key.asset} in ${key.library}`;
}

/** A row of `assets`. */
export function assetRow(row: SqlRow): AssetRow {
  return {
    library: text(row, "library") as ZoneName,
    id: text(row, "id") as AssetId,
    masterId: text(row, "master_id") as MasterId,
    filename: optionalText(row, "filename"),
    kind: text(row, "kind") as MediaKind,
    capturedAt: number(row, "captured_at"),
    timeZoneOffset: optionalNumber(row, "time_zone_offset"),
    addedAt: optionalNumber(row, "added_at"),
    isFavorite: flag(row, "is_favorite"),
    isHidden: flag(row, "is_hidden"),
    isDeleted: flag(row, "is_deleted"),
    changeTag: optionalText(row, "change_tag"),
    disposition: text(row, "disposition") as AssetRow["disposition"],
    rule: optionalText(row, "rule"),
    seenScan: number(row, "seen_scan"),
  };
}

/** A row of `files`. */
export function renditionRow(row: SqlRow): RenditionRow {
  return {
    library: text(row, "library") as ZoneName,
    asset: text(row, "asset") as AssetId,
    rendition: text(row, "rendition") as Rendition,
    status: text(row, "status") as RenditionRow["status"],
    checksum: text(row, "checksum") as AppleChecksum,
    size: number(row, "size"),
    uti: text(row, "uti"),
    attempts: number(row, "attempts"),
    lastError: optionalText(row, "last_error"),
    lastErrorKind: optionalText(row, "last_error_kind"),
    dispatchRun: optionalNumber(row, "dispatch_run"),
    proof: optionalText(row, "proof") as RenditionRow["proof"],
    downloadedAt: optionalNumber(row, "downloaded_at"),
  };
}
