/**
 * What the rooms receive instead of reaching for it: time, chance and a voice. Tests replace them, so no test has to
 * wait and no retry is left to luck.
 */

/** Time as the rooms see it. */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. May jump. */
  now(): number;
  /** Milliseconds that only ever grow; for measuring and for rate limits. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds, or rejects with `signal.reason` as soon as `signal` aborts. A negative or zero
   * wait resolves in a later microtask.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A source of uniform numbers in [0, 1). Not for secrets. */
export type Random = () => number;

/** Structured fields of a log line. Never put a password, token, cookie, code or signed URL here. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = (() => {
  const quiet = () => undefined;
  return { debug: quiet, info: quiet, warn: quiet, error: quiet };
})();
