/** A settled fact about a file that is to be committed: `record` writes it, `folder` must be on disk before. */
interface Entry {
  readonly folder: string | undefined;
  readonly record: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export interface FinalizerDeps {
  /** Runs the writes of a batch in one transaction. */
  readonly transaction: (work: () => void) => void;
  /** Makes the directory entries durable (engine.md TX-1). */
  readonly syncDirectories: (folders: ReadonlySet<string>) => Promise<void>;
}

/**
 * Publish, then record: commits what the workers have done, in the order in which they finished. While one batch is
 * being made durable the next one gathers, so many small files share one directory sync and one commit, and a single
 * one never waits for company.
 */
export class Finalizer {
  readonly #deps: FinalizerDeps;
  #gathering: Entry[] = [];
  #flushing: Promise<void> | undefined;

  constructor(deps: FinalizerDeps) {
    this.#deps = deps;
  }

  /**
   * Commits `record` after `folder` (absolute; undefined when nothing was published) is on disk. Resolves once it is
   * committed; rejects when it could not be.
   */
  settle(folder: string | undefined, record: () => void): Promise<void> {
    const settled = new Promise<void>((done, failed) => this.#gathering.push({ folder, record, done, failed }));
    this.#flushing ??= this.#flush();
    return settled;
  }

  async #flush(): Promise<void> {
    // Give the workers that finish in this very turn the chance to share the batch.
    await Promise.resolve();
    while (this.#gathering.length > 0) {
      const batch = this.#gathering;
      this.#gathering = [];
      try {
        const folders = new Set(batch.flatMap((entry) => (entry.folder === undefined ? [] : [entry.folder])));
        await this.#deps.syncDirectories(folders);
      } catch (error) {
        for (const entry of batch) entry.failed(error);
        continue;
      }
      this.#commit(batch);
    }
    this.#flushing = undefined;
  }

  /** All in one transaction; when that fails, one by one, so that one bad row does not take the others with it. */
  #commit(batch: readonly Entry[]): void {
    try {
      this.#deps.transaction(() => {
        for (const entry of batch) entry.record();
      });
    } catch (error) {
      if (batch.length === 1) batch[0]?.failed(error);
      else for (const entry of batch) this.#commit([entry]);
      return;
    }
    for (const entry of batch) entry.done();
  }
}
