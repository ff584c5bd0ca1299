import process from "node:process";
import { childEnvironment } from "../config/secrets.ts";
import { eventOf, type KeiEvent, lastEventOf, variablesOf } from "../notify/events.ts";
import { Scripts } from "../notify/scripts.ts";
import type { RunEnd, SyncReport, SyncSettings } from "../sync/types.ts";
import { summaryLines } from "../ui/summary.ts";
import type { Attendant } from "./attendants.ts";
import type { CommandContext } from "./context.ts";

/** Runs the script of `[notifications] script` when a run begins and ends, and when kei needs its owner (cli.md 6.5). */
export function notificationScript(wanted: SyncSettings, context: CommandContext): Attendant {
  const { settings, env, clock, log, cancel } = context;
  const path = settings.notificationScript;
  // A dry run changes nothing that anybody would have to know of.
  if (path === undefined || wanted.dryRun) return {};
  if (process.platform === "win32") {
    log.warn("the notification script is not run on Windows", { path });
    return {};
  }
  const scripts = new Scripts({ path, clock, logger: log });
  const takeBack = context.lastAct(() => scripts.stop());
  const tell = (event: KeiEvent | undefined): void => {
    if (event === undefined) return;
    const { username } = wanted;
    const masked = { ...event, message: log.mask(event.message) };
    scripts.start(event.name, {
      ...childEnvironment(env),
      ...variablesOf(masked, { username, reportPath: settings.reportJson }),
    });
  };
  const verdict = (report: SyncReport): string => summaryLines(report, Number.POSITIVE_INFINITY)[0] ?? report.outcome;
  let last: RunEnd | undefined;
  let isCodeAwaited = false;
  return {
    onStage: ({ kind }) => {
      if (kind === "running") tell({ name: "sync_started", message: `The sync of ${wanted.username} has started.` });
    },
    onEnd: async (end) => {
      last = end;
      // A watch looks again whenever the session has changed; its owner is called once.
      if (!(isCodeAwaited && end.locked === "code-needed")) tell(eventOf(end, verdict));
      isCodeAwaited = end.locked === "code-needed" || (isCodeAwaited && end.error !== undefined);
    },
    close: async () => {
      if (last !== undefined) tell(lastEventOf(last, verdict));
      await scripts.close(cancel);
      takeBack();
    },
  };
}
