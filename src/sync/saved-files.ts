import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { FileKey, Part, SavedFile, State } from "../state/types.ts";
import type { FileIssue } from "./check-types.ts";

/** Files asked of the catalogue at a time. */
const PAGE = 500;

/** Every file that should be on disk, page by page; memory stays the same however many there are. */
export function* savedFiles(state: State, part?: Part): Generator<SavedFile> {
  for (let last: SavedFile | undefined; ; ) {
    const page = state.savedFiles(last, PAGE, part);
    yield* page;
    last = page.at(-1);
    if (last === undefined) return;
  }
}

/** What stands where a file should be. `file` is its identity on this machine, for files with several names. */
export type Standing =
  | { readonly kind: "file"; readonly size: number; readonly file: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** One look. Only ENOENT and ENOTDIR mean that nothing is there (engine.md RC-1). */
export async function lookAtSaved(root: string, path: string): Promise<Standing> {
  try {
    const stat = await lstat(join(root, path), { bigint: true });
    if (!stat.isFile()) return { kind: "unreadable", reason: "it is no file any more" };
    return { kind: "file", size: Number(stat.size), file: `${stat.dev} ${stat.ino}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return { kind: "unreadable", reason: reasonOf(code) };
  }
}

const PLAIN: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EIO: "the disk reports an error",
  ESTALE: "the network mount is stale",
  ELOOP: "it is a symbolic link",
};

/** A system's error code in words. */
export function reasonOf(code: string): string {
  return PLAIN[code] ?? code;
}

/** An issue of a saved file, for those who are told. */
export function issueOf(kind: FileIssue["kind"], file: SavedFile, detail?: string): FileIssue {
  const { path, library, asset, rendition, downloadedAt } = file;
  return { kind, path, library, asset, rendition, downloadedAt, detail };
}

/** Files that count as saved although nobody knows where. */
export function placelessIssues(files: readonly FileKey[]): FileIssue[] {
  return files.map(({ library, asset, rendition }) => ({
    kind: "no-path",
    path: undefined,
    library,
    asset,
    rendition,
    downloadedAt: undefined,
    detail: "it counts as saved, but no place of it is known",
  }));
}

/** Most files without a place that are named. */
export const NAMED_PLACELESS = 200;
