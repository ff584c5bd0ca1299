import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { EXIT, Failure } from "../library/failure.ts";
import type { Logger } from "./ports.ts";

/** A file that holds the number of this process, for as long as it runs. */
export interface PidFile {
  /** Takes the file away, if it still holds our number. Trouble with that is logged. May be called more than once. */
  remove(): void;
}

/** How often a left-over file is replaced before it is clear that somebody else keeps writing it. */
const TRIES = 3;

/**
 * Writes the file; never over that of a process that lives. What is left of one that has died, or is no number, is
 * replaced with a warning. Throws `Failure` (exit 1) when another process lives, or the file can't be written.
 */
export function writePidFile(path: string, logger: Logger): PidFile {
  const own = String(process.pid);
  for (let left = TRIES; !created(path, own); left -= 1) {
    if (left <= 0) throw cannot("replace", path, { code: "another process keeps writing it" });
    const found = read(path, (error) => cannot("read", path, error));
    if (found === undefined) continue;
    const pid = parsePid(found);
    if (pid !== undefined && isAlive(pid)) {
      throw new Failure(`The pid file ${path} belongs to process ${pid}, which is running`, {
        exit: EXIT.failure,
        remedy: "Stop that process first. If it is no kei, delete the file.",
      });
    }
    logger.warn("replaced a pid file that was left over", { path, pid: pid ?? "not a number" });
    discard(path);
  }
  return {
    remove: () => {
      try {
        if (read(path)?.trim() === own) rmSync(path, { force: true });
      } catch (error) {
        logger.warn("could not remove the pid file", { path, reason: codeOf(error) });
      }
    },
  };
}

/** The number in the file; undefined for anything else. */
export function parsePid(text: string): number | undefined {
  const pid = /^\s*(?<digits>\d{1,10})\s*$/.exec(text)?.groups?.["digits"];
  return pid === undefined || Number(pid) === 0 ? undefined : Number(pid);
}

/** False when the file exists already. */
function created(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw cannot("write", path, error);
  }
}

/** Undefined when the file is gone. Throws what `failed` makes of other trouble. */
function read(path: string, failed: (error: unknown) => unknown = (error) => error): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw failed(error);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw cannot("replace", path, error);
  }
}

/**
 * Whether another process has this number. Our own number is a left-over: in a container every life has the same.
 * Windows gives no way to ask that can be relied on.
 */
function isAlive(pid: number): boolean {
  if (pid === process.pid || process.platform === "win32") return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but belongs to somebody else.
    return codeOf(error) === "EPERM";
  }
}

function cannot(verb: string, path: string, error: unknown): Failure {
  const code = codeOf(error);
  return new Failure(`Cannot ${verb} the pid file ${path}: ${code === "ENOENT" ? "its folder does not exist" : code}`, {
    exit: EXIT.failure,
    remedy: "Check the path and the permissions of its folder.",
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? "unknown error";
}
