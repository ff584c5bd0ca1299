/** A watch in this process, on a clock of the test's. */
import { expect } from "bun:test";
import type { Clock } from "../../src/runtime/ports.ts";
import { fasterClock, type Home, type KeiResult, runInProcess, until } from "./kei.ts";

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

export class Watching {
  readonly result: Promise<KeiResult>;
  /** Once it has ended. */
  ended: KeiResult | undefined;
  #send: (signal: Signal) => void = () => undefined;

  /** Pauses of ten minutes, all photos in one folder, a thousand times as fast as real, unless told otherwise. */
  constructor(home: Home, args: readonly string[] = [], clock: Clock = fasterClock(1000)) {
    this.result = runInProcess(
      [
        ...["sync", "-d", home.photos, "--folder-structure", "none"],
        ...(args.includes("--watch-with-interval") ? [] : ["--watch-with-interval", "600"]),
        ...args,
      ],
      {
        env: home.env,
        cwd: home.root,
        clock,
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
    if (this.ended === undefined) this.#send(signal);
    return this.result;
  }
}

/** Waits until exactly these files stand in the download folder. */
export async function saved(home: Home, ...paths: readonly string[]): Promise<void> {
  await until(`${paths.join(", ")} on disk`, async () => (await home.files()).join() === paths.join());
  expect(await home.files()).toEqual([...paths]);
}
