import { PRIMARY_ZONE, type ZoneName } from "../../library/asset.ts";
import type { CloudKit, Database } from "../cloudkit/client.ts";
import { CloudKitError } from "../cloudkit/errors.ts";
import { asText, isObject } from "../cloudkit/record.ts";
import type { Library } from "./types.ts";

/** Zones that are libraries; every other kind is left alone (cloudkit.md 2.2). */
function isLibrary(zone: string): boolean {
  return zone === PRIMARY_ZONE || zone.startsWith("SharedSync-");
}

/** Libraries of both databases. */
export async function listLibraries(cloudkit: CloudKit, signal: AbortSignal) {
  const libraries = await zonesOf(cloudkit, "private", signal);
  const problems: string[] = [];
  try {
    // Who takes part in another's shared library finds it in the other database.
    const known = new Set(libraries.map((library) => library.zone));
    libraries.push(...(await zonesOf(cloudkit, "shared", signal)).filter((library) => !known.has(library.zone)));
  } catch (error) {
    if (!(error instanceof CloudKitError)) throw error;
    problems.push(`libraries shared by others could not be listed: ${error.message}`);
  }
  return { libraries, problems };
}

/** One entry of a list of zones: a library, or the name of a zone that is gone; neither for zones of other kinds. */
export function readZone(zone: unknown, database: Database): { readonly library?: Library; readonly deleted?: string } {
  if (!isObject(zone) || !isObject(zone["zoneID"])) return {};
  const { zoneName, ownerRecordName, zoneType } = zone["zoneID"];
  const name = asText(zoneName);
  if (name === undefined || !isLibrary(name)) return {};
  if (zone["deleted"] === true) return { deleted: name };
  return { library: { zone: name as ZoneName, database, owner: asText(ownerRecordName), zoneType: asText(zoneType) } };
}

async function zonesOf(cloudkit: CloudKit, database: Database, signal: AbortSignal): Promise<Library[]> {
  const libraries: Library[] = [];
  const used = new Set<string | undefined>();
  for (let token: string | undefined; ; ) {
    used.add(token);
    const json = await cloudkit.call(database, "zones/list", token === undefined ? {} : { syncToken: token }, signal);
    for (const zone of Array.isArray(json["zones"]) ? json["zones"] : []) {
      const { library } = readZone(zone, database);
      if (library !== undefined) libraries.push(library);
    }
    const next = asText(json["syncToken"]);
    if (json["moreComing"] !== true || next === undefined || used.has(next)) return libraries;
    token = next;
  }
}
