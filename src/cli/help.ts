import { type ArgsDef, type CommandDef, defineCommand, renderUsage } from "citty";
import { SETTING_NAMES, settingOf } from "../config/settings.ts";
import type { FlagGroup, Setting } from "../config/types.ts";
import { COMMANDS, type CommandSpec } from "./commands.ts";

/** The help page of a command; of the whole program for no words. Made from the tables of commands and settings. */
export async function helpFor(words: readonly string[], color: boolean): Promise<string> {
  const [first, second] = words;
  const root = defineCommand({
    meta: { name: "kei", description: "Backs up your iCloud Photos to a folder you own" },
    args: argsOf(["all"], true),
    subCommands: Object.fromEntries(Object.entries(COMMANDS).map(([name, spec]) => [name, toCitty(name, spec)])),
  });
  let text: string;
  const spec = first === undefined ? undefined : COMMANDS[first];
  const nested = second === undefined ? undefined : spec?.subcommands?.[second];
  if (first === undefined || spec === undefined) text = await renderUsage(root);
  else if (second === undefined || nested === undefined) text = await renderUsage(toCitty(first, spec), root);
  else text = await renderUsage(toCitty(second, nested), toCitty(`kei ${first}`, spec));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are control characters.
  return `${color ? text : text.replaceAll(/\u001b\[[0-9;]*m/g, "")}\n`;
}

function toCitty(name: string, spec: CommandSpec): CommandDef {
  return defineCommand({
    meta: { name, description: spec.help },
    args: {
      ...Object.fromEntries(
        (spec.positionals ?? []).map((word) => [word, { type: "positional", required: true } as const]),
      ),
      ...argsOf(spec.flags, false),
    },
    ...(spec.subcommands === undefined
      ? {}
      : {
          subCommands: Object.fromEntries(
            Object.entries(spec.subcommands).map(([sub, inner]) => [sub, toCitty(sub, inner)]),
          ),
        }),
  });
}

function argsOf(groups: readonly FlagGroup[], root: boolean): ArgsDef {
  const args: ArgsDef = {};
  for (const name of SETTING_NAMES) {
    const setting = settingOf(name);
    if (setting.flag === undefined || !groups.includes(setting.on)) continue;
    args[setting.flag] = toArg(setting);
  }
  if (root) {
    args["config"] = { type: "string", valueHint: "PATH", description: "Configuration file" };
    args["version"] = { type: "boolean", alias: ["V"], description: "Show the version" };
  }
  return args;
}

function toArg(setting: Setting): ArgsDef[string] {
  const { type, short, help, hint } = setting;
  const alias = short === undefined ? {} : { alias: [short] };
  const shown =
    setting.default === undefined || type.kind === "boolean" ? "" : ` (default: ${String(setting.default)})`;
  const description = `${help}${shown}`;
  if (type.kind === "boolean") return { type: "boolean", description, ...alias };
  if (type.kind === "choice") return { type: "enum", options: [...type.values], description, ...alias };
  return { type: "string", description, valueHint: hint ?? "VALUE", ...alias };
}
