import type { Clock } from "../runtime/ports.ts";
import type { Progress, RunEnd, Stage } from "../sync/types.ts";
import { afterRun } from "./after-run.ts";
import type { Health } from "./health.ts";
import { afterOneMore, type Metrics, NO_METRICS } from "./metrics.ts";
import type { WatchState } from "./verdict.ts";

export interface MonitorOptions {
  /** How the runs went before this process. */
  readonly before: Health;
  readonly clock: Clock;
  /** The pause between runs, ms; 0 for a single run. */
  readonly intervalMs: number;
  /** An error as one line for others to read. */
  readonly tell: (error: unknown) => string;
}

/** Follows the runs of a sync and keeps what is to be said of them: some values, however long it lives. */
export class Monitor {
  readonly #options: MonitorOptions;
  #health: Health;
  #metrics = NO_METRICS;
  #ended = false;
  #running = false;
  /** How far the run under way is: any figure that grows with what it does. */
  #reached = 0;
  #movedAt: number | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#health = options.before;
  }

  get health(): Health {
    return this.#health;
  }

  get metrics(): Metrics {
    return this.#metrics;
  }

  get watch(): WatchState {
    return {
      health: this.#health,
      intervalMs: this.#options.intervalMs,
      ended: this.#ended,
      running: this.#running,
      movedAt: this.#movedAt,
      codeWantedAt: this.#health.codeWantedAt,
    };
  }

  get #isSingle(): boolean {
    return this.#options.intervalMs === 0;
  }

  onStage(stage: Stage): void {
    const now = this.#options.clock.now();
    if (stage.kind === "waiting") this.#health = { ...this.#health, nextSyncAt: now + stage.ms };
    if (!this.#isSingle) this.#codeIsWanted(stage.kind === "waiting-for-code", now);
  }

  onProgress(progress: Progress): void {
    if (!this.#running) {
      this.#running = true;
      this.#reached = 0;
      this.#noLongerPausing();
    }
    const reached = progress.assetsSeen + progress.filesDone + progress.filesFailed + progress.bytesDone;
    if (reached === this.#reached) return;
    this.#reached = reached;
    this.#movedAt = this.#options.clock.now();
  }

  onEnd(end: RunEnd): void {
    const { clock, tell } = this.#options;
    const { nextSyncAt } = this.#health;
    this.#health = { ...afterRun(this.#health, end, clock.now(), tell), ...(this.#isSingle ? { nextSyncAt } : {}) };
    this.#metrics = afterOneMore(this.#metrics, end);
    this.#ended = true;
    this.#running = false;
    this.#movedAt = undefined;
    // Until it is said that a code is still wanted, it isn't; for a watch that waits elsewhere, once it can't be any more.
    const isSettled = this.#isSingle ? end.report !== undefined : end.locked !== "code-needed";
    if (isSettled) this.#codeIsWanted(false, clock.now());
  }

  #codeIsWanted(isWanted: boolean, now: number): void {
    const codeWantedAt = isWanted ? (this.#health.codeWantedAt ?? now) : undefined;
    if (codeWantedAt !== this.#health.codeWantedAt) this.#health = { ...this.#health, codeWantedAt };
  }

  /** This process ends: nobody waits any more, unless another process does beside a single run. */
  gone(): void {
    if (this.#isSingle) return;
    this.#noLongerPausing();
    this.#codeIsWanted(false, this.#options.clock.now());
  }

  #noLongerPausing(): void {
    if (!this.#isSingle && this.#health.nextSyncAt !== undefined)
      this.#health = { ...this.#health, nextSyncAt: undefined };
  }
}
