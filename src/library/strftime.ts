/**
 * Dates written by strftime patterns, as folder templates use them (files.md 3.4): English names whatever the locale,
 * and no pattern that is not understood.
 */
import type { LocalTime } from "./local-time.ts";

/** A piece of a pattern: fixed text, or something that a date decides. */
type Piece = string | ((time: LocalTime) => string);

/** A pattern that was understood whole. */
export interface DatePattern {
  readonly pieces: readonly Piece[];
}

/** A specifier nobody defined. `position` counts characters from 1. */
export class StrftimeError extends Error {
  override readonly name = "StrftimeError";
  readonly specifier: string;
  readonly position: number;

  constructor(specifier: string, position: number) {
    super(
      specifier === "%"
        ? `a lone % at position ${position} (a percent sign is written %%)`
        : `${specifier} at position ${position} is not a date specifier`,
    );
    this.specifier = specifier;
    this.position = position;
  }
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

type Padding = "0" | " " | "";

interface NumberField {
  readonly width: number;
  readonly padding: Padding;
  readonly of: (time: LocalTime) => number;
}

function zero(width: number, of: NumberField["of"]): NumberField {
  return { width, padding: "0", of };
}

function blank(width: number, of: NumberField["of"]): NumberField {
  return { width, padding: " ", of };
}

/** Those that are numbers, and take the modifiers `-`, `_` and `0`. */
const NUMBERS: Readonly<Record<string, NumberField>> = {
  Y: zero(4, (t) => t.year),
  C: zero(2, (t) => Math.floor(t.year / 100)),
  y: zero(2, (t) => modulo(t.year, 100)),
  G: zero(4, (t) => isoWeek(t).year),
  g: zero(2, (t) => modulo(isoWeek(t).year, 100)),
  m: zero(2, (t) => t.month),
  d: zero(2, (t) => t.day),
  e: blank(2, (t) => t.day),
  j: zero(3, (t) => t.dayOfYear),
  u: zero(1, (t) => (t.weekday === 0 ? 7 : t.weekday)),
  w: zero(1, (t) => t.weekday),
  U: zero(2, (t) => Math.floor((t.dayOfYear - 1 + 7 - t.weekday) / 7)),
  W: zero(2, (t) => Math.floor((t.dayOfYear - 1 + 7 - modulo(t.weekday - 1, 7)) / 7)),
  V: zero(2, (t) => isoWeek(t).week),
  H: zero(2, (t) => t.hour),
  k: blank(2, (t) => t.hour),
  I: zero(2, (t) => twelve(t.hour)),
  l: blank(2, (t) => twelve(t.hour)),
  M: zero(2, (t) => t.minute),
  S: zero(2, (t) => t.second),
  f: zero(9, (t) => t.millisecond * 1_000_000),
  s: zero(1, (t) => t.epochSeconds),
};

const TEXTS: Readonly<Record<string, (time: LocalTime) => string>> = {
  b: (t) => monthName(t).slice(0, 3),
  h: (t) => monthName(t).slice(0, 3),
  B: monthName,
  a: (t) => dayName(t).slice(0, 3),
  A: dayName,
  p: (t) => (t.hour < 12 ? "AM" : "PM"),
  P: (t) => (t.hour < 12 ? "am" : "pm"),
  z: (t) => offsetText(t, ""),
  ":z": (t) => offsetText(t, ":"),
  // Zones have offsets here, not names: an asset carries no more.
  Z: (t) => offsetText(t, ":"),
  "%": () => "%",
  t: () => "\t",
  n: () => "\n",
  "3f": (t) => fraction(t, 3),
  "6f": (t) => fraction(t, 6),
  "9f": (t) => fraction(t, 9),
  ".f": (t) => (t.millisecond === 0 ? "" : `.${fraction(t, 3)}`),
  ".3f": (t) => `.${fraction(t, 3)}`,
  ".6f": (t) => `.${fraction(t, 6)}`,
  ".9f": (t) => `.${fraction(t, 9)}`,
};

/** Those that stand for a longer pattern. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  F: "%Y-%m-%d",
  D: "%m/%d/%y",
  x: "%m/%d/%y",
  v: "%e-%b-%Y",
  R: "%H:%M",
  T: "%H:%M:%S",
  X: "%H:%M:%S",
  r: "%I:%M:%S %p",
  c: "%a %b %e %H:%M:%S %Y",
  "+": "%Y-%m-%dT%H:%M:%S%.f%:z",
};

const MODIFIERS: Readonly<Record<string, Padding>> = { "-": "", _: " ", "0": "0" };

/** A specifier: `%`, perhaps a modifier, dot, colon or number of digits, then a letter or sign. */
const SPECIFIER = /%(?<modifier>[-_0]?)(?<code>\.?[369]?f|:z|[^\d.:])?/gsu;

/** Reads a pattern. Throws `StrftimeError` for a specifier that is unknown or cut off. */
export function parseDatePattern(pattern: string): DatePattern {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of pattern.matchAll(SPECIFIER)) {
    pieces.push(pattern.slice(end, found.index));
    end = found.index + found[0].length;
    const piece = specifier(found.groups?.["modifier"] ?? "", found.groups?.["code"]);
    if (piece === undefined) {
      const shown = found.groups?.["code"] === undefined ? pattern.slice(found.index, end + 1) : found[0];
      throw new StrftimeError(shown, [...pattern.slice(0, found.index)].length + 1);
    }
    pieces.push(...piece);
  }
  pieces.push(pattern.slice(end));
  return { pieces: pieces.filter((piece) => piece !== "") };
}

