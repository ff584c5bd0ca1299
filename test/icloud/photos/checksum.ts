import { createHash } from "node:crypto";

/**
 * Apple's checksums, written apart from kei's own: two implementations that agree prove more than one used twice.
 * checksum.md; cloudkit.md 5.2 for the reference checksum.
 */

const SALT = Buffer.from("com.apple.XattrObjectSalt\0com.apple.DataObjectSalt\0", "latin1");

export function fileChecksum(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha1").update(SALT);
  for (const part of parts) hash.update(part);
  return signature(hash.digest());
}

/** 0x01 followed by the plain SHA-1 of the wrapping key. */
export function referenceChecksum(wrappingKey: Uint8Array): string {
  return signature(createHash("sha1").update(wrappingKey).digest());
}

function signature(digest: Uint8Array): string {
  return Buffer.concat([Buffer.of(1), digest]).toString("base64");
}
