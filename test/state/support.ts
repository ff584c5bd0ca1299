import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, silentLogger } from "../../src/runtime/ports.ts";
import { bunDriver, nodeDriver, type OpenDriver } from "../../src/state/driver.ts";
import type { OpenOptions } from "../../src/state/open.ts";
import { FakeClock } from "./rows.ts";

export * from "./rows.ts";

/** Both bindings: every promise of the room holds over each. */
export const DRIVERS: ReadonlyArray<readonly [string, OpenDriver]> = [
  ["bun:sqlite", await bunDriver()],
  ["node:sqlite", await nodeDriver()],
];

const folders: string[] = [];

/** A folder of its own for one test; `removeFolders` takes all of them away. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kei-state-"));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A logger that keeps the warnings it is given. */
export function newLogger(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ...silentLogger, warnings, warn: (message) => warnings.push(message) };
}

export function optionsFor(path: string, more: Partial<OpenOptions> = {}): OpenOptions {
  return {
    path,
    domain: "com",
    username: "jane@example.com",
    clock: new FakeClock(),
    logger: silentLogger,
    isRemote: () => false,
    ...more,
  };
}

/** What `work` throws, which must be an error. */
export async function thrownBy(work: () => unknown): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
