/**
 * strftime for folder names (files.md 3.4): English names on every machine, a fixed set of letters, and an error for
 * everything else instead of a silently odd folder.
 */

/** A date as a calendar shows it somewhere: local fields plus how far that place is from UTC. */
export interface LocalDate {
  /** Milliseconds since the epoch of the local fields read as if they were UTC. */
  readonly wallMs: number;
  /** Seconds east of UTC. */
  readonly offsetSeconds: number;
}

/**
 * The capture instant on the clock of the place of capture; on this machine's clock when that is not known (files.md
 * 3.5). Milliseconds are cut, never rounded up.
 */
export function captureLocal(capturedAt: number, timeZoneOffset: number | undefined): LocalDate {
  const instant = Math.floor(capturedAt);
  const offsetSeconds = timeZoneOffset ?? -new Date(instant).getTimezoneOffset() * 60;
  return { wallMs: instant + offsetSeconds * 1000, offsetSeconds };
}

/** A letter that strftime does not know, or a percent sign at the end. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

type Padding = "0" | " " | "";

/** Fields of one date, computed once per format. */
class Fields {
  readonly date: Date;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanos: number;
  readonly dayOfYear: number;

  constructor(readonly local: LocalDate) {
    const date = new Date(local.wallMs);
    this.date = date;
    this.year = date.getUTCFullYear();
    this.month = date.getUTCMonth() + 1;
    this.day = date.getUTCDate();
    this.weekday = date.getUTCDay();
    this.hour = date.getUTCHours();
    this.minute = date.getUTCMinutes();
    this.second = date.getUTCSeconds();
    this.nanos = date.getUTCMilliseconds() * 1_000_000;
    const first = new Date(0);
    first.setUTCFullYear(this.year, 0, 1);
    first.setUTCHours(0, 0, 0, 0);
    this.dayOfYear = Math.floor((local.wallMs - first.getTime()) / 86_400_000) + 1;
  }

  /** ISO 8601 week and the year it belongs to. */
  isoWeek(): { readonly year: number; readonly week: number } {
    const weekday = this.weekday === 0 ? 7 : this.weekday;
    const thursday = new Date(this.date);
    thursday.setUTCDate(this.day + 4 - weekday);
    const year = thursday.getUTCFullYear();
    const first = new Date(0);
    first.setUTCFullYear(year, 0, 1);
    return { year, week: Math.floor((thursday.getTime() - first.getTime()) / (7 * 86_400_000)) + 1 };
  }
}

const hour12 = (fields: Fields) => fields.hour % 12 || 12;
const pad = (value: number, width: number, padding: Padding): string =>
  value < 0
    ? `-${pad(-value, width, padding)}`
    : padding === ""
      ? String(value)
      : String(value).padStart(width, padding);

/** Numbers with their usual width and padding; a modifier may change the padding. */
const NUMBERS: Readonly<Record<string, readonly [(fields: Fields) => number, number, Padding]>> = {
  Y: [(f) => f.year, 4, "0"],
  C: [(f) => Math.floor(f.year / 100), 2, "0"],
  y: [(f) => ((f.year % 100) + 100) % 100, 2, "0"],
  G: [(f) => f.isoWeek().year, 4, "0"],
  g: [(f) => f.isoWeek().year % 100, 2, "0"],
  m: [(f) => f.month, 2, "0"],
  d: [(f) => f.day, 2, "0"],
  e: [(f) => f.day, 2, " "],
  j: [(f) => f.dayOfYear, 3, "0"],
  u: [(f) => f.weekday || 7, 1, "0"],
  w: [(f) => f.weekday, 1, "0"],
  U: [(f) => Math.floor((f.dayOfYear + 6 - f.weekday) / 7), 2, "0"],
  W: [(f) => Math.floor((f.dayOfYear + 6 - ((f.weekday + 6) % 7)) / 7), 2, "0"],
  V: [(f) => f.isoWeek().week, 2, "0"],
  H: [(f) => f.hour, 2, "0"],
  k: [(f) => f.hour, 2, " "],
  I: [hour12, 2, "0"],
  l: [hour12, 2, " "],
  M: [(f) => f.minute, 2, "0"],
  S: [(f) => f.second, 2, "0"],
  f: [(f) => f.nanos, 9, "0"],
  s: [(f) => Math.floor((f.local.wallMs - f.local.offsetSeconds * 1000) / 1000), 1, "0"],
};

