import { basename, dirname, join } from "node:path";
import { removeOrphan, takeBackPlacing, tempName } from "../download/temp.ts";
import type { State, TempClaim } from "../state/types.ts";

/**
 * Deletes the temporary files that no unfinished file needs any more: left by a run that was killed, or by a file that
 * came to its place in another way; and takes back what a killed run was about to place. Only paths that kei claimed
 * are looked at: a suffix alone never makes a file ours.
 */
export async function sweepTemps(state: State, root: string): Promise<void> {
  for (const claim of state.tempClaims()) {
    if (!(await takeBackPlacing(claim.path, () => placeOf(claim, state, root), root))) continue;
    const row = state.rendition(claim);
    const needed = row !== undefined && row.checksum === claim.checksum && row.status !== "downloaded";
    if (!needed && (await removeOrphan(claim.path, root))) state.releaseTemp(claim.path);
  }
}

/** Absolute path of the place that the temporary file is for: beside it, and the one that its name is made from. */
function placeOf(claim: TempClaim, state: State, root: string): string | undefined {
  return state
    .placementsOf(claim.library, claim.asset)
    .filter(({ rendition, status }) => rendition === claim.rendition && (status === "pending" || status === "failed"))
    .map(({ path }) => join(root, path))
    .find(
      (path) =>
        dirname(path) === dirname(claim.path) &&
        basename(claim.path).startsWith(tempName({ ...claim, leaf: basename(path), suffix: "" })),
    );
}
