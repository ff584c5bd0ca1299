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

/** Ending of a proven temporary file from before its final name is taken until it bears that name. */
const PLACING = ".placing";

/**
 * Gives the proven temporary file its final name without ever replacing what is there (engine.md TX-13, TX-14): a hard
 * link, which fails when the name is taken, then the temporary name goes. On file systems without hard links see
 * `publishWithoutLinks`. Throws file system errors.
 */
export async function publish(tempPath: string, finalPath: string, content: Content): Promise<PublishResult> {
  try {
    await link(tempPath, finalPath);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return resolveCollision(tempPath, finalPath, content);
    if (!NO_LINKS.has(code)) throw error;
    return publishWithoutLinks(tempPath, finalPath, content);
  }
  await unlink(tempPath);
  return "published";
}

/**
 * Where no hard link can be made: an empty file takes the name exclusively, and the proven one replaces it in one step.
 * While that lasts the proven file bears a name that says so, which tells kei's empty file from anybody else's: what a
 * crash leaves behind is taken back by `undoPlacing`.
 */
export async function publishWithoutLinks(
  tempPath: string,
  finalPath: string,
  content: Content,
): Promise<PublishResult> {
  // Looked at before the mark is set, so that the mark never stands beside somebody else's file.
  if (await exists(finalPath)) return resolveCollision(tempPath, finalPath, content);
  const placing = `${tempPath}${PLACING}`;
  await rename(tempPath, placing);
  try {
    await (await open(finalPath, "wx")).close();
  } catch (error) {
    await rename(placing, tempPath);
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return resolveCollision(tempPath, finalPath, content);
  }
  try {
    await rename(placing, finalPath);
  } catch (error) {
    // What can't be taken back now is taken back by the next run; the first error tells what is wrong.
    await undoPlacing(tempPath, finalPath).catch(() => undefined);
    throw error;
  }
  return "published";
}

/** Whether a temporary file was left on its way to its final name. Throws file system errors. */
export async function isBeingPlaced(tempPath: string): Promise<boolean> {
  return exists(`${tempPath}${PLACING}`);
}

/**
 * Takes back a half-done `publishWithoutLinks`: the empty file goes, and the proven one has its temporary name again. With
 * no `finalPath` only the latter. Throws file system errors.
 */
export async function undoPlacing(tempPath: string, finalPath: string | undefined): Promise<void> {
  if (finalPath !== undefined && (await isEmptyFile(finalPath))) await unlink(finalPath);
  await rename(`${tempPath}${PLACING}`, tempPath);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

async function isEmptyFile(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    return found.isFile() && found.size === 0;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
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
