/** Lines that a person types, or that are piped in. */
import { StringDecoder } from "node:string_decoder";

/** The parts of standard input that are used. */
export interface InputStream {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  on(event: "data" | "end" | "error", listener: (chunk: Buffer) => void): unknown;
  off(event: "data" | "end" | "error", listener: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export type ReadLine = (
  question: string,
  options: { readonly hidden: boolean; readonly signal: AbortSignal },
) => Promise<string>;

/** Raised when Ctrl+C was typed at a prompt, or the terminal has gone. */
export class PromptInterrupted extends Error {
  override readonly name = "PromptInterrupted";
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_U = "\u0015";
const BACKSPACE = new Set(["\u007f", "\b"]);
/** Arrow keys and their like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys send control characters.
const KEYS = /\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)/g;
/** Characters of a line that is piped in. */
const LONGEST_LINE = 65_536;

/**
 * A reader of lines. At a terminal the question is shown and the line is typed in raw mode, so that a password never
 * appears; the mode is restored on every way out. From a pipe or a file the next line is taken, and nothing is asked. What
 * follows a line is kept for the next call.
 */
export function lineReader(input: InputStream, show: (text: string) => void): ReadLine {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let ended = false;

  return (question, { hidden, signal }) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const typing = input.isTTY === true;
      let typed = "";
      let done = false;
      const finish = (settle: () => void) => {
        done = true;
        input.off("data", take);
        input.off("end", end);
        input.off("error", end);
        signal.removeEventListener("abort", abort);
        if (typing) setRaw(false);
        input.pause();
        if (typing) show("\n");
        settle();
      };
      /** False when the terminal has gone: then there is nothing to set. */
      const setRaw = (on: boolean): boolean => {
        try {
          input.setRawMode?.(on);
          return true;
        } catch {
          return false;
        }
      };
      const abort = () => finish(() => reject(signal.reason));
      const end = () => {
        ended = true;
        if (typing) return finish(() => reject(new PromptInterrupted("the terminal has gone")));
        const line = rest + decoder.end();
        rest = "";
        finish(() => resolve(line));
      };
      const take = (chunk: Buffer) => {
        rest += decoder.write(chunk);
        if (typing) takeKeys();
        else takePiped();
      };
      const takePiped = () => {
        const at = rest.indexOf("\n");
        if (at < 0 && rest.length <= LONGEST_LINE) return;
        if (at < 0) return finish(() => reject(new Error("the line that was piped in is too long")));
        const line = rest.slice(0, at).replace(/\r$/, "");
        rest = rest.slice(at + 1);
        finish(() => resolve(line));
      };
      const takeKeys = () => {
        const keys = [...rest.replaceAll(KEYS, "")];
        rest = "";
        for (const [index, key] of keys.entries()) {
          if (key === CTRL_C || (key === CTRL_D && typed === "")) {
            return finish(() => reject(new PromptInterrupted("interrupted")));
          }
          if (key === "\r" || key === "\n" || key === CTRL_D) {
            const pair = key === "\r" && keys[index + 1] === "\n" ? 2 : 1;
            rest = keys.slice(index + pair).join("");
            return finish(() => resolve(typed));
          }
          edit(key);
        }
      };
      const edit = (key: string) => {
        if (key === CTRL_U || BACKSPACE.has(key)) {
          const characters = [...typed];
          const gone = key === CTRL_U ? characters.length : Math.min(1, characters.length);
          if (!hidden) show("\b \b".repeat(gone));
          typed = characters.slice(0, characters.length - gone).join("");
        } else if (key >= " ") {
          typed += key;
          if (!hidden) show(key);
        }
      };

      if (typing) {
        // Raw before the question is seen: what is typed at once must not be shown either.
        if (!setRaw(true)) return reject(new PromptInterrupted("the terminal has gone"));
        show(question);
      }
      signal.addEventListener("abort", abort, { once: true });
      if (typing) takeKeys();
      else takePiped();
      if (done) return;
      if (ended) return end();
      input.on("data", take);
      input.on("end", end);
      input.on("error", end);
      input.resume();
    });
}
