import type { Clock } from "../runtime/ports.ts";

/** Longest wait for a connection and the first line of an answer, ms (engine.md TX-8). */
export const CONNECT_TIMEOUT_MS = 30_000;
/** Longest silence within a body, ms. A slow trickle is not a stall; there is no limit on the whole. */
export const STALL_TIMEOUT_MS = 120_000;

/** Why a watchdog ended a transfer. */
export class Stalled extends Error {
  override readonly name = "Stalled";
}

/**
 * Ends a transfer that has gone silent. Counted is only the time spent waiting for the network: the bandwidth limiter
 * and the disk may take as long as they need.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #over = new AbortController();
  #limit = CONNECT_TIMEOUT_MS;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#watch().catch(() => undefined); // Ends by `stop`, which is no error.
  }

  /** Aborts when the silence has lasted too long. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The network has been heard, or it is only now being waited for. */
  heard(): void {
    this.#since = this.#clock.monotonic();
  }

  /** The answer has begun: from here on only silence within the body counts. */
  answered(): void {
    this.#limit = STALL_TIMEOUT_MS;
    this.heard();
  }

  stop(): void {
    this.#over.abort();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const left = this.#since + this.#limit - this.#clock.monotonic();
      if (left <= 0) {
        this.#controller.abort(new Stalled(`no data for ${this.#limit / 1000} s`));
        return;
      }
      await this.#clock.sleep(Math.min(left, CONNECT_TIMEOUT_MS), this.#over.signal);
    }
  }
}
