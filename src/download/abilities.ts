import { constants } from "node:fs";
import { copyFile, link, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PathTraits } from "../library/pathkey.ts";
import { probeTraits } from "./space.ts";

/** What a folder's file system can do, found out by trying. */
export interface Abilities extends PathTraits {
  readonly hardLinks: boolean;
  /** Copies that share their blocks; undefined where this runtime can't tell. */
  readonly reflinks: boolean | undefined;
  /** Longest file name in bytes, of those that are tried. */
  readonly longestName: 255 | 143 | 0;
  /** A file's date is kept to the second. */
  readonly keepsSeconds: boolean;
  /** Dates before 1970 are kept. */
  readonly keepsOldDates: boolean;
}

const PREFIX = ".kei-probe-";

/**
 * Tries things out in a new folder below `folder`, and removes it again. Throws the file system's error when not even
 * that folder can be written.
 */
export async function probeAbilities(folder: string): Promise<Abilities> {
  const probe = await mkdtemp(join(folder, PREFIX));
  try {
    const file = join(probe, "a");
    await writeFile(file, "kei");
    return {
      ...(await probeTraits(probe, { write: true })),
      hardLinks: await works(() => link(file, join(probe, "link"))),
      reflinks: await reflinks(file, join(probe, "clone")),
      longestName: await longestName(probe),
      keepsSeconds: await keepsDate(file, 1_700_000_001),
      keepsOldDates: await keepsDate(file, -86_401),
    };
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Deno claims success where there is none. */
async function reflinks(from: string, to: string): Promise<boolean | undefined> {
  if (!("Bun" in globalThis)) return undefined;
  return await works(() => copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE));
}

async function longestName(folder: string): Promise<Abilities["longestName"]> {
  for (const length of [255, 143] as const) {
    if (await works(() => writeFile(join(folder, "n".repeat(length)), ""))) return length;
  }
  return 0;
}

/** `seconds` since the epoch. */
async function keepsDate(path: string, seconds: number): Promise<boolean> {
  // As a date: Bun takes a negative number for the present.
  const time = new Date(seconds * 1000);
  if (!(await works(() => utimes(path, time, time)))) return false;
  return Math.floor((await stat(path)).mtimeMs / 1000) === seconds;
}

/** Whether the file system does it; other errors than its own are thrown. */
async function works(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return false;
  }
}
