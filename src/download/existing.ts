import { constants, createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
import type { AppleChecksum } from "../library/asset.ts";
import { createChecksumHasher, isVerifiable } from "../library/checksum.ts";

/** What a file on disk is, measured against the content that Apple states. */
export type Inspection = "same" | "different" | "absent" | "not-a-file" | "unreadable";

/**
 * Whether the file at `path` holds exactly this content, proven byte by byte. `different` also when the checksum is of
 * a kind that proves nothing: size alone never makes two files the same. Symbolic links are not followed.
 */
export async function inspect(path: string, checksum: AppleChecksum, size: number): Promise<Inspection> {
  try {
    const stat = await lstat(path);
    if (!stat.isFile()) return "not-a-file";
    if (stat.size !== size || !isVerifiable(checksum)) return "different";
    return (await checksumOf(path)) === checksum ? "same" : "different";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? "absent" : "unreadable";
  }
}

/**
 * Apple's checksum of a file on disk, read in pieces. `onBytes` is told the length of each; what it throws ends the
 * reading. Throws file system errors.
 */
export async function checksumOf(
  path: string,
  onBytes: (count: number) => void = () => undefined,
): Promise<AppleChecksum> {
  const hasher = createChecksumHasher();
  await readInto(path, (bytes) => {
    hasher.update(bytes);
    onBytes(bytes.length);
  });
  return hasher.digest();
}

/** Reads a file from the start in pieces of 256 KiB; does not follow a symbolic link in its last step. */
export async function readInto(path: string, take: (bytes: Uint8Array) => void): Promise<void> {
  const stream = createReadStream(path, {
    flags: constants.O_RDONLY | constants.O_NOFOLLOW,
    highWaterMark: 256 * 1024,
  } as object);
  for await (const bytes of stream) take(bytes as Uint8Array);
}
