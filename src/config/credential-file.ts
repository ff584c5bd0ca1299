/** The stored password as an encrypted file, with its key beside it or where the owner wants it. Facts: auth.md 6.2. */
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { link, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure } from "../library/failure.ts";
import { isTooOpen } from "../library/password.ts";
import { KEY_BYTES, NONCE_BYTES, SealError, seal, unseal } from "../library/sealed.ts";
import type { Logger } from "../runtime/ports.ts";
import { replacePrivately } from "../runtime/private-file.ts";

export interface CredentialFile {
  readonly path: string;
  exists(): Promise<boolean>;
  /** Undefined when nothing is stored. Throws `Failure` (exit 3) when what is stored can't be read. */
  read(): Promise<string | undefined>;
  /** Throws `Failure` (exit 1). A key that is not there is made; one that is damaged is left alone. */
  write(password: string): Promise<void>;
  /** False when there was none. The key stays: other accounts may use it. */
  remove(): Promise<boolean>;
}

export interface CredentialPaths {
  readonly credential: string;
  readonly key: string;
}

export function credentialFile(paths: CredentialPaths, logger: Logger): CredentialFile {
  const { credential, key } = paths;
  return {
    path: credential,
    exists: async () => (await readIfThere(credential)) !== undefined,
    async read() {
      const sealed = await readIfThere(credential);
      if (sealed === undefined) return undefined;
      const secret = await readIfThere(key);
      if (secret === undefined) {
        throw unreadable(`its key ${key} is missing`, "Bring the key back, or store the password anew");
      }
      try {
        const mode = process.platform === "win32" ? 0 : statSync(key).mode;
        if (isTooOpen(key, mode)) {
          logger.warn("the key of the stored password can be read by others", {
            path: key,
            remedy: `chmod 600 ${key}`,
          });
        }
        return unseal(sealed, secret);
      } catch (error) {
        if (!(error instanceof SealError)) throw cannot("read", key, error);
        if (error.reason === "wrong-key-size") throw damagedKey(key, EXIT.signIn);
        throw error.reason === "too-short"
          ? unreadable(`the file ${credential} is damaged`, "Store it anew")
          : unreadable(`the file ${credential} was changed, or ${key} is not its key`, "Store it anew");
      }
    },
    async write(password) {
      try {
        const secret = await keyAt(key);
        await replacePrivately(credential, seal(password, secret, randomBytes(NONCE_BYTES)));
      } catch (error) {
        throw error instanceof Failure ? error : cannot("save", credential, error);
      }
    },
    async remove() {
      try {
        await rm(credential);
        return true;
      } catch (error) {
        if (codeOf(error) === "ENOENT") return false;
        throw cannot("delete", credential, error);
      }
    },
  };
}

/** The key; a new one where there is none, made in one step, so that two that begin together agree on it. */
async function keyAt(path: string): Promise<Uint8Array> {
  const found = await readIfThere(path);
  if (found !== undefined) {
    if (found.length !== KEY_BYTES) throw damagedKey(path, EXIT.failure);
    return found;
  }
  const fresh = `${path}.${randomBytes(4).toString("hex")}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replacePrivately(fresh, randomBytes(KEY_BYTES));
  try {
    await link(fresh, path);
  } catch (error) {
    // Another one was faster: its key counts. On a disk without links the new one takes the name.
    if (codeOf(error) !== "EEXIST") await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
  return readFile(path);
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw cannot("read", path, error);
  }
}

function unreadable(reason: string, remedy: string): Failure {
  return new Failure(`No password available: the stored one can't be read, ${reason}`, {
    exit: EXIT.signIn,
    remedy: `${remedy} with \`kei password set\`.`,
  });
}

function damagedKey(path: string, exit: 1 | 3): Failure {
  return new Failure(`The key file ${path} is damaged: it must hold exactly ${KEY_BYTES} bytes`, {
    exit,
    remedy: "Bring the right one back, or delete it and store each password anew with `kei password set`.",
  });
}

function cannot(verb: string, path: string, cause: unknown): Failure {
  return new Failure(`Cannot ${verb} ${path}: ${codeOf(cause) || "unknown error"}`, {
    exit: EXIT.failure,
    remedy: "Check the free space and the permissions of its folder.",
    cause,
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}
