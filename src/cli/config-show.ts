import { checkTogether } from "../config/derive.ts";
import { choosePassword } from "../config/password-choice.ts";
import { settingOf } from "../config/settings.ts";
import { type ShownSetting, settingsToml, shownSettings } from "../config/show.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { escapeControls } from "../ui/format.ts";
import { type CommandContext, dataDirOf } from "./context.ts";

/**
 * `kei config show`: the settings with flags and environment applied, as a file that kei reads back, or as JSON. What
 * contradicts itself is shown first and then refused.
 */
export async function configShow(context: CommandContext): Promise<ExitCode> {
  const { settings, resolved, terminal, clock, log } = context;
  const all = shownSettings(resolved, { dataDir: dataDirOf(context) });
  if (settings.json) terminal.out(`${JSON.stringify(answer(all, context), undefined, 2)}\n`);
  else
    terminal.out(
      `${settings.plain ? "" : `${heading(context)}\n\n`}${settingsToml(all, { remarks: !settings.plain })}`,
    );
  choosePassword(resolved);
  for (const odd of checkTogether(resolved, clock.now())) log.warn(odd);
  return EXIT.ok;
}

function heading({ resolved: { file } }: CommandContext): string {
  return `# Configuration file: ${escapeControls(file.path)}${file.exists ? "" : " (not there yet)"}`;
}

function answer(settings: readonly ShownSetting[], { resolved: { file } }: CommandContext) {
  return {
    schema: 1,
    command: "config show",
    file: { path: file.path, exists: file.exists },
    settings: settings.map(({ name, value, origin, line, secret }) => {
      const { key, flag, env } = settingOf(name);
      return {
        name: name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        key: key ?? null,
        value: value ?? null,
        origin,
        line: line ?? null,
        flag: flag === undefined ? null : `--${flag}`,
        env: env ?? null,
        ...(secret ? { hidden: true } : {}),
      };
    }),
  };
}
