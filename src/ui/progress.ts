import type { Clock } from "../runtime/ports.ts";
import { fitMiddle, formatBytes, formatCount, formatDuration } from "./format.ts";

/** What a run is doing; the same figures as the run itself counts. */
export interface Snapshot {
  readonly phase: "signing-in" | "listing" | "downloading" | "finishing";
  readonly assetsSeen: number;
  readonly assetsExpected: number | undefined;
  readonly filesPlanned: number;
  readonly filesDone: number;
  readonly filesFailed: number;
  readonly bytesDone: number;
  readonly bytesPlanned: number;
  readonly pass: string | undefined;
}

/** The rate is that of the last seconds, so that it tells what is happening now. */
const RATE_WINDOW_MS = 15_000;

/** Turns snapshots into one line of text: what is done, what is left, how fast, how long still. Pure but for its memory. */
export class ProgressLine {
  readonly #samples: Array<{ readonly at: number; readonly bytes: number; readonly assets: number }> = [];

  /** `now` is monotonic, ms. */
  render(snapshot: Snapshot, now: number, width: number): string {
    this.#remember(snapshot, now);
    if (snapshot.phase === "signing-in") return "Signing in to iCloud";
    const parts = [this.#listed(snapshot), ...this.#fetched(snapshot)];
    const rate = this.#rate();
    if (rate.bytes > 0 && snapshot.filesPlanned > snapshot.filesDone) parts.push(`${formatBytes(rate.bytes)}/s`);
    const left = this.#left(snapshot, rate);
    if (left !== undefined) parts.push(`${formatDuration(left)} left`);
    const line = parts.join(" · ");
    const room = width - [...line].length - 3;
    return snapshot.pass === undefined || room < 8
      ? fitMiddle(line, width)
      : `${line} · ${fitMiddle(snapshot.pass, room)}`;
  }

  #listed({ assetsSeen, assetsExpected, phase }: Snapshot): string {
    if (phase === "finishing") return "Finishing";
    // Apple's count may lag behind its own list.
    const of = assetsExpected === undefined || assetsExpected < assetsSeen ? "" : ` of ${formatCount(assetsExpected)}`;
    return `${formatCount(assetsSeen)}${of} photos`;
  }

  #fetched({ filesPlanned, filesDone, filesFailed, bytesDone }: Snapshot): string[] {
    if (filesPlanned === 0) return [];
    const failed = filesFailed === 0 ? [] : [`${formatCount(filesFailed)} failed`];
    return [`${formatCount(filesDone)} files, ${formatBytes(bytesDone)}`, ...failed];
  }

  #remember({ bytesDone, assetsSeen }: Snapshot, at: number): void {
    this.#samples.push({ at, bytes: bytesDone, assets: assetsSeen });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS) this.#samples.shift();
  }

  /** Per second, over the window. */
  #rate(): { readonly bytes: number; readonly assets: number } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1000;
    if (first === undefined || last === undefined || seconds < 1) return { bytes: 0, assets: 0 };
    return { bytes: (last.bytes - first.bytes) / seconds, assets: (last.assets - first.assets) / seconds };
  }

  /** Time left, ms, judged by the photos still to be looked at; undefined when nothing sensible can be said. */
  #left({ assetsSeen, assetsExpected, phase }: Snapshot, rate: { readonly assets: number }): number | undefined {
    if (phase === "finishing" || assetsExpected === undefined || assetsExpected <= assetsSeen || rate.assets <= 0)
      return undefined;
    return ((assetsExpected - assetsSeen) / rate.assets) * 1000;
  }
}

export interface DisplayOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** A moving line for a terminal; else plain lines, one at most every half minute. */
  readonly live: boolean;
  readonly columns: () => number;
  /** Writes a plain progress line, where there is no terminal. */
  readonly say: (line: string) => void;
}

const PLAIN_EVERY_MS = 30_000;
const CLEAR_LINE = "\r\u001b[2K";

/** Shows progress, and lets log lines pass without being torn by it. */
export class ProgressDisplay {
  readonly #options: DisplayOptions;
  readonly #line = new ProgressLine();
  #shown = "";
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  readonly show = (snapshot: Snapshot): void => {
    const { clock, write, live, columns, say } = this.#options;
    const now = clock.monotonic();
    const text = this.#line.render(snapshot, now, Math.max(20, columns() - 1));
    if (live) {
      if (text === this.#shown) return;
      this.#shown = text;
      write(`${CLEAR_LINE}${text}`);
    } else if (now - this.#saidAt >= PLAIN_EVERY_MS) {
      this.#saidAt = now;
      say(text);
    }
  };

  /** Writes a whole line above the moving one. */
  readonly line = (text: string): void => {
    const { write } = this.#options;
    write(this.#shown === "" ? `${text}\n` : `${CLEAR_LINE}${text}\n${this.#shown}`);
  };

  /** Takes the moving line away. */
  end(): void {
    if (this.#shown !== "") this.#options.write(CLEAR_LINE);
    this.#shown = "";
  }
}
