/** Every file there is, with where it stands: for `kei manifest`. */
import type { AppleChecksum, AssetId, MediaKind, Rendition, ZoneName } from "../library/asset.ts";
import type { ManifestRow } from "./answers.ts";
import { type Connection, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { FILE_STATE, fileState } from "./file-state.ts";

/**
 * One statement, so that all rows are of one moment whatever another process writes meanwhile. It walks the files in the
 * order of their key: nothing is sorted, and nothing kept. Names are put together by `json_group_array`, which takes any
 * character.
 */
const FILES = `
  SELECT f.*, a.filename, a.kind, a.captured_at, a.added_at, s.started_at AS seen_at, ${fileState("0")} AS state,
    (SELECT json_group_array(path) FROM (SELECT DISTINCT path FROM placements p
       WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition AND p.status = 'present'
       ORDER BY p.owner DESC, p.id)) AS paths,
    (SELECT local_size FROM placements p
       WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition AND p.status = 'present'
       ORDER BY p.owner DESC, p.id LIMIT 1) AS local_size,
    (SELECT json_group_array(name) FROM (SELECT DISTINCT l.name FROM members m
       JOIN albums l ON l.library = m.library AND l.id = m.album
       WHERE m.library = f.library AND m.asset = f.asset ORDER BY l.name)) AS albums
  FROM files f CROSS JOIN assets a ON a.library = f.library AND a.id = f.asset
    LEFT JOIN scans s ON s.id = a.seen_scan
  ORDER BY f.library, f.asset, f.rendition`;

export function* manifest(db: Connection): Generator<ManifestRow> {
  for (const row of db.iterate(FILES)) yield manifestRow(row);
}

function manifestRow(row: SqlRow): ManifestRow {
  const state = number(row, "state");
  const seconds = optionalNumber(row, "downloaded_at");
  return {
    library: text(row, "library") as ZoneName,
    asset: text(row, "asset") as AssetId,
    rendition: text(row, "rendition") as Rendition,
    filename: optionalText(row, "filename"),
    paths: JSON.parse(text(row, "paths")) as string[],
    checksum: text(row, "checksum") as AppleChecksum,
    size: number(row, "size"),
    localSize: optionalNumber(row, "local_size"),
    proof: (optionalText(row, "proof") as ManifestRow["proof"]) ?? undefined,
    capturedAt: number(row, "captured_at"),
    addedAt: optionalNumber(row, "added_at"),
    downloadedAt: seconds === undefined ? undefined : seconds * 1000,
    seenAt: optionalNumber(row, "seen_at"),
    kind: text(row, "kind") as MediaKind,
    status: state === FILE_STATE.onDisk ? "downloaded" : state === FILE_STATE.pending ? "pending" : "failed",
    albums: JSON.parse(text(row, "albums")) as string[],
  };
}
