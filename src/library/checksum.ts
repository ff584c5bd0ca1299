import { createHash } from "node:crypto";
import type { AppleChecksum } from "./asset.ts";

/**
 * Apple's content checksum (checksum.md): base64 of 0x01 followed by SHA-1 over a fixed salt and the file's bytes.
 * It guards against corruption, truncation and mix-ups, not against an attacker who can make SHA-1 collisions.
 */

const SALT = "com.apple.XattrObjectSalt\0com.apple.DataObjectSalt\0";
const KIND = 0x01;
const LENGTH = 21;

/** Whether the checksum is of the known kind. Another kind is not an error: it proves nothing either way. */
export function isVerifiable(checksum: AppleChecksum): boolean {
  if (!/^[A-Za-z0-9+/]{28}$/.test(checksum)) return false;
  const bytes = Buffer.from(checksum, "base64");
  return bytes.length === LENGTH && bytes[0] === KIND;
}

/** Takes a file's bytes piece by piece and tells their checksum at the end. */
export interface ChecksumHasher {
  update(bytes: Uint8Array): void;
  /** The checksum of everything given so far; ends the hasher. */
  digest(): AppleChecksum;
}

export function createChecksumHasher(): ChecksumHasher {
  const hash = createHash("sha1").update(SALT, "latin1");
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => Buffer.concat([Buffer.of(KIND), hash.digest()]).toString("base64") as AppleChecksum,
  };
}

/** The checksum of bytes in memory. */
export function appleChecksum(bytes: Uint8Array): AppleChecksum {
  const hasher = createChecksumHasher();
  hasher.update(bytes);
  return hasher.digest();
}
