import { createCipheriv, createDecipheriv } from "node:crypto";

/** Bytes of a key. */
export const KEY_BYTES = 32;
/** Bytes of a nonce; each sealing needs a new one. */
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Why a sealed text can't be opened. */
export class SealError extends Error {
  override readonly name = "SealError";
  constructor(readonly reason: "too-short" | "wrong-key-size" | "not-authentic") {
    super(`cannot open what is sealed: ${reason}`);
  }
}

/** Nonce, text by AES-256-GCM, tag: unreadable without the key, and unusable once a bit was changed (auth.md 6.2). */
export function seal(text: string, key: Uint8Array, nonce: Uint8Array): Buffer {
  if (key.length !== KEY_BYTES) throw new SealError("wrong-key-size");
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** The text that was sealed. Throws `SealError`. */
export function unseal(sealed: Uint8Array, key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new SealError("wrong-key-size");
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new SealError("too-short");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const text = [decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(text).toString("utf8");
  } catch {
    throw new SealError("not-authentic"); // The one thing that can go wrong here.
  }
}
