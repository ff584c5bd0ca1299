import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, flag, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { FILE_STATE, fileState, OPEN_PLACE, WANTED } from "./file-state.ts";
import type { ListedFile, RenditionStatus, State } from "./types.ts";

type Counting = Pick<State, "totals" | "listFiles">;

const ASSETS = "SELECT disposition, rule, count(*) AS assets FROM assets GROUP BY disposition, rule";

/**
 * The assets that have files, grouped by how many of these are in which state. `files` holds the counts as one number,
 * eight bits each (an asset has at most nine files), so that a file's state is worked out once. Walks the files in the
 * order of their key: nothing has to be sorted however large the library is.
 */
const FILES = `
  SELECT wanted, files, count(*) AS assets, sum(bytes) AS bytes
  FROM (
    SELECT a.disposition = 'wanted' AS wanted, sum(1 << (8 * (${fileState("?1")}))) AS files,
      sum(iif(f.status = 'downloaded', f.size, 0)) AS bytes
    FROM files f CROSS JOIN assets a ON a.library = f.library AND a.id = f.asset
    GROUP BY f.library, f.asset
  ) GROUP BY wanted, files`;

/** The number of files in `state`. */
function filesIn(state: number, files: number): number {
  return Math.floor(files / 2 ** (8 * state)) % 256;
}

/** Files on disk of which a place is `status`, each once; unless that is the `worst`, only where no place has failed. */
const heldUp = (status: "pending" | "failed", worst: boolean) => `
  SELECT f.library, f.asset, f.rendition FROM placements p INDEXED BY placements_open
    JOIN files f ON f.library = p.library AND f.asset = p.asset AND f.rendition = p.rendition
  WHERE ${OPEN_PLACE} AND p.status = '${status}' AND f.status = 'downloaded' AND ${WANTED}
    AND NOT EXISTS (SELECT 1 FROM placements q WHERE q.library = p.library AND q.asset = p.asset
      AND q.rendition = p.rendition AND (q.status = p.status AND q.id < p.id ${worst ? "" : "OR q.status = 'failed'"}))`;
const open = (status: "pending" | "failed") =>
  `SELECT library, asset, rendition FROM files f INDEXED BY files_open
   WHERE status <> 'downloaded' AND status = '${status}' AND ${WANTED}`;

/** The keys of the files that count as each status, reached through what is open, so that few are found fast. */
const KEYS: Readonly<Record<RenditionStatus, string>> = {
  failed: `${open("failed")} UNION ALL ${heldUp("failed", true)}`,
  pending: `${open("pending")} UNION ALL ${heldUp("pending", false)}`,
  downloaded: `SELECT library, asset, rendition FROM files f WHERE ${fileState("0")} = ${FILE_STATE.onDisk} AND ${WANTED}`,
};

const list = (status: RenditionStatus) => `
  WITH listed AS (${KEYS[status]} LIMIT ?1)
  SELECT f.library, f.asset, f.rendition, f.attempts, a.filename, s.started_at AS seen_at, p.path,
    coalesce(p.last_error, f.last_error) AS last_error, coalesce(p.last_error_kind, f.last_error_kind) AS last_error_kind
  FROM listed l JOIN files f ON f.library = l.library AND f.asset = l.asset AND f.rendition = l.rendition
    JOIN assets a ON a.library = l.library AND a.id = l.asset
    LEFT JOIN scans s ON s.id = a.seen_scan
    LEFT JOIN placements p ON p.id = (
      SELECT id FROM placements q WHERE q.library = l.library AND q.asset = l.asset AND q.rendition = l.rendition
        AND q.status <> 'historical'
      ORDER BY CASE q.status WHEN 'failed' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END, q.id LIMIT 1)
  ORDER BY f.library, f.asset, f.rendition`;
const LISTS: Readonly<Record<RenditionStatus, string>> = {
  failed: list("failed"),
  pending: list("pending"),
  downloaded: list("downloaded"),
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
      for (const row of db.all(ASSETS)) {
        const assets = number(row, "assets");
        totals.assets += assets;
        const disposition = text(row, "disposition");
        if (disposition === "left-out") totals.leftOut[text(row, "rule")] = assets;
        else if (disposition === "broken") totals.broken[text(row, "rule")] = assets;
        else totals.waiting = assets;
      }
      for (const row of db.all(FILES, cap)) {
        totals.bytes += number(row, "bytes");
        if (!flag(row, "wanted")) continue;
        const files = number(row, "files");
        const assets = number(row, "assets");
        const onDisk = filesIn(FILE_STATE.onDisk, files);
        const failed = filesIn(FILE_STATE.failed, files);
        const exhausted = filesIn(FILE_STATE.exhausted, files);
        const pending = filesIn(FILE_STATE.pending, files);
        totals.files.downloaded += assets * onDisk;
        totals.files.pending += assets * pending;
        totals.files.failed += assets * (failed + exhausted);
        // The worst file decides; what has none yet, or one that is pending, stays counted as waiting.
        const part = exhausted > 0 ? "exhausted" : failed > 0 ? "failed" : pending > 0 ? undefined : "onDisk";
        if (part === undefined) continue;
        totals.waiting -= assets;
        totals[part] += assets;
      }
      return totals;
    },
    listFiles: (status, limit) => db.all(LISTS[status], limit).map(listedFile),
  };
}

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
