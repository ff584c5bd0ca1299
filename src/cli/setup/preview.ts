import type { SyncReport } from "../../sync/types.ts";
import { formatBytes, formatCount, plural } from "../../ui/format.ts";
import { type CommandContext, portsOf } from "../context.ts";
import { withProgress } from "../display.ts";
import { syncSettingsOf } from "../sync-settings.ts";
import type { Person } from "./ask.ts";
import type { FolderFacts } from "./folder.ts";

/** Lists the library as a sync would, writes nothing, and says what a sync would bring and whether there is room for it. */
export async function preview(given: CommandContext, person: Person, folder: FolderFacts): Promise<void> {
  const { runSync } = await given.sync();
  const report = await withProgress(given, (display, context) =>
    runSync({ ...syncSettingsOf(context), dryRun: true }, { ...portsOf(context), onProgress: display.show }),
  );
  // A run that was stopped has counted only a part.
  given.stop.throwIfAborted();
  for (const line of previewLines(report, folder)) person.say(line);
}

/** What a dry run has found, in sentences. */
export function previewLines(report: SyncReport, { path, free }: Pick<FolderFacts, "path" | "free">): string[] {
  const { assetsSeen, planned, notices, enumerationErrors } = report;
  const { files, bytes } = planned ?? { files: 0, bytes: 0 };
  const left = free === undefined ? undefined : free - bytes;
  return [
    `${formatCount(assetsSeen)} photos and videos: ${plural(files, "file")} to save, ${formatBytes(bytes)}.`,
    ...(free === undefined ? [] : [`${formatBytes(free)} are free at ${path}.`]),
    ...(left !== undefined && left < 0
      ? [
          `That is ${formatBytes(-left)} too little. Choose another folder or save less, or make room: kei saves what fits.`,
        ]
      : []),
    ...enumerationErrors.map((error) => `Not everything could be looked at: ${error}`),
    ...notices.map((notice) => `  ${notice}`),
  ];
}
