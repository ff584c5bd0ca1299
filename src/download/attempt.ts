import type { FileHandle } from "node:fs/promises";
import { parseRetryAfterMs } from "../library/backoff.ts";
import { type ChecksumHasher, createChecksumHasher, isVerifiable } from "../library/checksum.ts";
import { contentMismatch, isErrorContentType, looksLikeErrorPage, SNIFF_BYTES } from "../library/sniff.ts";
import { networkErrorKind } from "../runtime/network.ts";
import { describeLocalError, kindOfLocalError, kindOfStatus } from "./classify.ts";
import { readInto } from "./existing.ts";
import { ForeignTemp, openPartial, resumableBytes } from "./partial.ts";
import type { TransferDeps } from "./transfer.ts";
import type { TransferErrorKind, TransferTask } from "./types.ts";
import { BadRedirect, fetchMedia, hostOf } from "./urls.ts";
import { Stalled, Suspended, Watchdog } from "./watchdog.ts";

/** Bytes are gathered to this size before they are written. */
const WRITE_BYTES = 256 * 1024;

const HEADERS = {
  accept: "*/*",
  "accept-encoding": "identity",
  // Said, because a runtime would otherwise say something else.
  "accept-language": "en-US,en;q=0.9",
  origin: "https://www.icloud.com",
  referer: "https://www.icloud.com/",
  "user-agent":
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
} as const;

/** How one request and its body ended. */
export type AttemptResult =
  | {
      readonly ok: true;
      readonly received: number;
      readonly proof: "provider" | "size";
      readonly warning: string | undefined;
    }
  | {
      readonly ok: false;
      readonly received: number;
      readonly kind: TransferErrorKind;
      readonly message: string;
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
      /** Overrides the kind's rule for the temporary file. */
      readonly temp?: "keep" | "delete";
      /** 416: the partial file was wrong; worth one try from 0 without a wait. */
      readonly startOver?: boolean;
    };

/** A failure found while a body is being taken in. */
class Rejected extends Error {
  constructor(
    readonly kind: TransferErrorKind,
    message: string,
    readonly more: {
      status?: number;
      retryAfterMs?: number | undefined;
      temp?: "keep" | "delete";
      startOver?: boolean;
    } = {},
  ) {
    super(message);
  }
}

/**
 * One request: resumes what is there, checks the answer before a byte is written, hashes while it writes, and proves
 * the whole file (engine.md 3.3, 3.4). On success the temporary file is complete, proven, dated and on disk. Never
 * throws.
 */
export async function attempt(task: TransferTask, deps: TransferDeps): Promise<AttemptResult> {
  const taking = new Taking(task, deps);
  const watchdog = new Watchdog(deps.clock, deps.cancel);
  const failed = (error: unknown): AttemptResult => ({
    ok: false,
    received: taking.received,
    ...explain(error, task, deps, watchdog),
  });
  let result: AttemptResult;
  try {
    result = await taking.run(watchdog);
  } catch (error) {
    result = failed(error);
  }
  watchdog.stop();
  try {
    await taking.close();
  } catch (error) {
    // Some network file systems tell only now that the bytes could not be kept.
    if (result.ok) result = failed(error);
  }
  return result;
}

class Taking {
  received = 0;
  readonly #task: TransferTask;
  readonly #deps: TransferDeps;
  #hasher: ChecksumHasher = createChecksumHasher();
  #head = new Uint8Array(0);
  #file: FileHandle | undefined;
  /** Bytes in the file and those gathered for the next write. */
  #length = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #written = 0;

  constructor(task: TransferTask, deps: TransferDeps) {
    this.#task = task;
    this.#deps = deps;
  }

