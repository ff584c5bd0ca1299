import { dirname, join } from "node:path";
import { classify, isAnswer } from "../download/classify.ts";
import { placeCopy } from "../download/copies.ts";
import { type TransferDeps, transfer } from "../download/transfer.ts";
import type { TransferFailed } from "../download/types.ts";
import { isExpired } from "../library/media-hosts.ts";
import type { Clock, Logger } from "../runtime/ports.ts";
import type { PlacementRow, State } from "../state/types.ts";
import type { Finalizer } from "./finalizer.ts";
import type { InFlight, Job } from "./jobs.ts";
import { mayBeTheHost, type Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";

export interface WorkerDeps {
  readonly state: State;
  readonly finalizer: Finalizer;
  readonly inFlight: InFlight;
  readonly tally: Tally;
  readonly stops: Stops;
  readonly transfer: TransferDeps;
  readonly albumCopies: "link" | "copy";
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absolute download folder. */
  readonly root: string;
  /** Set in the cleanup pass: it decides whether a failure is charged. */
  readonly cleaning?: { readonly charges: (job: Job, result: TransferFailed) => boolean };
}

/**
 * Brings one file to its place and settles it: a local copy where the bytes are on disk already, else one transfer.
 * Places that waited for the same bytes are served right after, from the published file. Never throws for a file that
 * failed; throws when the catalogue can't be written.
 */
export async function work(job: Job, deps: WorkerDeps): Promise<void> {
  const waiting = await bring(job, deps);
  if (waiting !== undefined) {
    for (const follower of waiting) await bring({ ...follower, from: job.finalPath }, deps);
    return;
  }
  for (const follower of deps.inFlight.forget(job)) {
    if (!sameFile(follower, job)) {
      await bring(follower, deps);
      continue;
    }
    // What heals the file in its second try heals all its places.
    if (deps.cleaning === undefined && deps.state.awaitsSecondTry(job.key))
      deps.state.noteSecondTry(follower.key, follower.pass, "put-off");
    await putOff(follower, deps);
  }
}

/** The jobs that waited for this content when the file now stands at its place; else undefined. */
async function bring(job: Job, deps: WorkerDeps): Promise<readonly Job[] | undefined> {
  if (deps.stops.stopped) {
    await putOff(job, deps);
    return undefined;
  }
  if (deps.cleaning === undefined && isExpired(job.resource.url, job.receivedAt, deps.clock.now())) {
    // It waited too long in the queue: asking would only be refused.
    deps.state.noteSecondTry(job.key, job.pass, "put-off");
    await putOff(job, deps);
    return undefined;
  }
  const source = job.from ?? (job.shared ? sourceOnDisk(job, deps) : undefined);
  const copied = source === undefined ? undefined : await copyFrom(job, source, deps);
  if (copied !== undefined) return copied;

  const result = await transfer(
    {
      url: job.resource.url,
      checksum: job.resource.checksum,
      size: job.resource.size,
      tempPath: job.tempPath,
      finalPath: job.finalPath,
      modifiedAt: job.modifiedAt,
      label: job.path,
    },
    deps.transfer,
  );
  deps.tally.bytesReceived += result.bytesReceived;
  if (result.outcome === "failed") {
    await fail(job, result, deps);
    return undefined;
  }
  if (result.warning !== undefined) deps.logger.warn(result.warning, { file: job.path });
  deps.stops.note(job.path, result);
  deps.tally.downloaded += 1;
  deps.tally.bytesWritten += job.resource.size;
  if (result.proof === "size") deps.tally.unproven += 1;
  return await present(job, "download", result.proof, deps);
}

/** The same content may have been published since this job was planned. */
function sourceOnDisk(job: Job, { state, root }: WorkerDeps): string | undefined {
  const place = state.presentWith(job.resource.checksum, 2).find((candidate) => candidate.path !== job.path);
  return place === undefined ? undefined : join(root, place.path);
}

/** Serves the place from a file on this disk. Undefined when that did not work out and the bytes must be fetched. */
async function copyFrom(job: Job, from: string, deps: WorkerDeps): Promise<readonly Job[] | undefined> {
  const copied = await placeCopy({
    from,
    to: job.finalPath,
    tempPath: job.tempPath,
    checksum: job.resource.checksum,
    size: job.resource.size,
    modifiedAt: job.modifiedAt,
    policy: deps.albumCopies,
    folders: deps.transfer.folders,
    fileMode: deps.transfer.fileMode,
  });
  if (copied.outcome === "failed") {
    deps.logger.debug("could not serve a second place from disk, fetching instead", {
      file: job.path,
      reason: copied.message,
    });
    return undefined;
  }
  deps.tally.linked += 1;
  if (copied.method === "copy") deps.tally.bytesWritten += job.resource.size;
  return await present(job, copied.method, "provider", deps);
}

/** Publish, then record. Who waited is taken over first: the commit, which may come at once, ends the waiting list. */
async function present(
  job: Job,
  method: NonNullable<PlacementRow["method"]>,
  proof: "provider" | "size",
  deps: WorkerDeps,
): Promise<readonly Job[]> {
  const { state, clock } = deps;
  const waiting = deps.inFlight.published(job);
  await deps.finalizer.settle(
    dirname(job.finalPath),
    () => {
      state.putDownloaded(job.key, { proof, at: Math.trunc(clock.now() / 1000) });
      state.placementPresent(job.key, job.pass, {
        localSize: job.resource.size,
        localMtime: Math.trunc(job.modifiedAt),
        method,
      });
      state.releaseTemp(job.tempPath);
    },
    () => deps.inFlight.forget(job),
  );
  return waiting;
}

/**
 * Settles a failure. What a fresh URL may heal is not charged yet: the cleanup pass decides, so that a file is charged
 * once a run, and trouble of the whole host charges nobody (DECISIONS 11).
 */
async function fail(job: Job, result: TransferFailed, deps: WorkerDeps): Promise<void> {
  if (result.kind === "interrupted") return putOff(job, deps);
  // In the cleanup pass the record was looked up a moment ago, with this very session: a refusal is the file's own.
  const refused = result.kind === "session" && deps.cleaning !== undefined;
  if (!refused) deps.stops.note(job.path, result);
  const rule = classify(result.kind);
  const { state } = deps;
  const secondTry = rule.cleanup && deps.cleaning === undefined;
  // An address that was made for this very try and has expired already is a failure like any other.
  const stale = result.kind === "url-expired" && deps.cleaning !== undefined;
  const putsOff = (rule.putOff && !stale) || result.notBefore !== undefined;
  if (secondTry) state.noteSecondTry(job.key, job.pass, putsOff ? "put-off" : "failed");
  if (putsOff) return putOff(job, deps);
  deps.tally.failed += 1;
  const told = { file: job.path, reason: result.message };
  if (secondTry) deps.logger.info("could not fetch a file; it gets a second try with a fresh address", told);
  else deps.logger.warn("could not fetch a file", told);
  const charge = (rule.charge || stale || refused) && !secondTry && deps.cleaning?.charges(job, result) !== false;
  await deps.finalizer.settle(undefined, () => {
    const why = { error: result.message, kind: result.kind };
    const before = state.rendition(job.key);
    // Outages are waited out, like everything that is no answer about this file (DECISIONS 12).
    if (isAnswer(result.kind) && !mayBeTheHost(result) && before?.attempts === 0) deps.tally.newlyFailed += 1;
    // The file may stand at another place already: then only this place has failed.
    if (state.rendition(job.key)?.status === "downloaded") state.placementFailed(job.key, job.pass, why);
    else state.putFailed(job.key, { ...why, charge });
  });
}

/** Back to pending, uncharged: it was not this file's fault, and a later run takes it up. */
async function putOff(job: Job, deps: WorkerDeps): Promise<void> {
  deps.tally.putOff += 1;
  await deps.finalizer.settle(undefined, () => deps.state.putBack(job.key));
}

function sameFile(a: Job, b: Job): boolean {
  return a.key.library === b.key.library && a.key.asset === b.key.asset && a.key.rendition === b.key.rendition;
}
