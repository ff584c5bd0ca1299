import { constants } from "node:fs";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file in one step: a new one beside it, made durable, takes its name. Missing folders are made. Throws file
 * system errors, and then leaves nothing behind. `mode` is that of the new file, before the umask. A link stays one, and
 * what is no file, as `/dev/null` or `/dev/stdout`, is written to, without waiting for anybody who reads.
 */
export async function writeAtomically(path: string, content: string, mode = 0o666): Promise<void> {
  const place = await placeOf(path);
  if (place.isSpecial) return write(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0), content);
  await mkdir(dirname(place.path), { recursive: true });
  const beside = `${place.path}.${process.pid}.new`;
  try {
    await write(beside, "w", content, mode);
    await rename(beside, place.path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Where the file really is, and whether something stands there that must not be replaced. */
async function placeOf(path: string): Promise<{ readonly path: string; readonly isSpecial: boolean }> {
  try {
    const found = await stat(path);
    const isSpecial = !found.isFile() && !found.isDirectory();
    return { path: isSpecial ? path : await realpath(path), isSpecial };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { path, isSpecial: false };
    throw error;
  }
}

async function write(path: string, flags: string | number, content: string, mode?: number): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await file.writeFile(content);
    if (typeof flags === "string") await file.sync();
  } finally {
    await file.close();
  }
}
