import { type ConfigFile, type Environment, findConfigFile } from "../../config/paths.ts";
import { DAY, HOUR, spokenInterval, type Values } from "./questions.ts";

/** What a person does from now on, in a few lines. */
export function nextSteps(values: Values, file: ConfigFile, env: Environment): string[] {
  const named = isFoundByItself(file, env) ? "" : ` --config ${quoted(file.path)}`;
  const interval = values.watchInterval;
  const rhythm =
    typeof interval === "number" ? `goes on until you stop it, and looks ${often(interval)}` : "fetches what is new";
  return [
    ...step(`kei sync${named}`, rhythm),
    ...step(`kei status${named}`, "tells how far the backup is"),
    ...step(`kei config setup${named}`, "changes these answers"),
    ...(typeof interval === "number" ? ["", "docs/service.md tells how kei starts with your computer."] : []),
  ];
}

/** A command is never broken: it has to be copied. */
function step(command: string, what: string): string[] {
  return command.length < 18 ? [`  ${command.padEnd(18)}${what}`] : [`  ${command}`, `    ${what}`];
}

function often(seconds: number): string {
  if (seconds === HOUR) return "every hour";
  return seconds === DAY ? "once a day" : `every ${spokenInterval(seconds)}`;
}

function isFoundByItself(file: ConfigFile, env: Environment): boolean {
  return findConfigFile(undefined, env, "/").path === file.path;
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
