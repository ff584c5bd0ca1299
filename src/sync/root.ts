import { lstat, mkdir, opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { probeWritable } from "../download/space.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { PathTraits } from "../library/pathkey.ts";
import { freeBytes } from "../runtime/disk-space.ts";
import type { Logger } from "../runtime/ports.ts";
import type { State } from "../state/types.ts";

/** Below this a run does not even list (DECISIONS 20). */
const SPACE_FLOOR_BYTES = 100 * 1024 * 1024;
/** Below this it warns. */
const SPACE_WARNING_BYTES = 1024 * 1024 * 1024;

const MIB = 1024 * 1024;

export interface RootState {
  readonly directory: string;
  /** Whether any row says that a file was downloaded. */
  readonly hasDownloads: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Whether a file may be written to see that it can be; else that is left to `probeRoot`. */
  readonly probe: boolean;
}

/**
 * Makes sure that the download folder is there and is the one the catalogue speaks of. It is created only while no
 * row says downloaded; missing or empty although files were saved there, it is taken for an unmounted disk, and the
 * run ends before anything is fetched again (DECISIONS 17, engine.md TX-20, TX-21). Throws `Failure` with exit 1.
 */
export async function openRoot(root: RootState, logger: Logger): Promise<void> {
  const found = await findDirectory(root.directory);
  if (found === "absent") {
    if (root.hasDownloads && !root.force) throw missing(root.directory, "is not there");
    if (root.dryRun) return;
    await createDirectory(root.directory);
  } else if (root.hasDownloads && !root.force && (await isEmpty(root.directory))) {
    throw missing(root.directory, "is empty");
  }
  if (root.dryRun) return;
  if (root.probe) await probeRoot(root.directory);
  const free = await freeBytes(root.directory);
  if (free === undefined) return;
  if (free < SPACE_FLOOR_BYTES) {
    throw new Failure(
      `Insufficient disk space: ${Math.floor(free / MIB)} MiB free at ${root.directory}, at least ${SPACE_FLOOR_BYTES / MIB} MiB are needed`,
      {
        exit: EXIT.failure,
        passing: true,
        remedy: "Free some space or choose another folder with --download-dir.",
      },
    );
  }
  if (free < SPACE_WARNING_BYTES) {
    logger.warn("little disk space is left", { directory: root.directory, free_mib: Math.floor(free / MIB) });
  }
}

/** The device that holds the folder, to notice that a disk was unmounted while running; undefined when it is gone. */
export async function deviceOf(directory: string): Promise<number | undefined> {
  try {
    return (await stat(directory)).dev;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The download folder, as earlier runs of this process have found it. */
export interface KnownRoot {
  device?: number;
  /** How names are compared on that device. */
  traits?: PathTraits;
}

/** Recorded places that are looked for on a disk that has changed. */
const FAMILIAR_PLACES = 200;

/**
 * Makes sure that the folder is on the disk it was on in earlier runs of this process, or on one that holds what was
 * saved: the same disk may come back under another number. Throws `Failure` with exit 1 (DECISIONS 17).
 */
export async function recogniseRoot(
  directory: string,
  state: Pick<State, "presentAfter">,
  known: KnownRoot,
  force: boolean,
): Promise<void> {
  const device = await deviceOf(directory);
  if (known.device !== undefined && device !== known.device && !force && !(await holdsAny(directory, state)))
    throw missing(directory, "is on another disk than before");
  if (device === undefined || device === known.device) return;
  known.device = device;
  delete known.traits;
}

async function holdsAny(directory: string, state: Pick<State, "presentAfter">): Promise<boolean> {
  const places = state.presentAfter(0, FAMILIAR_PLACES);
  for (const { path } of places) {
    try {
      await lstat(join(directory, path));
      return true;
    } catch (error) {
      if (!isAbsent(error)) throw unusable(directory, error, "read");
    }
  }
  return places.length === 0;
}

function missing(directory: string, how: string): Failure {
  return new Failure(`The download folder ${directory} ${how}, but files were saved there before`, {
    exit: EXIT.failure,
    passing: true,
    remedy: "Mount the disk it is on. If the files are really gone and should be fetched again, run with --force.",
  });
}

async function findDirectory(directory: string): Promise<"present" | "absent"> {
  try {
    if ((await stat(directory)).isDirectory()) return "present";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "absent";
    throw unusable(directory, error);
  }
  throw new Failure(`The download folder ${directory} is not a folder`, {
    exit: EXIT.failure,
    passing: true,
    remedy: "Choose another folder with --download-dir.",
  });
}

async function createDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw unusable(directory, error, "create");
  }
}

/**
 * Why the folder looks like another one than the one files were saved in: it is not there, or nothing is in it.
 * Undefined when it does not, or when it can't be looked at.
 */
export async function rootTrouble(directory: string): Promise<"absent" | "empty" | undefined> {
  try {
    if ((await findDirectory(directory)) === "absent") return "absent";
    return (await isEmpty(directory)) ? "empty" : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Makes sure that files can be written to the folder, by writing one. Throws `Failure` with exit 1. */
export async function probeRoot(directory: string): Promise<void> {
  try {
    await probeWritable(directory);
  } catch (error) {
    throw unusable(directory, error, "write to");
  }
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    const entries = await opendir(directory);
    for await (const entry of entries) {
      // A freshly formatted disk is as empty as no disk at all.
      if (entry.name !== "lost+found") return false;
    }
    return true;
  } catch (error) {
    throw unusable(directory, error, "read");
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

const PLAIN: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "a part of the path is a file",
  EIO: "the disk reports an error",
  ENAMETOOLONG: "the path is too long",
};

function unusable(directory: string, error: unknown, verb = "use"): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return new Failure(`Cannot ${verb} the download folder ${directory}: ${PLAIN[code] ?? code}`, {
    exit: EXIT.failure,
    passing: true,
    remedy: "Check its permissions and its disk, or choose another folder with --download-dir.",
    cause: error,
  });
}
