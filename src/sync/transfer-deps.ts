import type { Brake } from "../download/brake.ts";
import { createFolders } from "../download/folders.ts";
import { createLimiter } from "../download/limiter.ts";
import type { TransferDeps } from "../download/transfer.ts";
import { appleFetch } from "../runtime/network.ts";
import type { Ports, SyncSettings } from "./types.ts";

/** What the transfers of one run need, as the settings say. */
export function transferOf(
  settings: SyncSettings,
  { clock, random, logger }: Ports,
  brake: Brake,
): Omit<TransferDeps, "stop" | "cancel" | "onBytes"> {
  return {
    fetch: appleFetch,
    clock,
    random,
    logger,
    retries: settings.perTransfer,
    brake,
    limiter: settings.bandwidthLimit === undefined ? undefined : createLimiter(settings.bandwidthLimit, clock),
    folders: createFolders(settings.directory),
    fileMode: 0o666 & ~process.umask(),
  };
}
