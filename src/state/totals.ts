import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { sumOf } from "../library/sum.ts";
import { type Connection, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { FILE_STATE, fileState, isKept, KEPT, OPEN_PLACE, WANTED } from "./file-state.ts";
import type { ListedFile, RenditionStatus, State, Totals } from "./types.ts";

type Counting = Pick<State, "totals" | "sharedAssets" | "listFiles" | "failedKinds">;

const ASSETS = "SELECT disposition, rule, count(*) AS assets FROM assets GROUP BY disposition, rule";

/** What iCloud shows no more, as long as a file of it stands here. */
const KEPT_HERE = `
  SELECT rule, count(*) AS assets FROM assets a INDEXED BY assets_by_disposition
  WHERE disposition = 'left-out' AND rule IN ('${KEPT.gone}', '${KEPT.unlisted}') AND EXISTS (SELECT 1 FROM placements p
    WHERE p.library = a.library AND p.asset = a.id AND p.status IN ('present', 'historical'))
  GROUP BY rule`;

/** Every file there is, by assets: each has one row here however many files it has. Walks the table in its own order. */
const FILES = `
  SELECT count(*) AS assets, sum(files) AS files, sum(saved) AS saved, sum(bytes) AS bytes
  FROM (
    SELECT count(*) AS files, sum(status = 'downloaded') AS saved, sum(iif(status = 'downloaded', size, 0)) AS bytes
    FROM files GROUP BY library, asset
  )`;

/** The files of assets that are not wanted, by how many an asset has: those that were saved before they were left out. */
const UNWANTED = `
  SELECT files, count(*) AS assets
  FROM (
    SELECT (SELECT count(*) FROM files f WHERE f.library = a.library AND f.asset = a.id) AS files
    FROM assets a INDEXED BY assets_by_disposition WHERE a.disposition IN ('left-out', 'broken')
  ) GROUP BY files`;

/**
 * The wanted assets of which something is not on disk, by their worst file. They are reached through the indexes of what
 * is open, for they are few: everything else is on disk, and need not be looked at one by one.
 */
const OPEN = `
  SELECT worst, count(*) AS assets, sum(pending) AS pending, sum(failed) AS failed
  FROM (
    SELECT max(state) AS worst, sum(state = ${FILE_STATE.pending}) AS pending, sum(state > ${FILE_STATE.pending}) AS failed
    FROM (
      SELECT f.library, f.asset, ${fileState("?1")} AS state FROM files f INDEXED BY files_open
        WHERE f.status <> 'downloaded' AND ${WANTED}
      UNION ALL
      SELECT f.library, f.asset, max(iif(p.status = 'failed', ${FILE_STATE.failed}, ${FILE_STATE.pending})) AS state
        FROM placements p INDEXED BY placements_open
        CROSS JOIN files f ON f.library = p.library AND f.asset = p.asset AND f.rendition = p.rendition
        WHERE ${OPEN_PLACE} AND f.status = 'downloaded' AND ${WANTED}
        GROUP BY f.library, f.asset, f.rendition
    ) GROUP BY library, asset
  ) GROUP BY worst`;

/**
 * Wanted assets that are wholly on disk without a file of their own: whatever they have is the file of another. Reached
 * through the index of shared places, which are few.
 */
const SHARED = `
  SELECT count(*) AS assets
  FROM (SELECT DISTINCT library, asset FROM placements WHERE owner = 0 AND status = 'present') s
    JOIN assets a ON a.library = s.library AND a.id = s.asset AND a.disposition = 'wanted'
  WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.library = s.library AND f.asset = s.asset AND f.status <> 'downloaded')
    AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.library = s.library AND p.asset = s.asset
      AND (p.owner = 1 AND p.status <> 'historical' OR ${OPEN_PLACE}))`;

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

const unordered = (status: RenditionStatus) => `
  WITH listed AS (${KEYS[status]} LIMIT ?1)
  SELECT f.library, f.asset, f.rendition, f.attempts, a.filename, s.started_at AS seen_at, p.path,
    coalesce(p.last_error, f.last_error) AS last_error, coalesce(p.last_error_kind, f.last_error_kind) AS last_error_kind
  FROM listed l JOIN files f ON f.library = l.library AND f.asset = l.asset AND f.rendition = l.rendition
    JOIN assets a ON a.library = l.library AND a.id = l.asset
    LEFT JOIN scans s ON s.id = a.seen_scan
    LEFT JOIN placements p ON p.id = (
      SELECT id FROM placements q WHERE q.library = l.library AND q.asset = l.asset AND q.rendition = l.rendition
        AND q.status <> 'historical'
      ORDER BY CASE q.status WHEN 'failed' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END, q.id LIMIT 1)`;
const list = (status: RenditionStatus) => `${unordered(status)} ORDER BY f.library, f.asset, f.rendition`;
const LISTS: Readonly<Record<RenditionStatus, string>> = {
  failed: list("failed"),
  pending: list("pending"),
  downloaded: list("downloaded"),
};

/** By SQLite's rule the other columns are those of the row with the least name, so that the sample does not change. */
const FAILED_KINDS = `
  SELECT *, min(asset || rendition) AS least, count(*) AS files, (?2 > 0 AND attempts >= ?2) AS is_exhausted
  FROM (${unordered("failed")}) GROUP BY last_error_kind, is_exhausted ORDER BY files DESC, least`;
/** SQLite's word for "all of them". */
const NO_LIMIT = -1;

/** Counts and lists for people. Sums close: every asset is in exactly one part (DECISIONS 10). */
export function counting(db: Connection): Counting {
  return {
    totals: (cap) => db.snapshot(() => totalsOf(db, cap)),
    sharedAssets: () => number(db.get(SHARED) ?? {}, "assets"),
    listFiles: (status, limit) => db.all(LISTS[status], limit).map(listedFile),
    failedKinds: (cap) =>
      db.all(FAILED_KINDS, NO_LIMIT, cap).map((row) => ({ sample: listedFile(row), files: number(row, "files") })),
  };
}

function totalsOf(db: Connection, cap: number): Totals {
  const leftOut: Record<string, number> = {};
  const broken: Record<string, number> = {};
  let wanted = 0;
  for (const row of db.all(ASSETS)) {
    const assets = number(row, "assets");
    const disposition = text(row, "disposition");
    if (disposition === "wanted") wanted += assets;
    else if (disposition === "broken") broken[text(row, "rule")] = assets;
    else if (!isKept(text(row, "rule"))) leftOut[text(row, "rule")] = assets;
  }
  const kept = Object.fromEntries(db.all(KEPT_HERE).map((row) => [text(row, "rule"), number(row, "assets")]));

  const all = db.get(FILES) ?? {};
  let withFiles = number(all, "assets");
  let files = number(all, "files");
  for (const row of db.all(UNWANTED)) {
    if (number(row, "files") === 0) continue;
    withFiles -= number(row, "assets");
    files -= number(row, "assets") * number(row, "files");
  }

  const open = { pending: 0, failed: 0, exhausted: 0, pendingFiles: 0, failedFiles: 0 };
  for (const row of db.all(OPEN, cap)) {
    const worst = number(row, "worst");
    open[worst === FILE_STATE.exhausted ? "exhausted" : worst === FILE_STATE.failed ? "failed" : "pending"] = number(
      row,
      "assets",
    );
    open.pendingFiles += number(row, "pending");
    open.failedFiles += number(row, "failed");
  }
  return {
    assets: wanted + sumOf(leftOut) + sumOf(broken),
    onDisk: withFiles - open.pending - open.failed - open.exhausted,
    leftOut,
    // What has no file yet waits, too.
    waiting: wanted - withFiles + open.pending,
    failed: open.failed,
    exhausted: open.exhausted,
    broken,
    kept,
    files: {
      downloaded: files - open.pendingFiles - open.failedFiles,
      pending: open.pendingFiles,
      failed: open.failedFiles,
    },
    savedFiles: number(all, "saved"),
    bytes: number(all, "bytes"),
    issues: issues(db),
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
