import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { SETTING_NAMES, type SettingName, settingOf } from "../../config/settings.ts";
import { renderToml, type TomlLine } from "../../config/toml.ts";
import { privateFile } from "../../runtime/private-file.ts";
import { same } from "./keep.ts";
import type { Values } from "./questions.ts";

/** What every file says, default or not. */
const ALWAYS: readonly SettingName[] = ["username", "directory"];

/**
 * What the file has to say: account, folder, and what differs from the defaults. What an earlier one (`before`) has said
 * with the same value stays.
 */
export function settingsOfFile(values: Values, before: Values): readonly TomlLine[] {
  return SETTING_NAMES.flatMap((name) => {
    const { key, help, default: usual } = settingOf(name);
    const value = values[name];
    if (key === undefined || value === undefined) return [];
    const stays = ALWAYS.includes(name) || !same(value, usual) || same(value, before[name]);
    return stays ? [{ key, value, note: help }] : [];
  });
}

/** The whole file, with a word about each setting. */
export function fileText(settings: readonly TomlLine[]): string {
  return `# Made by \`kei config setup\`. Yours to change: \`kei config show\` tells what counts in the end.\n\n${renderToml(settings)}`;
}

/**
 * Writes the file in one step, readable by its owner only. An earlier one is kept beside it; returns its new path. Throws
 * `Failure` or a file system error, and then the earlier one is untouched.
 */
export async function writeConfiguration(path: string, text: string, exists: boolean): Promise<string | undefined> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const kept = exists ? await keepCopy(path) : undefined;
  await privateFile(path).write(text);
  return kept;
}

async function keepCopy(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const copy = `${path}.old${number === 1 ? "" : `-${number}`}`;
    try {
      await copyFile(path, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
