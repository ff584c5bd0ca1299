import { readFileSync } from "node:fs";
import { loadConfig } from "c12";
import { createDefu } from "defu";
import { EXIT, Failure } from "../library/failure.ts";
import { nearest } from "../library/nearest.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "./settings.ts";
import { partsOfKey } from "./toml.ts";
import { type TomlKey, tomlKeys } from "./toml-keys.ts";
import { BadValue, fromToml, type Value } from "./values.ts";

/** Lists replace each other; nothing is merged behind a person's back. */
const replaceLists = createDefu((object, key, value) => {
  if (!Array.isArray(object[key]) && !Array.isArray(value)) return false;
  object[key] = value;
  return true;
});

/** What a file sets, and on which of its lines. */
export interface FileValues {
  readonly values: Partial<Record<SettingName, Value>>;
  readonly lines: Partial<Record<SettingName, number>>;
}

/** Told of a key that can't be used. What it throws ends the reading; else the key is passed over. */
export type OnWrong = (problem: Failure) => void;

const raise: OnWrong = (problem) => {
  throw problem;
};

/**
 * Reads and checks the one TOML file. Everything else the loader could do (other files, other formats, downloads, code)
 * is switched off. Throws `Failure` (exit 1) that names file, key and line; for a wrong key only when `onWrong` does.
 */
export async function readConfigFile(path: string, onWrong: OnWrong = raise): Promise<FileValues> {
  const text = textOf(path);
  const config = await parsed(path, text);
  const { keys } = tomlKeys(text);
  const values: Partial<Record<SettingName, Value>> = {};
  const lines: Partial<Record<SettingName, number>> = {};
  for (const key of [...keys, ...unseen(config, keys)]) {
    try {
      takeKey(path, config, key, values, lines);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      onWrong(error);
    }
  }
  return { values, lines };
}

/** Puts what a key sets to the other values. Throws `Failure` for a key that can't be used. */
function takeKey(
  path: string,
  config: object,
  key: TomlKey,
  values: Partial<Record<SettingName, Value>>,
  lines: Partial<Record<SettingName, number>>,
): void {
  const fail = (reason: string, remedy: string) => refusal(path, `line ${key.line}: ${reason}`, remedy);
  const name = settingAt(key, fail);
  if (name === undefined) return;
  const rival = RIVALS[name];
  if (rival !== undefined && values[rival] !== undefined) {
    const other = shown((settingOf(rival).key ?? rival).split("."));
    throw fail(
      `${other} (line ${lines[rival]}) and ${shown(key.path)} are two sources of one password; pick one`,
      "Delete the other one.",
    );
  }
  const given = valueAt(config, key.path);
  // An empty list is as good as none: it asks for nothing of its own.
  if (settingOf(name).type.kind === "list" && Array.isArray(given) && given.length === 0) return;
  try {
    values[name] = fromToml(settingOf(name), given);
    lines[name] = key.line;
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    const reason = settingOf(name).secret === true ? "its value can't be used" : error.message;
    throw fail(`${shown(key.path)}: ${reason}`, "Mend the value.");
  }
}

function refusal(path: string, reason: string, remedy: string, cause?: unknown): Failure {
  return new Failure(`Failed to parse config file ${path}: ${reason}`, { exit: EXIT.failure, remedy, cause });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const reason = { EACCES: "permission denied", EISDIR: "it is a folder" }[code] ?? code;
    throw new Failure(`Could not read config file ${path}: ${reason}`, {
      exit: EXIT.failure,
      remedy: "Check whose file it is, and its permissions; another one is named with --config.",
      cause: error,
    });
  }
}

