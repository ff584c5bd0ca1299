import { readFile } from "node:fs/promises";
import { accountKey } from "../library/account.ts";
import { readHealth } from "../serve/health.ts";
import { ago, ok, skipped, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

const HOUR_MS = 3_600_000;

/** How the runs of a watch have gone, by `health.json`. */
export async function health({ account, dataDir, intervalMs, ports }: Patient): Promise<Check> {
  const name = "health";
  if (account === undefined) return skipped(name, "no account is named");
  const found = await readHealth(dataDir, accountKey(account.domain, account.username), textOf);
  if (found?.lastSyncAt === undefined) return skipped(name, "no run of this account has left its health yet");
  const { consecutiveFailures, lastError, lastSyncAt } = found;
  const age = ports.clock.now() - lastSyncAt;
  if (consecutiveFailures > 0) {
    const many = `${consecutiveFailures} runs in a row have failed, the last one`;
    const which = consecutiveFailures === 1 ? "the last run has failed," : many;
    return warning(name, `${which} ${ago(age)}: ${lastError ?? "unknown error"}`, "See `kei status`.");
  }
  if (intervalMs !== undefined && age > 2 * intervalMs + HOUR_MS)
    return warning(name, `the last run was ${ago(age)}`, "Check whether the service is running.");
  return ok(name, `the last run was ${ago(age)} and went well`);
}

/** How the last run has ended, by its report. */
export async function report({ reportPath, ports }: Patient): Promise<Check> {
  const name = "report";
  if (reportPath === undefined) return skipped(name, "no report is asked for");
  const text = await textOf(reportPath);
  if (text === undefined) return skipped(name, `${reportPath} is not there yet`);
  const { status, timestamp } = fieldsOf(text);
  if (typeof status !== "string")
    return warning(name, `${reportPath} is no report of kei's`, "Name another file with --report-json.");
  const at = Date.parse(String(timestamp));
  const message = `the last one says ${status}${Number.isNaN(at) ? "" : `, ${ago(ports.clock.now() - at)}`}`;
  if (status === "success") return ok(name, message);
  if (status === "session_expired") return wrong(name, message, "Run `kei login`.");
  return warning(name, message, "See `kei status`.");
}

/** Undefined when there is no such file, or none that can be read. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
