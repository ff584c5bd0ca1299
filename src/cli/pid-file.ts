import { writePidFile } from "../runtime/pid-file.ts";
import type { SyncSettings } from "../sync/types.ts";
import type { CommandContext } from "./context.ts";

/**
 * Does `act` with the number of this process in `--pid-file`, if there is to be one (cli.md 4.4); it goes on every way
 * out, also on a forced one. Throws `Failure` when the file belongs to another process that lives, or can't be written.
 */
export async function withPidFile<T>(
  { dryRun }: SyncSettings,
  { settings, log, lastAct }: CommandContext,
  act: () => Promise<T>,
): Promise<T> {
  const path = settings.pidFile;
  // A dry run writes nothing.
  if (path === undefined || dryRun) return act();
  const file = writePidFile(path, log);
  const takeBack = lastAct(file.remove);
  try {
    return await act();
  } finally {
    file.remove();
    takeBack();
  }
}
