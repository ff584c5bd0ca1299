import { EXIT } from "../library/failure.ts";
import type { Clock } from "../runtime/ports.ts";
import type { Log } from "../ui/logger.ts";
import type { Outside } from "./main.ts";

/** Time that work in flight gets to end after the first signal, ms (cli.md 4.3). */
const DRAIN_MS = 30_000;
/** What is cut off gets this long to clear up, ms; whatever hangs on longer is left behind. */
const CLEAR_UP_MS = 5_000;

/**
 * Turns signals into a stop in two steps: the first asks to finish what is in flight and to start nothing new; thirty
 * seconds later what is left is cut off, and what can't be cut off is left behind; a second signal ends the process at once.
 */
export class Stopper {
  readonly #stop = new AbortController();
  readonly #cancel = new AbortController();
  readonly #over = new AbortController();
  readonly #unlisten: () => void;

  constructor({ onStopSignals, exitNow, clock }: Pick<Outside, "onStopSignals" | "exitNow" | "clock">, log: Log) {
    this.#unlisten = onStopSignals((name) => {
      if (this.#stop.signal.aborted) {
        exitNow(EXIT.forced);
        return;
      }
      log.info("finishing what is in flight; press Ctrl+C again to stop at once", { signal: name });
      this.#stop.abort(new DOMException("stop requested", "AbortError"));
      this.#cutOffLater(clock, exitNow);
    });
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get cancel(): AbortSignal {
    return this.#cancel.signal;
  }

  end(): void {
    this.#over.abort();
    this.#unlisten();
  }

  #cutOffLater(clock: Clock, exitNow: Outside["exitNow"]): void {
    const cutOff = async (): Promise<void> => {
      await clock.sleep(DRAIN_MS, this.#over.signal);
      this.#cancel.abort(new DOMException("time is over", "AbortError"));
      await clock.sleep(CLEAR_UP_MS, this.#over.signal);
      exitNow(EXIT.forced);
    };
    cutOff().catch(() => undefined); // Everything ended in time.
  }
}
