import { readFile } from "node:fs/promises";
import { accountKey } from "../library/account.ts";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { errorLine } from "../serve/after-run.ts";
import { accountHealthPath, formatHealth, type Health, healthPath, readHealth } from "../serve/health.ts";
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
  const account = accountKey(wanted.domain, wanted.username);
  const before = await healthBefore(wanted.dataDir, account, log);
  const watcher = new Monitor({
    before: waitingElsewhere(before, intervalMs === undefined, clock.now()),
    clock,
    intervalMs: intervalMs ?? 0,
    tell: (error) => errorLine(error, log.mask, wanted.username),
  });
  const server = intervalMs === undefined ? undefined : await serve(watcher, context);
  const keep = healthFiles([accountHealthPath(wanted.dataDir, account), healthPath(wanted.dataDir)], before, log);
  return {
    onStage: (stage) => {
      watcher.onStage(stage);
      void keep(watcher.health);
    },
    onProgress: (progress) => {
      watcher.onProgress(progress);
      void keep(watcher.health);
    },
    onEnd: (end) => {
      watcher.onEnd(end);
      return keep(watcher.health);
    },
    close: async () => {
      await server?.close();
      if (!watcher.watch.ended) return;
      watcher.gone();
      await keep(watcher.health);
    },
  };
}

/**
 * A watch that pauses, or waits for a code, lets single runs go between: what is known of it stays. One whose time is over
 * is dead, or has the account's lock, and then nothing is written. Two watches of one account would be one too many.
 */
function waitingElsewhere(before: Health, isSingle: boolean, now: number): Health {
  const { nextSyncAt, codeWantedAt } = before;
  const left = isSingle && (nextSyncAt ?? 0) > now ? nextSyncAt : undefined;
  const wanted = isSingle ? codeWantedAt : undefined;
  if (left === nextSyncAt && wanted === codeWantedAt) return before;
  return { ...before, nextSyncAt: left, codeWantedAt: wanted };
}

/**
 * Writes a health that is not the one handed over last (at first `before`); one write after the other. Resolves when all
 * is written. Trouble is a warning, once and not for every run of a watch.
 */
function healthFiles(
  paths: readonly string[],
  before: Health,
  log: CommandContext["log"],
): (health: Health) => Promise<void> {
  let last = before;
  let writing = Promise.resolve();
  const complained = new Set<string>();
  const write = async (path: string, health: Health): Promise<void> => {
    try {
      await writeAtomically(path, formatHealth(health), 0o600);
      complained.delete(path);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      if (!complained.has(path)) log.warn("could not write the health of the runs", { path, reason });
      complained.add(path);
    }
  };
  return (health) => {
    if (health === last) return writing;
    last = health;
    for (const path of paths) writing = writing.then(() => write(path, health));
    return writing;
  };
}

/** What earlier runs have left, so that failures in a row are counted over restarts. */
async function healthBefore(dataDir: string, account: string, log: CommandContext["log"]): Promise<Health> {
  const read = async (path: string): Promise<string | undefined> => {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR")
        log.warn("could not read the health of the runs before", { path, reason: code ?? String(error) });
      return undefined;
    }
  };
  const none: Health = {
    account,
    lastSyncAt: undefined,
    lastSuccessAt: undefined,
    consecutiveFailures: 0,
    lastError: undefined,
    nextSyncAt: undefined,
    codeWantedAt: undefined,
  };
  return (await readHealth(dataDir, account, read)) ?? none;
}
