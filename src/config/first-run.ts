import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../runtime/ports.ts";
import { privateFile } from "../runtime/private-file.ts";
import { choosePassword } from "./password-choice.ts";
import type { Environment } from "./paths.ts";
import type { Resolved } from "./resolve.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "./settings.ts";
import { renderToml } from "./toml.ts";

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
  const lines = SETTING_NAMES.filter((name) => names.includes(name)).flatMap((name) => {
    const { key } = settingOf(name);
    return key === undefined ? [] : [{ key, value: settings[name] }];
  });
  return `# Written by the first \`kei sync\`. Yours to change.\n\n${renderToml(lines)}`;
}
