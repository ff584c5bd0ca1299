/** The process as kei sees it; the few things a test replaces. */
import { EventEmitter, once } from "node:events";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { EXIT } from "../library/failure.ts";
import { lineReader, type ReadLine } from "./prompt.ts";

export { PromptInterrupted } from "./prompt.ts";

declare const KEI_VERSION: string | undefined;
declare const KEI_COMMIT: string | undefined;

/** Version and commit, baked in by the build; a clone says that it is one. */
export const VERSION = typeof KEI_VERSION === "string" ? KEI_VERSION : "0.1.0-dev";
export const COMMIT = typeof KEI_COMMIT === "string" ? KEI_COMMIT : "source";

/** Memory that this process holds, bytes. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** What runs kei, with its version: `Bun 1.4.5`. */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions as Readonly<Record<string, string | undefined>>;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? `Node.js ${node ?? "unknown"}` : `Deno ${deno}`;
}

/** Where text goes and comes from. */
export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /**
   * Resolves when what was written to `out` has been taken, so that much can be written without being kept in memory.
   * Rejects with the signal's reason when aborted. Absent where nothing is ever kept.
   */
  readonly outTaken?: (signal: AbortSignal) => Promise<void>;
  /** Everything said to people. */
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  /** Width of the terminal, in columns. */
  readonly columns: () => number;
  /**
   * Asks for one line, without showing it when `hidden`. Where stdin is no terminal, the next line that is piped in; nothing
   * is asked then, and the end of the input gives what is left. Rejects with the signal's reason when aborted.
   */
  readonly readLine: ReadLine;
}

/** Signals that ask for an orderly stop. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `onSignal` for every stop signal until the returned function is called. */
export function onStopSignals(onSignal: (name: string) => void): () => void {
  const handlers = STOP_SIGNALS.map((name) => [name, () => onSignal(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** Errors that nobody caught, until the returned function is called. Without a listener the runtime prints source lines. */
export function onCrash(crashed: (error: unknown) => void): () => void {
  process.on("uncaughtException", crashed);
  process.on("unhandledRejection", crashed);
  return () => {
    process.off("uncaughtException", crashed);
    process.off("unhandledRejection", crashed);
  };
}

/** The real terminal of this process. */
export function systemTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const err = writer(stderr, () => undefined); // There is nobody left to tell, and no sync ends for that.
  const out = writer(stdout, ({ code }) => {
    // A reader that has gone away (`kei status | head`) ends the output, it is no error.
    if (code === "EPIPE") process.exit(EXIT.ok);
    err(`Error: Cannot write to standard output: ${code ?? "unknown error"}. The answer is not complete.\n`);
    process.exit(EXIT.failure);
  });
  // Counted here, since not every runtime tells when its buffer is full.
  let untaken = 0;
  const taken = new EventEmitter();
  return {
    out: (text) => {
      untaken += 1;
      out(text, () => {
        untaken -= 1;
        if (untaken === 0) taken.emit("all");
      });
    },
    outTaken: async (signal) => {
      // Signals and the end of a pipe are heard only between turns.
      await setImmediate();
      signal.throwIfAborted();
      if (untaken > 0) await once(taken, "all", { signal });
    },
    err,
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    // Some terminals say that they have none: those of containers and of programs that play one.
    columns: () => stderr.columns || stdout.columns || 80,
    readLine: lineReader(stdin, err),
  };
}

/** Writes to a stream whose trouble is told to `failed`: Bun tells of it by an event, Deno throws it at once. */
function writer(
  stream: NodeJS.WriteStream,
  failed: (error: NodeJS.ErrnoException) => void,
): (text: string, taken?: () => void) => void {
  stream.on("error", failed);
  return (text, taken) => {
    try {
      stream.write(text, taken);
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  };
}
