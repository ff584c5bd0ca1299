import { constants } from "node:fs";
import { copyFile, link, lstat, open } from "node:fs/promises";
import type { AppleChecksum } from "../library/asset.ts";
import { describeLocalError, kindOfLocalError } from "./classify.ts";
import { inspect } from "./existing.ts";
import type { Folders } from "./folders.ts";
import { removePartial } from "./partial.ts";
import { publish } from "./publish.ts";

export interface CopyTask {
  /** Absolute path of a file of kei's that was proven to hold the content. */
  readonly from: string;
  /** Absolute final path; nothing there is ever replaced. */
  readonly to: string;
  /** Absolute path beside `to`, claimed for it. */
  readonly tempPath: string;
  readonly checksum: AppleChecksum;
  readonly size: number;
  readonly modifiedAt: number;
  /** `link`: reflink, else hard link, else copy. `copy`: bytes of its own, shared at most by the file system. */
  readonly policy: "link" | "copy";
  readonly folders: Folders;
  readonly fileMode: number;
}

export type CopyResult =
  | { readonly outcome: "placed"; readonly method: "reflink" | "hardlink" | "copy" }
  | { readonly outcome: "failed"; readonly message: string };

/**
 * Puts a second copy of a file in its place without fetching it again (DECISIONS 6). A copy of bytes is proven like a
 * transfer before it gets its name. Never throws for trouble with files: the caller can still fetch.
 */
export async function placeCopy(task: CopyTask): Promise<CopyResult> {
  try {
    await task.folders.ensure(task.to);
    const source = await lstat(task.from);
    // A file that still has the date kei gave it is the file kei proved; another one is proven again.
    const untouched = Math.trunc(source.mtimeMs / 1000) === Math.trunc(task.modifiedAt / 1000);
    const good =
      source.isFile() &&
      source.size === task.size &&
      (untouched || (await inspect(task.from, task.checksum, task.size)) === "same");
    if (!good) return { outcome: "failed", message: "the first copy has changed" };
    if (task.policy === "link") {
      if (await reflink(task)) return await proven(task, "reflink");
      // One file has one date: a copy of the photo that was taken at another time needs one of its own.
      if (untouched && (await hardLink(task))) {
        // A part that an earlier run fetched for this place is of no use any more.
        await removePartial(task.tempPath);
        return { outcome: "placed", method: "hardlink" };
      }
    }
    await removePartial(task.tempPath);
    await copyFile(task.from, task.tempPath, constants.COPYFILE_EXCL);
    return await proven(task, "copy");
  } catch (error) {
    const kind = kindOfLocalError(error) ?? "local-io";
    return { outcome: "failed", message: describeLocalError(kind, error) };
  }
}

/** True when the file system made a copy that shares its blocks. Deno claims success where there is none, so not there. */
async function reflink({ from, tempPath }: CopyTask): Promise<boolean> {
  if (!("Bun" in globalThis)) return false;
  await removePartial(tempPath);
  try {
    await copyFile(from, tempPath, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

async function hardLink({ from, to }: CopyTask): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === undefined) throw error;
    return false;
  }
}

async function proven(task: CopyTask, method: "reflink" | "copy"): Promise<CopyResult> {
  const { tempPath, checksum, size, to } = task;
  if ((await inspect(tempPath, checksum, size)) !== "same") {
    await removePartial(tempPath);
    return { outcome: "failed", message: "the first copy no longer holds the content" };
  }
  const file = await open(tempPath, "r+");
  try {
    await file.chmod(task.fileMode);
    const time = new Date(Math.trunc(task.modifiedAt / 1000) * 1000);
    await file.utimes(time, time);
    await file.sync();
  } finally {
    await file.close();
  }
  if ((await publish(tempPath, to, { checksum, size })) === "collision") {
    return { outcome: "failed", message: "another file has appeared at its place" };
  }
  return { outcome: "placed", method };
}
