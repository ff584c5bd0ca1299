/** Pages that may be on their way before anything is known of the workers' hunger. */
const CAUTIOUS_PAGES = 2;
/** Most pages on their way at once (DECISIONS 16). */
export const MOST_PAGES = 8;

/**
 * How far a listing may run ahead of the transfers. Every page in flight brings signed URLs that age, so the walk
 * starts with two pages and doubles only when the planner had to wait for a page while workers had nothing to do;
 * it falls back as soon as work waits for workers. A walk that finds nothing to fetch thus goes at full speed, and one
 * that fetches everything never holds more than the queue and two pages of unstarted URLs.
 */
export class Pace {
  #pages = CAUTIOUS_PAGES;
  readonly #hungry: () => boolean;

  /** `hungry` tells whether workers are idle and nothing is queued for them. */
  constructor(hungry: () => boolean) {
    this.#hungry = hungry;
  }

  readonly lookAhead = (): number => this.#pages;

  /** A page has arrived and is about to be planned. */
  pageArrived(): void {
    this.#pages = this.#hungry() ? Math.min(MOST_PAGES, this.#pages * 2) : CAUTIOUS_PAGES;
  }
}
