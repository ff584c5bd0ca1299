import type { Flags } from "../config/resolve.ts";
import { SETTING_NAMES, type SettingName, settingOf } from "../config/settings.ts";
import type { Setting } from "../config/types.ts";
import { BadValue, fromText, partsOf, type Value } from "../config/values.ts";
import { nearest } from "../library/nearest.ts";
import { COMMANDS, type CommandSpec } from "./commands.ts";
import { UsageError } from "./usage-error.ts";

/** A command line that was understood. */
export interface Parsed {
  /** Words of the command, e.g. `["login", "get-code"]`; empty for none. */
  readonly command: readonly string[];
  readonly spec: CommandSpec | undefined;
  readonly flags: Flags;
  readonly positionals: readonly string[];
  readonly config: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

/**
 * Understands a command line strictly (cli.md 1.1): unknown flags and commands, repeated single values, values that look
 * like flags and words too many are errors. Nothing a person typed is ignored. Throws `UsageError`.
 */
export function parseCommandLine(argv: readonly string[]): Parsed {
  const reader = new Reader(argv);
  const words: string[] = [];
  const given = new Map<SettingName, { values: Value[]; beforeCommand: boolean; spelled: string }>();
  let config: string | undefined;
  let help = false;
  let version = false;

  for (let token = reader.next(); token !== undefined; token = reader.next()) {
    if (token.kind === "word") {
      words.push(token.text);
      continue;
    }
    if (token.name === "help" || token.name === "h") {
      help = true;
      continue;
    }
    if (token.name === "version" || token.name === "V") {
      version = true;
      continue;
    }
    if (token.name === "config") {
      if (config !== undefined) throw repeated("--config");
      config = reader.value(token, "PATH");
      if (config === "") throw new UsageError("--config must not be empty");
      continue;
    }
    const { name, negated } = settingNamed(token);
    const setting = settingOf(name);
    const seen = given.get(name);
    const beforeCommand = words.length === 0;
    if (seen !== undefined && setting.type.kind !== "list" && seen.beforeCommand === beforeCommand)
      throw repeated(token.spelled);
    const value = negated ? negation(token) : readValue(setting, token, reader);
    const keep = setting.type.kind === "list" && seen !== undefined ? seen.values : [];
    given.set(name, { values: [...keep, value], beforeCommand, spelled: token.spelled });
  }

  if (words[0] === "help")
    return {
      command: words.slice(1),
      spec: specOf(words.slice(1)).spec,
      flags: {},
      positionals: [],
      config,
      help: true,
      version,
    };
  const { command, spec, positionals } = specOf(words);
  const flags: Flags = {};
  for (const [name, { values, spelled }] of given) {
    if (!help && !version) refuseMisplaced(name, spelled, command, spec);
    flags[name] = merge(settingOf(name), values, spelled);
  }
  if (!help && !version && spec !== undefined) checkPositionals(spec, command, positionals);
  if (!help && !version) refuseTogether([...given.keys()]);
  return { command, spec, flags, positionals, config, help, version };
}

type Token =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "flag"; readonly name: string; readonly attached: string | undefined; readonly spelled: string };
type FlagToken = Extract<Token, { kind: "flag" }>;

