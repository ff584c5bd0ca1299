import type { Clock } from "../runtime/ports.ts";

/** A moment before which a host wants to be left alone, shared by all workers (engine.md 2.3). */
export interface Brake {
  /** The host asked to wait until `until` (Clock.now()); the latest moment counts. */
  hold(host: string, until: number): void;
  /** Resolves when the host may be asked again; rejects with the signal's reason when that comes first. */
  pass(host: string, signal: AbortSignal): Promise<void>;
}

export function createBrake(clock: Clock): Brake {
  const until = new Map<string, number>();
  return {
    hold: (host, moment) => {
      until.set(host, Math.max(until.get(host) ?? 0, moment));
    },
    pass: async (host, signal) => {
      for (;;) {
        const wait = (until.get(host) ?? 0) - clock.now();
        if (wait <= 0) return;
        await clock.sleep(wait, signal);
      }
    },
  };
}
