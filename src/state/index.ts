import { catalogue } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import { StateFailure } from "./failure.ts";
import { finding } from "./finding.ts";
import { ledger } from "./ledger.ts";
import { manifest } from "./manifest.ts";
import { members } from "./members.ts";
import { newest } from "./newest.ts";
import { type OpenOptions, openConnection, openReadOnly, openScratch } from "./open.ts";
import { placements } from "./placements.ts";
import { saved } from "./saved.ts";
import { counting } from "./totals.ts";
import type { State } from "./types.ts";

export type * from "./answers.ts";
export { type Examination, examineState, isLocked, sqliteVersion } from "./examine.ts";
export { StateFailure, type StateTrouble } from "./failure.ts";
export { AccountBusy, acquireLock, type Lock } from "./lock.ts";
export { databaseFiles, hasDatabase, type OpenOptions } from "./open.ts";
export type * from "./types.ts";

/** Opens or creates the account's catalogue. Throws `Failure` (exit 1) that says what is wrong with it. */
export async function openState(options: OpenOptions): Promise<State> {
  return stateOf(await openConnection(options), true);
}

/** The catalogue for reading; undefined when there is none yet. */
export async function openStateReadOnly(options: OpenOptions): Promise<State | undefined> {
  const db = await openReadOnly(options);
  return db === undefined ? undefined : stateOf(db, false);
}

/** A private copy that may be written to and is forgotten: for runs that must leave no trace. */
export async function openForDryRun(options: OpenOptions): Promise<State> {
  return stateOf(await openScratch(options), false);
}

function stateOf(db: Connection, checkpoint: boolean): State {
  return {
    transaction: (work) => db.transaction(work),
    snapshot: (work) => db.snapshot(work),
    close: () => {
      try {
        if (checkpoint) db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch (error) {
        // A log that could not be folded in (full disk, a reader in the way) is read again at the next start.
        if (!(error instanceof StateFailure)) throw error;
      } finally {
        db.close();
      }
    },
    ...ledger(db),
    ...catalogue(db),
    ...placements(db),
    ...saved(db),
    ...members(db),
    ...newest(db),
    ...finding(db),
    ...counting(db),
    manifest: () => manifest(db),
  };
}
