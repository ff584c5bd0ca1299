import { dirname } from "node:path";
import { type Abilities, probeAbilities } from "../download/abilities.ts";
import { probeWritable } from "../download/space.ts";
import { accountFiles } from "../library/account.ts";
import { freeBytes } from "../runtime/disk-space.ts";
import { isRemoteMount } from "../runtime/mounts.ts";
import { HAS_MODES, ok, refusesUse, refusesWriting, skipped, statOf, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Below this a run does not even list, and warns below the second (DECISIONS 20). */
const SPACE_FLOOR = 100 * MIB;
const SPACE_WARNING = GIB;

/** The folder of kei's own files, and whether this user, and nobody else, can read what is in it. */
export async function dataFolder({ dataDir, account }: Patient): Promise<Check> {
  const name = "data_dir";
  const found = await statOf(dataDir);
  if (found === "ENOENT") {
    const refused = await refusesMaking(dataDir);
    if (refused === undefined) return ok(name, `${dataDir} is made by the first run`);
    return wrong(name, `${dataDir} can't be made: ${refused}`, "Choose another one with --data-dir.");
  }
  if (typeof found === "string")
    return wrong(
      name,
      `${dataDir} can't be used: ${found}`,
      "Check its permissions, or choose another one with --data-dir.",
    );
  if (!found.isDirectory()) return wrong(name, `${dataDir} is not a folder`, "Choose another one with --data-dir.");
  const refused = await refusesWriting(dataDir);
  if (refused !== undefined)
    return wrong(
      name,
      `${dataDir} can't be written: ${refused}`,
      "Check its permissions and owner, or choose another one with --data-dir.",
    );
  const files = account === undefined ? [] : Object.values(accountFiles(dataDir, account.domain, account.username));
  for (const file of files) {
    const refused = await refusesUse(file);
    if (refused === undefined || refused === "ENOENT") continue;
    return wrong(
      name,
      `this user can't use ${file}: ${refused}`,
      "Run kei as the user whose files these are, or give them back to this one with chown.",
    );
  }
  const open = await openToOthers(files);
  const [first] = open;
  if (first !== undefined) return warning(name, `others can read ${open.join(", ")}`, `chmod 600 ${first}`);
  if (isRemoteMount(dataDir))
    return warning(
      name,
      `${dataDir} is on a network mount, which is slower and less safe`,
      "Put it on a local disk with --data-dir.",
    );
  return ok(name, `${dataDir} can be written, and its files are private`);
}

async function openToOthers(paths: readonly string[]): Promise<string[]> {
  if (!HAS_MODES) return [];
  const open: string[] = [];
  for (const path of paths) {
    const found = await statOf(path);
    if (typeof found !== "string" && (found.mode & 0o077) !== 0) open.push(path);
  }
  return open;
}

/** The download folder, and what its file system can do. */
export async function downloadFolder({ directory, dataDir }: Patient): Promise<Check[]> {
  const name = "download_dir";
  const system = "file_system";
  if (directory === undefined)
    return [
      warning(
        name,
        "no download folder is named",
        "Give one with --download-dir, KEI_DOWNLOAD_DIR or [download].directory.",
      ),
      skipped(system, "no download folder"),
    ];
  const found = await statOf(directory);
  if (found === "ENOENT") return [await toBeMade(name, directory), skipped(system, "the download folder is not there")];
  if (typeof found === "string")
    return [
      wrong(name, `${directory} can't be used: ${found}`, "Check its permissions and its disk."),
      skipped(system, "the download folder can't be used"),
    ];
  if (!found.isDirectory())
    return [
      wrong(name, `${directory} is not a folder`, "Choose another one with --download-dir."),
      skipped(system, "no download folder"),
    ];
  try {
    await probeWritable(directory);
    return [await space(name, directory), await fileSystem(system, directory, dataDir, found.dev)];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return [
      wrong(
        name,
        `${directory} can't be written: ${code}`,
        "Check its permissions, its owner and whether its disk is mounted read-only.",
      ),
      skipped(system, "the download folder can't be written"),
    ];
  }
}

async function toBeMade(name: string, directory: string): Promise<Check> {
  const refused = await refusesMaking(directory);
  if (refused === undefined)
    return warning(
      name,
      `${directory} is not there`,
      "The first sync makes it. If files were saved there before, mount its disk.",
    );
  const remedy = "Make it by hand, or choose another one with --download-dir.";
  return wrong(name, `${directory} is not there and can't be made: ${refused}`, remedy);
}

/** Why a folder that is not there can't be made; undefined when it can. */
async function refusesMaking(directory: string): Promise<string | undefined> {
  let above = dirname(directory);
  while (above !== dirname(above) && typeof (await statOf(above)) === "string") above = dirname(above);
  const refused = await refusesWriting(above);
  return refused === undefined ? undefined : `${above} can't be written (${refused})`;
}

async function space(name: string, directory: string): Promise<Check> {
  const free = await freeBytes(directory);
  if (free === undefined) return ok(name, `${directory} can be written; its free space is not known`);
  const left = free < GIB ? `${Math.floor(free / MIB)} MiB` : `${Math.floor(free / GIB)} GiB`;
  if (free < SPACE_FLOOR)
    return wrong(
      name,
      `only ${left} are free at ${directory}`,
      `Free some space: at least ${SPACE_FLOOR / MIB} MiB are needed.`,
    );
  if (free < SPACE_WARNING) return warning(name, `only ${left} are free at ${directory}`, "Free some space.");
  return ok(name, `${directory} can be written; ${left} are free`);
}

async function fileSystem(name: string, directory: string, dataDir: string, device: number): Promise<Check> {
  const abilities = await probeAbilities(directory);
  const above = await statOf(dirname(directory));
  const data = await statOf(dataDir);
  const where = [
    isRemoteMount(directory) ? "network mount" : "local disk",
    ...(typeof above !== "string" && above.dev !== device ? ["mounted here"] : []),
    ...(typeof data === "string"
      ? []
      : [data.dev === device ? "same disk as kei's own files" : "another disk than kei's own files"]),
  ];
  const message = [...where, ...able(abilities)].join(", ");
  if (abilities.longestName < 255)
    return warning(
      name,
      `${message}; long names don't fit`,
      "Files with very long names may fail; use another file system where you can.",
    );
  if (!abilities.keepsSeconds || !abilities.keepsOldDates)
    return warning(
      name,
      `${message}; not every date of capture can be kept`,
      "Nothing is lost: dates are in the photos as well.",
    );
  return ok(name, message);
}

function able({ hardLinks, reflinks, caseInsensitive, normalising, longestName }: Abilities): string[] {
  return [
    reflinks === true
      ? "album copies share their space (reflinks)"
      : hardLinks
        ? "album copies share their space (hard links)"
        : "album copies take space of their own (neither reflinks nor hard links)",
    caseInsensitive ? "upper and lower case are the same" : "upper and lower case differ",
    normalising ? "accents are the same however written" : "accents are kept as written",
    `names of up to ${longestName === 0 ? "fewer than 143" : longestName} bytes`,
  ];
}
