import { readFileSync } from "node:fs";
import { FILE_WORDS } from "../config/password-readers.ts";
import { openAttempts } from "../icloud/auth/attempts.ts";
import { accountFiles } from "../library/account.ts";
import { Failure } from "../library/failure.ts";
import { isTooOpen, NoPassword, passwordIn } from "../library/password.ts";
import { privateFile } from "../runtime/private-file.ts";
import { ago, HAS_MODES, ok, skipped, statOf, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

const NAME = "password";

/** Where the password comes from. A command is not run, and nothing of a password is shown. */
export async function password(patient: Patient): Promise<Check> {
  const { choice } = patient.password;
  switch (choice?.kind) {
    case "direct": {
      const from = choice.from === "flag" ? "--password" : "ICLOUD_PASSWORD";
      return (await refused(choice.password, from, patient)) ?? ok(NAME, `comes from ${from}`);
    }
    case "command":
      return ok(NAME, "comes from the password command, which is not run here");
    case "file":
      return await fromFile(choice.path, patient);
    default:
      return await stored(patient);
  }
}

async function fromFile(path: string, patient: Patient): Promise<Check> {
  const value = readPassword(path);
  if (typeof value === "object") return value;
  const bad = await refused(value, "the password file", patient);
  if (bad !== undefined) return bad;
  const found = await statOf(path);
  if (HAS_MODES && typeof found !== "string" && isTooOpen(path, found.mode))
    return warning(NAME, `the password file ${path} can be read by others`, `chmod 600 ${path}`);
  return ok(NAME, `comes from the password file ${path}`);
}

function readPassword(path: string): string | Check {
  try {
    return passwordIn(readFileSync(path));
  } catch (error) {
    if (error instanceof NoPassword)
      return wrong(
        NAME,
        `the password file ${path} ${FILE_WORDS[error.reason]}`,
        "Write the password into it, and nothing else.",
      );
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return wrong(NAME, `the password file ${path} can't be read: ${code}`, "Check its path and its permissions.");
  }
}

async function stored(patient: Patient): Promise<Check> {
  const { store } = patient.password;
  try {
    const backend = store === undefined ? "none" : await store.backend();
    if (store === undefined || backend === "none")
      return skipped(NAME, "none is configured or stored; kei asks for it where there is a terminal");
    const value = await store.get();
    const where = backend === "keyring" ? "the system's keyring" : "an encrypted file";
    const bad = value === undefined ? undefined : await refused(value, "stored", patient);
    return bad ?? ok(NAME, `is stored in ${where}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return wrong(NAME, error.message, error.remedy);
  }
}

/** Whether Apple has said no to it before: then kei does not ask again. */
async function refused(value: string, from: string, { account, dataDir, ports }: Patient): Promise<Check | undefined> {
  if (account === undefined) return undefined;
  const { attempts } = accountFiles(dataDir, account.domain, account.username);
  const notes = await openAttempts(privateFile(attempts, { readOnly: true }), ports.clock);
  const at = await notes.refusedAt(value);
  if (at === undefined) return undefined;
  return wrong(
    NAME,
    `Apple refused this very password (${from}) ${ago(ports.clock.now() - at)}`,
    "Correct it; until then kei does not try it again, so that the account is not locked.",
  );
}
