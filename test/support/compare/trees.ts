/** Two folders, file by file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { listFiles } from "../kei.ts";

export interface TreeFile {
  readonly size: number;
  readonly sha256: string;
}

/** All files of a folder by their path in it. */
export type Tree = ReadonlyMap<string, TreeFile>;

export interface Difference {
  readonly sha256: string;
  readonly size: number;
  /** Where kei has the file; undefined if it hasn't. */
  readonly kei: string | undefined;
  readonly icloudpd: string | undefined;
}

export interface Comparison {
  /** Paths that hold the same bytes on both sides. */
  readonly same: readonly string[];
  /** The same bytes at another path, or on one side only. */
  readonly differences: readonly Difference[];
  /** Paths that both sides have, with different bytes; each is also in `differences`, on both sides. */
  readonly otherBytes: readonly string[];
}

export async function readTree(root: string): Promise<Tree> {
  const tree = new Map<string, TreeFile>();
  for (const path of await listFiles(root)) {
    const bytes = await readFile(join(root, path));
    tree.set(path, { size: bytes.length, sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") });
  }
  return tree;
}

/** Pairs the files of two trees by their bytes; of files that are equal, those whose paths are most alike. */
export function compareTrees(kei: Tree, icloudpd: Tree): Comparison {
  const same: string[] = [];
  const otherBytes: string[] = [];
  for (const [path, file] of kei) {
    const other = icloudpd.get(path);
    if (other?.sha256 === file.sha256) same.push(path);
    else if (other !== undefined) otherBytes.push(path);
  }
  const matched = new Set(same);
  const ours = byContent(kei, matched);
  const theirs = byContent(icloudpd, matched);
  const differences: Difference[] = [];
  for (const sha256 of new Set([...ours.keys(), ...theirs.keys()])) {
    const left = [...(ours.get(sha256) ?? [])];
    const right = [...(theirs.get(sha256) ?? [])];
    const size = kei.get(left[0] ?? "")?.size ?? icloudpd.get(right[0] ?? "")?.size ?? 0;
    while (left.length > 0 || right.length > 0) {
      const [mine, other] = nearestPair(left, right);
      if (mine !== undefined) left.splice(left.indexOf(mine), 1);
      if (other !== undefined) right.splice(right.indexOf(other), 1);
      differences.push({ sha256, size, kei: mine, icloudpd: other });
    }
  }
  return { same, differences, otherBytes };
}

function byContent(tree: Tree, without: ReadonlySet<string>): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const [path, { sha256 }] of tree)
    if (!without.has(path)) paths.set(sha256, [...(paths.get(sha256) ?? []), path]);
  return paths;
}

/** Same folder before same name before any. */
function nearestPair(
  left: readonly string[],
  right: readonly string[],
): readonly [string | undefined, string | undefined] {
  const alike = (pick: (path: string) => string): readonly [string, string] | undefined => {
    for (const a of left) for (const b of right) if (pick(a) === pick(b)) return [a, b];
    return undefined;
  };
  return alike(folderOf) ?? alike(leafOf) ?? [left[0], right[0]];
}

export const folderOf = (path: string): string => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
export const leafOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