class Reader {
  readonly #argv: readonly string[];
  #at = 0;
  #onlyWords = false;

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  next(): Token | undefined {
    const text = this.#argv[this.#at];
    if (text === undefined) return undefined;
    this.#at += 1;
    if (this.#onlyWords || text === "-" || !text.startsWith("-")) return { kind: "word", text };
    if (text === "--") {
      this.#onlyWords = true;
      return this.next();
    }
    if (text.startsWith("--")) {
      const equals = text.indexOf("=");
      const name = equals < 0 ? text.slice(2) : text.slice(2, equals);
      return { kind: "flag", name, attached: equals < 0 ? undefined : text.slice(equals + 1), spelled: `--${name}` };
    }
    const rest = text.slice(2);
    const attached = rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest;
    return { kind: "flag", name: text.slice(1, 2), attached, spelled: text.slice(0, 2) };
  }

  /** The value of a flag that needs one. A value that begins with a dash must be attached with `=`. */
  value(flag: FlagToken, hint: string): string {
    if (flag.attached !== undefined) return flag.attached;
    const next = this.#argv[this.#at];
    if (next === undefined) throw new UsageError(`${flag.spelled} needs a value`, `Write ${flag.spelled} ${hint}.`);
    if (next.startsWith("-") && next !== "-") {
      throw new UsageError(
        `${flag.spelled} needs a value, but ${next} follows`,
        `If that is the value, write ${flag.spelled}=${next}.`,
      );
    }
    this.#at += 1;
    return next;
  }

  /** `true` or `false` right behind a boolean flag belongs to it; any other word does not. */
  optionalBoolean(flag: FlagToken): string | undefined {
    if (flag.attached !== undefined) return flag.attached;
    const next = this.#argv[this.#at];
    if (next !== "true" && next !== "false") return undefined;
    this.#at += 1;
    return next;
  }
}

/** Settings that are said for one run are switches: they take no value. */
function isSwitch(setting: Setting): boolean {
  return setting.type.kind === "boolean" && setting.key === undefined && setting.env === undefined;
}

function readValue(setting: Setting, token: FlagToken, reader: Reader): Value {
  try {
    if (isSwitch(setting)) {
      if (token.attached !== undefined) throw new UsageError(`${token.spelled} takes no value`);
      return true;
    }
    if (setting.type.kind === "boolean") return fromText(setting, reader.optionalBoolean(token) ?? "true");
    const text = reader.value(token, setting.hint ?? "VALUE");
    if (text === "") throw new BadValue("it must not be empty");
    if (setting.type.kind === "list") return text;
    const value = fromText(setting, text);
    const reason = setting.flagCheck?.(value as never);
    if (reason !== undefined) throw new BadValue(reason);
    return value;
  } catch (error) {
    if (error instanceof BadValue) throw badValue(token.spelled, error);
    throw error;
  }
}

/** A list is checked as a whole: single values may be fine and still contradict each other. */
function merge(setting: Setting, values: readonly Value[], spelled: string): Value {
  if (setting.type.kind !== "list") return values.at(-1) ?? "";
  const list = values.flatMap((value) => partsOf(setting, String(value)));
  if (list.includes("")) throw badValue(spelled, new BadValue("it must not be empty"));
  const reason = setting.check?.(list as never);
  if (reason !== undefined) throw badValue(spelled, new BadValue(reason));
  return list;
}

function badValue(spelled: string, error: BadValue): UsageError {
  return new UsageError(`${spelled}: ${error.message}`);
}

function repeated(spelled: string): UsageError {
  return new UsageError(`${spelled} is given twice`, "Give it once.");
}

/** What flags of other programs, and of earlier times, are called here. */
const FOREIGN: Readonly<Record<string, string>> = {
  directory: "--download-dir",
  "threads-num": "--threads",
  "cookie-directory": "--data-dir",
  "exclude-album": "--album '!NAME'",
  "skip-live-photos": "--live-photo-mode image-only, which saves the still alone, or --live-photo-mode skip",
  "retry-delay": "nothing; the delay follows from --max-retries",
  "auth-only": "kei login",
  "reset-sync-token": "kei reset sync-token",
  "no-incremental": "kei reset sync-token",
  "repair-truncated": "kei reconcile, then kei sync; a good copy comes beside a file that was cut short",
  "list-albums": "kei list albums",
  l: "kei list albums",
  "list-libraries": "kei list libraries",
  "set-exif-datetime": "nothing yet; metadata comes in a later release",
  "password-provider":
    "kei password set for a stored password, --password-command, --password-file, ICLOUD_PASSWORD, or the prompt",
  "until-found": "nothing; kei remembers what it has saved",
  "mfa-provider":
    "kei login, or without a terminal kei login get-code (--sms for a text message) and kei login submit-code CODE",
  "use-os-locale": "nothing; the names of months and days are English",
  "auto-delete": "nothing; kei deletes nothing, neither on disk nor in iCloud",
  "delete-after-download": "nothing; kei deletes nothing, neither on disk nor in iCloud",
  "keep-icloud-recent-days": "nothing; kei deletes nothing, neither on disk nor in iCloud",
  "metrics-port": "--http-port",
  "xmp-sidecar": "nothing yet; metadata comes in a later release",
  "raw-policy": "--align-raw",
  media: "--skip-photos, --skip-videos or [filters] media in the configuration",
  resolution: "--size",
  edited: "--size original --size adjusted",
  alternative: "--size original --size alternative",
  "live-photo-mov-naming": "--live-photo-mov-filename-policy",
  ...Object.fromEntries(
    ["notification-email", "notification-email-from"]
      .concat(["username", "password", "host", "port", "no-tls"].map((name) => `smtp-${name}`))
      .map((name) => [name, "the exit code of kei sync in a script of yours; kei sends no mail"]),
  ),
};

/** `--no-friendly` is `--friendly=false`; only for settings that are more than a switch of one run. */
function negation(token: FlagToken): Value {
  if (token.attached !== undefined) throw new UsageError(`${token.spelled} takes no value`);
  return false;
}

function settingNamed(token: FlagToken): { readonly name: SettingName; readonly negated: boolean } {
  const short = token.spelled.length === 2;
  const found = SETTING_NAMES.find((name) => {
    const setting = settingOf(name);
    return short ? setting.short === token.name : setting.flag === token.name;
  });
  if (found !== undefined) return { name: found, negated: false };
  const positive = token.name.startsWith("no-") ? token.name.slice(3) : undefined;
  const opposite = SETTING_NAMES.find((name) => {
    const setting = settingOf(name);
    return positive !== undefined && setting.flag === positive && setting.type.kind === "boolean" && !isSwitch(setting);
  });
  if (opposite !== undefined) return { name: opposite, negated: true };
  const foreign = Object.hasOwn(FOREIGN, token.name) ? FOREIGN[token.name] : undefined;
  if (foreign !== undefined) throw new UsageError(`${token.spelled} is not a flag of kei`, `Use ${foreign}.`);
  const flags = SETTING_NAMES.flatMap((name) => settingOf(name).flag ?? []).map((flag) => `--${flag}`);
  const near = nearest(token.spelled, [...flags, "--config", "--help", "--version"]);
  throw new UsageError(
    `${token.spelled} is not a flag of kei`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}

/** Commands of other programs, and of earlier times. */
const FOREIGN_COMMANDS: Readonly<Record<string, string>> = {
  "get-code": "kei login get-code",
  "submit-code": "kei login submit-code CODE",
  "retry-failed": "kei sync --retry-failed",
  "reset-state": "kei reset state",
  "reset-sync-token": "kei reset sync-token",
  setup: "kei config setup",
  auth: "kei login",
  credential: "kei password",
  credentials: "kei password",
  keyring: "kei password",
};

function specOf(words: readonly string[]): {
  command: readonly string[];
  spec: CommandSpec | undefined;
  positionals: readonly string[];
} {
  const [first, second] = words;
  if (first === undefined) return { command: [], spec: undefined, positionals: [] };
  if (!Object.hasOwn(COMMANDS, first)) {
    const foreign = Object.hasOwn(FOREIGN_COMMANDS, first) ? FOREIGN_COMMANDS[first] : undefined;
    const near = foreign ?? nearest(first, Object.keys(COMMANDS));
    throw new UsageError(
      `"${first}" is not a command of kei`,
      near === undefined ? undefined : `Did you mean \`${near}\`?`,
    );
  }
  const spec = COMMANDS[first];
  const subcommands = spec?.subcommands;
  if (subcommands === undefined) return { command: [first], spec, positionals: words.slice(1) };
  if (second === undefined) return { command: [first], spec, positionals: [] };
  if (!Object.hasOwn(subcommands, second)) {
    const near = nearest(second, Object.keys(subcommands));
    throw new UsageError(
      `"${second}" is not a command of \`kei ${first}\``,
      near === undefined ? `See \`kei ${first} --help\`.` : `Did you mean \`kei ${first} ${near}\`?`,
    );
  }
  return { command: [first, second], spec: subcommands[second], positionals: words.slice(2) };
}

function refuseMisplaced(
  name: SettingName,
  spelled: string,
  command: readonly string[],
  spec: CommandSpec | undefined,
): void {
  const { on } = settingOf(name);
  if (on === "all") return;
  if (spec === undefined) throw new UsageError(`${spelled} needs a command`, "Did you mean `kei sync`?");
  if (!spec.flags.includes(on))
    throw new UsageError(
      `${spelled} is not a flag of \`kei ${command.join(" ")}\``,
      `See \`kei ${command.join(" ")} --help\`.`,
    );
}

/** Flags of which a command line takes one. */
const EXCLUSIVE: ReadonlyArray<readonly SettingName[]> = [["password", "passwordCommand", "passwordFile"]];

function refuseTogether(given: readonly SettingName[]): void {
  for (const names of EXCLUSIVE) {
    const [one, other] = given.filter((name) => names.includes(name)).map((name) => `--${settingOf(name).flag}`);
    if (one !== undefined && other !== undefined)
      throw new UsageError(`${one} and ${other} exclude each other`, "Pick one.");
  }
}

function checkPositionals(spec: CommandSpec, command: readonly string[], positionals: readonly string[]): void {
  const called = `kei ${command.join(" ")}`;
  const wanted = spec.positionals ?? [];
  const extra = positionals[wanted.length];
  if (extra !== undefined) throw new UsageError(`\`${called}\` does not take "${extra}"`, `See \`${called} --help\`.`);
  const empty = wanted[positionals.indexOf("")];
  if (empty !== undefined) throw new UsageError(`${empty} must not be empty`, `Write \`${called} ${empty}\`.`);
  const missing = wanted[positionals.length];
  if (missing !== undefined) throw new UsageError(`\`${called}\` needs ${missing}`, `Write \`${called} ${missing}\`.`);
}
