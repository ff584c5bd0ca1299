import { constants } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure } from "../library/failure.ts";

/** A small file that only its owner may read: session, cookies, configuration (auth.md 5.4, DECISIONS 19). */
export interface PrivateFile {
  readonly path: string;
  /** The content; undefined when there is no such file, or when a folder stands in its place. */
  read(): Promise<string | undefined>;
  /** Replaces the file in one step; a crash leaves the old or the new content. The same content is not written again. */
  write(content: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * With `readOnly`, writing and removing do nothing. Calls are carried out in the order in which they came. A disk that
 * refuses is a `Failure` that names the file.
 */
export function privateFile(path: string, options: { readonly readOnly?: boolean } = {}): PrivateFile {
  /** What the disk holds as far as we know: null stands for "no file", undefined for "not looked yet". */
  let known: string | null | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(verb: string, act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act).catch((error: unknown) => {
      throw new Failure(`Cannot ${verb} ${path}: ${codeOf(error) || "unknown error"}`, {
        exit: EXIT.failure,
        remedy: "Check the free space and the permissions of its folder.",
        cause: error,
      });
    });
    // A failed call is reported to its own caller; the next one starts afresh.
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    path,
    read: () =>
      inTurn("read", async () => {
        const content = await readIfThere(path);
        known = content ?? null;
        return content;
      }),
    write: (content) =>
      inTurn("save", async () => {
        if (options.readOnly === true || content === known) return;
        await replacePrivately(path, content);
        known = content;
      }),
    remove: () =>
      inTurn("delete", async () => {
        if (options.readOnly === true || known === null) return;
        await removeIfFile(path);
        known = null;
      }),
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

async function removeIfFile(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    // Nothing there, or a folder that is not ours to delete.
    if (["ENOENT", "EISDIR", "ERR_FS_EISDIR", "EPERM", "ENOTDIR"].includes(codeOf(error))) return;
    throw error;
  }
}

/** Makes or replaces the file in one step, with mode 0600, and its folder where there is none. Throws file system errors. */
export async function replacePrivately(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.tmp`;
  // Left by a crash, perhaps with another mode. The account's lock keeps other processes away.
  await rm(temporary, { force: true });
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes the rename durable. Some systems can't open a folder; the file itself is already safe there. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP"].includes(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "";
}
