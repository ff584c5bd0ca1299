/** Whose a pid file is, whatever stands in it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePid, writePidFile } from "../../src/runtime/pid-file.ts";
import { type Logger, silentLogger } from "../../src/runtime/ports.ts";

let root: string;
let path: string;
let warnings: string[];
const log: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kei-pid-"));
  path = join(root, "kei.pid");
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("it holds our number, and is taken away once", () => {
  const file = writePidFile(path, log);
  expect(readFileSync(path, "utf8")).toBe(String(process.pid));
  file.remove();
  expect(existsSync(path)).toBe(false);
  file.remove();
  expect(warnings).toEqual([]);
});

test.each([
  ["of a dead process", "4194304\n"],
  ["of no process", "not a number"],
  ["that is empty", ""],
  ["with a number that is none", "-1"],
  ["with zero", "0"],
  ["with our own number, which in a container every life has", `${process.pid}\n`],
])("one %s is replaced with a warning", (_what, content) => {
  writeFileSync(path, content);
  writePidFile(path, log);
  expect(readFileSync(path, "utf8")).toBe(String(process.pid));
  expect(warnings).toEqual(["replaced a pid file that was left over"]);
});

test.each([
  ["ours to signal", process.ppid],
  ["another user's, if we are not root", 1],
])("one of a process that lives is refused: %s", (_what, pid) => {
  writeFileSync(path, String(pid));
  expect(() => writePidFile(path, log)).toThrow(`belongs to process ${pid}`);
  expect(readFileSync(path, "utf8")).toBe(String(pid));
});

test("a folder in its place, and a missing folder around it, are refused", () => {
  mkdirSync(path);
  expect(() => writePidFile(path, log)).toThrow("Cannot read the pid file");
  expect(() => writePidFile(join(root, "missing", "kei.pid"), log)).toThrow("its folder does not exist");
});

test("one that has become another's is left alone", () => {
  const file = writePidFile(path, log);
  writeFileSync(path, "1");
  file.remove();
  expect(readFileSync(path, "utf8")).toBe("1");
});

test("a number is read with blanks around it, and nothing else", () => {
  expect(["12", " 12\n", "12 13", "0x12", "1.5", "12345678901"].map(parsePid)).toEqual([
    12,
    12,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
