import { type ArgsDef, type CommandDef, defineCommand, renderUsage } from "citty";
import { PARTS, SETTING_NAMES, type SettingName, settingOf } from "../config/settings.ts";
import type { FlagGroup, Setting } from "../config/types.ts";
import { type HelpRow, type HelpSection, type HelpStyle, sectionLines } from "../ui/help-page.ts";
import { wrap } from "../ui/wrap.ts";
import { COMMANDS, type CommandSpec } from "./commands.ts";

/** What a person meets first, and what they use every day; everything else stands below. */
const CHAPTERS: ReadonlyArray<readonly [title: string, commands: ReadonlyArray<readonly string[]>]> = [
  ["Getting started", [["config", "setup"], ["sync"]]],
  ["Every day", [["status"], ["why"], ["login"], ["list"]]],
  ["Looking after it", [["doctor"], ["verify"], ["reconcile"], ["reset"]]],
];

/** The help page of a command; of the whole program for no words. Made from the tables of commands and settings. */
export async function helpFor(words: readonly string[], style: HelpStyle): Promise<string> {
  const spec = specAt(words);
  const [purpose, below, end] =
    words.length === 0 || spec === undefined
      ? [await head("kei", ROOT, style), [...chapters(), ...options([], true)], ROOT_END]
      : [await head(`kei ${words.join(" ")}`, spec, style), sections(spec), COMMAND_END];
  return `${[...purpose, ...sectionLines(below, style), ...wrap(end, style.width)].join("\n")}\n`;
}

const ROOT: CommandSpec = {
  help: "Backs up your iCloud Photos to a folder you own",
  flags: [],
  subcommands: { "<command>": { help: "", flags: [] } },
};
const ROOT_END = "`kei COMMAND --help` tells its flags, docs/configuration.md about every setting.";
const COMMAND_END = "Most flags have a variable and a key in the configuration, too: docs/configuration.md.";

function specAt(words: readonly string[]): CommandSpec | undefined {
  const [first, ...rest] = words;
  const start = first === undefined || !Object.hasOwn(COMMANDS, first) ? undefined : COMMANDS[first];
  return rest.reduce<CommandSpec | undefined>((spec, word) => spec?.subcommands?.[word], start);
}

/** What it is for, and how it is called. */
async function head(name: string, spec: CommandSpec, { color, width }: HelpStyle): Promise<string[]> {
  const [, called = ""] = (await renderUsage(toCitty(name, spec))).split("\n\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are control characters.
  const usage = color ? called : called.replaceAll(/\u001b\[[0-9;]*m/g, "").trimEnd();
  return [...wrap(spec.help, width), "", usage, ""];
}

function toCitty(name: string, spec: CommandSpec): CommandDef {
  const args: ArgsDef = { help: { type: "boolean" } };
  for (const word of spec.positionals ?? []) args[word] = { type: "positional", required: true };
  const below = Object.entries(spec.subcommands ?? {}).map(([word]) => [word, defineCommand({})] as const);
  return defineCommand({
    meta: { name, description: spec.help },
    args,
    ...(below.length === 0 ? {} : { subCommands: Object.fromEntries(below) }),
  });
}

function chapters(): HelpSection[] {
  const row = (words: readonly string[]): HelpRow[] => {
    const spec = specAt(words);
    return spec === undefined ? [] : [{ name: words.join(" "), text: spec.help }];
  };
  const listed = CHAPTERS.map(([title, commands]) => ({ title, rows: commands.flatMap(row) }));
  const named = new Set(CHAPTERS.flatMap(([, commands]) => commands.map((words) => words.join(" "))));
  const rest = Object.keys(COMMANDS).filter((name) => !named.has(name));
  return [...listed, { title: "More", rows: rest.flatMap((name) => row([name])) }];
}

function sections(spec: CommandSpec): HelpSection[] {
  const below = Object.entries(spec.subcommands ?? {}).map(([name, { help }]) => ({ name, text: help }));
  return [{ title: "Commands", rows: below }, ...options(["all", ...spec.flags], false)];
}

/** Flags by the parts of the table; `--help` and its like at the end. */
function options(groups: readonly FlagGroup[], root: boolean): HelpSection[] {
  const names = SETTING_NAMES.filter(
    (name) => settingOf(name).flag !== undefined && groups.includes(settingOf(name).on),
  );
  const parts = PARTS.map(({ title, names: inPart }) => ({
    title,
    rows: names.filter((name) => inPart.includes(name)).map(flagRow),
  }));
  const always = [
    { name: "    --config PATH", text: "Configuration file" },
    { name: "-h, --help", text: "Show this" },
    ...(root ? [{ name: "-V, --version", text: "Show the version" }] : []),
  ];
  return [...parts, { title: "Always", rows: always }];
}

function flagRow(name: SettingName): HelpRow {
  const setting = settingOf(name);
  const { flag, short, help } = setting;
  const spelled = `--${flag}${valueText(setting)}`;
  return {
    name: short === undefined ? `    ${spelled}` : `-${short}, ${spelled}`,
    text: `${help}${defaultText(setting)}`,
  };
}

function valueText({ type, hint, default: usual, inverted }: Setting): string {
  if (type.kind === "boolean") return usual === true && inverted !== true ? "[=false]" : "";
  return ` ${type.kind === "choice" ? type.values.join("|") : (hint ?? "VALUE")}`;
}

function defaultText({ type, default: usual }: Setting): string {
  if (usual === undefined || type.kind === "boolean" || String(usual) === "") return "";
  return ` (default: ${Array.isArray(usual) ? usual.join(", ") : String(usual)})`;
}
