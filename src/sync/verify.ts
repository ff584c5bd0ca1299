import { existsSync } from "node:fs";
import { join } from "node:path";
import { checksumOf } from "../download/existing.ts";
import type { AppleChecksum } from "../library/asset.ts";
import { isVerifiable } from "../library/checksum.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { openStateReadOnly } from "../state/index.ts";
import type { SavedFile, State } from "../state/types.ts";
import type { CatalogueSettings, CheckListener, FileIssue, VerifyOptions, VerifyResult } from "./check-types.ts";
import {
  issueOf,
  lookAtSaved,
  NAMED_PLACELESS,
  placelessIssues,
  reasonOf,
  type Standing,
  savedFiles,
} from "./saved-files.ts";
import { filesOf } from "./session.ts";
import type { Ports } from "./types.ts";

/**
 * Looks at every saved file, and with `checksums` at every byte of it (engine.md RC-8). Reads only, also beside a running
 * sync. A stop ends it between two pieces of a file; the figures so far are returned. Undefined when there is no
 * catalogue. Throws `Failure` (exit 1) when the download folder is not there.
 */
export async function verify(
  settings: CatalogueSettings,
  options: VerifyOptions,
  listener: CheckListener,
  ports: Ports,
): Promise<VerifyResult | undefined> {
  const { domain, username, directory } = settings;
  const path = filesOf(settings).database;
  const state = await openStateReadOnly({ path, domain, username, clock: ports.clock, logger: ports.logger });
  if (state === undefined) return undefined;
  try {
    return await verifyFiles(state, directory, options, listener, ports.stop);
  } finally {
    state.close();
  }
}

/** The same over an open catalogue. */
export async function verifyFiles(
  state: State,
  directory: string,
  { checksums, part }: VerifyOptions,
  listener: CheckListener,
  stop: AbortSignal,
): Promise<VerifyResult> {
  if (state.hasDownloads() && !existsSync(directory)) throw rootAbsent(directory);
  const count = state.countSaved(part);
  listener.begin(count.files, count.bytes);
  const counts: Record<Verdict["kind"], number> = { ...NONE };
  const reader = new Reader(stop, (bytes) => listener.progress(looked, bytes));
  let looked = 0;
  for (const file of savedFiles(state, part)) {
    if (stop.aborted) break;
    const verdict = await judge(
      file,
      await lookAtSaved(directory, file.path),
      join(directory, file.path),
      reader,
      checksums,
    );
    if (verdict === undefined) break;
    looked += 1;
    counts[verdict.kind] += 1;
    if (verdict.kind !== "verified" && verdict.kind !== "unverifiable")
      listener.issue(issueOf(verdict.kind, file, verdict.detail));
    listener.progress(looked, reader.bytes);
  }
  const stopped = stop.aborted;
  // Files without a place belong to no part; the first one tells of them.
  const placeless =
    part === undefined || part.number === 1 ? state.placeless(NAMED_PLACELESS) : { files: [], count: 0 };
  if (!stopped) for (const issue of placelessIssues(placeless.files)) listener.issue(issue);
  const { pending, failed } = state.totals(0).files;
  return {
    ...counts,
    noPath: stopped ? 0 : placeless.count,
    waiting: pending + failed,
    bytesRead: reader.bytes,
    stopped,
  };
}

/** What is to be said of a file. */
interface Verdict {
  readonly kind: Exclude<FileIssue["kind"], "no-path" | "not-saved"> | "verified" | "unverifiable";
  readonly detail?: string;
}

const NONE: Readonly<Record<Verdict["kind"], number>> = {
  verified: 0,
  unverifiable: 0,
  missing: 0,
  truncated: 0,
  corrupted: 0,
  unreadable: 0,
};

/** Undefined when a stop came while the file was read. */
async function judge(
  file: SavedFile,
  standing: Standing,
  path: string,
  reader: Reader,
  checksums: boolean,
): Promise<Verdict | undefined> {
  if (standing.kind === "missing") return standing;
  if (standing.kind === "unreadable") return { kind: "unreadable", detail: standing.reason };
  const { localSize, checksum } = file;
  if (localSize !== undefined && standing.size !== localSize) {
    const detail = `${standing.size} of ${localSize} bytes`;
    if (checksums) return { kind: "corrupted", detail };
    if (standing.size < localSize) return { kind: "truncated", detail };
  }
  if (!checksums) return { kind: "verified" };
  if (!isVerifiable(checksum)) return { kind: "unverifiable" };
  const found = await reader.read(path, standing.file);
  if (found === "stopped") return undefined;
  if (found.kind === "read") return { kind: found.checksum === checksum ? "verified" : "corrupted" };
  return found.kind === "missing" ? found : { kind: "unreadable", detail: found.reason };
}

type Read =
  | { readonly kind: "read"; readonly checksum: AppleChecksum }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | "stopped";

/** Reads files; the names of one file, which come one after the other, are read once. */
class Reader {
  bytes = 0;
  readonly #stop: AbortSignal;
  readonly #onBytes: (all: number) => void;
  #last: { readonly file: string; readonly checksum: AppleChecksum } | undefined;

  constructor(stop: AbortSignal, onBytes: (all: number) => void) {
    this.#stop = stop;
    this.#onBytes = onBytes;
  }

  async read(path: string, file: string): Promise<Read> {
    if (this.#last?.file === file) return { kind: "read", checksum: this.#last.checksum };
    try {
      const checksum = await checksumOf(path, (count) => {
        this.#stop.throwIfAborted();
        this.bytes += count;
        this.#onBytes(this.bytes);
      });
      this.#last = { file, checksum };
      return { kind: "read", checksum };
    } catch (error) {
      if (this.#stop.aborted) return "stopped";
      const code = (error as NodeJS.ErrnoException).code;
      if (code === undefined) throw error;
      return code === "ENOENT" || code === "ENOTDIR"
        ? { kind: "missing" }
        : { kind: "unreadable", reason: reasonOf(code) };
    }
  }
}

function rootAbsent(directory: string): Failure {
  return new Failure(`The download folder ${directory} is not there`, {
    exit: EXIT.failure,
    remedy: "Mount the disk it is on, or name the right folder with --download-dir.",
  });
}
