import { constants } from "node:fs";
import { type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { isVerifiable } from "../library/checksum.ts";
import type { Clock } from "../runtime/ports.ts";
import type { TransferTask } from "./types.ts";

/** A partial file whose content can be proven is worth resuming for a week, another one for an hour (engine.md TX-4). */
const RESUME_PROVABLE_MS = 7 * 24 * 3600 * 1000;
const RESUME_UNPROVABLE_MS = 3600 * 1000;

/** Something stands at the temporary path that kei can't have made. */
export class ForeignTemp extends Error {
  override readonly name = "ForeignTemp";
}

/**
 * How many bytes of an earlier try can be kept: 0 when there is no partial file or it must not be resumed. Throws
 * `ForeignTemp` when the path holds something that is no regular file.
 */
export async function resumableBytes(task: TransferTask, clock: Clock): Promise<number> {
  try {
    const stat = await lstat(task.tempPath);
    if (!stat.isFile()) throw new ForeignTemp(`${task.tempPath} is in the way`);
    // Not the modification time: a file that was proven but not published yet bears the photo's date already.
    const age = clock.now() - stat.ctimeMs;
    const limit = isVerifiable(task.checksum) ? RESUME_PROVABLE_MS : RESUME_UNPROVABLE_MS;
    // A file from the future tells nothing about its age: the clock has jumped.
    if (stat.size > task.size || age > limit || age < -60_000) return 0;
    return stat.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

/** Opens the temporary file for writing from byte `offset`, private to its owner; what lay behind `offset` is cut. */
export async function openPartial(path: string, offset: number): Promise<FileHandle> {
  if (offset === 0) {
    try {
      return await createPartial(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      await removePartial(path);
      return createPartial(path);
    }
  }
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    await file.truncate(offset);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A new file that nothing else can have put there, readable by its owner only. */
function createPartial(path: string): Promise<FileHandle> {
  return open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
}

/** Deletes the temporary file; its absence is fine. */
export async function removePartial(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
