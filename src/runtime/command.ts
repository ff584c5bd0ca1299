/** What a shell command prints, within limits. Not for Windows, which has no `sh`. */
import { spawn } from "node:child_process";
import type { Clock } from "./ports.ts";
import { killGroup } from "./process-group.ts";

export interface CommandOptions {
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command and all that it has started are killed after so many ms. */
  readonly ms: number;
  /** Bytes that it may print. */
  readonly bytes: number;
  readonly clock: Pick<Clock, "sleep">;
  /** Kills it, too; the call then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** Why a command gave nothing to use; the words go after "the command". Never quotes the command, which may hold secrets. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * Runs `sh -c COMMAND` with nothing to read, its errors going to ours, and returns what it printed once it has ended well.
 * Throws `CommandError` when it does not, in time and within the limits.
 */
export function outputOf(command: string, options: CommandOptions): Promise<Buffer> {
  const { env, ms, bytes, clock, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    // A process group of its own: what the command has started is killed with it.
    const child = spawn("/bin/sh", ["-c", command], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...env },
    });
    const over = new AbortController();
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (settle: () => void) => {
      if (over.signal.aborted) return;
      over.abort();
      signal.removeEventListener("abort", stop);
      settle();
    };
    const kill = (reason: unknown) =>
      end(() => {
        killGroup(child);
        child.stdout.destroy();
        reject(reason);
      });
    const stop = () => kill(signal.reason);

    signal.addEventListener("abort", stop, { once: true });
    clock.sleep(ms, over.signal).then(
      () => kill(new CommandError(`did not end within ${Math.round(ms / 1000)} seconds`)),
      () => undefined, // It has ended before.
    );
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytes) kill(new CommandError(`printed more than ${bytes} bytes`));
      else chunks.push(chunk);
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      end(() => reject(new CommandError(`could not be started (${error.code ?? "unknown error"})`))),
    );
    // Not at its exit: what it has printed may still be on the way.
    child.on("close", (status, by) =>
      end(() => {
        if (status === 0) resolve(Buffer.concat(chunks));
        else reject(new CommandError(typeof by === "string" ? `was ended by ${by}` : `exited with status ${status}`));
      }),
    );
  });
}
