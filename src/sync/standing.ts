/** What stands around the catalogue and may hold a backup up: looked at on disk, changed by nobody, asked of nobody. */
import { stat } from "node:fs/promises";
import { type SavedSignIn, savedSignIn } from "../icloud/auth/saved.ts";
import type { AccountFiles } from "../library/account.ts";
import type { Clock } from "../runtime/ports.ts";
import { rootTrouble } from "./root.ts";

export interface Standing {
  readonly signIn: SavedSignIn;
  /** Why the download folder looks like another one than the catalogue speaks of; undefined when it doesn't. */
  readonly root: "absent" | "empty" | undefined;
  /** When the catalogue was last written to (ms): a sign of life of a run that has not ended. */
  readonly lastWrite: number | undefined;
}

/** `directory`: the download folder, looked at only when `hasDownloads`, since before that it need not be there. */
export async function standingOf(
  files: AccountFiles,
  directory: string | undefined,
  hasDownloads: boolean,
  clock: Pick<Clock, "now">,
): Promise<Standing> {
  const written = await Promise.all([files.database, `${files.database}-wal`].map(writtenAt));
  const times = written.filter((time) => time !== undefined);
  return {
    signIn: await savedSignIn(files, clock),
    root: directory === undefined || !hasDownloads ? undefined : await rootTrouble(directory),
    lastWrite: times.length === 0 ? undefined : Math.max(...times),
  };
}

/** An empty file is one that a reader has made. */
async function writtenAt(path: string): Promise<number | undefined> {
  try {
    const { mtimeMs, size } = await stat(path);
    return size === 0 ? undefined : mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
