/**
 * How far a file is, all its places taken together, as numbers that grow with what is wrong: an asset is as far as its
 * worst file. The bytes may stand at one place (`files.status = 'downloaded'`) while another place still waits.
 */
export const FILE_STATE = { onDisk: 1, pending: 2, failed: 3, exhausted: 4 } as const;

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
      WHERE p.library = f.library AND p.asset = f.asset AND p.rendition = f.rendition
        AND p.status IN ('pending', 'failed')), ${FILE_STATE.onDisk})
    END`;
}
