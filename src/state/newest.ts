import type { Connection } from "./connection.ts";
import type { State } from "./types.ts";

type Newest = Pick<State, "noteNewest" | "keepNewest" | "isAmongNewest" | "forgetNewest">;

/** Which photos came to iCloud last, while a run needs to know. */
export function newest(db: Connection): Newest {
  return {
    noteNewest: (marks, id, addedAt) => {
      db.run("INSERT OR IGNORE INTO temp.newest (marks, id, added_at) VALUES (?, ?, ?)", marks, id, addedAt);
    },
    keepNewest: (marks, count) =>
      db.run(
        `DELETE FROM temp.newest WHERE marks = ?1 AND id NOT IN
           (SELECT id FROM temp.newest WHERE marks = ?1 ORDER BY added_at DESC, id LIMIT ?2)`,
        marks,
        count,
      ),
    isAmongNewest: (marks, id) =>
      db.get("SELECT 1 AS found FROM temp.newest WHERE marks = ? AND id = ?", marks, id) !== undefined,
    forgetNewest: (marks) => {
      db.run("DELETE FROM temp.newest WHERE marks = ?", marks);
    },
  };
}
