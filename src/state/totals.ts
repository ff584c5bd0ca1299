import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { FILE_STATE, fileState } from "./file-state.ts";
import type { ListedFile, RenditionStatus, State } from "./types.ts";

type Counting = Pick<State, "totals" | "listFiles">;

/**
 * Every asset with its state and what its files come to, grouped to a few lines. An asset counts where its worst file
 * is; one without any file yet is waiting.
 */
const TOTALS = `
  SELECT disposition, rule, state, count(*) AS assets, sum(downloaded) AS downloaded, sum(pending) AS pending,
    sum(failed) AS failed, sum(bytes) AS bytes
  FROM (
    SELECT disposition, rule, coalesce(max(state), ${FILE_STATE.pending}) AS state,
      count(*) FILTER (WHERE state = ${FILE_STATE.onDisk}) AS downloaded,
      count(*) FILTER (WHERE state = ${FILE_STATE.pending}) AS pending,
      count(*) FILTER (WHERE state >= ${FILE_STATE.failed}) AS failed,
      coalesce(sum(bytes), 0) AS bytes
    FROM (
      SELECT a.library, a.id, a.disposition, a.rule, iif(f.status IS NULL, NULL, ${fileState("?1")}) AS state,
        iif(f.status = 'downloaded', f.size, 0) AS bytes
      FROM assets a LEFT JOIN files f ON f.library = a.library AND f.asset = a.id
    ) GROUP BY library, id
  ) GROUP BY disposition, rule, state`;

const LIST = `
  SELECT f.library, f.asset, f.rendition, f.attempts, a.filename, s.started_at AS seen_at, p.path,
    coalesce(p.last_error, f.last_error) AS last_error, coalesce(p.last_error_kind, f.last_error_kind) AS last_error_kind
  FROM files f JOIN assets a ON a.library = f.library AND a.id = f.asset
    LEFT JOIN scans s ON s.id = a.seen_scan
    LEFT JOIN placements p ON p.id = (
      SELECT id FROM placements q WHERE q.library = f.library AND q.asset = f.asset AND q.rendition = f.rendition
        AND q.status <> 'historical'
      ORDER BY CASE q.status WHEN 'failed' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END, q.id LIMIT 1)
  WHERE a.disposition = 'wanted' AND ${fileState("0")} = ?1
  ORDER BY f.library, f.asset, f.rendition LIMIT ?2`;

const LISTED: Readonly<Record<RenditionStatus, number>> = {
  downloaded: FILE_STATE.onDisk,
  pending: FILE_STATE.pending,
  failed: FILE_STATE.failed,
};

/** Counts and lists for people. Sums close: every asset is in exactly one part (DECISIONS 10). */
export function counting(db: Connection): Counting {
  return {
    totals: (cap) => {
      const totals = {
        assets: 0,
        onDisk: 0,
        leftOut: {} as Record<string, number>,
        waiting: 0,
        failed: 0,
        exhausted: 0,
        broken: {} as Record<string, number>,
        files: { downloaded: 0, pending: 0, failed: 0 },
        bytes: 0,
        issues: issues(db),
      };
      for (const row of db.all(TOTALS, cap)) {
        const assets = number(row, "assets");
        totals.assets += assets;
        totals.bytes += number(row, "bytes");
        const disposition = text(row, "disposition");
        if (disposition !== "wanted") {
          const rules = disposition === "left-out" ? totals.leftOut : totals.broken;
          rules[text(row, "rule")] = (rules[text(row, "rule")] ?? 0) + assets;
          continue;
        }
        totals.files.downloaded += number(row, "downloaded");
        totals.files.pending += number(row, "pending");
        totals.files.failed += number(row, "failed");
        totals[PART[number(row, "state")] ?? "waiting"] += assets;
      }
      return totals;
    },
    listFiles: (status, limit) => db.all(LIST, LISTED[status], limit).map(listedFile),
  };
}

const PART: Readonly<Record<number, "onDisk" | "waiting" | "failed" | "exhausted">> = {
  [FILE_STATE.onDisk]: "onDisk",
  [FILE_STATE.pending]: "waiting",
  [FILE_STATE.failed]: "failed",
  [FILE_STATE.exhausted]: "exhausted",
};

function issues(db: Connection): Record<string, number> {
  const rows = db.all("SELECT reason, count(*) AS n FROM issues GROUP BY reason");
  return Object.fromEntries(rows.map((row) => [text(row, "reason"), number(row, "n")]));
}

function listedFile(row: SqlRow): ListedFile {
  return {
    library: text(row, "library") as ZoneName,
    asset: text(row, "asset") as AssetId,
    rendition: text(row, "rendition") as Rendition,
    filename: optionalText(row, "filename"),
    path: optionalText(row, "path"),
    error: optionalText(row, "last_error"),
    errorKind: optionalText(row, "last_error_kind"),
    attempts: number(row, "attempts"),
    seenAt: optionalNumber(row, "seen_at"),
  };
}
