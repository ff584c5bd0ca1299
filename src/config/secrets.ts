import type { Environment } from "./paths.ts";

/** Variables that hold secrets and must not reach any child process. */
const SECRET_VARIABLES = ["ICLOUD_PASSWORD"];

/** The environment without the secrets in it. */
export function passwordlessEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_VARIABLES.includes(name)));
}

/** Takes the secrets out of the process's own environment; they stay in the copy that is returned. */
export function takeEnvironment(env: Record<string, string | undefined>): Environment {
  const copy = { ...env };
  for (const name of SECRET_VARIABLES) delete env[name];
  return copy;
}
