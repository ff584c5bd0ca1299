import { readFileSync } from "node:fs";
import { loadConfig } from "c12";
import { createDefu } from "defu";
import { EXIT, Failure } from "../library/failure.ts";
import { nearest } from "../library/nearest.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "./settings.ts";
import { BadValue, fromToml, type Value } from "./values.ts";

/** Lists replace each other; nothing is merged behind a person's back. */
const replaceLists = createDefu((object, key, value) => {
  if (!Array.isArray(object[key]) && !Array.isArray(value)) return false;
  object[key] = value;
  return true;
});

/**
 * Reads and checks the one TOML file. Everything else the loader could do (other files, other formats, downloads, code)
 * is switched off. Throws `Failure` (exit 1) that names file, key and line.
 */
export async function readConfigFile(path: string): Promise<Partial<Record<SettingName, Value>>> {
  let loaded: Awaited<ReturnType<typeof loadConfig>>;
  try {
    loaded = await loadConfig({
      configFile: path,
      configFileRequired: true,
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
      envName: false,
      extend: false,
      giget: false,
      omit$Keys: false,
      merger: (...sources) => replaceLists(sources[0] ?? {}, ...sources.slice(1).map((source) => source ?? {})),
    });
  } catch (error) {
    throw new Failure(`Failed to parse config file ${path}: ${firstLines(error)}`, {
      exit: EXIT.failure,
      remedy: "Mend the file; `docs/configuration.md` shows its form.",
      cause: error,
    });
  }
  const text = readFileSync(path, "utf8");
  const values: Partial<Record<SettingName, Value>> = {};
  for (const [key, value] of flatten(loaded.config ?? {})) {
    const fail = (reason: string, remedy: string): Failure =>
      new Failure(`Failed to parse config file ${path}: line ${lineOf(text, key)}: ${reason}`, {
        exit: EXIT.failure,
        remedy,
      });
    if (key === "auth.password") {
      throw fail(
        "`[auth] password` is no longer supported",
        "Delete it and store the password with `kei password set`, or use [auth] password_command, [auth] password_file or ICLOUD_PASSWORD.",
      );
    }
    const name = SETTING_NAMES.find((candidate) => settingOf(candidate).key === key);
    const rival = RIVALS[name ?? ""];
    if (rival !== undefined && values[rival] !== undefined) {
      throw fail(
        `${shown(settingOf(rival).key ?? rival)} and ${shown(key)} are two sources of one password; pick one`,
        "Delete the other one.",
      );
    }
    if (name === undefined) {
      const known = SETTING_NAMES.flatMap((candidate) => settingOf(candidate).key ?? []);
      // Often the key is right and only the table above it is not.
      const leaf = key.slice(key.lastIndexOf(".") + 1);
      const near = OLD_KEYS[key] ?? known.find((other) => other.endsWith(`.${leaf}`)) ?? nearest(key, known);
      throw fail(`unknown field ${shown(key)}`, near === undefined ? "Delete it." : `Did you mean ${shown(near)}?`);
    }
    try {
      values[name] = fromToml(settingOf(name), value);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      throw fail(`${shown(key)}: ${error.message}`, "Mend the value.");
    }
  }
  return values;
}

/** Keys that exclude each other. */
const RIVALS: Readonly<Record<string, SettingName>> = {
  passwordFile: "passwordCommand",
  passwordCommand: "passwordFile",
};

/** Keys of other programs and of earlier times, with what they are called here. */
const OLD_KEYS: Readonly<Record<string, string>> = {
  "auth.cookie_directory": "data_dir",
  "download.threads_num": "download.threads",
  "download.retry.max_retries": "download.retry.per_transfer",
  "download.retry.max_download_attempts": "download.retry.per_asset",
  "filters.library": "filters.libraries",
  "filters.album": "filters.albums",
  "filters.exclude_albums": "filters.albums",
  "filters.skip_videos": "filters.media",
  "filters.skip_photos": "filters.media",
  "filters.skip_live_photos": "photos.live_photo_mode",
  "photos.size": "photos.resolution",
  "photos.sizes": "photos.resolution",
  "photos.live_photo_size": "photos.live_resolution",
  "photos.align_raw": "photos.raw_policy",
  "photos.force_size": "photos.force_resolution",
  "download.no_progress_bar": "ui.progress_bar",
};

/** Tables are walked; a table where a value belongs stays a table and is refused there. */
function* flatten(table: object, prefix = ""): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(table)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable && Object.keys(value).length > 0) yield* flatten(value, path);
    else if (!isTable) yield [path, value];
  }
}

/** `[download] threads`, as it stands in the file. */
export function shown(key: string): string {
  const dot = key.lastIndexOf(".");
  return dot < 0 ? `\`${key}\`` : `\`[${key.slice(0, dot)}] ${key.slice(dot + 1)}\``;
}

/** Line on which a key is set, for messages; the first line where it can't be told. */
function lineOf(text: string, key: string): number {
  const dot = key.lastIndexOf(".");
  const table = dot < 0 ? "" : key.slice(0, dot);
  const leaf = key.slice(dot + 1);
  let current = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[([^\]]+)\]/.exec(line);
    if (header?.[1] !== undefined) current = header[1].replaceAll(/[\s"']/g, "");
    const assigned = /^\s*([\w."'-]+)\s*=/.exec(line)?.[1]?.replaceAll(/["']/g, "");
    if (assigned === undefined) continue;
    if ((current === table && assigned === leaf) || (current === "" ? assigned : `${current}.${assigned}`) === key)
      return index + 1;
  }
  return 1;
}

function firstLines(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(0, 3)
    .join(" | ");
}
