/** The real program at a terminal: what a person would type, and what they would see. */
import { type Home, keiCommand, until } from "./kei.ts";

export class AtTerminal {
  /** Everything that has appeared so far, with plain line ends. */
  seen = "";
  readonly #child: ReturnType<typeof Bun.spawn>;
  /** Up to here it was looked at. */
  #read = 0;

  constructor(
    home: Home,
    args: readonly string[],
    { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
  ) {
    const decoder = new TextDecoder();
    this.#child = Bun.spawn([...keiCommand(), ...args], {
      env: { ...home.env, TERM: "xterm", ...env },
      cwd: home.root,
      terminal: {
        cols: columns,
        rows: 24,
        data: (_terminal, bytes) => {
          this.seen += decoder.decode(bytes, { stream: true }).replaceAll("\r\n", "\n");
        },
      },
    });
  }

  /** Waits until a text appears behind the one that was waited for last. */
  async sees(text: string): Promise<void> {
    try {
      await until(text, () => this.seen.includes(text, this.#read), 4_000);
    } catch (error) {
      throw new Error(`never saw ${JSON.stringify(text)} in:\n${this.seen.slice(this.#read)}`, { cause: error });
    }
    this.#read = this.seen.indexOf(text, this.#read) + text.length;
  }

  /** Waits for a question and answers it with a line. */
  async answer(question: string, line: string | (() => string | undefined)): Promise<void> {
    await this.sees(question);
    this.type(`${typeof line === "string" ? line : (line() ?? "")}\r`);
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  async end(): Promise<number> {
    return this.#child.exited;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
