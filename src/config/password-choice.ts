import { EXIT, Failure } from "../library/failure.ts";
import type { Origin, Resolved } from "./resolve.ts";
import { type SettingName, settingOf } from "./settings.ts";

/** The source of the password that is configured. */
export type PasswordChoice =
  | { readonly kind: "direct"; readonly password: string; readonly from: "flag" | "env" }
  | { readonly kind: "command"; readonly command: string }
  | { readonly kind: "file"; readonly path: string };

const SOURCES = ["password", "passwordCommand", "passwordFile"] as const satisfies readonly SettingName[];

/**
 * Which of several is meant (auth.md 6.1, cli.md 1.4): a flag, of which the command line holds one at most, before
 * everything else; then a direct value, a command, a file. Variables for both command and file can't be meant: throws
 * `Failure` (exit 1).
 */
export function choosePassword({ settings, origins }: Resolved): PasswordChoice | undefined {
  const given = SOURCES.filter((name) => settings[name] !== undefined);
  const from = (origin: Origin) => given.filter((name) => origins[name] === origin);
  const chosen = from("flag")[0] ?? given[0];
  const variables = from("env").filter((name) => name !== "password");
  if (chosen !== undefined && origins[chosen] !== "flag" && chosen !== "password" && variables.length > 1) {
    const names = variables.map((name) => settingOf(name).env ?? name);
    throw new Failure(`${names.join(" and ")} are two sources of one password; pick one`, {
      exit: EXIT.failure,
      remedy: "Unset the other one.",
    });
  }

  if (chosen === "password" && settings.password !== undefined)
    return { kind: "direct", password: settings.password, from: origins.password === "flag" ? "flag" : "env" };
  if (chosen === "passwordCommand" && settings.passwordCommand !== undefined)
    return { kind: "command", command: settings.passwordCommand };
  if (chosen === "passwordFile" && settings.passwordFile !== undefined)
    return { kind: "file", path: settings.passwordFile };
  return undefined;
}
