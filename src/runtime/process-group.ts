import type { ChildProcess } from "node:child_process";
import process from "node:process";

/**
 * Kills a child that leads a process group of its own, with all that it has started, and lets go of it: kei does not
 * wait for what can't be killed.
 */
export function killGroup(child: ChildProcess): void {
  child.unref();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // It is gone already, or runs as somebody else (`sudo`).
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
