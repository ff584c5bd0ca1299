import { join } from "node:path";
import { checkTogether } from "../config/derive.ts";
import { rememberFirstRun } from "../config/first-run.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { every } from "../runtime/clock.ts";
import type { SyncReport } from "../sync/types.ts";
import { escapeControls, formatTime } from "../ui/format.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import { summaryLines } from "../ui/summary.ts";
import { type Attendant, together } from "./attendants.ts";
import { type CommandContext, isFriendly, portsOf } from "./context.ts";
import { tellUnsaved } from "./login.ts";
import { monitor } from "./monitor.ts";
import { UsageError } from "./parse.ts";
import { withPidFile } from "./pid-file.ts";
import { reportFile } from "./report-file.ts";
import { notificationScript } from "./script.ts";
import { syncSettingsOf } from "./sync-settings.ts";
import { systemd } from "./systemd.ts";

/** `kei sync`: one run or many, their progress, their summaries, the exit code. */
export async function sync(given: CommandContext): Promise<ExitCode> {
  const { settings, terminal, log, clock, env } = given;
  const display = new ProgressDisplay({
    clock,
    write: terminal.err,
    live: isFriendly(given) && settings.progressBar,
    columns: terminal.columns,
    say: (line) => log.info(line),
    every,
  });
  // A question takes the place of the moving line.
  const context: CommandContext = {
    ...given,
    terminal: {
      ...terminal,
      readLine: (question, options) => {
        display.end();
        return terminal.readLine(question, options);
      },
    },
  };
  const wanted = syncSettingsOf(context);
  if (wanted.retryFailed && wanted.dryRun)
    throw new UsageError(`--retry-failed and ${onceOnly(settings)} exclude each other`);
  if (settings.savePassword && wanted.dryRun)
    throw new UsageError(`--save-password and ${onceOnly(settings)} exclude each other`);
  for (const odd of checkTogether(context.resolved, clock.now())) log.warn(odd);
  const interval = watchInterval(context);
  const watching = interval !== undefined;
  return withPidFile(wanted, context, async () => {
    log.through(display.line);
    if (!wanted.dryRun) await rememberFirstRun(context.resolved, env, log);
    // First of all: an address that can't be had ends the program, before anything else is open.
    const monitoring = await monitor(wanted, interval === undefined ? undefined : interval * 1000, context);
    const attendants = together([
      monitoring,
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
      report =
        interval === undefined
          ? await runSync(wanted, ports)
          : await watch(wanted, ports, { intervalMs: interval * 1000, reconcileEvery: settings.reconcileEveryNCycles });
    } finally {
      // Scripts may take their time afterwards: that cuts off no sync.
      isCutOff = context.cancel.aborted;
      display.end();
      log.through(undefined);
      await attendants.close();
    }
    tellUnsaved(wanted, context);
    if (isCutOff) return EXIT.forced;
    return report === undefined ? EXIT.ok : exitOf(report);
  });
}

/** The progress and the summary of each run, for the person who looks on. A watch is silent about runs without work. */
function person(
  display: ProgressDisplay,
  watching: boolean,
  { settings, terminal, log, clock }: CommandContext,
): Attendant {
  return {
    onProgress: display.show,
    onEnd: async ({ report, error }) => {
      display.end();
      // A log is searched, not read by width.
      const width = terminal.errIsTerminal ? terminal.columns() : Number.POSITIVE_INFINITY;
      if (settings.onlyPrintFilenames || report === undefined || error !== undefined || (watching && report.unchanged))
        return;
      for (const line of summaryLines(report, width)) terminal.err(`${escapeControls(log.mask(line))}\n`);
    },
    onStage: (stage) => {
      if (stage.kind === "waiting") display.rest(`Next run at ${formatTime(clock.now() + stage.ms)} · Ctrl+C ends`);
    },
  };
}

const HOUR_SECONDS = 3600;

/** Seconds between runs, when there are to be many (DECISIONS 2); undefined for a single one. */
function watchInterval({ settings, resolved }: CommandContext): number | undefined {
  const { watch, noWatch } = settings;
  const once = onceOnly(settings);
  const asked = watch || resolved.origins.watchInterval === "flag";
  if (asked && noWatch) throw new UsageError("--no-watch contradicts the other flag");
  const flag = resolved.origins.watchInterval === "flag" ? "--watch-with-interval" : "--watch";
  if (asked && once !== undefined) throw new UsageError(`${once} is for one run; it excludes ${flag}`);
  if (noWatch || once !== undefined || !(watch || settings.watchInterval !== undefined)) return undefined;
  return settings.watchInterval ?? HOUR_SECONDS;
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
