/** Primary result codes of SQLite that kei tells apart (sqlite.org/rescode.html). */
export const RESULT = {
  error: 1,
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  notADatabase: 26,
} as const;

/** What SQLite says when a call fails, whichever binding made it. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  /** Primary result code. */
  readonly result: number;

  constructor(result: number, message: string, cause: unknown) {
    super(message, { cause });
    this.result = result;
  }
}

/** SQLite's own texts for its codes, for a binding that passes on nothing else. */
const TEXTS: ReadonlyArray<readonly [string, number]> = [
  ["access permission denied", RESULT.permission],
  ["database is locked", RESULT.busy],
  ["database table is locked", RESULT.locked],
  ["attempt to write a readonly database", RESULT.readOnly],
  ["disk I/O error", RESULT.io],
  ["database disk image is malformed", RESULT.corrupt],
  ["database or disk is full", RESULT.full],
  ["unable to open database file", RESULT.cannotOpen],
  ["constraint failed", RESULT.constraint],
  ["cannot store", RESULT.constraint],
  ["file is not a database", RESULT.notADatabase],
  ["no such ", RESULT.error],
  ["syntax error", RESULT.error],
];

/** The result code that SQLite words like this; undefined for a text that is not SQLite's. */
export function resultOfMessage(message: string): number | undefined {
  return TEXTS.find(([text]) => message.includes(text))?.[1];
}
