import { accountFiles } from "../library/account.ts";
import { Failure } from "../library/failure.ts";
import { examineState, isLocked } from "../state/index.ts";
import { rootTrouble } from "../sync/root.ts";
import { ok, skipped, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

/** The catalogue: readable, sound, what is in it, and whether the download folder is the one that it speaks of. */
export async function database({ account, dataDir, directory, perAsset, ports }: Patient): Promise<Check> {
  const name = "state_db";
  if (account === undefined) return skipped(name, "no account is named");
  const { domain, username } = account;
  const path = accountFiles(dataDir, domain, username).database;
  try {
    const options = { path, domain, username, clock: ports.clock, logger: ports.logger };
    const found = await examineState(options, perAsset);
    if (found === undefined) return ok(name, "there is none yet; the first sync makes it");
    const { assets, onDisk, waiting, failed, exhausted, files } = found.totals;
    const counts = `schema ${found.schema}, ${assets} photos, ${onDisk} on disk, ${waiting} waiting, ${failed + exhausted} failed`;
    const trouble = directory === undefined || files.downloaded === 0 ? undefined : await rootTrouble(directory);
    if (trouble !== undefined)
      return wrong(
        name,
        `sound: ${counts}; but the download folder ${directory} ${trouble === "absent" ? "is not there" : "is empty"}`,
        "Mount the disk it is on. If the files are really gone, `kei sync --force` fetches them again.",
      );
    if (failed + exhausted > 0) return warning(name, `sound: ${counts}`, "See `kei status --failed`.");
    return ok(name, `sound: ${counts}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return wrong(name, error.message, error.remedy);
  }
}

/** Whether another kei is at work for this account. */
export async function instance({ account, dataDir }: Patient): Promise<Check> {
  const name = "instance";
  if (account === undefined) return skipped(name, "no account is named");
  const busy = await isLocked(accountFiles(dataDir, account.domain, account.username).lock);
  return ok(name, busy ? "another kei is at work for this account" : "no other kei is at work for this account");
}
