/** Lines typed at a terminal or piped in. The streams are played; what a real terminal does is in test/e2e/terminal.test.ts. */
import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { type InputStream, lineReader, PromptInterrupted } from "../../src/runtime/prompt.ts";

/** Standard input, as a terminal or as a pipe. */
class Input extends EventEmitter implements InputStream {
  raw: boolean[] = [];
  flowing = false;
  constructor(readonly isTTY: boolean) {
    super();
  }
  setRawMode(on: boolean): void {
    this.raw.push(on);
  }
  resume(): void {
    this.flowing = true;
  }
  pause(): void {
    this.flowing = false;
  }
  give(text: string | Uint8Array): void {
    this.emit("data", Buffer.from(text as string));
  }
}

function at(input: Input) {
  let shown = "";
  const stop = new AbortController();
  const read = lineReader(input, (text) => {
    shown += text;
  });
  const ask = (question = "Name: ", hidden = false) => read(question, { hidden, signal: stop.signal });
  return { ask, stop, shown: () => shown };
}

const nameOf = (work: Promise<unknown>) => work.catch((error: Error) => error.name);

describe("at a terminal", () => {
  test("the question is shown, what is typed as well, and the mode is restored", async () => {
    const input = new Input(true);
    const { ask, shown } = at(input);
    const line = ask();
    input.give("ab");
    input.give("\u007fc\r");
    expect(await line).toBe("ac");
    expect(shown()).toBe("Name: ab\b \bc\n");
    expect([input.raw, input.flowing, input.listenerCount("data")]).toEqual([[true, false], false, 0]);
  });

  test("a hidden line shows nothing of itself, not even its length", async () => {
    const input = new Input(true);
    const { ask, shown } = at(input);
    const line = ask("Password: ", true);
    input.give("se\u007fecret\n");
    expect(await line).toBe("secret");
    expect(shown()).toBe("Password: \n");
  });

  test("a line can be taken back whole, and arrow keys leave no trace in it", async () => {
    const input = new Input(true);
    const { ask } = at(input);
    const line = ask("Password: ", true);
    input.give("wrong\u0015ri\u001b[Dg\u001bOAht\u001b[1;5C\r");
    expect(await line).toBe("right");
  });

  test("a character that arrives in pieces stays whole", async () => {
    const input = new Input(true);
    const { ask } = at(input);
    const line = ask("Password: ", true);
    const bytes = Buffer.from("ä🐎\r");
    for (const byte of bytes) input.give(Uint8Array.of(byte));
    expect(await line).toBe("ä🐎");
  });

  test.each([
    ["Ctrl+C", "abc\u0003"],
    ["Ctrl+D on an empty line", "\u0004"],
  ])("%s ends it, with the mode restored", async (_what, keys) => {
    const input = new Input(true);
    const { ask } = at(input);
    const line = ask();
    input.give(keys);
    expect(await nameOf(line)).toBe("PromptInterrupted");
    expect(input.raw).toEqual([true, false]);
  });

  test("a stop ends it with the signal's reason, and a terminal that goes away ends it as well", async () => {
    const input = new Input(true);
    const { ask, stop } = at(input);
    const gone = ask();
    input.emit("end");
    expect(await gone.catch((error: Error) => error)).toBeInstanceOf(PromptInterrupted);
    const other = new Input(true);
    const second = at(other);
    const line = second.ask();
    const reason = new Error("stopped");
    second.stop.abort(reason);
    expect(await line.catch((error: Error) => error)).toBe(reason);
    expect(other.raw).toEqual([true, false]);
    stop.abort(reason);
    expect(await ask().catch((error: Error) => error)).toBe(reason);
  });

  test("one whose mode can't be set any more has gone", async () => {
    const input = new Input(true);
    const { ask } = at(input);
    const line = ask();
    input.setRawMode = () => {
      throw new Error("setRawMode failed with errno: 5");
    };
    input.emit("end");
    expect(await nameOf(line)).toBe("PromptInterrupted");
    expect(await nameOf(ask())).toBe("PromptInterrupted");
    expect(input.listenerCount("data")).toBe(0);
  });

  test("two lines pasted at once answer two questions", async () => {
    const input = new Input(true);
    const { ask } = at(input);
    const first = ask();
    input.give("one\r\ntwo\r");
    expect([await first, await ask()]).toEqual(["one", "two"]);
  });
});

describe("from a pipe", () => {
  test("the next line is taken, nothing is asked, and no mode is changed", async () => {
    const input = new Input(false);
    const { ask, shown } = at(input);
    const line = ask("Password: ", true);
    input.give(" a\u0003\u007fb");
    input.give(" \r\nsecond\nthird");
    expect(await line).toBe(" a\u0003\u007fb ");
    expect(await ask()).toBe("second");
    const last = ask();
    input.emit("end");
    expect([await last, await ask()]).toEqual(["third", ""]);
    expect([shown(), input.raw]).toEqual(["", []]);
  });

  test("an input that has ended, or can't be read, is an empty line at once", async () => {
    for (const event of ["end", "error"]) {
      const input = new Input(false);
      const { ask } = at(input);
      const line = ask();
      input.emit(event, new Error("EISDIR"));
      expect(await line).toBe("");
    }
  });

  test("a line without an end does not fill the memory", async () => {
    const input = new Input(false);
    const { ask } = at(input);
    const line = ask();
    input.give("x".repeat(70_000));
    expect(await line.catch((error: Error) => error.message)).toContain("too long");
  });
});
