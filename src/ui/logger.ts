import { type ConsolaReporter, createConsola, type LogObject } from "consola";
import type { Clock, LogFields, Logger } from "../runtime/ports.ts";
import { escapeControls } from "./format.ts";
import { wrap } from "./wrap.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 3, debug: 4 };

export interface LogOptions {
  readonly level: LogLevel;
  /** Writes a whole line to people; takes care of a progress line that is in the way. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** Colour and short form for a terminal, else one plain line with a time stamp. */
  readonly pretty: boolean;
  readonly color: boolean;
  /** Width of the terminal that a short form is broken into; default: lines of any length. */
  readonly columns?: () => number;
}

export interface Log extends Logger {
  readonly level: LogLevel;
  /** From now on this text appears as `********`, wherever it would be written. */
  readonly keepSecret: (secret: string) => void;
  /** A text with all secrets masked. */
  readonly mask: (text: string) => string;
  /** Writes lines through something that is in their way, such as a progress line; undefined: directly again. */
  readonly through: (write: ((line: string) => void) | undefined) => void;
}

const MASK = "********";
const SIGNS: Readonly<Record<string, readonly [string, string]>> = {
  error: ["31", "error"],
  warn: ["33", "warning"],
  info: ["36", ""],
  debug: ["90", "debug"],
};

/** The logger of a run: everything goes to stderr, secrets are masked, control characters made visible. */
export function createLog(options: LogOptions): Log {
  const secrets: string[] = [];
  let write = options.write;
  const mask = (text: string) => secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
  const render = options.pretty ? prettyLine(options) : plainLine(options.clock);
  const reporter: ConsolaReporter = {
    log: (entry: LogObject) => {
      const [message, fields] = entry.args as [string, LogFields | undefined];
      // Masked before anything is escaped: a secret with quotes or control characters would not be recognised after it.
      write(render(entry.type, escapeControls(mask(message)), maskFields(fields ?? {}, mask)));
    },
  };
  // Level, reporters and throttle are said here, so that no environment variable changes them.
  const consola = createConsola({ level: LEVELS[options.level], reporters: [reporter], throttle: 0 });
  return {
    level: options.level,
    debug: (message, fields) => consola.debug(message, fields),
    info: (message, fields) => consola.info(message, fields),
    warn: (message, fields) => consola.warn(message, fields),
    error: (message, fields) => consola.error(message, fields),
    keepSecret: (secret) => {
      if (secret !== "" && !secrets.includes(secret)) secrets.push(secret);
    },
    mask,
    through: (other) => {
      write = other ?? options.write;
    },
  };
}

function maskFields(fields: LogFields, mask: (text: string) => string): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? mask(value) : value]),
  );
}

type Render = (type: string, message: string, fields: LogFields) => string;

function plainLine(clock: Clock): Render {
  return (type, message, fields) =>
    `${new Date(clock.now()).toISOString()} ${type.toUpperCase().padEnd(5)} ${message}${fieldText(fields)}`;
}

function prettyLine({ color, columns }: LogOptions): Render {
  return (type, message, fields) => {
    const [code, word] = SIGNS[type] ?? ["0", type];
    const label = word === "" ? "" : `${word}: `;
    const text = `${label}${message}${fieldText(fields)}`;
    const lines = columns === undefined ? text : wrap(text, columns(), "  ").join("\n");
    return color && label !== "" ? `\u001b[${code}m${label}\u001b[0m${lines.slice(label.length)}` : lines;
  };
}

function fieldText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const text = escapeControls(String(value));
      return ` ${name}=${/[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text}`;
    })
    .join("");
}
