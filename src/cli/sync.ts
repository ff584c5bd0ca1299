import { join } from "node:path";
import { checkTogether } from "../config/derive.ts";
import { rememberFirstRun } from "../config/first-run.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { COMMIT, VERSION } from "../runtime/process.ts";
import type { SyncReport } from "../sync/types.ts";
import type { ProgressDisplay } from "../ui/progress.ts";
import { together } from "./attendants.ts";
import { type CommandContext, isFriendly, portsOf } from "./context.ts";
import { withProgress } from "./display.ts";
import { tellUnsaved } from "./login.ts";
import { monitor } from "./monitor.ts";
import { person } from "./person.ts";
import { withPidFile } from "./pid-file.ts";
import { reportFile } from "./report-file.ts";
import { notificationScript } from "./script.ts";
import { syncSettingsOf } from "./sync-settings.ts";
import { systemd } from "./systemd.ts";
import { UsageError } from "./usage-error.ts";

/** `kei sync`: one run or many, those who follow them, the exit code. */
export function sync(given: CommandContext): Promise<ExitCode> {
  return withProgress(given, async (display, context) => {
    const { settings, clock, log } = context;
    const wanted = syncSettingsOf(context);
    refuseForDryRuns(settings);
    for (const odd of checkTogether(context.resolved, clock.now())) log.warn(odd);
    const intervalMs = pauseBetweenRuns(context);
    return withPidFile(wanted, context, () => syncAttended(wanted, intervalMs, display, context));
  });
}

/** Runs once, or again and again with pauses of `intervalMs`, before the eyes of all who follow it. */
async function syncAttended(
  wanted: ReturnType<typeof syncSettingsOf>,
  intervalMs: number | undefined,
  display: ProgressDisplay,
  context: CommandContext,
): Promise<ExitCode> {
  const { settings, resolved, terminal, env, log, cancel } = context;
  const watching = intervalMs !== undefined;
  // A log tells of many days and versions.
  if (!isFriendly(context)) log.info("Starting kei", { version: VERSION, commit: COMMIT });
  if (!wanted.dryRun) await rememberFirstRun(resolved, env, log);
  const attendants = together([
    // First of all: an address that can't be had ends the program, before anything else is open.
    await monitor(wanted, intervalMs, context),
    reportFile(wanted, watching, context),
    person(display, watching, context),
    notificationScript(wanted, context),
    await systemd(context),
  ]);
  const ports = {
    ...portsOf(context),
    ...attendants,
    onPlanned: (path: string) => display.result(terminal.out, join(wanted.directory, path)),
  };
  let report: SyncReport | undefined;
  let isCutOff = false;
  try {
    const { runSync, watch } = await context.sync();
    report = watching
      ? await watch(wanted, ports, { intervalMs, reconcileEvery: settings.reconcileEveryNCycles })
      : await runSync(wanted, ports);
  } finally {
    // Scripts may take their time afterwards: that cuts off no sync.
    isCutOff = cancel.aborted;
    display.end();
    await attendants.close();
  }
  tellUnsaved(wanted, context);
  if (isCutOff) return EXIT.forced;
  return report === undefined ? EXIT.ok : exitOf(report);
}

/** What would have to be written can't be tried out. */
function refuseForDryRuns(settings: CommandContext["settings"]): void {
  if (!settings.dryRun && !settings.onlyPrintFilenames) return;
  for (const [flag, given] of [
    ["--retry-failed", settings.retryFailed],
    ["--save-password", settings.savePassword],
  ] as const) {
    if (given) throw new UsageError(`${flag} and ${onceOnly(settings)} exclude each other`);
  }
}

const HOUR_SECONDS = 3600;

/** Ms between runs, when there are to be many (DECISIONS 2); undefined for a single one. */
function pauseBetweenRuns({ settings, resolved }: CommandContext): number | undefined {
  const { watch, noWatch, watchInterval } = settings;
  const once = onceOnly(settings);
  const byFlag = resolved.origins.watchInterval === "flag";
  const asked = watch || byFlag;
  const flag = byFlag ? "--watch-with-interval" : "--watch";
  if (asked && noWatch) throw new UsageError(`${flag} and --no-watch exclude each other`);
  if (asked && once !== undefined) throw new UsageError(`${once} is for one run; it excludes ${flag}`);
  if (noWatch || once !== undefined || !(watch || watchInterval !== undefined)) return undefined;
  return (watchInterval ?? HOUR_SECONDS) * 1000;
}

/** The flag that makes sense for a single run only. */
function onceOnly({ dryRun, onlyPrintFilenames, retryFailed }: CommandContext["settings"]): string | undefined {
  if (dryRun) return "--dry-run";
  if (onlyPrintFilenames) return "--only-print-filenames";
  return retryFailed ? "--retry-failed" : undefined;
}

/** DECISIONS 1: partial before stopped, since what failed is still missing. */
function exitOf(report: SyncReport): ExitCode {
  if (report.outcome === "session_expired") return EXIT.signIn;
  const failures = report.failed + report.exhausted + report.enumerationErrors.length;
  if (report.outcome === "partial_failure" || failures > 0) return EXIT.partial;
  return EXIT.ok;
}
