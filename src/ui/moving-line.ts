import { columnsOf } from "../runtime/columns.ts";

/** One line of a terminal that changes in place, without escape codes: it is overwritten with blanks. */
export class MovingLine {
  readonly #write: (text: string) => void;
  #shown = "";

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Shows this in place of what was shown before. */
  show(text: string): void {
    if (text === this.#shown) return;
    const rest = Math.max(0, columnsOf(this.#shown) - columnsOf(text));
    this.#write(`\r${text}${" ".repeat(rest)}${"\b".repeat(rest)}`);
    this.#shown = text;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown !== "") this.#write(`\r${" ".repeat(columnsOf(this.#shown))}\r`);
    this.#shown = "";
  }

  /** Writes a whole line above it. */
  readonly above = (text: string): void => {
    this.aside(() => this.#write(`${text}\n`));
  };

  /** Takes it away while `act` writes whole lines. */
  aside(act: () => void): void {
    const shown = this.#shown;
    this.clear();
    act();
    this.show(shown);
  }
}
