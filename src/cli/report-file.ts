import { writeAtomically } from "../runtime/atomic-file.ts";
import { VERSION } from "../runtime/process.ts";
import { reportJson } from "../sync/report-json.ts";
import type { SyncSettings } from "../sync/types.ts";
import type { Attendant } from "./attendants.ts";
import type { CommandContext } from "./context.ts";

/**
 * Writes the report of each run for machines (`--report-json`, cli.md 6.1). A watch that found nothing to do leaves the
 * last one. A report that can't be written is told, and changes nothing about the run.
 */
export function reportFile(wanted: SyncSettings, watching: boolean, context: CommandContext): Attendant {
  const { settings, resolved, clock, log } = context;
  const path = settings.reportJson;
  // A dry run writes nothing but the report that its own command line names.
  if (path === undefined || settings.onlyPrintFilenames) return {};
  if (wanted.dryRun && resolved.origins.reportJson !== "flag") return {};
  return {
    onEnd: async ({ report }) => {
      if (report === undefined || (watching && report.unchanged)) return;
      try {
        await writeAtomically(path, log.mask(reportJson(report, wanted, VERSION, clock.now())));
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? String(error);
        log.warn("could not write the report", { path, reason });
      }
    },
  };
}
