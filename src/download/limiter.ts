import type { Clock } from "../runtime/ports.ts";

/** A bandwidth limit over all transfers of the process. */
export interface Limiter {
  /** Resolves when `bytes` may pass; rejects with the signal's reason when that comes first. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}

/**
 * A token bucket refilled by monotonic time that never holds more than one second's worth (engine.md TX-24). Each taker
 * goes into debt and waits until it is paid off, so takers are served in order and a piece larger than the bucket just
 * waits longer.
 */
export function createLimiter(bytesPerSecond: number, clock: Clock): Limiter {
  let balance = bytesPerSecond;
  let updated = clock.monotonic();
  return {
    take: async (bytes, signal) => {
      const now = clock.monotonic();
      balance = Math.min(bytesPerSecond, balance + ((now - updated) / 1000) * bytesPerSecond);
      updated = now;
      balance -= bytes;
      if (balance < 0) await clock.sleep((-balance / bytesPerSecond) * 1000, signal);
    },
  };
}
