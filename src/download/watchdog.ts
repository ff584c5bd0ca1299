import type { Clock } from "../runtime/ports.ts";
import { type Follower, follow } from "../runtime/signals.ts";

/** Longest wait for a connection and the first line of an answer, ms (engine.md TX-8). */
export const CONNECT_TIMEOUT_MS = 30_000;
/** Longest silence within a body, ms. A slow trickle is not a stall; there is no limit on the whole. */
export const STALL_TIMEOUT_MS = 120_000;

/** How often an idle watchdog looks whether it has something to watch, ms. */
const IDLE_MS = 1_000;

/** So much more wall time than this machine has lived through says that it was suspended, ms (engine.md WT-7). */
const SUSPENDED_MS = 300_000;

/** The machine was suspended: whoever was at the other end has long gone, and the address may have expired. */
export class Suspended extends Error {
  override readonly name = "Suspended";
}

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
  readonly #transfer: Follower;
  readonly #over = new AbortController();
  #limit = CONNECT_TIMEOUT_MS;
  /** When the wait for the network began; undefined while nothing is waited for. */
  #since: number | undefined;

  /** `cancel` ends the transfer, too. */
  constructor(clock: Clock, cancel: AbortSignal) {
    this.#clock = clock;
    this.#transfer = follow(cancel);
    this.#watch().catch(() => undefined); // Ends by `stop`, which is no error.
  }

  /** Aborts when the silence has lasted too long, and when the transfer is cancelled. */
  get signal(): AbortSignal {
    return this.#transfer.signal;
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
    this.#transfer.release();
  }

  /** Grows while this machine is suspended, and when its clock is set. */
  #drift(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const drift = this.#drift();
      const left = this.#since === undefined ? IDLE_MS : this.#since + this.#limit - this.#clock.monotonic();
      if (left <= 0) {
        this.#transfer.abort(new Stalled(`no data for ${this.#limit / 1000} s`));
        return;
      }
      await this.#clock.sleep(Math.min(left, CONNECT_TIMEOUT_MS), this.#over.signal);
      if (this.#drift() - drift > SUSPENDED_MS) {
        this.#transfer.abort(new Suspended("this machine was suspended meanwhile"));
        return;
      }
    }
  }
}
