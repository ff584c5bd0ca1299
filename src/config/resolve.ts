import { EXIT, Failure } from "../library/failure.ts";
import { refuseUnknownVariables } from "./environment.ts";
import { type FileValues, type OnWrong, readConfigFile, shown } from "./file.ts";
import { type ConfigFile, type Environment, expandPath } from "./paths.ts";
import { SETTING_NAMES, type SettingName, type Settings, settingOf } from "./settings.ts";
import type { Setting } from "./types.ts";
import { BadValue, fromText, type Value } from "./values.ts";

/** Where a value came from. */
export type Origin = "flag" | "env" | "file" | "default";

export interface Resolved {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** Lines of the file on which values stand, whether they are the ones that count or not. */
  readonly lines: FileValues["lines"];
  readonly file: ConfigFile;
}

export type Flags = Partial<Record<SettingName, Value>>;

/**
 * Puts the values together, each setting by itself: flag before environment before file before default. Throws
 * `Failure` (exit 1) for a bad value in the environment or the file, and for a variable that would do nothing. `onWrong` is told
 * of wrong keys of the file instead.
 */
export async function resolveSettings(
  flags: Flags,
  file: ConfigFile,
  env: Environment,
  cwd: string,
  onWrong?: OnWrong,
): Promise<Resolved> {
  refuseUnknownVariables(env);
  const fromFile: FileValues = file.exists ? await readConfigFile(file.path, onWrong) : { values: {}, lines: {} };
  const values: Record<string, Value | undefined> = {};
  const origins: Record<string, Origin> = {};
  for (const name of SETTING_NAMES) {
    const setting = settingOf(name);
    const layers: ReadonlyArray<readonly [Origin, Value | undefined]> = [
      ["flag", flags[name]],
      ["env", fromEnvironment(name, env)],
      ["file", fromFile.values[name]],
      ["default", setting.default],
    ];
    const [origin, value] =
      layers.find(([, candidate]) => candidate !== undefined) ?? (["default", undefined] as const);
    values[name] =
      setting.type.kind === "path" && typeof value === "string"
        ? checkedPath(name, expandPath(value, env, cwd), origin, file, fromFile.lines[name])
        : value;
    origins[name] = origin;
  }
  return { settings: values as Settings, origins: origins as Record<SettingName, Origin>, lines: fromFile.lines, file };
}

/** A path is looked at again once it is whole: `..` and `~` may lead where no text shows it. */
function checkedPath(
  name: SettingName,
  path: string,
  origin: Origin,
  file: ConfigFile,
  line: number | undefined,
): string {
  const setting = settingOf(name);
  const reason = setting.check?.(path as never);
  if (reason === undefined) return path;
  switch (origin) {
    case "flag":
      throw new Failure(`--${setting.flag}: ${reason}`, { exit: EXIT.usage });
    case "env":
      throw wrongVariable(setting.env, reason);
    default:
      throw new Failure(
        `The configuration file ${file.path} is wrong: line ${line}: ${shown(keyPath(setting))}: ${reason}`,
        {
          exit: EXIT.failure,
          remedy: "Mend the value.",
        },
      );
  }
}

function keyPath({ key }: Setting): readonly string[] {
  return key?.split(".") ?? [];
}

/** An empty variable counts as unset: container files pass empty ones all the time. */
function fromEnvironment(name: SettingName, env: Environment): Value | undefined {
  const setting = settingOf(name);
  const text = setting.env === undefined ? undefined : env[setting.env];
  if (setting.env === undefined || text === undefined || text === "") return undefined;
  try {
    return fromText(setting, text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw wrongVariable(setting.env, setting.secret === true ? "its value can't be used" : error.message);
  }
}

function wrongVariable(name: string | undefined, reason: string): Failure {
  return new Failure(`The environment variable ${name} is wrong: ${reason}`, {
    exit: EXIT.failure,
    remedy: "Correct or unset it.",
  });
}
