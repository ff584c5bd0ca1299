import type { Library, Photos } from "../icloud/photos/types.ts";
import type { Asset } from "../library/asset.ts";
import type { State } from "../state/types.ts";
import type { Pass } from "./pass.ts";
import type { SyncSettings } from "./types.ts";

interface NewestDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly settings: SyncSettings;
  readonly signal: AbortSignal;
}

/** The photos that a number in `recent` leaves (files.md 5.3). */
interface Frontier {
  /** Name of the marks in the catalogue. */
  readonly marks: string;
  /** When the oldest of them was taken, ms: lists by capture date hold nothing wanted beyond it. */
  readonly oldest: number;
  /** There are more photos than these. */
  readonly cut: boolean;
}

const EVERYTHING = Number.NEGATIVE_INFINITY;

/**
 * The photos that came to iCloud last, for runs that want a number of them: of the library, or of each list that is
 * walked. They are found out before a pass is planned, by ids alone.
 */
export class Newest {
  readonly #deps: NewestDeps;
  readonly #count: number | undefined;
  #frontier: Frontier | undefined;
  #frontierOf: string | undefined;
  #cut = false;

  constructor(deps: NewestDeps) {
    const { recent } = deps.settings;
    this.#deps = deps;
    this.#count = recent !== undefined && "count" in recent ? recent.count : undefined;
  }

  /** Finds out which photos of a pass are new enough. To be called when the pass's turn has come. */
  async prepare(pass: Pass, scan: number): Promise<void> {
    if (this.#count === undefined || pass.purpose !== "place") return;
    const global = this.#deps.settings.recentScope === "global";
    const marks = `${scan}:${global ? "library" : pass.key}`;
    if (this.#frontierOf === marks) return;
    this.#forget();
    this.#frontierOf = marks;
    const whole = global || pass.list.kind === "all";
    this.#frontier = whole
      ? await this.#lastAdded(pass.library, marks, this.#count, !global && pass.onlyUnfiled)
      : await this.#lastOf(pass, marks, this.#count);
    if (this.#frontier.cut) this.#cut = true;
  }

  /** Whether the photo is not among those that are wanted. */
  excludes(asset: Asset): boolean {
    return this.#frontier !== undefined && !this.#deps.state.isAmongNewest(this.#frontier.marks, asset.id);
  }

  /** Whether a list by capture date holds nothing wanted behind a page with these photos. */
  endsBefore(pass: Pass, assets: readonly Asset[]): boolean {
    if (this.#frontier === undefined || assets.length === 0) return false;
    // What was deleted is listed by when it was.
    if (pass.smartFolder === "Recently Deleted") return false;
    const { oldest } = this.#frontier;
    return assets.every((asset) => asset.capturedAt < oldest);
  }

  /**
   * Lets go of what is known of a library. Returns whether photos of it were left out by their number: then the run has
   * not seen everything (files.md FI-8).
   */
  end(): boolean {
    const cut = this.#cut;
    this.#cut = false;
    this.#forget();
    return cut;
  }

  #forget(): void {
    if (this.#frontierOf !== undefined) this.#deps.state.forgetNewest(this.#frontierOf);
    this.#frontier = undefined;
    this.#frontierOf = undefined;
  }

  /** The list by arrival, as far as it has to be read. */
  async #lastAdded(library: Library, marks: string, count: number, onlyUnfiled: boolean): Promise<Frontier> {
    const { state } = this.#deps;
    let found = 0;
    let oldest = Number.POSITIVE_INFINITY;
    for await (const asset of this.#ids(library, { kind: "added" }, marks)) {
      if (asset.isDeleted || asset.isHidden) continue;
      if (onlyUnfiled && state.isFiled(asset.library, asset.id)) continue;
      if (found === count) return { marks, oldest, cut: true };
      found += 1;
      oldest = Math.min(oldest, asset.capturedAt);
      state.noteNewest(marks, asset.id, asset.addedAt ?? asset.capturedAt);
    }
    return { marks, oldest: EVERYTHING, cut: false };
  }

  /** Any other list has its own order: it is read whole, and the last that came are kept. */
  async #lastOf(pass: Pass, marks: string, count: number): Promise<Frontier> {
    const { state } = this.#deps;
    for await (const asset of this.#ids(pass.library, pass.list, marks))
      state.noteNewest(marks, asset.id, asset.addedAt ?? asset.capturedAt);
    const dropped = state.keepNewest(marks, count);
    return { marks, oldest: EVERYTHING, cut: dropped > 0 };
  }

  async *#ids(library: Library, list: Pass["list"], marks: string): AsyncGenerator<Asset> {
    const { photos, state, signal } = this.#deps;
    const walk = `${marks}:ids`;
    try {
      const pages = photos.list(library, list, {
        signal,
        lookAhead: () => 1,
        seenBefore: (id) => state.metInWalk(walk, id),
        idsOnly: true,
      });
      for await (const page of pages) yield* page.assets;
    } finally {
      state.forgetWalk(walk);
    }
  }
}
