import type { TransferErrorKind } from "./types.ts";

/** What follows from one kind of failure (engine.md 2.4). */
export interface FailureRule {
  /** Tried again within the transfer, with the same URL: resuming what is there, from byte 0, or not at all. */
  readonly retry: "resume" | "from-zero" | "no";
  /** Worth another transfer in this run with a fresh URL. */
  readonly cleanup: boolean;
  /** Counts as one of the file's lifetime attempts. */
  readonly charge: boolean;
  /** What becomes of the temporary file. */
  readonly temp: "keep" | "delete";
  /** Not this file's failure at all: its row goes back to pending. */
  readonly putOff: boolean;
}

const transient: FailureRule = { retry: "resume", cleanup: true, charge: true, temp: "keep", putOff: false };
const badBody: FailureRule = { retry: "from-zero", cleanup: true, charge: true, temp: "delete", putOff: false };
const local: FailureRule = { retry: "no", cleanup: false, charge: false, temp: "keep", putOff: false };

/** The whole table, one row a kind. */
const FAILURE_RULES: Readonly<Record<TransferErrorKind, FailureRule>> = {
  "rate-limited": transient,
  server: transient,
  network: transient,
  stall: transient,
  "short-body": transient,
  protocol: badBody,
  "long-body": badBody,
  "bad-body": badBody,
  checksum: badBody,
  "bad-range": badBody,
  session: { ...transient, retry: "no", charge: false },
  permanent: { ...transient, retry: "no" },
  "url-expired": { ...transient, retry: "no", charge: false, putOff: true },
  suspended: { ...transient, retry: "no", charge: false, putOff: true },
  "forbidden-url": { ...transient, retry: "no" },
  tls: { ...local, putOff: true },
  "disk-full": { ...local, temp: "delete" },
  permission: local,
  "local-io": { ...local, charge: true, temp: "delete" },
  "bad-path": { ...local, charge: true },
  "fd-pressure": { ...local, retry: "resume" },
  "foreign-temp": local,
  collision: { ...local, charge: true },
  interrupted: { ...local, putOff: true },
  unknown: { ...transient },
};

export function classify(kind: TransferErrorKind): FailureRule {
  return FAILURE_RULES[kind];
}

/** What the service itself has answered about a file, as opposed to trouble of the line, of this machine or of the whole host. */
const ANSWERS: ReadonlySet<TransferErrorKind> = new Set([
  "short-body",
  "protocol",
  "long-body",
  "bad-body",
  "checksum",
  "bad-range",
  "permanent",
  "forbidden-url",
  "server",
] as const);

export function isAnswer(kind: TransferErrorKind): boolean {
  return ANSWERS.has(kind);
}

/** The kind of a status that is neither 200 nor 206, nor a redirect, nor 416. */
export function kindOfStatus(status: number): TransferErrorKind {
  if (status === 429 || status === 503) return "rate-limited";
  if (status === 401 || status === 403) return "session";
  if (status === 410) return "url-expired";
  if (status >= 500) return "server";
  if (status >= 400) return "permanent";
  return "protocol";
}

const LOCAL_KINDS: Readonly<Record<string, TransferErrorKind>> = {
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EROFS: "permission",
  EACCES: "permission",
  EPERM: "permission",
  EIO: "local-io",
  ESTALE: "local-io",
  ENXIO: "local-io",
  ENAMETOOLONG: "bad-path",
  EINVAL: "bad-path",
  EILSEQ: "bad-path",
  ENOTDIR: "bad-path",
  EISDIR: "bad-path",
  ELOOP: "bad-path",
  EMFILE: "fd-pressure",
  ENFILE: "fd-pressure",
  ENOMEM: "fd-pressure",
};

/** The kind of an error of this machine's file system, by its code; undefined when it is none. */
export function kindOfLocalError(error: unknown): TransferErrorKind | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === "connect" || syscall === "getaddrinfo") return undefined;
  return LOCAL_KINDS[code];
}

const PLAIN: Partial<Record<TransferErrorKind, string>> = {
  "disk-full": "the disk is full",
  permission: "no permission to write here",
  "local-io": "the disk reports an error",
  "bad-path": "the name can't be used on this file system",
  "fd-pressure": "too many files are open on this machine",
};

/** One line for people about a local error; the code tells the experts. */
export function describeLocalError(kind: TransferErrorKind, error: unknown): string {
  return `${PLAIN[kind] ?? "the file could not be written"} (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
}
