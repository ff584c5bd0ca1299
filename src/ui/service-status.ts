import type { RunEnd, Stage } from "../sync/types.ts";
import { plural } from "./format.ts";

/** Where kei is, in the words of `systemctl status` (cli.md 7.1). `last` is how the run before has ended. */
export function stageText(stage: Exclude<Stage, { kind: "ready" }>, last: RunEnd | undefined): string {
  switch (stage.kind) {
    case "running":
      return "Syncing...";
    case "waiting": {
      const trouble = last === undefined ? undefined : troubleOf(last);
      return `Waiting ${Math.round(stage.ms / 1000)} seconds...${trouble === undefined ? "" : ` (${trouble})`}`;
    }
    case "waiting-for-code":
      return "Waiting for a verification code: run `kei login get-code`, then `kei login submit-code CODE`";
  }
}

function troubleOf({ report, error }: RunEnd): string | undefined {
  if (error !== undefined) return error instanceof Error ? error.message : String(error);
  if (report === undefined) return undefined;
  const failed = report.failed + report.exhausted;
  if (failed > 0) return `${plural(failed, "file")} failed`;
  return report.enumerationErrors.length > 0 ? "not everything could be listed" : undefined;
}
