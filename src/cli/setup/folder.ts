import { constants } from "node:fs";
import { access, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { notASystemFolder } from "../../config/checks.ts";
import { type Environment, expandPath, homeFolder } from "../../config/paths.ts";
import { EXIT, Failure } from "../../library/failure.ts";
import { freeBytes } from "../../runtime/disk-space.ts";

/** What can be said of a folder before anything is written to it. */
export interface FolderFacts {
  /** Whole path. */
  readonly path: string;
  /** Why it can't be used, for people. */
  readonly wrong: string | undefined;
  readonly exists: boolean;
  readonly isEmpty: boolean;
  /** Bytes; of the nearest folder above where it does not exist yet. */
  readonly free: number | undefined;
}

/** Looks at the folder that a person has named; writes nothing. */
export async function lookAtFolder(named: string, env: Environment, cwd: string): Promise<FolderFacts> {
  const path = expandPath(named, env, cwd);
  const entries = await entriesOf(path);
  const above = entries === "none" ? await nearestAbove(path) : path;
  const facts = { path, exists: entries !== "none", isEmpty: entries === "none" || entries.length === 0 };
  const wrong = notASystemFolder(path) ?? (entries === "file" ? `${path} is a file` : await unusable(above));
  return { ...facts, wrong, free: await freeBytes(above) };
}

/** `~/Pictures/iCloud` where there is a folder for pictures, as on most desktops; else `~/Photos/iCloud`. */
export async function suggestedFolder(env: Environment): Promise<string> {
  const pictures = await entriesOf(join(homeFolder(env), "Pictures"));
  return Array.isArray(pictures) ? "~/Pictures/iCloud" : "~/Photos/iCloud";
}

async function entriesOf(path: string): Promise<readonly string[] | "none" | "file"> {
  try {
    return await readdir(path);
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOTDIR":
        // The path itself, or one above it, is no folder.
        return (await isThere(path)) ? "file" : "none";
      case "ENOENT":
        return "none";
      default:
        // There, but it must not be read; whether it can be written is asked next.
        return [];
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false, // Whatever the reason is: nothing can be saved there.
  );
}

async function nearestAbove(path: string): Promise<string> {
  const above = dirname(path);
  return above === path || (await isThere(above)) ? above : nearestAbove(above);
}

async function unusable(folder: string): Promise<string | undefined> {
  if (!(await stat(folder)).isDirectory()) return `${folder} is a file`;
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => undefined,
    () => `You may not write to ${folder}`,
  );
}

/** Makes the folder that was agreed on. Throws `Failure`. */
export async function makeFolder({ path, exists }: Pick<FolderFacts, "path" | "exists">): Promise<void> {
  if (exists) return;
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new Failure(`Cannot make the folder ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`, {
      exit: EXIT.failure,
      remedy: "Check its permissions, or choose another one.",
      cause: error,
    });
  }
}
