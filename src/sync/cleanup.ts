import { basename, join } from "node:path";
import { tempName } from "../download/temp.ts";
import type { TransferFailed } from "../download/types.ts";
import { CloudKitError } from "../icloud/cloudkit/errors.ts";
import type { Library, LookupResult, Photos } from "../icloud/photos/types.ts";
import type { AssetId, MasterId } from "../library/asset.ts";
import type { FileKey, State } from "../state/types.ts";
import type { Job } from "./jobs.ts";
import { mayBeTheHost, type Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";
import { type WorkerDeps, work } from "./worker.ts";

/** Files looked up at once: few, since every address ages while the ones before it are fetched. */
const BATCH = 20;
/** Failures in a row that may be the whole host's and end the pass: going on would only take hours. */
const HOST_LIMIT = 5;
/** So many files failing that way while nothing at all came through is the host's trouble, not theirs. */
const OUTAGE_FILES = 3;

interface CleanupDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly tally: Tally;
  readonly stops: Stops;
  readonly signal: AbortSignal;
  readonly worker: WorkerDeps;
  readonly tempSuffix: string;
}

/**
 * The second try of what failed in the main pass or whose address expired in the queue (engine.md 1.8): fresh records
 * by name, never the library again; one file after the other. A file is charged here, once a run, and only if the
 * trouble was not the whole host's.
 */
export async function cleanUp(library: Library, deps: CleanupDeps): Promise<void> {
  const suspects: Array<{ readonly key: FileKey; readonly result: TransferFailed }> = [];
  let inARow = 0;
  const worker: WorkerDeps = {
    ...deps.worker,
    cleaning: {
      charges: (job, result) => {
        if (!mayBeTheHost(result) && result.kind !== "url-expired") return true;
        suspects.push({ key: job.key, result });
        return false;
      },
    },
  };
  const { state, stops, tally } = deps;
  while (!stops.stopped && inARow < HOST_LIMIT) {
    const files = state.takeSecondTries(library.zone, BATCH);
    if (files.length === 0) break;
    const fresh = await lookUpOrNothing(library, files, deps);
    if (fresh === undefined) break;
    for (const file of files) {
      const job = jobFor(file, fresh.get(file.asset), deps);
      if (job === undefined || stops.stopped || inARow >= HOST_LIMIT) continue;
      const suspected = suspects.length;
      if (file.counted === "failed") tally.failed -= 1;
      else tally.putOff -= 1;
      await work(job, worker);
      await worker.finalizer.settled();
      inARow = suspects.length > suspected ? inARow + 1 : 0;
    }
  }
  if (suspects.length >= OUTAGE_FILES && tally.downloaded === 0) return;
  state.transaction(() => {
    const charged = new Set<string>();
    for (const { key, result } of suspects) {
      // Once a run, at however many places it failed (DECISIONS 11).
      const name = `${key.library}\0${key.asset}\0${key.rendition}`;
      if (charged.has(name)) continue;
      charged.add(name);
      // Another place may have it by now.
      if (state.rendition(key)?.status !== "downloaded")
        state.putFailed(key, { error: result.message, kind: result.kind, charge: true });
    }
  });
}

/** Undefined when Apple gives no fresh records: the files stay as they are, for the next run. */
async function lookUpOrNothing(library: Library, files: readonly FileKey[], deps: CleanupDeps) {
  try {
    return await lookUp(library, files, deps);
  } catch (error) {
    if (!(error instanceof CloudKitError && error.problem.kind === "transient")) throw error;
    deps.worker.logger.warn("could not ask for fresh addresses; the failed files wait for the next run", {
      reason: error.message,
    });
    return undefined;
  }
}

async function lookUp(
  library: Library,
  files: readonly FileKey[],
  { photos, state, signal }: CleanupDeps,
): Promise<ReadonlyMap<AssetId, LookupResult>> {
  const ids = new Map<AssetId, MasterId>();
  for (const file of files) {
    const asset = state.asset(file.library, file.asset);
    if (asset !== undefined) ids.set(asset.id, asset.masterId);
  }
  const results = await photos.lookup(
    library,
    [...ids].map(([id, masterId]) => ({ id, masterId })),
    signal,
  );
  return new Map(results.map((result) => [result.id, result]));
}

/** The same file for the same place with a fresh address; undefined when the record is not the same any more. */
function jobFor(
  file: FileKey & { readonly pass: string },
  looked: LookupResult | undefined,
  { state, worker, tempSuffix }: CleanupDeps,
): Job | undefined {
  const row = state.rendition(file);
  const place = state
    .placementsOf(file.library, file.asset)
    .find((candidate) => candidate.rendition === file.rendition && candidate.pass === file.pass);
  if (looked?.state !== "found" || row === undefined || place === undefined || place.status === "present")
    return undefined;
  const resource = looked.asset.renditions[file.rendition];
  if (resource === undefined || resource.checksum !== row.checksum || resource.size !== row.size) return undefined;
  const finalPath = join(worker.root, place.path);
  const leaf = basename(place.path);
  return {
    key: { library: file.library, asset: file.asset, rendition: file.rendition },
    pass: file.pass,
    path: place.path,
    finalPath,
    tempPath: join(finalPath, "..", tempName({ ...file, checksum: row.checksum, leaf, suffix: tempSuffix })),
    resource,
    receivedAt: worker.clock.now(),
    modifiedAt: looked.asset.capturedAt,
    from: undefined,
    shared: true,
  };
}
