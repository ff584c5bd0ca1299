import { type Connection, number } from "./connection.ts";
import { StateFailure } from "./failure.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

/** A value that SQLite keeps in the file's header. */
export function pragma(db: Connection, name: "user_version" | "application_id"): number {
  return number(db.get(`PRAGMA ${name}`) ?? {}, name);
}

/**
 * Brings the schema up to `steps.length`. Each step stands with its version number or not at all, so a crash or an
 * error between two of them leaves a database that the next start takes further. Throws for a schema that is newer.
 */
export function migrate(db: Connection, path: string, steps: readonly string[] = MIGRATIONS): void {
  const version = pragma(db, "user_version");
  refuseNewer(path, version, steps.length);
  for (const [step, script] of steps.entries()) {
    if (step < version) continue;
    db.transaction(() => {
      db.exec(script);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.exec(`PRAGMA user_version = ${step + 1}`);
    });
  }
}

/** Refuses a database that a newer kei has written. */
export function refuseNewer(path: string, version: number, known: number = MIGRATIONS.length): void {
  if (version <= known) return;
  throw new StateFailure(
    "refused",
    `The state database ${path} has schema ${version}, this kei knows only up to ${known}`,
    "Use the newer kei that wrote it; the file was left untouched.",
  );
}

/** Refuses a database that cannot be read without being changed first. */
export function refuseOlder(path: string, version: number): void {
  if (version >= MIGRATIONS.length) return;
  throw new StateFailure(
    "refused",
    `The state database ${path} has schema ${version}, this kei reads ${MIGRATIONS.length}`,
    "Run `kei sync` once to bring it up to date.",
  );
}
