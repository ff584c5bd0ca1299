import { freeBytes } from "../runtime/disk-space.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import { follow } from "../runtime/signals.ts";
import type { Tally } from "./tally.ts";

/** Longest wait for Apple's count before the first transfer starts without a forecast, ms. */
const COUNT_WAIT_MS = 3_000;
/** Shown numbers are rounded: a forecast is one. */
const GB = 1_000_000_000;

interface ForecastDeps {
  readonly directory: string;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the wait for Apple's count. */
  readonly signal: AbortSignal;
}

/**
 * Says before the first byte when what was selected will hardly fit on the disk (DECISIONS 9): the first page's average
 * times the number of photos that Apple counts. A warning only: the disk may grow, and what fits is worth having.
 */
export class Forecast {
  readonly #deps: ForecastDeps;
  #told = false;
  #expected = 0;
  #known: () => void = () => undefined;
  readonly #counted = new Promise<void>((resolve) => {
    this.#known = resolve;
  });

  constructor(deps: ForecastDeps) {
    this.#deps = deps;
  }

  /** Apple counts so many more photos in what was selected. */
  expect(assets: number): void {
    this.#expected += assets;
    this.#known();
  }

  /** Called with the first page that brings work, before any of it starts. */
  async beforeFirstByte(): Promise<void> {
    if (this.#told) return;
    this.#told = true;
    const { directory, tally, clock, logger, signal } = this.#deps;
    const over = follow(signal);
    const patience = clock.sleep(COUNT_WAIT_MS, over.signal).catch(() => undefined); // Ended by the count, or by a stop.
    await Promise.race([this.#counted, patience]);
    over.release();
    over.abort(undefined);
    if (signal.aborted) return;
    const free = await freeBytes(directory);
    if (free === undefined || tally.seen === 0) return;
    const needed = (tally.bytesPlanned / tally.seen) * Math.max(this.#expected, tally.seen);
    if (needed <= free) return;
    const text = `what was selected needs about ${toGb(needed)} GB, and ${toGb(free)} GB are free at ${directory}`;
    logger.warn(text);
    tally.notice(text);
  }
}

function toGb(bytes: number): string {
  return (bytes / GB).toFixed(bytes < 10 * GB ? 1 : 0);
}
