import { lstat, mkdir } from "node:fs/promises";
import { dirname, relative, sep } from "node:path";

/** Folders remembered as good, at most; forgetting one costs a few look-ups. */
const REMEMBERED = 2_000;

/** Makes the folders that files go to, and makes sure that none of them is a way out of the download folder. */
export interface Folders {
  /** Makes sure that the folder of `path` exists. Throws file system errors. */
  ensure(path: string): Promise<void>;
  /** Forget what is known: a folder turned out to be gone. */
  forget(): void;
}

/** `root` must exist: it is never created here, so that an unmounted disk's mount point is not filled. */
export function createFolders(root: string): Folders {
  const good = new Set<string>();
  return {
    ensure: async (path) => {
      const folder = dirname(path);
      if (good.has(folder)) return;
      await makeBelow(root, folder);
      if (good.size >= REMEMBERED) good.clear();
      good.add(folder);
    },
    forget: () => good.clear(),
  };
}

/** One component at a time, no symbolic link among them (engine.md TX-18). */
async function makeBelow(root: string, folder: string): Promise<void> {
  const steps = relative(root, folder);
  if (steps === "") return;
  const names = steps.split(sep);
  if (names.includes("..")) throw coded("ELOOP", `${folder} is not below ${root}`);
  let at = root;
  for (const name of names) {
    at = `${at}${sep}${name}`;
    const found = await kindOf(at);
    if (found === "folder") continue;
    if (found === "other") throw coded("ENOTDIR", `${at} is not a folder of this file system`);
    await mkdir(at).catch((error: unknown) => {
      // Another worker was faster.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
  }
}

async function kindOf(path: string): Promise<"folder" | "absent" | "other"> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "absent";
    throw error;
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
