import { fitMiddle, formatBytes, formatCount, formatDuration } from "./format.ts";
import type { DisplayOptions } from "./progress.ts";

/** How often the moving line changes at most, ms. */
const LIVE_EVERY_MS = 100;
/** How often a plain line comes where there is no terminal, ms. */
const PLAIN_EVERY_MS = 30_000;
/** Before this nothing sensible can be said about the time that is left, ms. */
const EARLY_MS = 2_000;

/** How far the look at the saved files is; said on stderr, often on a terminal, else now and then. */
export class CheckProgress {
  readonly #options: Omit<DisplayOptions, "every">;
  readonly #reading: boolean;
  #total = { files: 0, bytes: 0 };
  #startedAt = 0;
  #saidAt = 0;

  /** `reading`: the bytes are read, too. */
  constructor(options: Omit<DisplayOptions, "every">, reading: boolean) {
    this.#options = options;
    this.#reading = reading;
  }

  begin(files: number, bytes: number): void {
    this.#total = { files, bytes };
    this.#startedAt = this.#options.clock.monotonic();
    this.#saidAt = this.#startedAt;
  }

  show(files: number, bytes: number): void {
    const { clock, live, moving, columns, say } = this.#options;
    const now = clock.monotonic();
    if (now - this.#saidAt < (live ? LIVE_EVERY_MS : PLAIN_EVERY_MS)) return;
    this.#saidAt = now;
    const line = this.#line(files, bytes, now - this.#startedAt);
    if (live) moving.show(fitMiddle(line, Math.max(20, columns() - 1)));
    else say(line);
  }

  /** Takes the moving line away: something else is to be written. */
  end(): void {
    this.#options.moving.clear();
  }

  #line(files: number, bytes: number, elapsed: number): string {
    const parts = [`${formatCount(files)} of ${formatCount(this.#total.files)} files looked at`];
    if (this.#reading) parts.push(`${formatBytes(bytes)} of ${formatBytes(this.#total.bytes)} read`);
    // Names of one file are read once, so that the bytes may run ahead of the files.
    const share = this.#reading ? bytes / this.#total.bytes : files / this.#total.files;
    if (elapsed >= EARLY_MS && share > 0 && share < 1) {
      if (this.#reading) parts.push(`${formatBytes(bytes / (elapsed / 1000))}/s`);
      parts.push(`${formatDuration((elapsed / share) * (1 - share))} left`);
    }
    return parts.join(" · ");
  }
}
