import { removeOrphan } from "../download/temp.ts";
import type { State } from "../state/types.ts";

/**
 * Deletes the temporary files that no unfinished file needs any more: left by a run that was killed, or by a file that
 * came to its place in another way. Only paths that kei claimed are looked at: a suffix alone never makes a file ours.
 */
export async function sweepTemps(state: State, root: string): Promise<void> {
  for (const claim of state.tempClaims()) {
    const row = state.rendition(claim);
    const needed = row !== undefined && row.checksum === claim.checksum && row.status !== "downloaded";
    if (!needed && (await removeOrphan(claim.path, root))) state.releaseTemp(claim.path);
  }
}
