import { open } from "node:fs/promises";
import { EXIT, Failure } from "../library/failure.ts";
import { describeLocalError, kindOfLocalError } from "./classify.ts";

/**
 * Makes the entries of these folders durable, so that a published name survives a power cut. Where a file system can't
 * do that for folders (Windows, some network mounts) the error is of no consequence and is dropped. Throws `Failure`
 * (exit 1) when the disk refuses.
 */
export async function syncDirectories(folders: ReadonlySet<string>): Promise<void> {
  await Promise.all([...folders].map(syncDirectory));
}

const OF_NO_CONSEQUENCE: ReadonlySet<string> = new Set([
  "EINVAL",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EPERM",
  "EISDIR",
  "EBADF",
  "EACCES",
  // Moved away by its owner meanwhile: the next run finds its files missing and says so.
  "ENOENT",
]);

async function syncDirectory(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (OF_NO_CONSEQUENCE.has(code)) return;
    throw new Failure(
      `What was saved in ${folder} can't be made durable: ${describeLocalError(kindOfLocalError(error) ?? "local-io", error)}`,
      {
        exit: EXIT.failure,
        remedy: "Check the disk and run kei again; what is on it already is recognised and not fetched again.",
        cause: error,
      },
    );
  }
}
