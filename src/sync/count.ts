import { CloudKitError } from "../icloud/photos/index.ts";
import type { KeptList, Library, Photos } from "../icloud/photos/types.ts";

/** What Apple counts in a list; undefined where it does not tell: a count fails nothing but a session that is over. */
export async function countOf(
  photos: Pick<Photos, "counts">,
  library: Library,
  list: KeptList,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return (await photos.counts(library, [list], signal))[0];
  } catch (error) {
    if (error instanceof CloudKitError && error.problem.kind !== "session") return undefined;
    throw error;
  }
}
