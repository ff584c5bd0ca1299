import type { LoggedRequest, RequestLog } from "./contract.ts";

/** Every request the double has seen, in the order of arrival; the oldest are dropped when there are very many. */
export class DoubleLog implements RequestLog {
  readonly #keep: number;
  #entries: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();

  constructor(keep = 20_000) {
    this.#keep = keep;
  }

  get all(): readonly LoggedRequest[] {
    return this.#entries;
  }

  add(entry: LoggedRequest): void {
    this.#counts.set(entry.operation, (this.#counts.get(entry.operation) ?? 0) + 1);
    this.#entries.push(entry);
    if (this.#entries.length > this.#keep * 2) this.#entries = this.#entries.slice(-this.#keep);
  }

  /** How often an operation was asked for; a pattern counts all it matches. */
  count(operation: string | RegExp): number {
    if (typeof operation === "string") return this.#counts.get(operation) ?? 0;
    return [...this.#counts].reduce((sum, [name, count]) => (operation.test(name) ? sum + count : sum), 0);
  }

  /** All counters. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }
}
