/** Which assets a word means, and all that is known of one: for `kei why`. */
import type { AssetId, ZoneName } from "../library/asset.ts";
import type { Answers, AssetStory, Found, RecordIssue } from "./answers.ts";
import { assetRow, renditionRow } from "./catalogue.ts";
import { type Connection, number, optionalNumber, optionalText, text } from "./connection.ts";
import type { SqlRow } from "./driver.ts";
import { placementRow } from "./placements.ts";

type Finding = Pick<Answers, "findPath" | "findWord" | "namesNear" | "issuesOf" | "story">;

/** How well a word may fit, the best first; SQL knows them by their numbers. */
const FITS = ["exact", "other-case", "part"] as const;

/** A longer word is no name of a file, nor the path of one. */
const LONGEST = 4096;

/** How far two lengths of a name may be apart for one to be a misspelling of the other. */
const LENGTH_APART = 2;

/** One walk over all names and one over all paths answer for every way in which a word may fit. */
const BY_NAME = `
  SELECT library, id, CASE
      WHEN filename = ?1 OR id = ?1 OR master_id = ?1 THEN 0
      WHEN filename LIKE ?2 ESCAPE '\\' OR id LIKE ?2 ESCAPE '\\' THEN 1
      ELSE 2 END AS fit
  FROM assets WHERE filename LIKE ?3 ESCAPE '\\' OR id LIKE ?2 ESCAPE '\\' OR master_id = ?1
  ORDER BY fit, library, id LIMIT ?4`;
const BY_PATH = `
  SELECT library, asset AS id, min(CASE
      WHEN path = ?1 OR substr(path, -length(?1) - 1) = '/' || ?1 THEN 0
      WHEN path LIKE ?2 ESCAPE '\\' OR path LIKE '%/' || ?2 ESCAPE '\\' THEN 1
      ELSE 2 END) AS fit
  FROM placements WHERE path LIKE ?3 ESCAPE '\\'
  GROUP BY library, asset ORDER BY fit, library, id LIMIT ?4`;

/** A fixed `owner` lets each half use its own index. */
const AT_PATH = ["owner = 1", "owner = 0"]
  .map(
    (half) =>
      `SELECT library, asset AS id FROM placements WHERE path_key IN (SELECT value FROM json_each(?1)) AND ${half}`,
  )
  .join(" UNION ");

export function finding(db: Connection): Finding {
  return {
    findPath: (paths, limit) => {
      const keys = new Set(paths.flatMap((path) => [path, path.toUpperCase().toLowerCase()]));
      const rows = db.all(`${AT_PATH} ORDER BY library, id LIMIT ?2`, JSON.stringify([...keys]), limit + 1);
      return found(0, rows, limit);
    },
    findWord: (word, limit) => {
      if (word === "" || word.length > LONGEST) return undefined;
      const whole = likePattern(word);
      const part = /[*?]/.test(word) ? whole : `%${whole}%`;
      const rows = [BY_NAME, BY_PATH].flatMap((query) => db.all(query, word, whole, part, limit + 1));
      const fit = Math.min(...rows.map((row) => number(row, "fit")));
      return found(fit, unique(rows.filter((row) => number(row, "fit") === fit)), limit);
    },
    namesNear: (word, limit) => {
      const half = Math.ceil(word.length / 2);
      return db
        .all(
          `SELECT DISTINCT filename FROM assets WHERE length(filename) BETWEEN ? AND ?
             AND (filename LIKE ? ESCAPE '\\' OR filename LIKE ? ESCAPE '\\') LIMIT ?`,
          word.length - LENGTH_APART,
          word.length + LENGTH_APART,
          `${likePattern(word.slice(0, half))}%`,
          `%${likePattern(word.slice(half))}`,
          limit,
        )
        .map((row) => text(row, "filename"));
    },
    issuesOf: (recordName) =>
      db.all("SELECT * FROM issues WHERE record_name = ? ORDER BY library, reason", recordName).map(recordIssue),
    story: (library, id) => db.snapshot(() => storyOf(db, library, id)),
  };
}

/** What a person writes, as a pattern of LIKE: `*` and `?` mean what they mean in a shell, the rest is itself. */
function likePattern(word: string): string {
  return word
    .replaceAll(/[\\%_]/g, "\\$&")
    .replaceAll("*", "%")
    .replaceAll("?", "_");
}

function found(fit: number, rows: readonly SqlRow[], limit: number): Found | undefined {
  const how = FITS[fit];
  if (rows.length === 0 || how === undefined) return undefined;
  const assets = rows.slice(0, limit).map((row) => ({
    library: text(row, "library") as ZoneName,
    id: text(row, "id") as AssetId,
  }));
  return { fit: how, assets, more: rows.length > limit };
}

/** Each asset once, in the order of library and id. */
function unique(rows: readonly SqlRow[]): SqlRow[] {
  const byKey = new Map(rows.map((row) => [`${text(row, "library")} ${text(row, "id")}`, row]));
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function storyOf(db: Connection, library: ZoneName, id: AssetId): AssetStory | undefined {
  const row = db.get(
    `SELECT a.*, s.started_at AS seen_at FROM assets a LEFT JOIN scans s ON s.id = a.seen_scan
     WHERE a.library = ? AND a.id = ?`,
    library,
    id,
  );
  if (row === undefined) return undefined;
  return {
    asset: assetRow(row),
    seenAt: optionalNumber(row, "seen_at"),
    albums: db
      .all(
        `SELECT DISTINCT l.name FROM members m JOIN albums l ON l.library = m.library AND l.id = m.album
         WHERE m.library = ? AND m.asset = ? ORDER BY l.name`,
        library,
        id,
      )
      .map((album) => text(album, "name")),
    files: db
      .all("SELECT * FROM files WHERE library = ? AND asset = ? ORDER BY rendition", library, id)
      .map(renditionRow),
    places: db
      .all("SELECT * FROM placements WHERE library = ? AND asset = ? ORDER BY id", library, id)
      .map((place) => ({
        ...placementRow(place),
        lastError: optionalText(place, "last_error"),
        lastErrorKind: optionalText(place, "last_error_kind"),
      })),
    issues: db
      .all("SELECT * FROM issues WHERE library = ? AND record_name = ? ORDER BY reason, detail", library, id)
      .map(recordIssue),
  };
}

function recordIssue(row: SqlRow): RecordIssue {
  return {
    library: text(row, "library") as ZoneName,
    recordName: text(row, "record_name"),
    reason: text(row, "reason"),
    detail: optionalText(row, "detail"),
  };
}
