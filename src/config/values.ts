import { parseRecent } from "../library/recent.ts";
import type { Setting, SettingType } from "./types.ts";

/** A value that a setting does not take; the text says what it takes. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

export type Value = boolean | number | string | readonly string[];

const TRUE: ReadonlySet<string> = new Set(["true", "1", "yes", "on"]);
const FALSE: ReadonlySet<string> = new Set(["false", "0", "no", "off"]);

/** Reads a value written as text: after a flag, or in an environment variable. Throws `BadValue`. */
export function fromText(setting: Setting, text: string): Value {
  const { type } = setting;
  switch (type.kind) {
    case "boolean": {
      const word = text.toLowerCase();
      if (!TRUE.has(word) && !FALSE.has(word)) throw new BadValue(`"${text}" is neither true nor false`);
      return TRUE.has(word) !== (setting.inverted === true);
    }
    case "integer":
      if (!/^[+-]?\d+$/.test(text)) throw new BadValue(`"${text}" is not a whole number ${range(type)}`);
      return accept(setting, Number(text));
    case "rate":
      return rateOf(text);
    case "recent":
      return recentOf(text);
    case "list":
      return accept(setting, partsOf(setting, text));
    default:
      return accept(setting, text);
  }
}

/** What one text holds of a list: itself, or its parts where commas part them. */
export function partsOf({ type }: Setting, text: string): readonly string[] {
  return type.kind === "list" && type.split === true ? text.split(",").map((part) => part.trim()) : [text];
}

/** Reads a value from the configuration file. Throws `BadValue`. */
export function fromToml(setting: Setting, given: unknown): Value {
  const { type, keyCheck } = setting;
  const value = type.kind === "list" && type.single === true && typeof given === "string" ? [given] : given;
  if (type.kind === "rate") return rateOf(typeof value === "number" ? String(value) : value);
  if (type.kind === "recent") return recentOf(typeof value === "number" ? String(value) : value);
  const wanted = {
    boolean: "true or false",
    integer: "a whole number",
    choice: "a text",
    text: "a text",
    path: "a text",
    list: "a list of texts",
  }[type.kind];
  const right =
    type.kind === "boolean"
      ? typeof value === "boolean"
      : type.kind === "integer"
        ? typeof value === "number" && Number.isInteger(value)
        : type.kind === "list"
          ? Array.isArray(value) && value.every((item) => typeof item === "string")
          : typeof value === "string";
  if (!right) throw new BadValue(`it must be ${wanted}`);
  const reason = keyCheck?.(value as never);
  if (reason !== undefined) throw new BadValue(reason);
  return accept(setting, value as Value);
}

/** Checks a value of the right type against the setting's range and rules. */
export function accept(setting: Setting, given: Value): Value {
  const { type, check } = setting;
  const value = type.kind === "choice" ? (type.aliases?.[String(given)] ?? given) : given;
  if (type.kind === "integer" && typeof value === "number" && (value < type.min || value > type.max)) {
    throw new BadValue(`${value} is not a whole number ${range(type)}`);
  }
  if (type.kind === "choice" && !type.values.includes(String(value))) {
    throw new BadValue(`"${String(value)}" is none of ${type.values.join(", ")}`);
  }
  const empty = Array.isArray(value) ? value.some((item) => item === "") : value === "";
  if (empty && setting.mayBeEmpty !== true) throw new BadValue("it must not be empty");
  const reason = check?.(value as never);
  if (reason !== undefined) throw new BadValue(reason);
  return value;
}

function range(type: Extract<SettingType, { kind: "integer" }>): string {
  return type.max >= 1_000_000 ? `of at least ${type.min}` : `from ${type.min} to ${type.max}`;
}

function recentOf(value: unknown): string {
  if (typeof value === "string" && parseRecent(value) !== undefined) return value;
  throw new BadValue(`"${String(value)}" is neither a number of photos such as 100 nor of days such as 30d`);
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  ki: 1024,
  kib: 1024,
  mi: 1024 ** 2,
  mib: 1024 ** 2,
  gi: 1024 ** 3,
  gib: 1024 ** 3,
};

/** Bytes per second (cli.md 1.5.5): digits with at most one point, an optional unit, in any case of letters. */
function rateOf(value: unknown): number {
  const match = typeof value === "string" ? /^(\d+\.?\d*|\.\d+) ?([a-z]*)$/i.exec(value.trim()) : null;
  const unit = UNITS[(match?.[2] ?? "").toLowerCase()];
  if (match === null || unit === undefined) {
    throw new BadValue(`"${String(value)}" is no rate; write bytes per second such as 5M, 500k or 1.5MiB`);
  }
  const bytes = Math.round(Number(match[1]) * unit);
  if (bytes < 1 || !Number.isSafeInteger(bytes))
    throw new BadValue(`"${String(value)}" is less than 1 byte a second or beyond measure`);
  return bytes;
}
