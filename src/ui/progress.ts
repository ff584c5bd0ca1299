import { columnsOf } from "../runtime/columns.ts";
import type { Clock } from "../runtime/ports.ts";
import { escapeControls, fitMiddle, formatBytes, formatCount, formatDuration, plural } from "./format.ts";
import type { MovingLine } from "./moving-line.ts";

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

/** Less of an album's name tells nothing, columns. */
const LEAST_OF_NAME = 14;

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
    const room = width - columnsOf(line) - 3;
    const pass = snapshot.pass === undefined ? undefined : escapeControls(snapshot.pass);
    const isSaid = pass !== undefined && room >= Math.min(columnsOf(pass), LEAST_OF_NAME);
    return isSaid ? `${line} · ${fitMiddle(pass, room)}` : fitMiddle(line, width);
  }

  #listed({ assetsSeen, assetsExpected, phase }: Snapshot): string {
    if (phase === "finishing") return "Finishing";
    // Apple's count may lag behind its own list.
    if (assetsExpected === undefined || assetsExpected < assetsSeen) return `${formatCount(assetsSeen)} photos`;
    const percent = assetsExpected === 0 ? 100 : Math.floor((100 * assetsSeen) / assetsExpected);
    return `${formatCount(assetsSeen)} of ${formatCount(assetsExpected)} photos (${percent} %)`;
  }

  #fetched({ filesPlanned, filesDone, filesFailed, bytesDone }: Snapshot): string[] {
    if (filesPlanned === 0) return [];
    const failed = filesFailed === 0 ? [] : [`${formatCount(filesFailed)} failed`];
    return [`${plural(filesDone, "file")}, ${formatBytes(bytesDone)}`, ...failed];
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

  /**
   * Time left, ms; undefined when nothing sensible can be said. Photos that were not looked at yet are taken to hold as
   * many bytes as the others; where nothing is to be fetched, looking is all that takes time.
   */
  #left(snapshot: Snapshot, rate: { readonly bytes: number; readonly assets: number }): number | undefined {
    const { assetsSeen, assetsExpected, phase, bytesPlanned, bytesDone } = snapshot;
    if (phase === "finishing" || assetsExpected === undefined || assetsExpected < assetsSeen) return undefined;
    const unseen = assetsExpected - assetsSeen;
    const bytes = Math.max(0, bytesPlanned - bytesDone) + (unseen * bytesPlanned) / Math.max(1, assetsSeen);
    if (bytes > 0) return rate.bytes > 0 ? (bytes / rate.bytes) * 1000 : undefined;
    return unseen > 0 && rate.assets > 0 ? (unseen / rate.assets) * 1000 : undefined;
  }
}

export interface DisplayOptions {
  readonly clock: Clock;
  /** Shared by all that is shown in one command. */
  readonly moving: MovingLine;
  /** A moving line for a terminal; else plain lines, one at most every half minute. */
  readonly live: boolean;
  readonly columns: () => number;
  /** Writes a plain progress line, where there is no terminal. */
  readonly say: (line: string) => void;
  /** Calls back every so many ms until the returned function is called. */
  readonly every: (ms: number, act: () => void) => () => void;
}

/** It is looked this often whether something is to be said, so that rate and time left stay true when nothing arrives. */
const TICK_MS = 1_000;
/** Plain lines come so far apart that with a tick it is never more than half a minute. */
const PLAIN_EVERY_MS = 29_000;
/** Nothing new for this long is worth a word. */
const QUIET_MS = 10_000;

/**
 * Shows progress, and lets log lines pass without being torn by it. While something is under way it is never silent for
 * longer than half a minute.
 */
export class ProgressDisplay {
  readonly #options: DisplayOptions;
  readonly #line = new ProgressLine();
  #snapshot: Snapshot | undefined;
  /** When the last snapshot that differed from the one before it came. */
  #changedAt = 0;
  #saidAt = Number.NEGATIVE_INFINITY;
  #stopTicking: (() => void) | undefined;

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  readonly show = (snapshot: Snapshot): void => {
    const before = this.#snapshot;
    if (before === undefined || isNews(before, snapshot)) this.#changedAt = this.#options.clock.monotonic();
    this.#snapshot = snapshot;
    this.#stopTicking ??= this.#options.every(TICK_MS, () => this.#draw());
    this.#draw();
  };

  /** Writes a whole line above the moving one. */
  readonly line = (text: string): void => {
    this.#options.moving.above(text);
  };

  /** Writes a line of the result, which goes elsewhere; on a terminal both meet. */
  result(out: (text: string) => void, text: string): void {
    this.#options.moving.aside(() => out(`${text}\n`));
  }

  /** Shows one text that stays until there is progress again; false where there is no terminal to show it at. */
  rest(text: string): boolean {
    this.end();
    const { live, moving } = this.#options;
    if (live) moving.show(fitMiddle(text, this.#width));
    return live;
  }

  /** Takes the moving line away. */
  end(): void {
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    this.#snapshot = undefined;
    this.#options.moving.clear();
  }

  get #width(): number {
    return Math.max(20, this.#options.columns() - 1);
  }

  #draw(): void {
    const { clock, live, moving, say } = this.#options;
    if (this.#snapshot === undefined) return;
    const now = clock.monotonic();
    const quiet = now - this.#changedAt;
    const told = quiet < QUIET_MS ? "" : ` · nothing new for ${formatDuration(quiet)}`;
    if (live) {
      moving.show(`${this.#line.render(this.#snapshot, now, this.#width - told.length)}${told}`);
    } else if (now - this.#saidAt >= PLAIN_EVERY_MS) {
      this.#saidAt = now;
      say(`${this.#line.render(this.#snapshot, now, PLAIN_WIDTH)}${told}`);
    }
  }
}

/** A log line may be long; a terminal's width is no measure for it. */
const PLAIN_WIDTH = 200;

function isNews(before: Snapshot, after: Snapshot): boolean {
  return (Object.keys(after) as Array<keyof Snapshot>).some((key) => before[key] !== after[key]);
}
