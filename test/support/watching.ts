/** A watch in this process, on a clock of the test's. */
import { expect } from "bun:test";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { fasterClock, type Home, type KeiResult, runInProcess, until } from "./kei.ts";

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

export class Watching {
  readonly result: Promise<KeiResult>;
  /** Once it has ended. */
  ended: KeiResult | undefined;
  #stopping = false;
  #send: (signal: Signal) => void = () => undefined;

  /** Pauses of a minute, all photos in one folder, a thousand times as fast as real, unless told otherwise. */
  constructor(home: Home, args: readonly string[] = [], clock: Clock = fasterClock(1000)) {
    this.result = runInProcess(
      [
        ...["sync", "-d", home.photos, "--folder-structure", "none"],
        ...(args.includes("--watch-with-interval") ? [] : ["--watch-with-interval", "60"]),
        ...args,
      ],
      {
        env: home.env,
        cwd: home.root,
        // From the stop on in real time: a busy machine needs more than the moment that half a minute is else.
        clock: { ...clock, sleep: (ms, signal) => (this.#stopping ? systemClock : clock).sleep(ms, signal) },
        onSignals: (listener) => {
          this.#send = listener;
        },
      },
    );
    this.result.then(
      (result) => {
        this.ended = result;
      },
      () => undefined, // Whoever awaits the result hears of it.
    );
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Signal = "SIGINT"): Promise<KeiResult> {
    this.#stopping = true;
    if (this.ended === undefined) this.#send(signal);
    return this.result;
  }
}

/** Waits until exactly these files stand in the download folder. */
export async function saved(home: Home, ...paths: readonly string[]): Promise<void> {
  await until(`${paths.join(", ")} on disk`, async () => (await home.files()).join() === paths.join());
  expect(await home.files()).toEqual([...paths]);
}
