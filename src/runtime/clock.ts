import { clearInterval, setInterval } from "node:timers";
import type { Clock } from "./ports.ts";

/** The real clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const done = () => {
        signal?.removeEventListener("abort", cut);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      const cut = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", cut, { once: true });
    }),
};

/** Calls back every so many real milliseconds until the returned function is called; keeps no process alive. For displays. */
export function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms);
  timer.unref();
  return () => clearInterval(timer);
}
