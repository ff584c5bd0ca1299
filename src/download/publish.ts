import { link, lstat, open, rename, unlink } from "node:fs/promises";
import type { AppleChecksum } from "../library/asset.ts";
import { inspect } from "./existing.ts";

/** `published`: the file now stands there. `was-there`: the very same bytes stood there already. */
export type PublishResult = "published" | "was-there" | "collision";

export interface Content {
  readonly checksum: AppleChecksum;
  readonly size: number;
}

/** Codes with which file systems say that they know no hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"]);

/**
 * Gives the proven temporary file its final name without ever replacing what is there (engine.md TX-13, TX-14): a hard
 * link, which fails when the name is taken, then the temporary name goes. On file systems without hard links an
 * empty placeholder takes the name first. Throws file system errors.
 */
export async function publish(tempPath: string, finalPath: string, content: Content): Promise<PublishResult> {
  try {
    await link(tempPath, finalPath);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return resolveCollision(tempPath, finalPath, content);
    if (!NO_LINKS.has(code)) throw error;
    return publishByRename(tempPath, finalPath, content);
  }
  await unlink(tempPath);
  return "published";
}

/**
 * Without hard links: an empty file takes the name exclusively, and the proven one replaces it in one step. A crash in
 * between leaves an empty file, beside which the next run puts the photo.
 */
async function publishByRename(tempPath: string, finalPath: string, content: Content): Promise<PublishResult> {
  try {
    await (await open(finalPath, "wx")).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const found = await lstat(finalPath);
    if (!found.isFile() || found.size > 0) return resolveCollision(tempPath, finalPath, content);
  }
  try {
    await rename(tempPath, finalPath);
  } catch (error) {
    await unlinkIfEmpty(finalPath);
    throw error;
  }
  return "published";
}

async function unlinkIfEmpty(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isFile() && found.size === 0) await unlink(path);
}

async function resolveCollision(
  tempPath: string,
  finalPath: string,
  { checksum, size }: Content,
): Promise<PublishResult> {
  if ((await inspect(finalPath, checksum, size)) !== "same") return "collision";
  await unlink(tempPath);
  return "was-there";
}
