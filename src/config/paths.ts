import { existsSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { EXIT, Failure } from "../library/failure.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Home folder; from the account database where HOME is unset, as under a service manager (DECISIONS 7). Throws `Failure`
 * for a user that the system doesn't know.
 */
export function homeFolder(env: Environment): string {
  const home = env["HOME"];
  if (home !== undefined && home !== "") return home;
  try {
    return userInfo().homedir;
  } catch (error) {
    throw new Failure("The home folder is not known: HOME is not set, and the system does not know this user", {
      exit: EXIT.failure,
      remedy: "Set HOME, or name the files with --config and --data-dir.",
      cause: error,
    });
  }
}

/** A path as written by a person: `~/` is the home folder, anything relative is below the working folder. */
export function expandPath(path: string, env: Environment, cwd: string): string {
  const expanded = path === "~" || path.startsWith("~/") ? join(homeFolder(env), path.slice(1)) : path;
  return isAbsolute(expanded) ? resolve(expanded) : resolve(cwd, expanded);
}

export interface ConfigFile {
  readonly path: string;
  readonly exists: boolean;
  /** Asked for by name, so that it must be usable. */
  readonly explicit: boolean;
}

/** Convention of the container image. */
const CONTAINER_CONFIG = "/config/config.toml";

/**
 * The one configuration file: the one asked for; else `$XDG_CONFIG_HOME/kei` or `~/.config/kei` on every system; else
 * `/config` in a container. Throws `Failure` when one was asked for in a folder that is not there.
 */
export function findConfigFile(asked: string | undefined, env: Environment, cwd: string): ConfigFile {
  const named = asked ?? nonEmpty(env["KEI_CONFIG"]);
  if (named !== undefined) {
    const path = expandPath(named, env, cwd);
    if (!path.endsWith(".toml")) {
      throw new Failure(`The configuration file ${path} must end with .toml`, {
        exit: EXIT.failure,
        remedy: "Rename it.",
      });
    }
    const exists = mayBeThere(path);
    if (!exists && !mayBeThere(dirname(path))) {
      throw new Failure(`Could not read config file ${path}: its folder does not exist`, {
        exit: EXIT.failure,
        remedy: "Check the path after --config.",
      });
    }
    return { path, exists, explicit: true };
  }
  const xdg = nonEmpty(env["XDG_CONFIG_HOME"]);
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homeFolder(env), ".config");
  const path = join(base, "kei", "config.toml");
  if (!existsSync(path) && existsSync(CONTAINER_CONFIG))
    return { path: CONTAINER_CONFIG, exists: true, explicit: false };
  return { path, exists: existsSync(path), explicit: false };
}

/** What can't be looked at counts as there: a file that was asked for must not be passed over, and reading it says why. */
function mayBeThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOTDIR";
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
