/** A controller that also follows other signals, until it is released. */
export interface Follower {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Lets go of the signals that are followed; nothing of this stays registered with them. */
  release(): void;
}

/**
 * Aborts with the first of `others`, and with its reason. Unlike `AbortSignal.any` it can be released, so that nothing
 * piles up at signals that live as long as the process.
 */
export function follow(...others: readonly AbortSignal[]): Follower {
  const controller = new AbortController();
  const links = others.map((other) => ({ other, take: () => controller.abort(other.reason) }));
  for (const { other, take } of links) {
    if (other.aborted) take();
    else other.addEventListener("abort", take, { once: true });
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => {
      for (const { other, take } of links) other.removeEventListener("abort", take);
    },
  };
}
