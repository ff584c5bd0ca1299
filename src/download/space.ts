import { randomBytes } from "node:crypto";
import { lstat, open, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PathTraits } from "../library/pathkey.ts";

/** Writes and removes a small file. Throws the file system's error when that is not possible. */
export async function probeWritable(folder: string): Promise<void> {
  const path = join(folder, probeName("w"));
  const file = await open(path, "wx", 0o600);
  await file.close();
  await unlink(path);
}

/**
 * How the file system below `folder` compares names: asked of the disk itself, since exFAT, NTFS and network mounts fold
 * case on every operating system (engine.md PL-18). With `write: false` nothing is probed and the strict answer is
 * given.
 */
export async function probeTraits(folder: string, { write }: { readonly write: boolean }): Promise<PathTraits> {
  if (!write) return { caseInsensitive: false, normalising: false };
  const plain = probeName("a\u00e4");
  await writeFile(join(folder, plain), "", { flag: "wx", mode: 0o600 });
  try {
    return {
      caseInsensitive: await exists(join(folder, plain.toUpperCase().replace(PREFIX.toUpperCase(), PREFIX))),
      normalising: await exists(join(folder, plain.normalize("NFD"))),
    };
  } finally {
    await unlink(join(folder, plain));
  }
}

const PREFIX = ".kei-probe-";

function probeName(label: string): string {
  return `${PREFIX}${label}-${randomBytes(6).toString("hex")}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
