import type { Asset } from "../library/asset.ts";
import type { Filters } from "../library/filters.ts";
import type { NamingSettings } from "../library/names.ts";
import type { PathTraits } from "../library/pathkey.ts";
import type { State } from "../state/types.ts";
import { AssetPlan } from "./asset-plan.ts";
import { DiskView } from "./disk.ts";
import type { Job } from "./jobs.ts";
import type { Newest } from "./newest.ts";
import type { Pass } from "./pass.ts";
import type { Tally } from "./tally.ts";

/** What a plan is made from. */
export interface PlannerDeps {
  readonly state: State;
  readonly tally: Tally;
  /** Absolute download folder. */
  readonly root: string;
  readonly naming: NamingSettings;
  readonly filters: Filters;
  readonly newest: Pick<Newest, "excludes">;
  readonly traits: PathTraits;
  readonly tempSuffix: string;
  /** Lifetime attempts per file; 0: no cap. */
  readonly perAsset: number;
  /** Only files that failed before are taken up (engine.md 1.9). */
  readonly retryOnly: boolean;
  readonly run: number;
  /** When the run began, ms: limits in days count from here. */
  readonly startedAt: number;
  /** Ends planning between two files that have to be read. */
  readonly signal: AbortSignal;
  /** Seconds since the epoch, for new claims. */
  readonly nowSeconds: () => number;
}

/** Thrown inside a transaction to take its writes back: the folder must be looked at first. */
class LookFirst extends Error {}

/** What one page's plan will have changed once its transaction stands. */
export interface Draft {
  readonly jobs: Job[];
  readonly effects: Array<(tally: Tally) => void>;
}

/**
 * Decides, page by page and in listing order, what is to be done for each asset (engine.md 1.6, files.md 6), and
 * commits the rows that promise it before any work starts. The order of the list alone decides names: nothing here
 * depends on what the workers are doing.
 */
export class Planner {
  readonly #deps: PlannerDeps;

  constructor(deps: PlannerDeps) {
    this.#deps = deps;
  }

  /**
   * Plans one page of `pass`, listed in scan `scan`. When it returns, every returned job has a committed row, place
   * and temporary file claim. `receivedAt` is when the page's signed URLs arrived.
   */
  async plan(pass: Pass, assets: readonly Asset[], scan: number, receivedAt: number): Promise<readonly Job[]> {
    const disk = new DiskView(this.#deps.root);
    for (;;) {
      const draft: Draft = { jobs: [], effects: [] };
      try {
        this.#deps.state.transaction(() => {
          for (const asset of assets) new AssetPlan(this.#deps, disk, draft, pass, asset, scan, receivedAt).make();
          if (disk.incomplete) throw new LookFirst();
        });
      } catch (error) {
        if (!(error instanceof LookFirst)) throw error;
        await disk.resolve(this.#deps.signal);
        continue;
      }
      for (const effect of draft.effects) effect(this.#deps.tally);
      return draft.jobs;
    }
  }
}
