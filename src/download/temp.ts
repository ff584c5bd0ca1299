import { createHash } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, sep } from "node:path";
import type { AppleChecksum, AssetId, Rendition, ZoneName } from "../library/asset.ts";
import { removePartial } from "./partial.ts";
import { isBeingPlaced, undoPlacing } from "./publish.ts";

export interface TempIdentity {
  readonly library: ZoneName;
  readonly asset: AssetId;
  readonly rendition: Rendition;
  readonly checksum: AppleChecksum;
  /** Final leaf name. */
  readonly leaf: string;
  readonly suffix: string;
}

/**
 * Leaf name of the temporary file for one destination (engine.md TX-2): the same after every restart, so that it can be
 * resumed; another one for other content or another destination, so that nothing is ever spliced together.
 */
export function tempName({ library, asset, rendition, checksum, leaf, suffix }: TempIdentity): string {
  const digest = createHash("sha256").update([library, asset, rendition, checksum, leaf].join("\0")).digest();
  return `${base32(digest.subarray(0, 15))}${suffix}`;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 base32 without padding; safe on file systems that fold case. */
function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  const length = Math.ceil((bytes.length * 8) / 5);
  bits <<= BigInt(length * 5 - bytes.length * 8);
  let text = "";
  for (let index = length - 1; index >= 0; index -= 1) text += ALPHABET[Number((bits >> BigInt(index * 5)) & 31n)];
  return text;
}

/**
 * Takes back what a crash on a file system without hard links has left half done: an empty file under the final name of
 * the file that the claimed temporary file at `path` is for. `finalPath` is asked only when there is something to take
 * back. Returns whether nothing half-done is left. The caller holds the account's lock.
 */
export async function takeBackPlacing(
  path: string,
  finalPath: () => string | undefined,
  root: string,
): Promise<boolean> {
  try {
    if (!(await isBeingPlaced(path))) return true;
    if (isBelow(dirname(path), root) && !(await isReachedPlainly(dirname(path), root))) return true;
    await undoPlacing(path, finalPath());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

/**
 * Deletes a temporary file that kei claimed and no longer needs. The caller holds the account's lock, so no other process
 * can be writing it. Only a regular file, reached without a symbolic link below `root`, is deleted (engine.md TX-5);
 * outside `root`, in a download folder of former times, it must bear a name that only kei gives. Returns whether the
 * claim is settled: the file is gone, or it is not kei's to delete. The disk of a former folder may come back.
 */
export async function removeOrphan(path: string, root: string): Promise<boolean> {
  const former = !isBelow(dirname(path), root);
  try {
    if (former ? !TEMP_NAME.test(basename(path)) : !(await isReachedPlainly(dirname(path), root))) return true;
    const stat = await lstat(path);
    if (!stat.isFile()) return true;
    await removePartial(path);
    return true;
  } catch (error) {
    if (!isAbsence(error)) return false;
    return !former || (await holdsSomething(dirname(path)));
  }
}

/** What `tempName` gives. */
const TEMP_NAME = /^[A-Z2-7]{24}\./;

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** False also for an empty folder: where a disk is mounted at other times, there is one. */
async function holdsSomething(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}

function isBelow(folder: string, root: string): boolean {
  const steps = relative(root, folder);
  return steps !== ".." && !steps.startsWith(`..${sep}`) && !isAbsolute(steps);
}

async function isReachedPlainly(folder: string, root: string): Promise<boolean> {
  if (!isBelow(folder, root)) return false;
  const steps = relative(root, folder);
  let at = root;
  for (const name of steps === "" ? [] : steps.split(sep)) {
    at = `${at}${sep}${name}`;
    if (!(await lstat(at)).isDirectory()) return false;
  }
  return true;
}
