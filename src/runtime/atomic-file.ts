import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file in one step: a new one beside it, made durable, takes its name. Missing folders are made. Throws file
 * system errors, and then leaves nothing behind. `mode` is that of the new file, before the umask.
 */
export async function writeAtomically(path: string, content: string, mode = 0o666): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  try {
    const file = await open(beside, "w", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