async function parsed(path: string, text: string): Promise<object> {
  try {
    const { config } = await loadConfig({
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
    return config ?? {};
  } catch (error) {
    throw refusal(path, syntaxError(text, error), "Mend the file; `docs/configuration.md` shows its form.", error);
  }
}

/**
 * Where and why a text is no TOML. What stands on the line is not repeated: it may be a password whose quotes are not
 * right.
 */
function syntaxError(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const reason = (message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
  const { line, column } = error as { readonly line?: unknown; readonly column?: unknown };
  if (typeof line !== "number") return reason;
  const { unfinished } = tomlKeys(text);
  // The parser complains about the line after the one that misses its end.
  if (unfinished !== undefined && unfinished.line <= line)
    return `line ${unfinished.line}: the ${unfinished.what} that begins here never ends`;
  return `line ${line}, column ${String(column)}: ${reason}`;
}

type Fail = (reason: string, remedy: string) => Failure;

/** The setting that a key of the file sets; undefined for a table. Throws what `fail` makes for a key that is none. */
function settingAt({ path, kind }: TomlKey, fail: Fail): SettingName | undefined {
  const key = path.some((part) => part.includes(".")) ? undefined : path.join(".");
  if (key === "auth.password") {
    throw fail(
      "`[auth] password` is no longer supported",
      "Delete it and store the password with `kei password set`, or use [auth] password_command, [auth] password_file or ICLOUD_PASSWORD.",
    );
  }
  const name = SETTING_NAMES.find((candidate) => key !== undefined && settingOf(candidate).key === key);
  const isTable = key !== undefined && KEYS.some((known) => known.startsWith(`${key}.`));
  if (kind === "value") {
    if (name !== undefined) return name;
    if (isTable)
      throw fail(`\`${key}\` is a table`, `Write [${key}] on a line of its own, and what belongs to it below.`);
    throw unknown(path, fail);
  }
  if (name !== undefined) throw fail(`${shown(path)} is a value, not a table`, `Write ${shown(path)} = ...`);
  if (!isTable) throw unknown(path, fail);
  if (kind === "element") throw fail(`[[${key}]] is a list of tables`, `Write [${key}], once.`);
  return undefined;
}

const KEYS: readonly string[] = SETTING_NAMES.flatMap((name) => settingOf(name).key ?? []);

function unknown(path: readonly string[], fail: Fail): Failure {
  const key = path.join(".");
  // Often the key is right and only the table above it is not.
  const { leaf } = partsOfKey(key);
  const moved = KEYS.find((other) => other.endsWith(`.${leaf}`));
  const tables = new Set(KEYS.map((known) => partsOfKey(known).table));
  const near = (Object.hasOwn(OLD_KEYS, key) ? OLD_KEYS[key] : undefined) ?? moved ?? nearest(key, KEYS);
  if (near !== undefined) return fail(`unknown field ${shown(path)}`, `Did you mean ${shown(near.split("."))}?`);
  const nearTable = nearest(key, tables);
  return fail(
    `unknown field ${shown(path)}`,
    nearTable === undefined ? "Delete it." : `Did you mean the table [${nearTable}]?`,
  );
}

function valueAt(config: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (table, part) =>
      typeof table === "object" && table !== null && Object.hasOwn(table, part)
        ? (table as Readonly<Record<string, unknown>>)[part]
        : undefined,
    config,
  );
}

/** What the parser knows of and the search for keys has not found: nothing may be passed over in silence. */
function unseen(config: object, keys: readonly TomlKey[]): TomlKey[] {
  const seen = new Set(keys.map(({ path }) => JSON.stringify(path)));
  return [...leaves(config)]
    .filter((path) => !seen.has(JSON.stringify(path)))
    .map((path) => ({ path, line: 1, kind: "value" }));
}

function* leaves(table: object, above: readonly string[] = []): Generator<readonly string[]> {
  for (const [key, value] of Object.entries(table)) {
    const path = [...above, key];
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable) yield* leaves(value, path);
    // A list of tables is known by its headers.
    else yield path;
  }
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

/** `[download] threads`, as it stands in the file. */
export function shown(path: readonly string[]): string {
  const written = path.map((part) => (/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)));
  const leaf = written.at(-1) ?? "";
  return written.length < 2 ? `\`${leaf}\`` : `\`[${written.slice(0, -1).join(".")}] ${leaf}\``;
}
