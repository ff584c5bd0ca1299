/** The process as kei sees it; the few things a test replaces. */
import process from "node:process";

declare const KEI_VERSION: string | undefined;
declare const KEI_COMMIT: string | undefined;

/** Version and commit, baked in by the build; a clone says that it is one. */
export const VERSION = typeof KEI_VERSION === "string" ? KEI_VERSION : "0.1.0-dev";
export const COMMIT = typeof KEI_COMMIT === "string" ? KEI_COMMIT : "source";

/** Where text goes and comes from. */
export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything said to people. */
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  /** Width of the terminal, in columns. */
  readonly columns: () => number;
  /** Reads one line; without showing it when `hidden`. Rejects with the signal's reason when aborted. */
  readonly readLine: (
    question: string,
    options: { readonly hidden: boolean; readonly signal: AbortSignal },
  ) => Promise<string>;
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
  // A reader that has gone away (`kei status | head`) ends the output, it is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });
  stderr.on("error", () => undefined);
  return {
    out: (text) => {
      stdout.write(text);
    },
    err: (text) => {
      stderr.write(text);
    },
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    columns: () => stderr.columns ?? stdout.columns ?? 80,
    readLine: (question, { hidden, signal }) => readLine(question, hidden, signal),
  };
}

/** Raised when Ctrl+C was typed at a prompt. */
export class PromptInterrupted extends Error {
  override readonly name = "PromptInterrupted";
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const BACKSPACE = new Set(["\u007f", "\b"]);

/** A line typed at the terminal, in raw mode so that a password is never shown; the mode is always restored. */
function readLine(question: string, hidden: boolean, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    let typed = "";
    const finish = (end: () => void) => {
      stdin.off("data", take);
      signal.removeEventListener("abort", abort);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write("\n");
      end();
    };
    const abort = () => finish(() => reject(signal.reason));
    const take = (chunk: Buffer | string) => {
      for (const character of chunk.toString()) {
        if (character === CTRL_C) return finish(() => reject(new PromptInterrupted("interrupted")));
        if (character === "\r" || character === "\n" || character === CTRL_D) return finish(() => resolve(typed));
        if (BACKSPACE.has(character)) {
          if (typed !== "" && !hidden) stderr.write("\b \b");
          typed = [...typed].slice(0, -1).join("");
        } else if (character >= " ") {
          typed += character;
          if (!hidden) stderr.write(character);
        }
      }
    };
    stderr.write(question);
    stdin.setRawMode?.(true);
    stdin.resume();
    stdin.on("data", take);
    signal.addEventListener("abort", abort, { once: true });
  });
}
