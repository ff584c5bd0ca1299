import { stat } from "node:fs/promises";
import type { Clock, Logger } from "../runtime/ports.ts";
import { type RunningScript, type ScriptEnd, startScript } from "../runtime/script.ts";

export interface ScriptsDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A script that takes longer is stopped, ms. */
const LIMIT_MS = 30_000;
/** Runs of the script at the same time. */
const MOST_AT_ONCE = 8;

/** Runs of one script beside everything else: they hold nothing up, and what goes wrong with them is a warning. */
export class Scripts {
  readonly #deps: ScriptsDeps;
  readonly #running = new Map<Promise<void>, () => void>();

  constructor(deps: ScriptsDeps) {
    this.#deps = deps;
  }

  /** Starts the script with these variables. When too many are still running, it is left out with a warning. */
  start(event: string, env: Readonly<Record<string, string | undefined>>): void {
    const { logger, path } = this.#deps;
    if (this.#running.size >= MOST_AT_ONCE) {
      logger.warn("the notification script was not run: too many are still running", { event, path });
      return;
    }
    const cut = new AbortController();
    const run = this.#run(event, env, cut.signal).finally(() => this.#running.delete(run));
    this.#running.set(run, () => cut.abort());
  }

  /** Waits for what is running, each for the rest of its time; no longer than until `hurry` aborts. */
  async close(hurry: AbortSignal): Promise<void> {
    const cut = () => this.stop();
    if (hurry.aborted) cut();
    hurry.addEventListener("abort", cut, { once: true });
    await Promise.all(this.#running.keys());
    hurry.removeEventListener("abort", cut);
  }

  /** Ends all that are running, at once. */
  stop(): void {
    for (const cut of this.#running.values()) cut();
  }

  async #run(event: string, env: Readonly<Record<string, string | undefined>>, cut: AbortSignal): Promise<void> {
    const { path, logger } = this.#deps;
    const warn = (reason: string) => logger.warn("the notification script has failed", { event, path, reason });
    try {
      if (!(await isFile(path))) return warn("there is no such file");
      if (cut.aborted) return;
      const script = startScript(path, env);
      const end = await this.#within(script, cut);
      const problem = end === "stopped" ? "it took too long and was stopped" : problemOf(end);
      if (problem !== undefined) warn(problem);
    } catch (error) {
      // It must never break a sync.
      warn(error instanceof Error ? error.message : String(error));
    }
  }

  /** The script's end, or `stopped` when its time was over or it was cut: then nobody waits for it any more. */
  async #within(script: RunningScript, cut: AbortSignal): Promise<ScriptEnd | "stopped"> {
    const over = new AbortController();
    const stopped = new Promise<"stopped">((resolve) => {
      const stop = () => {
        script.kill();
        resolve("stopped");
      };
      cut.addEventListener("abort", stop, { once: true });
      this.#deps.clock.sleep(LIMIT_MS, over.signal).then(stop, () => undefined); // Rejects when it was over in time.
    });
    const end = await Promise.race([script.end, stopped]);
    over.abort();
    return end;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

function problemOf(end: ScriptEnd): string | undefined {
  switch (end.kind) {
    case "exit":
      return end.code === 0 ? undefined : `it ended with ${end.code}`;
    case "signal":
      return `it was ended by ${end.signal}`;
    case "not-started":
      return `it could not be started (${end.reason})`;
  }
}
