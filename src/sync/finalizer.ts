import type { Clock } from "../runtime/ports.ts";

/** A settled fact about a file that is to be committed: `record` writes it, `folder` must be on disk before. */
interface Entry {
  readonly folder: string | undefined;
  readonly record: () => void;
  readonly committed: (() => void) | undefined;
}

interface FinalizerDeps {
  readonly clock: Clock;
  /** Runs the writes of a batch in one transaction. */
  readonly transaction: (work: () => void) => void;
  /** Makes the directory entries durable (engine.md TX-1). */
  readonly syncDirectories: (folders: ReadonlySet<string>) => Promise<void>;
}

/** Rows of one batch, at most, and how long the first of them waits for company, ms (engine.md DB-8). */
const BATCH = 32;
const WAIT_MS = 50;

/**
 * Publish, then record: commits what the workers have done, in the order in which they finished. Small files share one
 * directory sync and one commit. What a crash finds uncommitted is on disk already, and recognised by its bytes.
 */
export class Finalizer {
  readonly #deps: FinalizerDeps;
  #gathering: Entry[] = [];
  #full = new AbortController();
  #flushing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(deps: FinalizerDeps) {
    this.#deps = deps;
  }

  /**
   * Commits `record` soon, after `folder` (absolute; undefined when nothing was published) is on disk, and tells
   * `committed` when that is done. Waits only while a full batch is being written. Rejects when an earlier commit
   * failed: then nothing more may be promised.
   */
  async settle(folder: string | undefined, record: () => void, committed?: () => void): Promise<void> {
    this.#throwFailure();
    this.#gathering.push({ folder, record, committed });
    if (this.#gathering.length >= BATCH) this.#full.abort();
    this.#flushing ??= this.#flush();
    if (this.#gathering.length >= BATCH) await this.#flushing;
    this.#throwFailure();
  }

  /** Resolves when everything that was settled so far is committed; rejects with the first failure. */
  async settled(): Promise<void> {
    this.#full.abort();
    await this.#flushing;
    this.#throwFailure();
  }

  async #flush(): Promise<void> {
    while (this.#gathering.length > 0) {
      await this.#company();
      const batch = this.#gathering;
      this.#gathering = [];
      this.#full = new AbortController();
      try {
        await this.#deps.syncDirectories(
          new Set(batch.flatMap(({ folder }) => (folder === undefined ? [] : [folder]))),
        );
        this.#commit(batch);
      } catch (error) {
        this.#failure ??= { error };
      }
    }
    this.#flushing = undefined;
  }

  /** Waits a moment for more, unless the batch is full already. */
  async #company(): Promise<void> {
    const { signal } = this.#full;
    try {
      await this.#deps.clock.sleep(WAIT_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** All in one transaction; when that fails, one by one, so that one bad row does not take the others with it. */
  #commit(batch: readonly Entry[]): void {
    try {
      this.#deps.transaction(() => {
        for (const entry of batch) entry.record();
      });
    } catch (error) {
      if (batch.length === 1) this.#failure ??= { error };
      else for (const entry of batch) this.#commit([entry]);
      return;
    }
    for (const entry of batch) entry.committed?.();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
