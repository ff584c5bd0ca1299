import type { Logger } from "../../runtime/ports.ts";
import type { PrivateFile } from "../../runtime/private-file.ts";
import { formatRecord, newRecord, parseRecord, type SessionRecord } from "./session-record.ts";

/** The session record in memory and on disk. */
export interface SessionStore {
  readonly record: SessionRecord;
  /** Takes a new record and saves it. A disk that refuses is warned about once; the sign-in goes on from memory. */
  update(change: (record: SessionRecord) => SessionRecord): Promise<void>;
  /** Rejects when the record in memory could not be put on disk: what another process would need is missing there. */
  assertSaved(): Promise<void>;
  /** Forgets everything, the client id too. */
  reset(): Promise<void>;
}

/** Opens the record; a damaged file is warned about and starts empty (auth.md 5.4). */
export async function openSessionStore(file: PrivateFile, logger: Logger): Promise<SessionStore> {
  const text = await file.read();
  const saved = text === undefined ? newRecord() : parseRecord(text);
  if (saved === undefined) logger.warn("The saved session is damaged and not used; Apple may want a new sign-in.");
  let record = saved ?? newRecord();
  let warned = false;

  return {
    get record() {
      return record;
    },
    async update(change) {
      record = change(record);
      try {
        await file.write(formatRecord(record));
      } catch (error) {
        if (!warned) logger.warn(error instanceof Error ? error.message : "Cannot save the session.");
        warned = true;
      }
    },
    assertSaved: () => file.write(formatRecord(record)),
    async reset() {
      record = newRecord();
      await file.remove();
    },
  };
}
