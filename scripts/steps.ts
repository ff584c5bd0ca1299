/** What the scripts have in common: running a program and saying how long it took. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the clone. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Prints a line for the reader. */
export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export interface Ran {
  /** Exit code; 128 and more: ended by a signal. */
  readonly code: number;
  readonly seconds: number;
}

/** Runs a program in the clone, its output going straight to ours. Rejects when it can't be started. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code: code ?? 128, seconds: (performance.now() - started) / 1000 }));
  });
}

/** A program that a package brought. */
export function tool(name: string): string {
  return join(ROOT, "node_modules", ".bin", name);
}
