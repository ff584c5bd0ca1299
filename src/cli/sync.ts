import { checkTogether, mediaOf, renditionsOf } from "../config/derive.ts";
import { rememberFirstRun } from "../config/first-run.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { parseRecent } from "../library/recent.ts";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { VERSION } from "../runtime/process.ts";
import { reportJson } from "../sync/report-json.ts";
import type { SyncReport, SyncSettings } from "../sync/types.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import { summaryLines } from "../ui/summary.ts";
import { accountOf, type CommandContext, portsOf } from "./context.ts";
import { UsageError } from "./parse.ts";

/** `kei sync`: one run, its progress, its summary, its exit code. */
export async function sync(given: CommandContext): Promise<ExitCode> {
  const { settings, terminal, log, clock, env } = given;
  const display = new ProgressDisplay({
    clock,
    write: terminal.err,
    live: terminal.errIsTerminal && settings.progressBar && env["TERM"] !== "dumb",
    columns: terminal.columns,
    say: (line) => log.info(line),
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
  const account = accountOf(context);
  if (settings.directory === undefined) {
    throw new Failure("--directory is required", {
      exit: EXIT.failure,
      remedy:
        "Say where the photos go with --download-dir PATH (-d), KEI_DOWNLOAD_DIR or [download].directory in the configuration.",
    });
  }
  if (settings.retryFailed && settings.dryRun) throw new UsageError("--retry-failed and --dry-run exclude each other");
  for (const odd of checkTogether(context.resolved, clock.now())) log.warn(odd);
  const interval = watchInterval(context);
  log.through(display.line);
  const wanted: SyncSettings = {
    ...account,
    directory: settings.directory,
    albums: settings.albums,
    albumsAsked: context.resolved.origins.albums !== "default",
    smartFolders: settings.smartFolders,
    libraries: settings.libraries,
    unfiled: settings.unfiled,
    media: mediaOf(settings),
    skipCreatedBefore: settings.skipCreatedBefore,
    skipCreatedAfter: settings.skipCreatedAfter,
    recent: settings.recent === undefined ? undefined : parseRecent(settings.recent),
    recentScope: settings.recentScope,
    filenameExclude: settings.filenameExclude,
    folderStructure: settings.folderStructure,
    folderStructureAlbums: settings.folderStructureAlbums,
    folderStructureSmartFolders: settings.folderStructureSmartFolders,
    renditions: renditionsOf(context.resolved),
    albumCopies: settings.albumCopies,
    keepUnicode: settings.keepUnicode,
    livePhotoMovNaming: settings.livePhotoMovNaming,
    fileMatchPolicy: settings.fileMatchPolicy,
    // A narrow line is shared badly: one file at a time, unless told otherwise.
    threads:
      settings.bandwidthLimit !== undefined && context.resolved.origins.threads === "default" ? 1 : settings.threads,
    perTransfer: settings.perTransfer,
    perAsset: settings.perAsset,
    tempSuffix: settings.tempSuffix,
    bandwidthLimit: settings.bandwidthLimit,
    retryFailed: settings.retryFailed,
    dryRun: settings.dryRun,
    watching: false,
    force: settings.force,
  };
  if (!settings.dryRun) await rememberFirstRun(context.resolved, env, log);
  const ports = {
    ...portsOf(context, display.show),
    onReport: (done: SyncReport) => writeReport(done, wanted, context),
  };
  const say = (done: SyncReport): void => {
    display.end();
    for (const line of summaryLines(done)) terminal.err(`${log.mask(line)}\n`);
  };
  const { runSync, watch } = await context.sync();
  let report: SyncReport | undefined;
  try {
    if (interval === undefined) {
      report = await runSync(wanted, ports);
      say(report);
    } else {
      const reconcileEvery = settings.reconcileEveryNCycles;
      report = await watch(wanted, ports, { intervalMs: interval * 1000, reconcileEvery, onCycle: say });
    }
  } finally {
    display.end();
    log.through(undefined);
  }
  if (context.cancel.aborted) return EXIT.forced;
  return report === undefined ? EXIT.ok : exitOf(report);
}

/** Seconds between runs, when there are to be many (DECISIONS 2); undefined for a single one. */
function watchInterval({ settings, resolved }: CommandContext): number | undefined {
  const { watch, noWatch, dryRun, retryFailed } = settings;
  const asked = watch || resolved.origins.watchInterval === "flag";
  if (asked && noWatch) throw new UsageError("--no-watch contradicts the other flag");
  if (asked && (dryRun || retryFailed)) {
    throw new UsageError(`${dryRun ? "--dry-run" : "--retry-failed"} is for one run; it can't be watched`);
  }
  if (noWatch || dryRun || retryFailed || !(watch || settings.watchInterval !== undefined)) return undefined;
  return settings.watchInterval ?? HOUR_SECONDS;
}

const HOUR_SECONDS = 3600;

/** A report that can't be written is told, and changes nothing about the run. */
async function writeReport(report: SyncReport, wanted: SyncSettings, context: CommandContext): Promise<void> {
  const { settings, resolved, clock, log } = context;
  const path = settings.reportJson;
  // A dry run writes nothing but the report that its own command line names.
  if (path === undefined || (wanted.dryRun && resolved.origins.reportJson !== "flag")) return;
  try {
    await writeAtomically(path, log.mask(reportJson(report, wanted, VERSION, clock.now())));
  } catch (error) {
    log.warn("could not write the report", { path, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

/** DECISIONS 1: partial before stopped, since what failed is still missing. */
function exitOf(report: SyncReport): ExitCode {
  if (report.outcome === "session_expired") return EXIT.signIn;
  const failures = report.failed + report.exhausted + report.enumerationErrors.length;
  if (report.outcome === "partial_failure" || failures > 0) return EXIT.partial;
  return EXIT.ok;
}
