import { constants, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Check } from "./types.ts";

/** Where nobody has users and groups, modes say nothing. */
export const HAS_MODES = typeof process.getuid === "function";

/** What is at `path`, links followed; the system's code when it can't be told, "ENOENT" when nothing is there. */
export async function statOf(path: string): Promise<Stats | string> {
  try {
    return await stat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return code;
  }
}

/** The code of the error with which the folder can't be written; undefined when it can. */
export function refusesWriting(folder: string): Promise<string | undefined> {
  return refusal(folder, constants.W_OK | constants.X_OK);
}

/** The code of the error with which the file can't be read and written; undefined when it can. */
export function refusesUse(file: string): Promise<string | undefined> {
  return refusal(file, constants.R_OK | constants.W_OK);
}

async function refusal(path: string, mode: number): Promise<string | undefined> {
  try {
    await access(path, mode);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return code;
  }
}

export function ok(name: string, message: string): Check {
  return { name, status: "ok", message };
}

export function warning(name: string, message: string, remedy?: string): Check {
  return { name, status: "warning", message, remedy };
}

export function wrong(name: string, message: string, remedy?: string): Check {
  return { name, status: "error", message, remedy };
}

export function skipped(name: string, message: string): Check {
  return { name, status: "skipped", message };
}

/** `3 days ago`, for ages. */
export function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours ago` : `${Math.round(hours / 24)} days ago`;
}
