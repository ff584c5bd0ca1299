/**
 * Writes docs/configuration.md from the table of settings, and the examples of docs/files.md from those that a test runs:
 * `bun scripts/reference.ts`. Another test keeps both up to date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PARTS, SETTING_NAMES, type SettingName, settingOf } from "../src/config/settings.ts";
import type { FlagGroup, Setting } from "../src/config/types.ts";
import { type Example, FLAT, FOLDER_EXAMPLES, NAME_EXAMPLES } from "../test/support/examples.ts";
import { ROOT } from "./steps.ts";

const GROUPS: ReadonlyArray<readonly [FlagGroup, string]> = [
  ["all", "Every command"],
  ["account", "Signing in (`sync`, `login`, `list`, `verify`, `doctor`)"],
  ["save-password", "Storing the password (`sync`, `login`, `login get-code`)"],
  ["password-set", "`kei password set`"],
  ["sms", "Codes by text message (`login`, `login get-code`)"],
  ["folder", "The download folder (`sync`, `verify`, `reconcile`, `doctor`)"],
  ["library", "Libraries (`sync`, `verify --complete`, `list`)"],
  ["selection", "What is saved, and as which files (`sync`, `verify --complete`)"],
  ["sync", "`kei sync`"],
  ["caution", "Trying out and insisting (`sync`, `reconcile`)"],
  ["status", "`kei status`"],
  ["verify", "`kei verify`"],
  ["doctor", "`kei doctor`"],
  ["json", "Answers for programs (`status`, `why`, `verify`, `reconcile`, `doctor`, `config show`)"],
  ["manifest", "`kei manifest`"],
  ["confirm", "Commands that ask first (`reset`)"],
  ["show", "`kei config show`"],
  ["setup", "`kei config setup`"],
];

/** The page as it should be. */
export function configurationPage(): string {
  const sections = GROUPS.map(([on, title]) => ({
    title,
    names: SETTING_NAMES.filter((name) => settingOf(name).on === on),
  }));
  const shown = sections.filter(({ names }) => names.length > 0);
  const contents = shown.map(({ title }) => `- [${title}](#${anchor(title)})`).join("\n");
  return `${HEAD}\n${contents}\n\n${shown.map(section).join("\n\n")}\n`;
}

/** Longer sections are parted as the table is. */
const LONG = 12;

function section({ title, names }: { readonly title: string; readonly names: readonly SettingName[] }): string {
  const entries = (some: readonly SettingName[]) => some.map((name) => entry(settingOf(name))).join("\n");
  if (names.length <= LONG) return `## ${title}\n\n${entries(names)}`;
  const parts = PARTS.map((part) => ({ title: part.title, names: names.filter((name) => part.names.includes(name)) }));
  const shown = parts.filter((part) => part.names.length > 0);
  return `## ${title}\n\n${shown.map((part) => `### ${part.title}\n\n${entries(part.names)}`).join("\n\n")}`;
}

/** As GitHub names the anchors of headings. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");
}

const HEAD = `# Configuration

Every setting can be given in up to three ways. A flag wins over an environment variable, that over the configuration
file, that over the default. An empty variable counts as unset, and so does an empty list. Whatever kei doesn't know, in any of
the three, is an error that names the nearest thing it does know. Of several sources of the password one counts: [signing-in.md](signing-in.md).

\`kei config setup\` asks a few questions and writes the file. \`kei config show\` prints the settings as they will be used, each
with the place it comes from; what it prints is a configuration file itself (\`--plain\`: without remarks; \`--json\`: for
programs). Of the environment, only variables whose names begin with \`KEI_\` are looked at for mistakes.

The file is \`~/.config/kei/config.toml\` (or below \`$XDG_CONFIG_HOME\`; \`/config/config.toml\` in a container; another one with
\`--config\` or \`KEI_CONFIG\`). The first \`kei sync\` writes it, too, unless \`KEI_NO_AUTO_CONFIG\` is \`1\`. A small one:

\`\`\`toml
[auth]
username = "you@example.com"

[download]
directory = "~/Pictures/iCloud"
threads = 5

[filters]
albums = ["all", "!Work"]
\`\`\`

Lists are given by repeating the flag (\`-a Rome -a Family\`). A variable holds one value, unless commas part several. In
paths a leading \`~/\` is your home folder, and what is relative begins in the folder where kei was started.
`;

function entry(setting: Setting): string {
  const { flag, short, env, key, help, type } = setting;
  const on = setting.default === true && setting.inverted !== true;
  const value = type.kind === "boolean" ? (on ? "[=false]" : "") : ` ${placeholder(setting)}`;
  const spelled = [
    ...(short === undefined ? [] : [`\`-${short}${value}\``]),
    flag === undefined ? `\`${key}\`` : `\`--${flag}${value}\``,
  ].join(", ");
  const commas = type.kind === "list" && type.split === true ? " (commas part several, as behind the flag)" : "";
  const ways = [
    ...(env === undefined ? [] : [`variable \`${env}\`${commas}`]),
    ...(key === undefined || flag === undefined
      ? []
      : [`key \`${key}\`${setting.inverted === true ? ", which says the opposite" : ""}`]),
    ...(flag === undefined && env === undefined ? ["in the file only"] : []),
  ];
  const facts = [...ways, ...range(setting), ...defaultOf(setting)];
  return `- ${spelled}: ${help}.${facts.length === 0 ? "" : `\n  ${capital(facts.join("; "))}.`}`;
}

function placeholder({ type, hint }: Setting): string {
  return type.kind === "choice" ? type.values.join("|") : (hint ?? "VALUE");
}

function range({ type }: Setting): string[] {
  if (type.kind !== "integer") return [];
  return [type.max >= 1_000_000 ? `at least ${type.min}` : `${type.min} to ${type.max}`];
}

function defaultOf({ default: value, inverted, type }: Setting): string[] {
  if (
    value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (type.kind === "boolean" && value === false)
  )
    return [];
  return [`default \`${Array.isArray(value) ? value.join(", ") : String(value)}\`${inverted ? " for the key" : ""}`];
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** A page with the examples between its marks. */
export function withExamples(page: string): string {
  return [
    ["names", NAME_EXAMPLES],
    ["folders", FOLDER_EXAMPLES],
  ].reduce((text, [name, examples]) => {
    const [start, end] = [`<!-- examples: ${String(name)} -->`, `<!-- end of ${String(name)} -->`];
    const [head, rest] = text.split(start);
    const tail = rest?.split(end)[1];
    if (head === undefined || tail === undefined) throw new Error(`docs/files.md has no place for ${String(name)}`);
    return `${head}${start}\n\n${(examples as readonly Example[]).map(exampleText).join("\n")}\n${end}${tail}`;
  }, page);
}

function exampleText({ title, args, toml, files }: Example): string {
  const flags = args.filter((arg, index) => !FLAT.some((flat, at) => index === at && arg === flat)).join(" ");
  const said = toml === undefined ? (flags === "" ? "" : `: \`${flags}\``) : `:\n\n\`\`\`toml\n${toml}\n\`\`\``;
  const start = title === "nothing" ? "Nothing said" : capital(title);
  return `${start}${said}\n\n${files.map((file) => `    ${file.replaceAll(/ (?=IMG_)/g, "   ")}\n`).join("")}`;
}

if (import.meta.main) {
  await writeFile(join(ROOT, "docs", "configuration.md"), configurationPage());
  const files = join(ROOT, "docs", "files.md");
  await writeFile(files, withExamples(await readFile(files, "utf8")));
}
