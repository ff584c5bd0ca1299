import type { Clock } from "../runtime/ports.ts";

/** Longest wait for a connection and the first line of an answer, ms (engine.md TX-8). */
export const CONNECT_TIMEOUT_MS = 30_000;
/** Longest silence within a body, ms. A slow trickle is not a stall; there is no limit on the whole. */
export const STALL_TIMEOUT_MS = 120_000;

/** How often an idle watchdog looks whether it has something to watch, ms. */
const IDLE_MS = 1_000;

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
  /** When the wait for the network began; undefined while nothing is waited for. */
  #since: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#watch().catch(() => undefined); // Ends by `stop`, which is no error.
  }

  /** Aborts when the silence has lasted too long. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on an answer is waited for. */
  connecting(): void {
    this.#limit = CONNECT_TIMEOUT_MS;
    this.#since = this.#clock.monotonic();
  }

  /** From now on the next piece of the body is waited for. */
  reading(): void {
    this.#limit = STALL_TIMEOUT_MS;
    this.#since = this.#clock.monotonic();
  }

  /** Something has come; what follows is no wait for the network. */
  heard(): void {
    this.#since = undefined;
  }

  stop(): void {
    this.#over.abort();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const left = this.#since === undefined ? IDLE_MS : this.#since + this.#limit - this.#clock.monotonic();
      if (left <= 0) {
        this.#controller.abort(new Stalled(`no data for ${this.#limit / 1000} s`));
        return;
      }
      await this.#clock.sleep(Math.min(left, CONNECT_TIMEOUT_MS), this.#over.signal);
    }
  }
}
