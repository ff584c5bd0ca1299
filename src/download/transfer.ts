import { baseDelayMs, MAX_WAIT_MS, retryDelayMs } from "../library/backoff.ts";
import { isMediaUrl } from "../library/media-hosts.ts";
import type { AppleFetch } from "../runtime/network.ts";
import type { Clock, Logger, Random } from "../runtime/ports.ts";
import { follow } from "../runtime/signals.ts";
import { type AttemptResult, attempt } from "./attempt.ts";
import type { Brake } from "./brake.ts";
import { classify, describeLocalError, kindOfLocalError } from "./classify.ts";
import type { Folders } from "./folders.ts";
import type { Limiter } from "./limiter.ts";
import { removePartial } from "./partial.ts";
import { publish } from "./publish.ts";
import type { TransferErrorKind, TransferFailed, TransferResult, TransferTask } from "./types.ts";
import { hostOf } from "./urls.ts";

export interface TransferDeps {
  readonly fetch: AppleFetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Retries after the first try. */
  readonly retries: number;
  readonly brake: Brake;
  readonly limiter?: Limiter | undefined;
  readonly folders: Folders;
  /** Mode of published files, umask applied. */
  readonly fileMode: number;
  /** Aborts when nothing new may start: what is in flight goes on, a wait before a retry ends at once. */
  readonly stop: AbortSignal;
  /** Aborts everything now; the partial file is kept for a later run. */
  readonly cancel: AbortSignal;
  /** Told of body bytes as they arrive. */
  readonly onBytes: (count: number) => void;
  /** Told of every answer that asks to slow down. */
  readonly onRateLimited?: () => void;
}

/** Jitter added to a wait the server asked for, so that workers don't come back together. */
const POLITE_JITTER_MS = 1_000;

type Failed = Extract<AttemptResult, { ok: false }>;

/**
 * Fetches one file and publishes it under its final name: at most `retries` + 1 requests, each resuming what is there,
 * with growing waits in between (engine.md 2, 3). The final name appears only on a complete, proven file; the folder
 * entry still has to be made durable by the caller. Never throws.
 */
export async function transfer(task: TransferTask, deps: TransferDeps): Promise<TransferResult> {
  const either = follow(deps.stop, deps.cancel);
  try {
    return await tryToTransfer(task, deps, either.signal);
  } finally {
    either.release();
  }
}

/** `waits` ends a wait: a stop, or worse. */
async function tryToTransfer(task: TransferTask, deps: TransferDeps, waits: AbortSignal): Promise<TransferResult> {
  let tries = 0;
  let received = 0;
  let mismatches = 0;
  let startedOver = false;
  const failed = (kind: TransferErrorKind, message: string, more: Partial<TransferFailed> = {}): TransferFailed => ({
    outcome: "failed",
    kind,
    message,
    bytesReceived: received,
    tries,
    status: undefined,
    notBefore: undefined,
    ...more,
  });

  if (!isMediaUrl(task.url)) {
    return failed("forbidden-url", `the address of the file is not on Apple's media hosts (${hostOf(task.url)})`);
  }
  for (let retries = 0; ; ) {
    if (!(await unlessStopped(deps.brake.pass(hostOf(task.url), waits), deps))) return failed("interrupted", "stopped");
    tries += 1;
    const result = await attempt(task, deps);
    received += result.received;
    if (result.ok) {
      const problem = await publishFile(task);
      if (problem !== undefined) return failed(problem.kind, problem.message);
      return {
        outcome: "published",
        bytesReceived: received,
        proof: result.proof,
        tries,
        warning: result.warning,
      };
    }
    if (result.kind === "rate-limited") deps.onRateLimited?.();
    const rule = classify(result.kind);
    if ((result.temp ?? rule.temp) === "delete") await discard(task, deps);
    if (result.startOver === true && !startedOver) {
      startedOver = true;
      continue;
    }
    const told = { status: result.status };
    if (result.kind === "checksum") mismatches += 1;
    // The same URL gave wrong bytes twice: a fresh one is needed, not more patience (DECISIONS 11).
    if (rule.retry === "no" || retries >= deps.retries || mismatches > 1)
      return failed(result.kind, result.message, told);
    if (deps.stop.aborted) return failed("interrupted", result.message, told);
    const wait = waitBefore(retries, result, task, deps);
    if (wait > MAX_WAIT_MS) return failed(result.kind, result.message, { ...told, notBefore: deps.clock.now() + wait });
    deps.logger.debug("a transfer failed and is tried again", {
      file: task.label,
      reason: result.message,
      wait_ms: Math.round(wait),
    });
    if (!(await unlessStopped(deps.clock.sleep(wait, waits), deps))) return failed("interrupted", result.message, told);
    retries += 1;
  }
}

/** Milliseconds before the next try; what the server asks for replaces our own law for this wait. */
function waitBefore(retry: number, result: Failed, task: TransferTask, deps: TransferDeps): number {
  if (result.retryAfterMs === undefined) return retryDelayMs(retry, baseDelayMs(deps.retries), deps.random());
  deps.brake.hold(hostOf(task.url), deps.clock.now() + result.retryAfterMs);
  if (result.retryAfterMs > MAX_WAIT_MS) return result.retryAfterMs;
  return Math.min(MAX_WAIT_MS, result.retryAfterMs + deps.random() * POLITE_JITTER_MS);
}

/** False when the wait was cut short by a stop. */
async function unlessStopped(waiting: Promise<void>, { stop, cancel }: TransferDeps): Promise<boolean> {
  try {
    await waiting;
    return !cancel.aborted;
  } catch (error) {
    if (stop.aborted || cancel.aborted) return false;
    throw error;
  }
}

async function publishFile(task: TransferTask): Promise<{ kind: TransferErrorKind; message: string } | undefined> {
  try {
    const result = await publish(task.tempPath, task.finalPath, task);
    if (result !== "collision") return undefined;
    return {
      kind: "collision",
      message: `another file has appeared at ${task.label}; the fetched one was kept beside it`,
    };
  } catch (error) {
    const kind = kindOfLocalError(error) ?? "local-io";
    return { kind, message: describeLocalError(kind, error) };
  }
}

/** A temporary file that can't be deleted only costs space: it is claimed, and a later run tries again. */
async function discard(task: TransferTask, deps: TransferDeps): Promise<void> {
  try {
    await removePartial(task.tempPath);
  } catch (error) {
    deps.logger.warn("could not delete a temporary file", {
      file: task.tempPath,
      reason: (error as NodeJS.ErrnoException).code,
    });
  }
}