const TEXTS: Readonly<Record<string, (fields: Fields) => string>> = {
  B: (f) => MONTHS[f.month - 1] ?? "",
  b: (f) => (MONTHS[f.month - 1] ?? "").slice(0, 3),
  h: (f) => (MONTHS[f.month - 1] ?? "").slice(0, 3),
  A: (f) => DAYS[f.weekday] ?? "",
  a: (f) => (DAYS[f.weekday] ?? "").slice(0, 3),
  p: (f) => (f.hour < 12 ? "AM" : "PM"),
  P: (f) => (f.hour < 12 ? "am" : "pm"),
  z: (f) => offset(f, ""),
  Z: (f) => offset(f, ":"),
  "%": () => "%",
  t: () => "\t",
  n: () => "\n",
};

/** Letters that stand for others. */
const COMPOSED: Readonly<Record<string, string>> = {
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

function offset({ local }: Fields, colon: string): string {
  const minutes = Math.floor(Math.abs(local.offsetSeconds) / 60);
  const sign = local.offsetSeconds < 0 ? "-" : "+";
  return `${sign}${pad(Math.floor(minutes / 60), 2, "0")}${colon}${pad(minutes % 60, 2, "0")}`;
}

const SPECIFIER = /%(?:(?<colon>:z)|(?<dot>\.?)(?<digits>[369]?)f|(?<modifier>[-_0]?)(?<letter>[A-Za-z%+]))/y;
const PADDINGS: Readonly<Record<string, Padding>> = { "-": "", _: " ", "0": "0" };

/** Renders `format`. Throws `FormatError` that names what it does not know and where. */
export function strftime(format: string, local: LocalDate): string {
  const fields = new Fields(local);
  let out = "";
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf("%", at);
    if (percent < 0) return out + format.slice(at);
    out += format.slice(at, percent);
    SPECIFIER.lastIndex = percent;
    const match = SPECIFIER.exec(format);
    if (match === null) throw unknown(format, percent);
    out += specifier(match.groups ?? {}, fields, () => unknown(format, percent));
    at = SPECIFIER.lastIndex;
  }
  return out;
}

function specifier(groups: Record<string, string | undefined>, fields: Fields, fail: () => FormatError): string {
  if (groups["colon"] !== undefined) return offset(fields, ":");
  const letter = groups["letter"];
  if (letter === undefined) return fraction(fields, groups["dot"] ?? "", groups["digits"] ?? "");
  const modifier = groups["modifier"] ?? "";
  const number = NUMBERS[letter];
  if (number !== undefined) {
    const [value, width, padding] = number;
    return pad(value(fields), width, PADDINGS[modifier] ?? padding);
  }
  const composed = COMPOSED[letter];
  if (modifier === "" && composed !== undefined) return strftime(composed, fields.local);
  const text = TEXTS[letter];
  if (modifier !== "" || text === undefined) throw fail();
  return text(fields);
}

/** `%f` nine digits; `%3f`, `%6f`, `%9f` so many; with a dot the dot comes too, and `%.f` leaves out what is zero. */
function fraction({ nanos }: Fields, dot: string, digits: string): string {
  const nine = pad(nanos, 9, "0");
  if (digits !== "") return `${dot}${nine.slice(0, Number(digits))}`;
  if (dot === "") return nine;
  if (nanos === 0) return "";
  return `.${nine.endsWith("000000") ? nine.slice(0, 3) : nine}`;
}

function unknown(format: string, position: number): FormatError {
  const shown = format.slice(position, position + 2);
  return new FormatError(`"${shown}" at position ${position + 1} of "${format}" is no date format`);
}
