import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { EXIT, Failure } from "../library/failure.ts";
import { databaseFiles, hasDatabase, openState } from "../state/index.ts";
import type { CatalogueSettings } from "./check-types.ts";
import { filesOf, lockAccount } from "./session.ts";
import type { Ports } from "./types.ts";

type Account = Omit<CatalogueSettings, "directory">;

/**
 * Deletes the account's catalogue with everything SQLite keeps beside it. The database goes first: a log without it is
 * refused by the next start and deleted by the next reset, while a database without its log would have lost its last
 * changes in silence. The files it speaks of stay. Throws `Failure` when another instance runs or a file can't be deleted.
 */
export async function resetState(account: Account, ports: Ports): Promise<readonly string[]> {
  const { database } = filesOf(account);
  if (databaseFiles(database).length === 0) return [];
  return await alone(account, ports, () => removed(databaseFiles(database)));
}

/** Forgets every sync token, so that the next run lists everything; undefined when there is no catalogue. */
export async function resetSyncTokens(account: Account, ports: Ports): Promise<number | undefined> {
  const { domain, username } = account;
  const path = filesOf(account).database;
  if (!hasDatabase(path)) return undefined;
  return await alone(account, ports, async () => {
    const state = await openState({ path, domain, username, clock: ports.clock, logger: ports.logger });
    try {
      return state.transaction(() => {
        const zones = state.zonesWithToken();
        state.clearSyncTokens();
        return zones.length;
      });
    } finally {
      state.close();
    }
  });
}

/**
 * Forgets cookies, session record and what was verified lately (auth.md 5.6). Kept: the notes about refused passwords,
 * which keep the account from being locked (DECISIONS 18), the stored password, the catalogue. Asks Apple nothing.
 */
export async function resetSession(account: Account, ports: Ports): Promise<readonly string[]> {
  const { session, cookies, cache } = filesOf(account);
  const paths = [session, cookies, cache].flatMap((path) => [path, `${path}.tmp`]);
  if (!paths.some((path) => existsSync(path))) return [];
  return await alone(account, ports, () => removed(paths));
}

async function alone<T>(account: Account, ports: Ports, act: () => Promise<T>): Promise<T> {
  const lock = await lockAccount(account, ports);
  try {
    return await act();
  } finally {
    lock.release();
  }
}

/** Deletes what is there of `paths`, in this order, and returns it. */
async function removed(paths: readonly string[]): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const path of paths) {
    if (!existsSync(path)) continue;
    try {
      await rm(path);
    } catch (error) {
      throw new Failure(`Cannot delete ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`, {
        exit: EXIT.failure,
        remedy: "Check the permissions of its folder.",
        cause: error,
      });
    }
    gone.push(path);
  }
  return gone;
}
