/** What there is to complete, taken from the tables of commands and settings. */
import { SETTING_NAMES, settingOf } from "../../config/settings.ts";
import type { FlagGroup, Setting } from "../../config/types.ts";
import { COMMANDS, type CommandSpec } from "../commands.ts";

/** What may follow a flag. */
export type FlagValue =
  | { readonly kind: "none" }
  | { readonly kind: "file" | "folder" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "text"; readonly hint: string };

export interface CompletedFlag {
  /** With its dashes. */
  readonly long: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly value: FlagValue;
  /** May be given more than once. */
  readonly repeatable: boolean;
}

export interface CompletedCommand {
  /** `["login", "get-code"]`; empty for kei itself. */
  readonly words: readonly string[];
  readonly help: string;
  readonly subcommands: ReadonlyArray<{ readonly name: string; readonly help: string }>;
  readonly flags: readonly CompletedFlag[];
}

/** Every command, kei itself first. */
export function completedCommands(): readonly CompletedCommand[] {
  const commands: CompletedCommand[] = [];
  const add = (words: readonly string[], spec: CommandSpec) => {
    const below = Object.entries(spec.subcommands ?? {});
    commands.push({
      words,
      help: spec.help,
      subcommands: below.map(([name, { help }]) => ({ name, help })),
      flags: flagsOf(["all", ...spec.flags], words.length === 0),
    });
    for (const [name, inner] of below) add([...words, name], inner);
  };
  add([], { help: "", flags: [], subcommands: COMMANDS });
  return commands;
}

/** Every flag of any command that takes a value, for finding the command among the words that stand there. */
export function flagsWithValue(commands: readonly CompletedCommand[]): readonly string[] {
  const names = commands
    .flatMap(({ flags }) => flags)
    .filter(({ value }) => value.kind !== "none")
    .flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]);
  return [...new Set(names)];
}

const CONFIG: CompletedFlag = {
  long: "--config",
  short: undefined,
  help: "Configuration file",
  value: { kind: "file" },
  repeatable: false,
};
const HELP: CompletedFlag = {
  long: "--help",
  short: "-h",
  help: "Show help",
  value: { kind: "none" },
  repeatable: false,
};
const VERSION: CompletedFlag = { ...HELP, long: "--version", short: "-V", help: "Show the version" };

function flagsOf(groups: readonly FlagGroup[], root: boolean): readonly CompletedFlag[] {
  const own = SETTING_NAMES.map(settingOf)
    .filter(({ flag, on }) => flag !== undefined && groups.includes(on))
    .map(toFlag);
  return [...own, CONFIG, HELP, ...(root ? [VERSION] : [])];
}

function toFlag(setting: Setting): CompletedFlag {
  return {
    long: `--${setting.flag}`,
    short: setting.short === undefined ? undefined : `-${setting.short}`,
    help: setting.help,
    value: flagValue(setting),
    repeatable: setting.type.kind === "list",
  };
}

function flagValue({ type, words, hint }: Setting): FlagValue {
  if (type.kind === "boolean") return { kind: "none" };
  if (type.kind === "path") return { kind: type.folder === true ? "folder" : "file" };
  if (type.kind === "choice") return { kind: "words", words: type.values };
  return words === undefined ? { kind: "text", hint: hint ?? "VALUE" } : { kind: "words", words };
}
