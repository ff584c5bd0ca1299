import type { Tally } from "./tally.ts";
import type { Ports, Progress } from "./types.ts";

/** Displays are told at most this often, ms. */
const INTERVAL_MS = 200;

/** Keeps what a display needs to know, and tells it a few times a second at most. */
export class ProgressTeller {
  readonly #tally: Tally;
  readonly #ports: Ports;
  #phase: Progress["phase"] = "listing";
  #pass: string | undefined;
  #expected: number | undefined;
  /** Bytes of transfers that are still running: not in the tally yet. */
  #inFlightBytes = 0;
  #settledBytes = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(tally: Tally, ports: Ports) {
    this.#tally = tally;
    this.#ports = ports;
  }

  expect(assets: number): void {
    this.#expected = (this.#expected ?? 0) + assets;
    this.tell();
  }

  /** Photos that Apple counts in what was selected; undefined while that is not known. */
  get expected(): number | undefined {
    return this.#expected;
  }

  passing(label: string): void {
    this.#pass = label;
    this.tell();
  }

  phase(phase: Progress["phase"]): void {
    this.#phase = phase;
    this.#now();
  }

  bytes(count: number): void {
    this.#inFlightBytes += count;
    this.tell();
  }

  end(): void {
    this.#now();
  }

  tell(): void {
    if (this.#ports.clock.monotonic() - this.#told >= INTERVAL_MS) this.#now();
  }

  #now(): void {
    this.#told = this.#ports.clock.monotonic();
    // Bytes are counted as they arrive; the tally only learns of them when a transfer ends.
    this.#settledBytes = Math.max(this.#settledBytes, this.#inFlightBytes, this.#tally.bytesReceived);
    const phase = this.#phase === "listing" && this.#tally.filesPlanned > 0 ? "downloading" : this.#phase;
    this.#ports.onProgress({
      ...this.#tally.progress(phase, this.#expected, this.#pass),
      bytesDone: this.#settledBytes,
    });
  }
}
