import { escapeControls, formatTime } from "../ui/format.ts";
import type { ProgressDisplay } from "../ui/progress.ts";
import { summaryLines } from "../ui/summary.ts";
import type { Attendant } from "./attendants.ts";
import type { CommandContext } from "./context.ts";

/** The progress and the summary of each run, for the person who looks on. A watch is silent about runs without work. */
export function person(
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
      if (stage.kind !== "waiting") return;
      const isShown = display.rest(`Next run at ${formatTime(clock.now() + stage.ms)} · Ctrl+C ends`);
      if (!isShown) log.info("waiting for the next run", { seconds: Math.round(stage.ms / 1000) });
    },
  };
}
