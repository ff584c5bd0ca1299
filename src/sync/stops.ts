import type { TransferFailed, TransferResult } from "../download/types.ts";

/** Why no new work is started any more (engine.md 1.7). Never conflated: each has its own words and its own way out. */
export type StopReason =
  | "shutdown"
  | "disk-full"
  | "session"
  | "offline"
  | "outage"
  | "throttled"
  | "tls"
  | "root-gone"
  /** Something was thrown: the catalogue can't be written, or a list can't be had. */
  | "failure";

/** Session refusals of the media hosts, without a file in between, after which new transfers make no sense. */
const SESSION_LIMIT = 3;
/** Failures in a row, of at least three files, without a byte in between: the line or the host is down, not the file. */
const HOST_LIMIT = 10;
const HOST_FILES = 3;

/** Failures that may be the whole host's. */
const HOST_KINDS: ReadonlySet<TransferFailed["kind"]> = new Set(["network", "stall", "server", "rate-limited"]);

/** Whether a failure without any byte may be the trouble of the whole host, which charges no file (DECISIONS 11). */
export function mayBeTheHost(result: TransferFailed): boolean {
  return HOST_KINDS.has(result.kind) && result.bytesReceived === 0;
}

/**
 * Watches what happens to the transfers of one run and trips when going on would only do harm. Work that was queued
 * but never started stays pending and is charged to nobody.
 */
export class Stops {
  readonly #controller = new AbortController();
  readonly #shutdown: AbortSignal;
  readonly #shutDown = () => this.trip("shutdown");
  #reason: StopReason | undefined;
  #detail: string | undefined;
  #sessionRefusals = 0;
  #hostFailures = 0;
  readonly #hostFiles = new Set<string>();
  #until: number | undefined;

  constructor(shutdown: AbortSignal) {
    this.#shutdown = shutdown;
    if (shutdown.aborted) this.#shutDown();
    else shutdown.addEventListener("abort", this.#shutDown, { once: true });
  }

  /** The run is over: lets go of the shutdown signal, which outlives it. */
  release(): void {
    this.#shutdown.removeEventListener("abort", this.#shutDown);
  }

  /** Aborts when a breaker trips or a stop was asked for; in-flight transfers go on, waits end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): boolean {
    return this.#shutdown.aborted || this.#reason !== undefined;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** What was seen, for the message. */
  get detail(): string | undefined {
    return this.#detail;
  }

  /** Clock.now() before which Apple wants to be left alone; undefined when it asked for nothing long. */
  get until(): number | undefined {
    return this.#until;
  }

  trip(reason: StopReason, detail?: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#detail = detail;
    this.#controller.abort(new Error(`stopped: ${reason}`));
  }

  /** Takes in how one transfer ended; `file` tells files apart. */
  note(file: string, result: TransferResult): void {
    if (result.bytesReceived > 0 || result.outcome === "published") {
      this.#hostFailures = 0;
      this.#hostFiles.clear();
    }
    if (result.outcome === "published") {
      // The session proved good: what was refused before was refused for itself.
      this.#sessionRefusals = 0;
      return;
    }
    if (result.kind === "disk-full") this.trip("disk-full", result.message);
    if (result.kind === "tls") this.trip("tls", result.message);
    if (result.kind === "session" && ++this.#sessionRefusals >= SESSION_LIMIT) this.trip("session", result.message);
    if (result.notBefore !== undefined) {
      this.#until = Math.max(this.#until ?? 0, result.notBefore);
      this.trip("throttled", result.message);
    }
    if (!mayBeTheHost(result)) return;
    this.#hostFailures += 1;
    this.#hostFiles.add(file);
    if (this.#hostFailures < HOST_LIMIT || this.#hostFiles.size < HOST_FILES) return;
    this.trip(result.kind === "network" || result.kind === "stall" ? "offline" : "outage", result.message);
  }
}
