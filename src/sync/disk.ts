import { lstatSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "../download/existing.ts";
import type { AppleChecksum } from "../library/asset.ts";

/** What stands at a path. Symbolic links, folders and devices are `other`: occupied, never written through. */
export type Look =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly size: number; readonly mtimeMs: number }
  | { readonly kind: "other" }
  | { readonly kind: "unreadable"; readonly code: string };

const ABSENT: Look = { kind: "absent" };

/**
 * The download folder as one page of planning sees it. Planning is synchronous (it runs inside one database
 * transaction) and so is looking at a path; proving a file's content is not: that question is noted, answered
 * provisionally, and the plan is made again once `resolve` has read the file. A view lives for one page, so it never
 * grows stale or large.
 */
export class DiskView {
  readonly #root: string;
  readonly #looks = new Map<string, Look>();
  readonly #proofs = new Map<string, boolean>();
  readonly #toProve = new Map<string, { path: string; checksum: AppleChecksum; size: number }>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Whether an answer was missing since the last `resolve`: then what was planned is void. */
  get incomplete(): boolean {
    return this.#toProve.size > 0;
  }

  /** What stands at `path` (relative to the download folder). */
  look(path: string): Look {
    let look = this.#looks.get(path);
    if (look === undefined) {
      look = lookAt(join(this.#root, path));
      this.#looks.set(path, look);
    }
    return look;
  }

  /** Whether the file at `path` is proven to be exactly this content. */
  holds(path: string, checksum: AppleChecksum, size: number): boolean {
    const key = `${checksum}\0${path}`;
    const known = this.#proofs.get(key);
    if (known !== undefined) return known;
    this.#toProve.set(key, { path, checksum, size });
    return false;
  }

  /** Proves what was asked for in vain. Throws the signal's reason when a stop comes between two files. */
  async resolve(signal: AbortSignal): Promise<void> {
    const proofs = [...this.#toProve];
    this.#toProve.clear();
    for (const [key, { path, checksum, size }] of proofs) {
      signal.throwIfAborted();
      this.#proofs.set(key, (await inspect(join(this.#root, path), checksum, size)) === "same");
    }
  }
}

/** What stands at `path` below the download folder. */
export function lookAtFile(root: string, path: string): Look {
  return lookAt(join(root, path));
}

/** One `lstat`, its errors told apart: only ENOENT and ENOTDIR mean absent (engine.md RC-1). */
export function lookAt(absolute: string): Look {
  try {
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (stat === undefined) return ABSENT;
    return stat.isFile() ? { kind: "file", size: stat.size, mtimeMs: stat.mtimeMs } : { kind: "other" };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return code === "ENOENT" || code === "ENOTDIR" ? ABSENT : { kind: "unreadable", code };
  }
}
