/** Figures and texts as people read them. */
import { columnsOf, cutToColumns } from "../runtime/columns.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in decimal units with three digits at most: `0 B`, `999 B`, `1.25 MB`, `871 MB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `12,345`. */
export function formatCount(count: number): string {
  return String(Math.trunc(count)).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `8 s`, `4 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Local time to the minute: `2026-11-24 03:12`. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Local time as short as it is clear: `03:12` on the day of `now`, else with its date. */
export function formatClock(ms: number, now: number): string {
  const [date, time] = formatTime(ms).split(" ");
  return formatTime(now).startsWith(`${date} `) ? String(time) : formatTime(ms);
}

/** `1 file`, `2 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Text from elsewhere made harmless for a terminal: control characters become visible escapes. */
export function escapeControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** JSON without control characters that JSON itself would allow: a terminal may obey them. */
export function jsonText(json: string): string {
  return json.replaceAll(/[\u007f-\u009f]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Cut to a width in columns, with an ellipsis in the middle, so that both ends of a path can be read. */
export function fitMiddle(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  if (width <= 1) return "…".slice(0, width);
  const head = cutToColumns(text, Math.ceil((width - 1) / 2));
  return `${head}…${cutToColumns(text, width - 1 - columnsOf(head), true)}`;
}
