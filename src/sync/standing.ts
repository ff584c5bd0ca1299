/** What stands around the catalogue and may hold a backup up: looked at on disk, changed by nobody, asked of nobody. */
import { type SavedSignIn, savedSignIn } from "../icloud/auth/saved.ts";
import type { AccountFiles } from "../library/account.ts";
import type { Clock } from "../runtime/ports.ts";
import { isLocked } from "../state/index.ts";
import { rootTrouble } from "./root.ts";

export interface Standing {
  readonly signIn: SavedSignIn;
  /** Why the download folder looks like another one than the catalogue speaks of; undefined when it doesn't. */
  readonly root: "absent" | "empty" | undefined;
  /** The run that has not ended is at work: its process holds the account's lock. */
  readonly atWork: boolean;
}

/** What the catalogue says, so that no more than that has to be looked at. */
export interface Known {
  /** The download folder, as far as the settings name one. */
  readonly directory: string | undefined;
  /** Files were saved: before that, the folder need not be there. */
  readonly hasDownloads: boolean;
  /** A run has begun and not ended. */
  readonly hasOpenRun: boolean;
}

export async function standingOf(
  files: AccountFiles,
  { directory, hasDownloads, hasOpenRun }: Known,
  clock: Pick<Clock, "now">,
): Promise<Standing> {
  return {
    signIn: await savedSignIn(files, clock),
    root: directory === undefined || !hasDownloads ? undefined : await rootTrouble(directory),
    atWork: hasOpenRun && (await isLocked(files.lock)),
  };
}
