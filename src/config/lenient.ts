import { EXIT, Failure } from "../library/failure.ts";
import { type ConfigFile, type Environment, findConfigFile } from "./paths.ts";
import { type Flags, type Resolved, resolveSettings } from "./resolve.ts";
import { SETTING_NAMES, settingOf } from "./settings.ts";

/**
 * The settings as far as they can be had, for a command that has to run whatever is wrong with them: what can't be used
 * is left out and told. A command line that is wrong still throws.
 */
export async function resolveAnyway(
  flags: Flags,
  asked: string | undefined,
  env: Environment,
  cwd: string,
): Promise<{ readonly resolved: Resolved; readonly problems: readonly Failure[] }> {
  const problems: Failure[] = [];
  const file = fileOf(asked, env, cwd, problems);
  const none = { ...file, exists: false };
  const usable = await usableVariables(env, none, cwd, problems);
  try {
    const onWrong = (problem: Failure): void => void problems.push(problem);
    return { resolved: await resolveSettings(flags, file, usable, cwd, onWrong), problems };
  } catch (error) {
    const problem = asFailure(error);
    if (problem.exit === EXIT.usage) throw problem;
    problems.push(problem);
  }
  return { resolved: { ...(await resolveSettings(flags, none, usable, cwd)), file }, problems };
}

/** The environment without the variables that can't be used, each of which is told. */
async function usableVariables(
  env: Environment,
  none: ConfigFile,
  cwd: string,
  problems: Failure[],
): Promise<Environment> {
  const usable = { ...env };
  for (const name of Object.keys(env).filter(mayBeKeis)) {
    try {
      await resolveSettings({}, none, { HOME: env["HOME"], [name]: env[name] }, cwd);
    } catch (error) {
      problems.push(asFailure(error));
      delete usable[name];
    }
  }
  return usable;
}

/** Among them are those that kei doesn't know, which are wrong, too. */
function mayBeKeis(variable: string): boolean {
  return variable.startsWith("KEI_") || SETTING_NAMES.some((name) => settingOf(name).env === variable);
}

function fileOf(asked: string | undefined, env: Environment, cwd: string, problems: Failure[]): ConfigFile {
  try {
    return findConfigFile(asked, env, cwd);
  } catch (error) {
    problems.push(asFailure(error));
    return { path: asked ?? env["KEI_CONFIG"] ?? `${cwd}/config.toml`, exists: false, explicit: asked !== undefined };
  }
}

/** Not even the home folder may be known to the system. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(error instanceof Error ? error.message : String(error), { exit: EXIT.failure, cause: error });
}
