/** Patterns for file names (files.md 5.5). */
import { EXIT, Failure } from "./failure.ts";

/** A pattern that means nothing. The message says why. */
export class GlobError extends Failure {
  override readonly name = "GlobError";
}

/**
 * Understands a pattern: `?` is one character, `*` and `**` are any run, `[abc]`, `[a-z]` and `[!a]` one of a set;
 * everything else is itself, in any case of letters. The whole name must match; a leading dot is a character like any
 * other. Throws `GlobError`.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  let source = "";
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (character === "?") {
      source += ".";
    } else if (character === "*") {
      const stars = runOfStars(characters, at);
      if (stars > 2) fail(pattern, `${"*".repeat(stars)} means nothing; write * or **`);
      source += ".*";
      at += stars - 1;
    } else if (character === "[") {
      const end = endOfSet(characters, at);
      if (end === undefined) fail(pattern, "[ is never closed");
      source += setOf(characters.slice(at + 1, end), pattern);
      at = end;
    } else {
      source += escaped(character);
    }
  }
  const expression = new RegExp(`^${source}$`, "isu");
  return (name) => expression.test(name);
}

function runOfStars(characters: readonly string[], at: number): number {
  let end = at;
  while (characters[end] === "*") end += 1;
  return end - at;
}

/** A bracket right at the start of a set, or behind its `!`, belongs to the set. */
function endOfSet(characters: readonly string[], start: number): number | undefined {
  const first = start + (characters[start + 1] === "!" ? 2 : 1);
  const end = characters.indexOf("]", first + 1);
  return end < 0 ? undefined : end;
}

function setOf(inner: readonly string[], pattern: string): string {
  const negated = inner[0] === "!";
  const members = negated ? inner.slice(1) : inner;
  let set = "";
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? "";
    const to = members[at + 2];
    if (members[at + 1] === "-" && to !== undefined) {
      if ((from.codePointAt(0) ?? 0) > (to.codePointAt(0) ?? 0)) fail(pattern, `${from}-${to} runs backwards`);
      set += `${escaped(from)}-${escaped(to)}`;
      at += 2;
    } else {
      set += escaped(from);
    }
  }
  return `[${negated ? "^" : ""}${set}]`;
}

/** By number: no character keeps a meaning of its own, in a set or outside. */
function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function fail(pattern: string, reason: string): never {
  throw new GlobError(`"${pattern}": ${reason}`, { exit: EXIT.failure });
}
