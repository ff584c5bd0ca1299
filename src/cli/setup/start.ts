import { readConfigFile } from "../../config/file.ts";
import type { ConfigFile } from "../../config/paths.ts";
import type { SettingName } from "../../config/settings.ts";
import { Failure } from "../../library/failure.ts";
import type { CommandContext } from "../context.ts";
import { askChoice, type Option, type Person } from "./ask.ts";
import type { Values } from "./questions.ts";

/** What may be said on the command line or in the environment, to be kept in the file. */
const TAKEN: readonly SettingName[] = ["username", "domain", "directory", "passwordCommand", "passwordFile", "dataDir"];

/** What is known before the first question. */
export interface Start {
  readonly values: Values;
  /** What the file that will be replaced says. */
  readonly before: Values;
}

/**
 * Looks whether there is a configuration, and asks what shall become of it. Undefined: it shall stay, and that is the end.
 */
export async function askStart(person: Person, file: ConfigFile, context: CommandContext): Promise<Start | undefined> {
  const given = givenNow(context);
  if (!file.exists) return { values: given, before: {} };
  const found = await readExisting(file.path);
  person.say(`There is a configuration already: ${file.path}`);
  if (found instanceof Failure) person.say(`It can't be read. ${found.message.replace(/\.$/, "")}.`);
  const anew: Option<"keep" | "change" | "anew"> = { label: "Begin anew", value: "anew" };
  const chosen = await askChoice(person, "What shall become of it?", [
    ...(found instanceof Failure
      ? []
      : [{ label: "Change it: what it says is what Enter keeps", value: "change" as const }]),
    anew,
    { label: "Leave it as it is, and stop here", value: "keep" },
  ]);
  if (chosen === "keep") return undefined;
  person.say(
    "It stays as it is until the end, and a copy of it stays beside the new one. Remarks in it are not taken over.",
  );
  if (chosen === "anew" || found instanceof Failure) return { values: given, before: {} };
  return { values: { ...found, ...given }, before: found };
}

async function readExisting(path: string): Promise<Values | Failure> {
  try {
    return (await readConfigFile(path)).values;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function givenNow({ settings, resolved: { origins } }: CommandContext): Values {
  const names = TAKEN.filter((name) => origins[name] === "flag" || origins[name] === "env");
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}