/** Writes a date by a pattern. */
export function formatDate(pattern: DatePattern, time: LocalTime): string {
  return pattern.pieces.map((piece) => (typeof piece === "string" ? piece : piece(time))).join("");
}

function specifier(modifier: string, code: string | undefined): readonly Piece[] | undefined {
  if (code === undefined) return undefined;
  const number = own(NUMBERS, code);
  if (number !== undefined) {
    const padding = modifier === "" ? number.padding : own(MODIFIERS, modifier);
    return padding === undefined ? undefined : [(time) => padded(number.of(time), number.width, padding)];
  }
  // Only numbers are padded, so only they take a modifier.
  if (modifier !== "") return undefined;
  const text = own(TEXTS, code);
  if (text !== undefined) return [text];
  const shorthand = own(SHORTHANDS, code);
  return shorthand === undefined ? undefined : parseDatePattern(shorthand).pieces;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function padded(value: number, width: number, padding: Padding): string {
  const digits = String(Math.abs(value));
  const sign = value < 0 ? "-" : "";
  if (padding === "0") return `${sign}${digits.padStart(width - sign.length, "0")}`;
  return `${sign}${digits}`.padStart(padding === "" ? 0 : width, " ");
}

function monthName(time: LocalTime): string {
  return MONTHS[time.month - 1] ?? "";
}

function dayName(time: LocalTime): string {
  return DAYS[time.weekday] ?? "";
}

function twelve(hour: number): number {
  return hour % 12 === 0 ? 12 : hour % 12;
}

function fraction({ millisecond }: LocalTime, digits: number): string {
  return String(millisecond).padStart(3, "0").padEnd(digits, "0");
}

function offsetText({ offsetSeconds }: LocalTime, separator: string): string {
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60);
  const sign = offsetSeconds < 0 ? "-" : "+";
  return `${sign}${padded(Math.floor(minutes / 60), 2, "0")}${separator}${padded(minutes % 60, 2, "0")}`;
}

/** Week 1 of ISO 8601 is the one with the year's first Thursday; the days before it belong to the year before. */
function isoWeek({ year, dayOfYear, weekday }: LocalTime): { readonly year: number; readonly week: number } {
  const thursday = dayOfYear - modulo(weekday - 1, 7) + 3;
  if (thursday < 1) {
    return { year: year - 1, week: Math.ceil((thursday + daysIn(year - 1)) / 7) };
  }
  if (thursday > daysIn(year)) return { year: year + 1, week: 1 };
  return { year, week: Math.ceil(thursday / 7) };
}

function daysIn(year: number): number {
  return (modulo(year, 4) === 0 && modulo(year, 100) !== 0) || modulo(year, 400) === 0 ? 366 : 365;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
