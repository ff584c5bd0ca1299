import type { AlbumId, AssetId } from "../library/asset.ts";
import { type Connection, number, text } from "./connection.ts";
import type { State } from "./types.ts";

type Members = Pick<
  State,
  | "beginMembers"
  | "addMembers"
  | "completeMembers"
  | "keepAlbums"
  | "isFiled"
  | "albumNames"
  | "putRelations"
  | "clearRelations"
  | "unmetMembers"
  | "memberCount"
  | "putMember"
  | "dropMember"
  | "isWalked"
  | "albumsWithMembers"
  | "membersOf"
  | "albumsHolding"
  | "nameAlbum"
>;

/**
 * Who is in which album. Each walk of an album writes a generation of its own; only a complete one counts, so a walk
 * that breaks off leaves the members that were known before (engine.md DC-17).
 */
export function members(db: Connection): Members {
  return {
    beginMembers: (library, album, name) => {
      db.run("INSERT OR IGNORE INTO album_names (library, name) VALUES (?, ?)", library, name);
      return number(
        db.get(
          `INSERT INTO albums (library, id, name, generation) VALUES (?, ?, ?, 1)
             ON CONFLICT DO UPDATE SET name = excluded.name, generation = generation + 1 RETURNING generation`,
          library,
          album,
          name,
        ) ?? {},
        "generation",
      );
    },
    addMembers: (library, album, generation, ids) =>
      db.transaction(() => {
        for (const id of ids) {
          db.run(
            `INSERT INTO members (library, album, asset, generation) VALUES (?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET generation = excluded.generation`,
            library,
            album,
            id,
            generation,
          );
        }
      }),
    completeMembers: (library, album, generation) =>
      db.transaction(() => {
        db.run("DELETE FROM members WHERE library = ? AND album = ? AND generation < ?", library, album, generation);
        db.runOne(
          `album ${album}`,
          "UPDATE albums SET complete_generation = ? WHERE library = ? AND id = ?",
          generation,
          library,
          album,
        );
      }),
    keepAlbums: (library, keep) =>
      db.transaction(() => {
        const kept = new Set<string>(keep);
        for (const row of db.all("SELECT id FROM albums WHERE library = ?", library)) {
          const id = text(row, "id");
          if (kept.has(id)) continue;
          // The row stays: should the album come back, its next walk must not reuse a generation.
          db.run("DELETE FROM members WHERE library = ? AND album = ?", library, id);
          db.run("UPDATE albums SET complete_generation = NULL WHERE library = ? AND id = ?", library, id);
        }
      }),
    isFiled: (library, id) =>
      db.get("SELECT 1 AS one FROM members WHERE library = ? AND asset = ? LIMIT 1", library, id) !== undefined,
    putRelations: (library, relations) =>
      db.transaction(() => {
        for (const { album, asset, removed } of relations) {
          const change = removed
            ? "DELETE FROM relations WHERE library = ? AND album = ? AND asset = ?"
            : "INSERT OR IGNORE INTO relations (library, album, asset) VALUES (?, ?, ?)";
          db.run(change, library, album, asset);
        }
      }),
    clearRelations: (library) => {
      db.run("DELETE FROM relations WHERE library = ?", library);
    },
    unmetMembers: (library, album) =>
      db
        .all(
          `SELECT asset FROM relations r WHERE library = ?1 AND album = ?2 AND NOT EXISTS
             (SELECT 1 FROM members m WHERE m.library = ?1 AND m.album = ?2 AND m.asset = r.asset) ORDER BY asset`,
          library,
          album,
        )
        .map((row) => text(row, "asset") as AssetId),
    memberCount: (library, album, generation) =>
      number(
        db.get(
          "SELECT count(*) AS members FROM members WHERE library = ? AND album = ? AND generation = ?",
          library,
          album,
          generation,
        ) ?? {},
        "members",
      ),
    putMember: (library, album, asset) => {
      db.run(
        `INSERT OR IGNORE INTO members (library, album, asset, generation)
           SELECT library, id, ?3, complete_generation FROM albums
           WHERE library = ?1 AND id = ?2 AND complete_generation IS NOT NULL`,
        library,
        album,
        asset,
      );
    },
    dropMember: (album, asset) =>
      db.transaction(() => {
        db.run("DELETE FROM members WHERE album = ? AND asset = ?", album, asset);
        db.run("DELETE FROM relations WHERE album = ? AND asset = ?", album, asset);
      }),
    isWalked: (library, album) =>
      db.get(
        "SELECT 1 AS one FROM albums WHERE library = ? AND id = ? AND complete_generation IS NOT NULL",
        library,
        album,
      ) !== undefined,
    albumsWithMembers: (library) =>
      db
        .all("SELECT DISTINCT album FROM members WHERE library = ? ORDER BY album", library)
        .map((row) => text(row, "album") as AlbumId),
    membersOf: (library, album) =>
      db
        .all("SELECT asset FROM members WHERE library = ? AND album = ? ORDER BY asset", library, album)
        .map((row) => text(row, "asset") as AssetId),
    albumsHolding: (library, asset) =>
      db
        .all("SELECT album FROM members WHERE library = ? AND asset = ? ORDER BY album", library, asset)
        .map((row) => text(row, "album") as AlbumId),
    nameAlbum: (library, album, name) =>
      db.transaction(() => {
        db.run("INSERT OR IGNORE INTO album_names (library, name) VALUES (?, ?)", library, name);
        db.run("UPDATE albums SET name = ? WHERE library = ? AND id = ?", name, library, album);
      }),
    albumNames: (library) =>
      db.all("SELECT name FROM album_names WHERE library = ? ORDER BY name", library).map((row) => text(row, "name")),
  };
}