  async run(watchdog: Watchdog): Promise<AttemptResult> {
    const { size, tempPath } = this.#task;
    await this.#deps.folders.ensure(tempPath);
    let offset = await resumableBytes(this.#task, this.#deps.clock);
    if (offset > 0) await readInto(tempPath, (bytes) => this.#take(bytes));
    this.#written = offset;
    if (offset > 0 && offset === size) {
      // Complete but never proven: a crash came between the last byte and the proof.
      this.#file = await openPartial(tempPath, offset);
      return await this.#finish();
    }

    watchdog.connecting();
    const response = await fetchMedia(this.#deps.fetch, this.#task.url, {
      headers: offset > 0 ? { ...HEADERS, range: `bytes=${offset}-` } : HEADERS,
      signal: watchdog.signal,
    });
    watchdog.heard();
    try {
      if (await this.#startsOver(response, offset)) offset = 0;
      this.#file = await openPartial(tempPath, offset);
    } catch (error) {
      // Frees the connection; a body that is over already has nothing to free.
      await response.body?.cancel().catch(() => undefined);
      throw error;
    }
    await this.#receive(response, watchdog);
    return await this.#finish();
  }

  /** Checks status and headers. True when the server sends everything although only the rest was asked for. */
  async #startsOver(response: Response, offset: number): Promise<boolean> {
    const { status, headers } = response;
    if (status !== 200 && status !== 206) {
      await response.body?.cancel();
      const message = `the server answered ${status}`;
      if (status === 416 && offset > 0)
        throw new Rejected("bad-range", "the server refused to resume", { startOver: true });
      if (status === 416) throw new Rejected("permanent", message, { status });
      const serverNow = Date.parse(headers.get("date") ?? "") || this.#deps.clock.now();
      throw new Rejected(kindOfStatus(status), message, {
        status,
        retryAfterMs: parseRetryAfterMs(headers.get("retry-after"), serverNow),
      });
    }
    if (isErrorContentType(headers.get("content-type"))) {
      await response.body?.cancel();
      throw new Rejected("bad-body", `the server sent ${headers.get("content-type")} instead of the file`, { status });
    }
    if (status === 206) {
      this.#checkRange(headers, offset);
      return false;
    }
    if (offset === 0) return false;
    this.#deps.logger.info("the server does not resume, starting over", { file: this.#task.label });
    this.#reset();
    return true;
  }

  /** A 206 must answer exactly the range that was asked for, of a file of the expected size. */
  #checkRange(headers: Headers, offset: number): void {
    const { size } = this.#task;
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    const fits =
      match !== null &&
      Number(match[1]) === offset &&
      Number(match[2]) === size - 1 &&
      (match[3] === "*" || Number(match[3]) === size);
    const length = headers.get("content-length");
    if (!fits || (length !== null && Number(length) !== size - offset)) {
      throw new Rejected("bad-range", "the server sent another part of the file than was asked for", { status: 206 });
    }
  }

