import type { AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { type Connection, number, optionalNumber, optionalText, sql, text } from "./connection.ts";
import type { RunRow, State } from "./types.ts";

type Ledger = Pick<
  State,
  | "meta"
  | "setMeta"
  | "deleteMeta"
  | "promoteOrphanRuns"
  | "beginRun"
  | "endRun"
  | "lastRuns"
  | "lastWholeRun"
  | "zoneToken"
  | "setZoneToken"
  | "clearZoneToken"
  | "beginScan"
  | "endScan"
  | "unfinishedScan"
  | "unfinishedScans"
  | "metInWalk"
  | "forgetWalk"
  | "noteSecondTry"
  | "awaitsSecondTry"
  | "takeSecondTries"
>;

/** Runs, scans, tokens and other single facts. */
export function ledger(db: Connection): Ledger {
  const meta = (key: string) => optionalText(db.get("SELECT value FROM metadata WHERE key = ?", key) ?? {}, "value");
  const setMeta = (key: string, value: string) => {
    db.run(
      "INSERT INTO metadata (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  };
  const deleteMeta = (key: string) => {
    db.run("DELETE FROM metadata WHERE key = ?", key);
  };
  return {
    meta,
    setMeta,
    deleteMeta,

    promoteOrphanRuns: () => db.run("UPDATE runs SET status = 'interrupted' WHERE status = 'running'"),
    beginRun: (startedAt) =>
      number(db.get("INSERT INTO runs (started_at, status) VALUES (?, 'running') RETURNING id", startedAt) ?? {}, "id"),
    endRun: (id, end) =>
      db.runOne(
        `run ${id}`,
        `UPDATE runs SET completed_at = ?, status = ?, outcome = ?, full_reason = ?, assets_seen = ?, downloaded = ?,
           failed = ?, enumeration_errors = ? WHERE id = ?`,
        sql(end.completedAt),
        end.status,
        sql(end.outcome),
        sql(end.fullReason),
        end.assetsSeen,
        end.downloaded,
        end.failed,
        end.enumerationErrors,
        id,
      ),
    lastRuns: (limit) =>
      db.all("SELECT * FROM runs ORDER BY id DESC LIMIT ?", limit).map(
        (row): RunRow => ({
          id: number(row, "id"),
          startedAt: number(row, "started_at"),
          completedAt: optionalNumber(row, "completed_at"),
          status: text(row, "status") as RunRow["status"],
          outcome: optionalText(row, "outcome") as RunRow["outcome"],
          fullReason: optionalText(row, "full_reason"),
          assetsSeen: number(row, "assets_seen"),
          downloaded: number(row, "downloaded"),
          failed: number(row, "failed"),
          enumerationErrors: number(row, "enumeration_errors"),
        }),
      ),
    lastWholeRun: () =>
      optionalNumber(
        // A run that only tries again what has failed asks for nothing else.
        db.get(
          `SELECT max(completed_at) AS ended FROM runs WHERE status = 'complete' AND outcome IN ('success', 'partial_failure')
             AND enumeration_errors = 0 AND full_reason IS NOT 'explicit_retry_failed'`,
        ) ?? {},
        "ended",
      ),

    zoneToken: (zone) => meta(tokenKey(zone)),
    setZoneToken: (zone, token) => {
      if (token.trim() === "") throw new Error("state: a blank sync token is no token");
      setMeta(tokenKey(zone), token);
    },
    clearZoneToken: (zone) => deleteMeta(tokenKey(zone)),

    beginScan: (library, startedAt) =>
      number(
        db.get("INSERT INTO scans (library, started_at) VALUES (?, ?) RETURNING id", library, startedAt) ?? {},
        "id",
      ),
    endScan: (library, scan, whole = true) =>
      db.transaction(() => {
        db.runOne(`scan ${scan}`, "UPDATE scans SET ended = 1 WHERE id = ?", scan);
        // Everything an earlier, unfinished scan was to find out is known now.
        db.run("DELETE FROM scans WHERE library = ? AND id < ?", library, scan);
        if (whole) db.run("DELETE FROM issues WHERE library = ? AND seen_scan < ?", library, scan);
      }),
    unfinishedScan: (library) =>
      optionalNumber(
        db.get("SELECT min(started_at) AS started FROM scans WHERE library = ? AND ended = 0", library) ?? {},
        "started",
      ),

    unfinishedScans: () =>
      db
        .all("SELECT DISTINCT library FROM scans WHERE ended = 0 ORDER BY library")
        .map((row) => text(row, "library") as ZoneName),

    metInWalk: (walk, id) => db.run("INSERT OR IGNORE INTO temp.met (walk, id) VALUES (?, ?)", walk, id) === 0,
    forgetWalk: (walk) => {
      db.run("DELETE FROM temp.met WHERE walk = ?", walk);
    },
    noteSecondTry: (key, pass, counted) => {
      db.run(
        "INSERT OR IGNORE INTO temp.second_tries (library, asset, rendition, pass, counted) VALUES (?, ?, ?, ?, ?)",
        key.library,
        key.asset,
        key.rendition,
        pass,
        counted,
      );
    },
    awaitsSecondTry: (key) =>
      db.get(
        "SELECT 1 AS found FROM temp.second_tries WHERE library = ? AND asset = ? AND rendition = ?",
        key.library,
        key.asset,
        key.rendition,
      ) !== undefined,
    takeSecondTries: (library, limit) =>
      db
        .all(
          `DELETE FROM temp.second_tries WHERE id IN
             (SELECT id FROM temp.second_tries WHERE library = ? ORDER BY id LIMIT ?) RETURNING *`,
          library,
          limit,
        )
        .toSorted((a, b) => number(a, "id") - number(b, "id"))
        .map((row) => ({
          library,
          asset: text(row, "asset") as AssetId,
          rendition: text(row, "rendition") as Rendition,
          pass: text(row, "pass"),
          counted: text(row, "counted") === "failed" ? ("failed" as const) : ("put-off" as const),
        })),
  };
}

function tokenKey(zone: ZoneName): string {
  return `sync_token:${zone}`;
}
