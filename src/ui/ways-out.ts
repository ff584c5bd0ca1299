/** What to do about each kind of failure (`TransferErrorKind`). */
const WAYS_OUT: Readonly<Record<string, string>> = {
  permission: "check the permissions of the download folder",
  "disk-full": "free some space",
  "local-io": "check the disk",
  "bad-path": "choose another folder template or file system",
  "fd-pressure": "lower --threads",
  collision: "move the other file away",
  "foreign-temp": "move the file that is in the way",
  session: "sign in again with `kei login`",
  tls: "check this machine's clock",
  network: "check the network; the next run tries again",
  stall: "check the network; the next run tries again",
};
const DEFAULT_WAY_OUT = "nothing to do: the next run tries again";
const EXHAUSTED_WAY_OUT = "`kei sync --retry-failed` tries it again";

/** Fixed words that `kei reconcile` leaves for monitors, with what they mean. */
const FIXED: Readonly<Record<string, string>> = {
  FILE_MISSING_AT_STARTUP: "no longer on disk (FILE_MISSING_AT_STARTUP)",
  FILE_TRUNCATED_AT_STARTUP: "cut short on disk (FILE_TRUNCATED_AT_STARTUP)",
};

/** The error of a file that failed, for people. */
export function errorWords(error: string | undefined): string {
  if (error === undefined) return "unknown error";
  return FIXED[error] ?? error;
}

/** Whether a file has used up its attempts. `cap` 0: there is no limit. */
export function isExhausted(attempts: number, cap: number): boolean {
  return cap > 0 && attempts >= cap;
}

/** What its owner can do about a file that failed; undefined when there is nothing but to wait for the next run. */
export function ownWayOut(errorKind: string | undefined, attempts: number, cap: number): string | undefined {
  return isExhausted(attempts, cap) ? EXHAUSTED_WAY_OUT : WAYS_OUT[errorKind ?? ""];
}

/** What to do about a file that failed. */
export function wayOut(errorKind: string | undefined, attempts: number, cap: number): string {
  return ownWayOut(errorKind, attempts, cap) ?? DEFAULT_WAY_OUT;
}
