import { spawn } from "node:child_process";
import { killGroup } from "./process-group.ts";

/** How a script has ended. */
export type ScriptEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "not-started"; readonly reason: string };

export interface RunningScript {
  /** Never rejects. */
  readonly end: Promise<ScriptEnd>;
  /** Ends it at once, and all that it has started; this process no longer waits for it. */
  kill(): void;
}

/**
 * Runs a script with `/bin/sh`, so that it need not be executable, in a process group of its own: what is typed at the
 * terminal does not reach it. It reads nothing; what it says on stderr goes where ours goes.
 */
export function startScript(path: string, env: Readonly<Record<string, string | undefined>>): RunningScript {
  const child = spawn("/bin/sh", [path], { env, detached: true, stdio: ["ignore", "ignore", "inherit"] });
  let isOver = false;
  const end = new Promise<ScriptEnd>((resolve) => {
    const over = (how: ScriptEnd) => {
      isOver = true;
      resolve(how);
    };
    child.once("error", (error: NodeJS.ErrnoException) =>
      over({ kind: "not-started", reason: error.code ?? error.message }),
    );
    child.once("exit", (code, signal) =>
      over(code === null ? { kind: "signal", signal: signal ?? "unknown" } : { kind: "exit", code }),
    );
  });
  return {
    end,
    kill: () => {
      if (!isOver) killGroup(child);
    },
  };
}
