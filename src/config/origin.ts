import type { Resolved } from "./resolve.ts";
import { type SettingName, settingOf } from "./settings.ts";

/** Where a value was said, for people: `--threads`, `KEI_THREADS`, `line 4 of /c/config.toml`; undefined for a default. */
export function whereSet({ origins, lines, file }: Resolved, name: SettingName): string | undefined {
  const { flag, env } = settingOf(name);
  switch (origins[name]) {
    case "flag":
      return flag === undefined ? undefined : `--${flag}`;
    case "env":
      return env;
    case "file":
      return `line ${lines[name]} of ${file.path}`;
    default:
      return undefined;
  }
}
