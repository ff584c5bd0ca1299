import { readFile } from "node:fs/promises";
import { accountKey } from "../library/account.ts";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { errorLine } from "../serve/after-run.ts";
import { formatHealth, type Health, healthPath, parseHealth } from "../serve/health.ts";
import { Monitor } from "../serve/monitor.ts";
import type { SyncSettings } from "../sync/types.ts";
import type { Attendant } from "./attendants.ts";
import type { CommandContext } from "./context.ts";
import { serve } from "./serve.ts";

/**
 * Keeps the health of the runs: in `health.json` after each of them, and in a watch over HTTP (`intervalMs` is then the
 * pause between its runs). A dry run leaves no trace. Throws `Failure` (exit 1) when a port that was asked for can't be
 * had.
 */
export async function monitor(
  wanted: SyncSettings,
  intervalMs: number | undefined,
  context: CommandContext,
): Promise<Attendant> {
  if (wanted.dryRun) return {};
  const { clock, log } = context;
  const path = healthPath(wanted.dataDir);
  const watcher = new Monitor({
    before: await healthBefore(path, accountKey(wanted.domain, wanted.username), log),
    clock,
    intervalMs: intervalMs ?? 0,
    tell: (error) => errorLine(error, log.mask, wanted.username),
  });
  const server = intervalMs === undefined ? undefined : await serve(watcher, context);
  let written = watcher.health;
  let writing = Promise.resolve();
  let complained = false;
  const write = async (): Promise<void> => {
    const { health } = watcher;
    if (health === written) return;
    try {
      await writeAtomically(path, formatHealth(health));
      written = health;
      complained = false;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      // Said once, not for each run of a watch.
      if (!complained) log.warn("could not write the health of the runs", { path, reason });
      complained = true;
    }
  };
  /** One write after the other; each writes what is known by then. */
  const save = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  const saveLater = (): void => {
    if (watcher.health !== written) void save();
  };
  return {
    onStage: (stage) => {
      watcher.onStage(stage);
      saveLater();
    },
    onProgress: (progress) => {
      watcher.onProgress(progress);
      saveLater();
    },
    onEnd: (end) => {
      watcher.onEnd(end);
      return save();
    },
    close: async () => {
      await server?.close();
      watcher.noLongerWaiting();
      await save();
    },
  };
}

/** What earlier runs have left, so that failures in a row are counted over restarts. */
async function healthBefore(path: string, account: string, log: CommandContext["log"]): Promise<Health> {
  const none: Health = {
    account,
    lastSyncAt: undefined,
    lastSuccessAt: undefined,
    consecutiveFailures: 0,
    lastError: undefined,
    nextSyncAt: undefined,
  };
  try {
    const before = parseHealth(await readFile(path, "utf8"), account);
    return before === undefined ? none : { ...before, nextSyncAt: undefined };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      log.warn("could not read the health of the runs before", { path, reason: code ?? String(error) });
    }
    return none;
  }
}
