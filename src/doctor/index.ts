/** Looks at everything kei depends on, and says what to do where something is wrong (cli.md 5.10). */
import { existsSync } from "node:fs";
import { Failure } from "../library/failure.ts";
import { runtimeName } from "../runtime/process.ts";
import { sqliteVersion } from "../state/index.ts";
import { database, instance } from "./database.ts";
import { ok, warning, wrong } from "./files.ts";
import { dataFolder, downloadFolder } from "./folders.ts";
import { network } from "./network.ts";
import { password } from "./password.ts";
import { redact } from "./redact.ts";
import { health, report } from "./runs.ts";
import { liveSession, session } from "./sign-in.ts";
import type { Check, Patient } from "./types.ts";

export { redact } from "./redact.ts";
export type { Check, PasswordFacts, Patient } from "./types.ts";

/** In the order in which they are shown; the names are those of the first check each of them gives. */
const CHECKS: ReadonlyArray<readonly [string, (patient: Patient) => Promise<Check | readonly Check[]>]> = [
  ["runtime", runtime],
  ["config_parse", config],
  ["account", account],
  ["data_dir", dataFolder],
  ["download_dir", downloadFolder],
  ["state_db", database],
  ["instance", instance],
  ["password", password],
  ["session", session],
  ["health", health],
  ["report", report],
  ["network", network],
  ["live_session", liveSession],
];

/**
 * Every check, one after the other; a check that breaks is an error of its own and keeps none of the others away. Writes
 * nothing but probes in the download folder, which are removed. All texts are redacted. Throws only the reason of a stop.
 */
export async function examine(patient: Patient): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const [name, check] of CHECKS) {
    patient.ports.stop.throwIfAborted();
    try {
      const found = await check(patient);
      checks.push(...(Array.isArray(found) ? found : [found]));
    } catch (error) {
      patient.ports.stop.throwIfAborted();
      checks.push(broken(name, error));
    }
  }
  const { choice } = patient.password;
  const secrets = [patient.account?.username ?? "", choice?.kind === "direct" ? choice.password : ""];
  const clean = (text: string) => redact(text, secrets);
  return checks.map(({ name, status, message, remedy }) => ({
    name,
    status,
    message: clean(message),
    ...(remedy === undefined ? {} : { remedy: clean(remedy) }),
  }));
}

/** A check that could not be made: for a reason that has its own way out, or for one that nobody has thought of. */
function broken(name: string, error: unknown): Check {
  if (error instanceof Failure) return wrong(name, error.message, error.remedy);
  const message = error instanceof Error ? error.message : String(error);
  return wrong(name, `could not be looked at: ${message.split("\n")[0] ?? ""}`, "Please report it.");
}

async function runtime({ version, installMethod }: Patient): Promise<Check> {
  const hints = [
    ...(existsSync("/.dockerenv") || existsSync("/run/.containerenv") ? ["in a container"] : []),
    ...(process.env["NOTIFY_SOCKET"] === undefined ? [] : ["below systemd"]),
  ];
  const parts = [
    `kei ${version} (${installMethod})`,
    runtimeName(),
    `SQLite ${await sqliteVersion()}`,
    `${process.platform} ${process.arch}`,
    ...hints,
  ];
  return ok("runtime", parts.join(", "));
}

async function config({ problems, config: { path, exists } }: Patient): Promise<Check> {
  const name = "config_parse";
  const [first] = problems;
  if (first !== undefined) return wrong(name, problems.map(({ message }) => message).join("; "), first.remedy);
  return ok(
    name,
    exists ? `${path} is read` : `there is no configuration file at ${path}; defaults, variables and flags apply`,
  );
}

async function account({ account: named, domain }: Patient): Promise<Check> {
  const name = "account";
  if (named === undefined)
    return warning(name, "no account is named", "Give the Apple ID with -u EMAIL, ICLOUD_USERNAME or [auth].username.");
  return ok(name, `an account of icloud.${domain === "cn" ? "com.cn" : "com"} is named`);
}
