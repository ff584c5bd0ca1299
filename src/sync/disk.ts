import { lstat } from "node:fs/promises";
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
 * transaction), looking is not: a question that has no answer yet is noted, answered provisionally, and the plan is
 * made again once `resolve` has looked. A view lives for one page, so it never grows stale or large.
 */
export class DiskView {
  readonly #root: string;
  readonly #looks = new Map<string, Look>();
  readonly #proofs = new Map<string, boolean>();
  readonly #toLook = new Set<string>();
  readonly #toProve = new Map<string, { path: string; checksum: AppleChecksum; size: number }>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Whether an answer was missing since the last `resolve`: then what was planned is void. */
  get incomplete(): boolean {
    return this.#toLook.size > 0 || this.#toProve.size > 0;
  }

  /** What stands at `path` (relative to the download folder). */
  look(path: string): Look {
    const known = this.#looks.get(path);
    if (known !== undefined) return known;
    this.#toLook.add(path);
    return ABSENT;
  }

  /** Whether the file at `path` is proven to be exactly this content. */
  holds(path: string, checksum: AppleChecksum, size: number): boolean {
    const key = `${checksum}\0${path}`;
    const known = this.#proofs.get(key);
    if (known !== undefined) return known;
    this.#toProve.set(key, { path, checksum, size });
    return false;
  }

  /** Looks at everything that was asked for in vain. */
  async resolve(): Promise<void> {
    const paths = [...this.#toLook];
    const proofs = [...this.#toProve];
    this.#toLook.clear();
    this.#toProve.clear();
    await Promise.all(paths.map(async (path) => this.#looks.set(path, await lookAt(join(this.#root, path)))));
    for (const [key, { path, checksum, size }] of proofs) {
      this.#proofs.set(key, (await inspect(join(this.#root, path), checksum, size)) === "same");
    }
  }
}

/** One `lstat`, its errors told apart: only ENOENT and ENOTDIR mean absent (engine.md RC-1). */
export async function lookAt(absolute: string): Promise<Look> {
  try {
    const stat = await lstat(absolute);
    return stat.isFile() ? { kind: "file", size: stat.size, mtimeMs: stat.mtimeMs } : { kind: "other" };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return code === "ENOENT" || code === "ENOTDIR" ? ABSENT : { kind: "unreadable", code };
  }
}
