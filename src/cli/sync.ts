import { rememberFirstRun } from "../config/first-run.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import type { SyncReport, SyncSettings } from "../sync/types.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import { summaryLines } from "../ui/summary.ts";
import { accountOf, type CommandContext, portsOf } from "./context.ts";

/** `kei sync`: one run, its progress, its summary, its exit code. */
export async function sync(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal, log, clock, env } = context;
  const account = accountOf(context);
  if (settings.directory === undefined) {
    throw new Failure("--directory is required", {
      exit: EXIT.failure,
      remedy:
        "Say where the photos go with --download-dir PATH (-d), KEI_DOWNLOAD_DIR or [download].directory in the configuration.",
    });
  }
  const display = new ProgressDisplay({
    clock,
    write: terminal.err,
    live: terminal.errIsTerminal && settings.progressBar && env["TERM"] !== "dumb",
    columns: terminal.columns,
    say: (line) => log.info(line),
  });
  log.through(display.line);
  const wanted: SyncSettings = {
    ...account,
    directory: settings.directory,
    albums: settings.albums,
    libraries: settings.libraries,
    unfiled: settings.unfiled,
    folderStructure: settings.folderStructure,
    folderStructureAlbums: settings.folderStructureAlbums,
    albumCopies: settings.albumCopies,
    keepUnicode: settings.keepUnicode,
    livePhotoMovNaming: settings.livePhotoMovNaming,
    fileMatchPolicy: settings.fileMatchPolicy,
    threads: settings.threads,
    perTransfer: settings.perTransfer,
    perAsset: settings.perAsset,
    tempSuffix: settings.tempSuffix,
    dryRun: settings.dryRun,
    force: settings.force,
  };
  if (!settings.dryRun) await rememberFirstRun(context.resolved, env, log);
  const { runSync } = await context.sync();
  let report: SyncReport;
  try {
    report = await runSync(wanted, portsOf(context, display.show));
  } finally {
    display.end();
    log.through(undefined);
  }
  for (const line of summaryLines(report)) terminal.err(`${log.mask(line)}\n`);
  return exitOf(report);
}

/** DECISIONS 1: partial before stopped, since what failed is still missing. */
function exitOf(report: SyncReport): ExitCode {
  if (report.outcome === "session_expired") return EXIT.signIn;
  const failures = report.failed + report.exhausted + report.enumerationErrors.length;
  if (report.outcome === "partial_failure" || failures > 0) return EXIT.partial;
  return EXIT.ok;
}
