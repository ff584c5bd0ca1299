/** Where the keys of a TOML text stand: what the parser does not tell, and messages to people need. */

export interface TomlKey {
  /** Parts of the key, from the outermost table on; quotes are gone. */
  readonly path: readonly string[];
  /** Counted from 1. */
  readonly line: number;
  /** A value is set there; else a table, or an element of a list of tables, begins. */
  readonly kind: "value" | "table" | "element";
}

export interface TomlKeys {
  /** In the order of the text. Keys of tables within lists are left out. */
  readonly keys: readonly TomlKey[];
  /** Something that is begun on this line and never ended: the parser complains about what comes after it. */
  readonly unfinished: { readonly line: number; readonly what: "text" | "list" | "table" } | undefined;
}

/** Finds every key of a text. Forgiving: a line that is no TOML is passed over, since the parser has refused it. */
export function tomlKeys(text: string): TomlKeys {
  return new Scanner(text).scan();
}

const BARE_KEY = /[A-Za-z0-9_-]/;

/** Never ended: the rest of the text can't be told apart any more. */
class Unfinished extends Error {
  override readonly name = "Unfinished";
  constructor(
    readonly line: number,
    readonly what: "text" | "list" | "table",
  ) {
    super(`the ${what} of line ${line} is never ended`);
  }
}

class Scanner {
  readonly #text: string;
  readonly #keys: TomlKey[] = [];
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): TomlKeys {
    try {
      this.#document();
      return { keys: this.#keys, unfinished: undefined };
    } catch (error) {
      if (!(error instanceof Unfinished)) throw error;
      return { keys: this.#keys, unfinished: { line: error.line, what: error.what } };
    }
  }

  #document(): void {
    let table: readonly string[] = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#peek() === "[") table = this.#header();
      else this.#assignment(table);
      this.#skipLine();
    }
  }

  #header(): readonly string[] {
    const line = this.#line;
    const kind = this.#text.startsWith("[[", this.#at) ? "element" : "table";
    this.#at += kind === "element" ? 2 : 1;
    const path = this.#path();
    this.#keys.push({ path, line, kind });
    return path;
  }

  /** `key = value`; with `table` undefined, what it sets is not kept. */
  #assignment(table: readonly string[] | undefined): void {
    const line = this.#line;
    const key = this.#path();
    if (key.length === 0 || this.#peek() !== "=") return;
    this.#at += 1;
    this.#skipSpaces();
    const path = table === undefined ? undefined : [...table, ...key];
    if (this.#peek() === "{") this.#inlineTable(path, line);
    else {
      if (path !== undefined) this.#keys.push({ path, line, kind: "value" });
      this.#value();
    }
    this.#skipSpaces();
  }

  #value(): void {
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") this.#list();
    else if (first === "{") this.#inlineTable(undefined, this.#line);
    else while (this.#at < this.#text.length && !/[\s,#\]}]/.test(this.#peek())) this.#at += 1;
  }

  #list(): void {
    this.#between("[", "]", "list", () => this.#value());
  }

  #inlineTable(path: readonly string[] | undefined, line: number): void {
    if (path !== undefined) this.#keys.push({ path, line, kind: "table" });
    this.#between("{", "}", "table", () => this.#assignment(path));
  }

  /** Items parted by commas; whatever is no item is passed over, so that this always comes to an end. */
  #between(open: string, close: string, what: "list" | "table", item: () => void): void {
    const line = this.#line;
    this.#at += open.length;
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) throw new Unfinished(line, what);
      if (this.#peek() === close) break;
      const before = this.#at;
      if (this.#peek() !== ",") item();
      if (this.#at === before) this.#at += 1;
    }
    this.#at += 1;
  }

  #string(): string {
    const line = this.#line;
    const quote = this.#peek();
    const long = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = long ? quote.repeat(3) : quote;
    const start = this.#at + end.length;
    for (this.#at = start; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#peek();
      if (this.#text.startsWith(end, this.#at)) {
        // Up to two quotes may stand before the closing three.
        while (long && this.#text[this.#at + 3] === quote) this.#at += 1;
        const inside = this.#text.slice(start, this.#at);
        this.#at += end.length;
        return quote === '"' && !long ? unescaped(inside) : inside;
      }
      if (character === "\\" && quote === '"') this.#at += 1;
      if (this.#peek() !== "\n") continue;
      if (!long) throw new Unfinished(line, "text");
      this.#line += 1;
    }
    throw new Unfinished(line, "text");
  }

  /** A dotted key; stops behind it. */
  #path(): string[] {
    const path: string[] = [];
    for (;;) {
      this.#skipSpaces();
      const part = this.#keyPart();
      if (part === undefined) return path;
      path.push(part);
      this.#skipSpaces();
      if (this.#peek() !== ".") return path;
      this.#at += 1;
    }
  }

  #keyPart(): string | undefined {
    const first = this.#peek();
    if (first === '"' || first === "'") return this.#string();
    const start = this.#at;
    while (BARE_KEY.test(this.#peek())) this.#at += 1;
    return this.#at === start ? undefined : this.#text.slice(start, this.#at);
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #skipSpaces(): void {
    while (/[ \t\r]/.test(this.#peek())) this.#at += 1;
  }

  #skipLine(): void {
    while (this.#at < this.#text.length && this.#peek() !== "\n") this.#at += 1;
  }

  /** White space, line ends and comments. */
  #skipBlank(): void {
    for (;;) {
      const character = this.#peek();
      if (character === "#") this.#skipLine();
      else if (/\s|\ufeff/.test(character)) {
        if (character === "\n") this.#line += 1;
        this.#at += 1;
      } else return;
    }
  }
}

function unescaped(inside: string): string {
  const codes = inside.replaceAll(/\\\\|\\U([0-9a-fA-F]{8})|\\x([0-9a-fA-F]{2})|\\e/g, (whole, long, short) => {
    if (whole === "\\\\") return whole;
    const code = whole === "\\e" ? 0x1b : Number.parseInt(long ?? short, 16);
    return code > 0x10_ff_ff ? whole : JSON.stringify(String.fromCodePoint(code)).slice(1, -1);
  });
  try {
    return String(JSON.parse(`"${codes}"`));
  } catch (error) {
    if (error instanceof SyntaxError) return inside;
    throw error;
  }
}
