import { open } from "node:fs/promises";

/**
 * Makes the entries of these folders durable, so that a published name survives a power cut. Where a file system can't
 * do that for folders (Windows, some network mounts) the error is of no consequence and is dropped.
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
    if (!OF_NO_CONSEQUENCE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