  async #receive(response: Response, watchdog: Watchdog): Promise<void> {
    const { size } = this.#task;
    const announced = response.headers.get("content-length");
    const before = this.received;
    const reader = response.body?.getReader();
    try {
      for (;;) {
        watchdog.reading();
        const next = reader === undefined ? { done: true as const, value: undefined } : await reader.read();
        watchdog.heard();
        if (next.done) break;
        const bytes = next.value;
        this.received += bytes.length;
        this.#deps.onBytes(bytes.length);
        if (this.#length + bytes.length > size) throw this.#tooLong(bytes);
        await this.#deps.limiter?.take(bytes.length, this.#deps.cancel);
        this.#take(bytes);
        await this.#gather(bytes);
      }
    } finally {
      // Frees the connection when the body is not wanted to its end; a broken one has nothing left to say.
      await reader?.cancel().catch(() => undefined);
      await this.#flush();
    }
    const got = this.received - before;
    if (announced !== null && got < Number(announced))
      throw new Rejected("short-body", `the connection ended after ${got} of ${announced} bytes`);
    if (this.#length === 0) throw new Rejected("bad-body", "the server sent nothing");
    if (this.#length < size) {
      if (looksLikeErrorPage(this.#head))
        throw new Rejected("bad-body", "the server sent an error page instead of the file");
      throw new Rejected("short-body", `the file ended after ${this.#length} of ${size} bytes`, { temp: "delete" });
    }
  }

  #tooLong(bytes: Uint8Array): Rejected {
    this.#take(bytes);
    if (looksLikeErrorPage(this.#head))
      return new Rejected("bad-body", "the server sent an error page instead of the file");
    return new Rejected("long-body", `the server sent more than the ${this.#task.size} bytes of the file`);
  }

  /** Proves the file, dates it and makes its bytes durable. */
  async #finish(): Promise<AttemptResult> {
    const { checksum, modifiedAt, finalPath } = this.#task;
    const provable = isVerifiable(checksum);
    if (provable && this.#hasher.digest() !== checksum) {
      if (looksLikeErrorPage(this.#head))
        throw new Rejected("bad-body", "the server sent an error page instead of the file");
      throw new Rejected("checksum", "the bytes do not match Apple's checksum");
    }
    if (!provable && looksLikeErrorPage(this.#head))
      throw new Rejected("bad-body", "the server sent an error page instead of the file");
    const mismatch = provable ? undefined : contentMismatch(finalPath, this.#head);
    const file = this.#file;
    if (file === undefined) throw new Error("the temporary file is not open");
    await file.chmod(this.#deps.fileMode);
    await setTime(file, modifiedAt, (reason) =>
      this.#deps.logger.warn("could not set the time of a file", { file: this.#task.label, reason }),
    );
    await file.sync();
    return { ok: true, received: this.received, proof: provable ? "provider" : "size", warning: mismatch };
  }

  #take(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
    this.#length += bytes.length;
    if (this.#head.length < SNIFF_BYTES) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, SNIFF_BYTES - this.#head.length)]);
    }
  }

  #reset(): void {
    this.#hasher = createChecksumHasher();
    this.#head = new Uint8Array(0);
    this.#length = 0;
    this.#written = 0;
  }

  async #gather(bytes: Uint8Array): Promise<void> {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= WRITE_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#gatheredBytes === 0 || this.#file === undefined) return;
    const [only] = this.#gathered;
    const block =
      this.#gathered.length === 1 && only !== undefined ? only : Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    for (let done = 0; done < block.length; ) {
      const { bytesWritten } = await this.#file.write(block, done, block.length - done, this.#written);
      done += bytesWritten;
      this.#written += bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** A file keeps its bytes whatever becomes of its date: a failure is only told. */
async function setTime(file: FileHandle, modifiedAt: number, warn: (reason: string) => void): Promise<void> {
  try {
    const time = new Date(Math.trunc(modifiedAt / 1000) * 1000);
    await file.utimes(time, time);
  } catch (error) {
    warn((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

function explain(
  error: unknown,
  task: TransferTask,
  deps: TransferDeps,
  watchdog: Watchdog,
): Omit<Extract<AttemptResult, { ok: false }>, "ok" | "received"> {
  if (deps.cancel.aborted) return { kind: "interrupted", message: "stopped" };
  if (error instanceof Rejected) return { kind: error.kind, message: error.message, ...error.more };
  if (watchdog.signal.aborted) {
    const reason: unknown = watchdog.signal.reason;
    if (reason instanceof Suspended) return { kind: "suspended", message: reason.message };
    return { kind: "stall", message: reason instanceof Stalled ? reason.message : "no data" };
  }
  if (error instanceof BadRedirect) return { kind: "forbidden-url", message: error.message };
  if (error instanceof ForeignTemp) return { kind: "foreign-temp", message: error.message };
  const local = kindOfLocalError(error);
  if (local !== undefined) return { kind: local, message: describeLocalError(local, error) };
  if ((error as NodeJS.ErrnoException).code === "ENOENT") {
    deps.folders.forget();
    return { kind: "local-io", message: "its folder has vanished" };
  }
  const network = networkErrorKind(error);
  if (network === "tls-invalid") return { kind: "tls", message: `the certificate of ${hostOf(task.url)} is not valid` };
  if (network !== "other")
    return { kind: "network", message: `the connection to ${hostOf(task.url)} failed (${network})` };
  return {
    kind: "unknown",
    message: `unexpected: ${error instanceof Error ? error.message : String(error)}`.replaceAll(
      /https?:\/\/[^\s"']+/g,
      "the URL",
    ),
  };
}
