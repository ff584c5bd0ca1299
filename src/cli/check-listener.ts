import type { CheckListener } from "../sync/check-types.ts";
import { CheckProgress } from "../ui/check-progress.ts";
import type { DisplayOptions } from "../ui/progress.ts";
import type { CommandContext } from "./context.ts";
import { displayOptions } from "./display.ts";
import type { Listing } from "./listing.ts";

/**
 * What is told while saved files are looked at: the headline and the list on stdout, progress on stderr. `end` is to be
 * called when the last file was told of, on every way out.
 */
export function checkListener(
  context: CommandContext,
  listing: Listing,
  reading: boolean,
  headline: (files: number) => string,
  options: DisplayOptions = displayOptions(context),
): { readonly listener: CheckListener; readonly end: () => void } {
  const { terminal, settings, log } = context;
  const progress = new CheckProgress(options, reading);
  log.through(options.moving.above);
  let over = false;
  return {
    listener: {
      begin: (files, bytes) => {
        progress.begin(files, bytes);
        if (!settings.json) terminal.out(`${headline(files)}\n\n`);
      },
      issue: (issue) => {
        progress.end();
        listing.add(issue);
      },
      progress: (files, bytes) => progress.show(files, bytes),
    },
    end: () => {
      if (over) return;
      over = true;
      progress.end();
      log.through(undefined);
      listing.end();
    },
  };
}
