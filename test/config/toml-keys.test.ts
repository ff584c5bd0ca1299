/** Lines of keys, in any shape that TOML lets them have. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type TomlKey, tomlKeys } from "../../src/config/toml-keys.ts";

const found = (text: string) => tomlKeys(text).keys.map(({ path, line, kind }) => `${line} ${kind} ${path.join("/")}`);

describe("the line of a key", () => {
  test("is found for every way to write it", () => {
    const text = [
      "# a = 1",
      'top = "# no comment" # c = 3',
      '"quoted key" = 1',
      '\'lit"eral\'."in\\u0041\\"side" = 2',
      "[ download . 'retry' ]",
      "per_asset=3",
      "a.b . c = 4",
      "list = [ 'x', # ] not the end",
      '  "y]", { inside = 1 },',
      "  [1,",
      "  2]]",
      "after = true",
      "[[photos]]",
      "[filters] # [not]",
      'long = """',
      "not = 1",
      "[neither]",
      '"""""',
      "raw = '''\\'''",
      "table = { one = 1, 'two' = { three = [{ x = 1 }], four.five = 2 }, } ",
      "empty = {}",
      "end = 1979-05-27T07:32:00Z",
    ].join("\r\n");
    expect(found(text)).toEqual([
      "2 value top",
      "3 value quoted key",
      '4 value lit"eral/inA"side',
      "5 table download/retry",
      "6 value download/retry/per_asset",
      "7 value download/retry/a/b/c",
      "8 value download/retry/list",
      "12 value download/retry/after",
      "13 element photos",
      "14 table filters",
      "15 value filters/long",
      "19 value filters/raw",
      "20 table filters/table",
      "20 value filters/table/one",
      "20 table filters/table/two",
      "20 value filters/table/two/three",
      "20 value filters/table/two/four/five",
      "21 table filters/empty",
      "22 value filters/end",
    ]);
  });

  test("is told for what is begun and never ended", () => {
    expect(tomlKeys('\na = "x\nb = 1').unfinished).toEqual({ line: 2, what: "text" });
    expect(tomlKeys("a = [1,\n 2\n\n").unfinished).toEqual({ line: 1, what: "list" });
    expect(tomlKeys("\n\na = { b = 1,\n").unfinished).toEqual({ line: 3, what: "table" });
    expect(tomlKeys('a = """\n"" \n').unfinished).toEqual({ line: 1, what: "text" });
  });

  test("is found in any document that the parser understands", () => {
    fc.assert(
      fc.property(documents, (lines) => {
        const text = lines.join("\n");
        const parsed = Bun.TOML.parse(text);
        const { keys, unfinished } = tomlKeys(text);
        expect(unfinished).toBeUndefined();
        const values = keys.filter(({ kind }) => kind === "value");
        const paths = values.map(({ path }) => JSON.stringify(path));
        expect(new Set(paths).size).toBe(paths.length);
        expect(new Set(paths)).toEqual(new Set([...leaves(parsed)].map((path) => JSON.stringify(path))));
        for (const key of values) expect(markOf(parsed, key)).toBe(key.line);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  test("is looked for in any text, and the search always ends", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      '"',
      "'",
      '"""',
      "'''",
      "=",
      ".",
      ",",
      "#",
      "\\",
      "\n",
      " ",
      "a",
      "1",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        const text = parts.join("");
        const { keys } = tomlKeys(text);
        for (const { line } of keys) expect(line).toBeLessThanOrEqual(text.split("\n").length);
      }),
      { numRuns: 2_000, seed: 7 },
    );
  });
});

/** Each value of a document is, or begins with, the number of its own line. */
function markOf(document: unknown, { path }: TomlKey): unknown {
  let value: unknown = document;
  for (const part of path) value = (value as Record<string, unknown>)[part];
  while (Array.isArray(value)) value = value[0];
  return typeof value === "string" ? Number.parseInt(value, 10) : value;
}

function* leaves(table: object, above: readonly string[] = []): Generator<readonly string[]> {
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) yield* leaves(value, [...above, key]);
    else yield [...above, key];
  }
}

/** Keys are numbered, so that none is set twice. */
const documents: fc.Arbitrary<readonly string[]> = fc
  .array(
    fc.record({
      what: fc.constantFrom("value", "value", "value", "table", "comment", "inline", "blank"),
      key: fc.constantFrom("k", "K-_", "q u o", 'in"ner', "do.t", "hash#", "eq=", "br]ack"),
      quote: fc.constantFrom('"', "'"),
      dotted: fc.boolean(),
      value: fc.integer({ min: 0, max: 6 }),
      space: fc.constantFrom("", " ", "\t"),
      comment: fc.constantFrom("", ' # c = ["', "#'''"),
    }),
    { maxLength: 25 },
  )
  .map((items) => {
    const lines: string[] = [];
    items.forEach(({ what, key, quote, dotted, value, space, comment }, index) => {
      const line = lines.length + 1;
      const name = written(`${key}${index}`, quote);
      const full = dotted ? `${name}${space}.${space}x${index}` : name;
      if (what === "blank") lines.push(space);
      else if (what === "comment") lines.push(`${space}# ${full} = [1`);
      else if (what === "table") lines.push(`${space}[${space}${full}${space}]${comment}`);
      else if (what === "inline") lines.push(`${full} = { a = ${line}, ${name}.b = [${line}, "}"] }${comment}`);
      else lines.push(...`${space}${full}${space}=${space}${FORMS[value]?.(line)}${comment}`.split("\n"));
    });
    return lines;
  });

function written(key: string, quote: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(key)) return key;
  return quote === "'" && !key.includes("'") ? `'${key}'` : JSON.stringify(key);
}

const FORMS: ReadonlyArray<(line: number) => string> = [
  (line) => String(line),
  (line) => `"${line} # = [ \\" '"`,
  (line) => `'${line} \\'`,
  (line) => `[${line}, 2, [3]]`,
  (line) => `[ # ]\n  "${line}",\n\n  'x]', # "\n]`,
  (line) => `"""${line}\n[a]\nb = 1 \\" ""\n"""`,
  (line) => `'''${line}\n''[a]\n'''`,
];
