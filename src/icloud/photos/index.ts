import { CloudKit, type CloudKitDeps } from "../cloudkit/client.ts";
import { asText, fieldValue, isObject, numberField, readRecord, textField } from "../cloudkit/record.ts";
import { listAlbums } from "./albums.ts";
import { changesSince, databaseChanges, memberships, relationsSince } from "./changes.ts";
import { listAssets, recordsOf } from "./list.ts";
import { LOOKUP_PAIRS, listNamed, lookUp } from "./lookup.ts";
import { assetKeys, countBatch, indexingQuery } from "./queries.ts";
import type { LookupResult, Photos } from "./types.ts";
import { listLibraries } from "./zones.ts";

export { CloudKitError, Throttled, TokenRefused } from "../cloudkit/errors.ts";

/** Lists counted in one call. */
const COUNT_BATCH = 50;

export interface PhotosDeps extends CloudKitDeps {
  /** Ask for the videos of edited Live Photos, too. */
  readonly editedMotion: boolean;
}

/** The photos of a signed-in account. All calls share one retry budget, one brake and one way to renew the session. */
export function createPhotos(deps: PhotosDeps): Photos {
  const cloudkit = new CloudKit(deps);
  const { clock } = deps;
  const keys = assetKeys(deps.editedMotion);
  return {
    libraries: (signal) => listLibraries(cloudkit, signal),
    readiness: async (library, signal) => {
      const json = await cloudkit.call(library.database, "records/query", indexingQuery(library), signal);
      const record = recordsOf(json).find(({ recordType }) => recordType === "CheckIndexingState");
      const state = record === undefined ? "missing" : (textField(record, "state") ?? "missing");
      return { ready: state === "FINISHED", state, token: asText(json["syncToken"]) };
    },
    albums: (library, signal) => listAlbums(cloudkit, library, signal),
    counts: async (library, lists, signal) => {
      const counts: Array<number | undefined> = [];
      for (let start = 0; start < lists.length; start += COUNT_BATCH) {
        const part = lists.slice(start, start + COUNT_BATCH);
        const json = await cloudkit.call(
          library.database,
          "internal/records/query/batch",
          countBatch(library, part),
          signal,
        );
        const answers = Array.isArray(json["batch"]) ? json["batch"] : [];
        for (const index of part.keys()) counts.push(countIn(answers[index]));
      }
      return counts;
    },
    list: (library, list, options) =>
      list.kind === "named"
        ? listNamed({ cloudkit, clock, keys }, library, list.ids, options)
        : listAssets({ cloudkit, clock, keys }, library, list, options),
    lookup: async (library, ids, signal) => {
      const results: LookupResult[] = [];
      for (let start = 0; start < ids.length; start += LOOKUP_PAIRS) {
        results.push(...(await lookUp(cloudkit, library, ids.slice(start, start + LOOKUP_PAIRS), keys, signal)));
      }
      return results;
    },
    relationsSince: (library, token, onRelations, signal) =>
      relationsSince(cloudkit, library, token, onRelations, signal),
    memberships: (library, ids, albums, signal) => memberships(cloudkit, library, ids, albums, signal),
    databaseChanges: (database, token, signal) => databaseChanges(cloudkit, database, token, signal),
    changesSince: (library, token, onChanges, signal) => changesSince(cloudkit, library, token, onChanges, signal),
  };
}

function countIn(answer: unknown): number | undefined {
  if (!isObject(answer) || !Array.isArray(answer["records"])) return undefined;
  const counts = answer["records"].map(readRecord).filter((record) => fieldValue(record, "itemCount") !== undefined);
  return counts[0] === undefined ? undefined : numberField(counts[0], "itemCount");
}
