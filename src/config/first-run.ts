import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../runtime/ports.ts";
import { privateFile } from "../runtime/private-file.ts";
import { choosePassword } from "./password-choice.ts";
import type { Environment } from "./paths.ts";
import type { Resolved } from "./resolve.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "./settings.ts";

/** What the first run writes down, so that the next plain `kei sync` works (DECISIONS 9). Never a password. */
const KEPT: readonly SettingName[] = ["username", "domain", "passwordCommand", "passwordFile", "directory", "dataDir"];

/**
 * Writes account and folder of a first run to the configuration file, when there is none yet. An existing file is never
 * touched; a failure is only told.
 */
export async function rememberFirstRun(resolved: Resolved, env: Environment, logger: Logger): Promise<void> {
  const { file, settings, origins } = resolved;
  if (file.exists || env["KEI_NO_AUTO_CONFIG"] === "1" || existsSync(file.path)) return;
  const source = choosePassword(resolved)?.kind;
  const given = KEPT.filter(
    (name) =>
      (origins[name] === "flag" || origins[name] === "env") &&
      (name !== "passwordCommand" || source === "command") &&
      (name !== "passwordFile" || source === "file"),
  );
  if (!given.includes("username") || !given.includes("directory")) return;
  try {
    mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 });
    await privateFile(file.path).write(render(given, settings));
    logger.info("account and folder were written to the configuration, plain `kei sync` works from now on", {
      path: file.path,
    });
  } catch (error) {
    logger.warn("could not write the configuration", {
      path: file.path,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

function render(names: readonly SettingName[], settings: Resolved["settings"]): string {
  const tables = new Map<string, string[]>();
  for (const name of SETTING_NAMES) {
    const key = settingOf(name).key;
    if (!names.includes(name) || key === undefined) continue;
    const dot = key.lastIndexOf(".");
    const table = dot < 0 ? "" : key.slice(0, dot);
    // JSON's string form is a valid basic string in TOML.
    tables.set(table, [...(tables.get(table) ?? []), `${key.slice(dot + 1)} = ${JSON.stringify(settings[name])}`]);
  }
  const parts = [...tables]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, lines]) => [...(table === "" ? [] : [`[${table}]`]), ...lines].join("\n"));
  return `# Written by the first \`kei sync\`. Yours to change.\n\n${parts.join("\n\n")}\n`;
}
