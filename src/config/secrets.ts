import type { Environment } from "./paths.ts";

/** Variables that hold secrets and must not reach any child process. */
const SECRET_VARIABLES = ["ICLOUD_PASSWORD"];

/** What a service manager says to this process alone: a child that takes it for its own would speak for kei. */
const SUPERVISOR_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/** Variables of the tests, which lead a program to the double. */
const TEST_VARIABLES = /^KEI_TEST_/;

/** The environment without the secrets in it. */
export function passwordlessEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_VARIABLES.includes(name)));
}

/** What a program that kei starts is given of kei's environment. */
export function childEnvironment(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(passwordlessEnvironment(env)).filter(
      ([name]) => !SUPERVISOR_VARIABLES.includes(name) && !TEST_VARIABLES.test(name),
    ),
  );
}

/** Takes what no child may inherit out of the process's own environment; it stays in the copy that is returned. */
export function takeEnvironment(env: Record<string, string | undefined>): Environment {
  const copy = { ...env };
  for (const name of [...SECRET_VARIABLES, ...SUPERVISOR_VARIABLES]) delete env[name];
  return copy;
}
