import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import type { ListedFile, State, Totals } from "./types.ts";

type Counting = Pick<State, "totals" | "listFiles">;

/**
 * One row per wanted asset with how far its files and places are. An asset counts where its worst file is: exhausted
 * before failed before waiting before on disk.
 */
const WANTED = `
  SELECT a.library, a.id,
    max(CASE
      WHEN f.status = 'failed' AND ?1 > 0 AND f.attempts >= ?1 THEN 4
      WHEN f.status = 'failed' THEN 3
      WHEN f.status = 'downloaded' AND NOT EXISTS (
        SELECT 1 FROM placements p WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition
          AND p.status IN ('pending', 'failed')) THEN 1
      ELSE 2 END) AS state
  FROM assets a LEFT JOIN files f ON f.library = a.library AND f.asset = a.id
  WHERE a.disposition = 'wanted'
  GROUP BY a.library, a.id`;

/** Counts and lists for people. Sums close: every asset is in exactly one part (DECISIONS 10). */
export function counting(db: Connection): Counting {
  return {
    totals: (cap) => {
      const states = new Map(
        db
          .all(`SELECT state, count(*) AS n FROM (${WANTED}) GROUP BY state`, cap)
          .map((row) => [number(row, "state"), number(row, "n")]),
      );
      const rules = (disposition: string) =>
        counts(
          db.all("SELECT rule AS name, count(*) AS n FROM assets WHERE disposition = ? GROUP BY rule", disposition),
        );
      const leftOut = rules("left-out");
      const broken = rules("broken");
      const parts = {
        onDisk: states.get(1) ?? 0,
        waiting: states.get(2) ?? 0,
        failed: states.get(3) ?? 0,
        exhausted: states.get(4) ?? 0,
      };
      const files = counts(db.all("SELECT status AS name, count(*) AS n FROM files GROUP BY status"));
      const bytes = number(
        db.get("SELECT coalesce(sum(size), 0) AS n FROM files WHERE status = 'downloaded'") ?? {},
        "n",
      );
      const totals: Totals = {
        assets: sum(parts) + sum(leftOut) + sum(broken),
        ...parts,
        leftOut,
        broken,
        files: {
          downloaded: files["downloaded"] ?? 0,
          pending: files["pending"] ?? 0,
          failed: files["failed"] ?? 0,
        },
        bytes,
        issues: counts(db.all("SELECT reason AS name, count(*) AS n FROM issues GROUP BY reason")),
      };
      return totals;
    },
    listFiles: (status, limit) =>
      db
        .all(
          `SELECT f.*, a.filename, s.started_at AS seen_at,
             (SELECT path FROM placements p WHERE p.library = f.library AND p.asset = f.asset
                AND p.rendition = f.rendition AND p.status <> 'historical' ORDER BY p.id LIMIT 1) AS path
           FROM files f JOIN assets a ON a.library = f.library AND a.id = f.asset
             LEFT JOIN scans s ON s.id = a.seen_scan
           WHERE f.status = ? AND a.disposition = 'wanted'
           ORDER BY f.library, f.asset, f.rendition LIMIT ?`,
          status,
          limit,
        )
        .map(listedFile),
  };
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

function counts(rows: readonly SqlRow[]): Record<string, number> {
  return Object.fromEntries(rows.map((row) => [text(row, "name"), number(row, "n")]));
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
