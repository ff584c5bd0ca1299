import { join } from "node:path";

/**
 * How the runs of an account go, as `health.json` and `/healthz` tell it (cli.md 6.6, engine.md WT-11). Times in ms since
 * the epoch.
 */
export interface Health {
  /** Which account it is about: its key in the data folder (`accountKey`). */
  readonly account: string;
  /** End of the last run, be it one that found nothing to do. */
  readonly lastSyncAt: number | undefined;
  readonly lastSuccessAt: number | undefined;
  /** Runs in a row that failed. */
  readonly consecutiveFailures: number;
  readonly lastError: string | undefined;
  /** When a watch will run again; undefined when none is waiting. */
  readonly nextSyncAt: number | undefined;
  /** Since when a watch waits for a code that somebody hands in; undefined when none does. */
  readonly codeWantedAt: number | undefined;
}

/** Where the health of the last run is kept, of whichever account it was. */
export function healthPath(dataDir: string): string {
  return join(dataDir, "health.json");
}

/** Where that of an account is kept as well: several accounts may share the folder. */
export function accountHealthPath(dataDir: string, account: string): string {
  return join(dataDir, `${account}.health.json`);
}

/** The health of an account as its last run has left it; undefined when there is none. `read` gives the text of a file. */
export async function readHealth(
  dataDir: string,
  account: string,
  read: (path: string) => Promise<string | undefined>,
): Promise<Health | undefined> {
  for (const path of [healthPath(dataDir), accountHealthPath(dataDir, account)]) {
    const health = parseHealth((await read(path)) ?? "", account);
    if (health !== undefined) return health;
  }
  return undefined;
}

/** The document of `health.json` and `/healthz`. Readers must accept fields they don't know. */
export function formatHealth(health: Health): string {
  const time = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
  return `${JSON.stringify(
    {
      account: health.account,
      last_sync_at: time(health.lastSyncAt),
      last_success_at: time(health.lastSuccessAt),
      consecutive_failures: health.consecutiveFailures,
      last_error: health.lastError ?? null,
      next_sync_at: time(health.nextSyncAt),
      code_wanted_at: time(health.codeWantedAt),
    },
    undefined,
    2,
  )}\n`;
}

/** Reads the document. Undefined when the text is none, or is about another account. */
export function parseHealth(text: string, account: string): Health | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  if (fields["account"] !== account) return undefined;
  const time = (name: string): number | undefined => {
    const ms = Date.parse(String(fields[name] ?? ""));
    return Number.isNaN(ms) ? undefined : ms;
  };
  const failures = fields["consecutive_failures"];
  const error = fields["last_error"];
  return {
    account,
    lastSyncAt: time("last_sync_at"),
    lastSuccessAt: time("last_success_at"),
    consecutiveFailures: typeof failures === "number" && Number.isInteger(failures) && failures >= 0 ? failures : 0,
    lastError: typeof error === "string" ? error : undefined,
    nextSyncAt: time("next_sync_at"),
    codeWantedAt: time("code_wanted_at"),
  };
}
