/** Pure arithmetic of waiting before a retry. One law for Apple's API and for transfers. */

/** No single wait is longer than this, jitter included. */
export const MAX_WAIT_MS = 60_000;

/**
 * First delay in milliseconds, derived from how many retries one transfer may make:
 * 0: none; 1-2: 2 s; 3: 5 s; 4-6: 10 s; 7 and more: 30 s.
 */
export function baseDelayMs(retries: number): number {
  if (retries <= 0) return 0;
  if (retries <= 2) return 2_000;
  if (retries <= 3) return 5_000;
  if (retries <= 6) return 10_000;
  return 30_000;
}

/**
 * Milliseconds to wait before retry `k` (0 for the first): `min(base * 2^k, 60 s - base) + U`, with U uniform in
 * [0, base). So never below `base`, never above 60 s, and jitter is not lost at the cap.
 * `random` is a number in [0, 1).
 */
export function retryDelayMs(k: number, baseMs: number, random: number): number {
  const grown = baseMs * 2 ** Math.min(k, 30);
  return Math.min(grown, MAX_WAIT_MS - baseMs) + random * baseMs;
}

/**
 * Milliseconds that a `Retry-After` header asks for, or undefined when it is absent, zero, negative, in the past or
 * not understood. Accepts seconds and HTTP dates; a date is measured against `serverNowMs` (the answer's `Date`
 * header, else the local clock). Not capped: the caller decides what a long wait means.
 */
export function parseRetryAfterMs(value: string | null | undefined, serverNowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) > 0 ? Number(text) * 1000 : undefined;
  if (!/[a-z]/i.test(text)) return undefined;
  const wait = Date.parse(text) - serverNowMs;
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
}
