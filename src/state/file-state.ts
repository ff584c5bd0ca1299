/**
 * How far a file is, all its places taken together, as numbers that grow with what is wrong: an asset is as far as its
 * worst file. The bytes may stand at one place (`files.status = 'downloaded'`) while another place still waits.
 */
export const FILE_STATE = { onDisk: 0, pending: 1, failed: 2, exhausted: 3 } as const;

/** The placement `p` still waits for its file. Worded like the condition of the index `placements_open`. */
export const OPEN_PLACE = "p.status <> 'present' AND p.status <> 'historical'";

/** The asset of the row `f` of `files` is selected and usable. */
export const WANTED =
  "EXISTS (SELECT 1 FROM assets a WHERE a.library = f.library AND a.id = f.asset AND a.disposition = 'wanted')";

/**
 * SQL that gives the state of the row `f` of `files`. `cap` is the parameter that holds the lifetime attempts (0: no
 * cap).
 */
export function fileState(cap: string): string {
  return `CASE
    WHEN f.status = 'failed' THEN iif(${cap} > 0 AND f.attempts >= ${cap}, ${FILE_STATE.exhausted}, ${FILE_STATE.failed})
    WHEN f.status = 'pending' THEN ${FILE_STATE.pending}
    ELSE coalesce((
      SELECT max(iif(p.status = 'failed', ${FILE_STATE.failed}, ${FILE_STATE.pending})) FROM placements p
      WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition AND ${OPEN_PLACE}), ${FILE_STATE.onDisk})
    END`;
}

/** What iCloud no longer has, or no longer shows, while files of it stay on disk: rules of a kind of their own. */
export const KEPT = { gone: "gone", unlisted: "unlisted" } as const;

export function isKept(rule: string): boolean {
  return rule === KEPT.gone || rule === KEPT.unlisted;
}
