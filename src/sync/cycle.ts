import { createPool } from "../download/pool.ts";
import { syncDirectories } from "../download/sync-directories.ts";
import type { TransferDeps } from "../download/transfer.ts";
import { Throttled } from "../icloud/photos/index.ts";
import type { Photos } from "../icloud/photos/types.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { PathTraits } from "../library/pathkey.ts";
import type { State, Totals } from "../state/types.ts";
import { breakUntil, keepBreak } from "./apple-break.ts";
import { cleanUp } from "./cleanup.ts";
import { lookWhatIsLeftOut, tellWhatIsLeftOut } from "./defaults.ts";
import { Finalizer } from "./finalizer.ts";
import { Forecast } from "./forecast.ts";
import { ForeignMembers, mayBeInAlbums } from "./foreign.ts";
import { InFlight, type Job } from "./jobs.ts";
import { syncLibrary } from "./library.ts";
import { Memory } from "./memory.ts";
import { filtersOf, namingOf } from "./naming.ts";
import { Newest } from "./newest.ts";
import { Pace } from "./pace.ts";
import { hasAlbums, mergedTrees } from "./passes.ts";
import { Planner } from "./plan.ts";
import { ProgressTeller } from "./progress.ts";
import { Rehearsal } from "./rehearsal.ts";
import { buildReport } from "./report.ts";
import { deviceOf } from "./root.ts";
import { Stops } from "./stops.ts";
import { survey } from "./survey.ts";
import { Tally } from "./tally.ts";
import { sweepTemps } from "./temps.ts";
import type { Ports, SyncReport, SyncSettings } from "./types.ts";
import { work } from "./worker.ts";

/**
 * What the catalogue held after the last run of this process. Counting it is a walk over all of it, and it holds the same
 * until a run, of whichever process, leaves a row.
 */
export interface LastCount {
  totals?: Totals;
  /** When the last run that left a row began: unlike their numbers, that differs in a catalogue that was made anew. */
  runAt?: number | undefined;
}

interface CycleDeps {
  readonly settings: SyncSettings;
  readonly ports: Ports;
  readonly state: State;
  readonly photos: Photos;
  readonly traits: PathTraits;
  /** Where it is kept for the next run. */
  readonly lastCount?: LastCount;
  /** Called when there is something to do, before it is done. Throws `Failure` where nothing could be saved. */
  readonly beforeWork?: () => Promise<void>;
  readonly transfer: Omit<TransferDeps, "stop" | "cancel" | "onBytes">;
  /** Takes the place of the workers, where what would be done matters; a dry run has one of its own. */
  readonly rehearsal?: Pick<Rehearsal, "note"> & { readonly planned: Rehearsal["planned"] | undefined };
  /** Given the report, also when the run then throws. */
  readonly onReport: (report: SyncReport) => void;
}

/** Throws `Failure` while a break that Apple has asked for is not over. */
export function respectBreak(state: State, now: number): void {
  const until = breakUntil(state, now);
  if (until === undefined) return;
  throw new Failure(`Apple has asked for a break until ${new Date(until).toISOString()}`, {
    exit: EXIT.failure,
    remedy: "Run kei again after that; nothing is lost.",
    passing: true,
    retryAt: until,
  });
}

/**
 * One sweep over the selected libraries: list, plan, fetch, prove, remember. Whatever happens, files that are on their
 * way are settled and the run's row is written before it returns or throws.
 */
export async function runCycle(deps: CycleDeps): Promise<SyncReport> {
  const stops = new Stops(deps.ports.stop);
  try {
    return await cycle(deps, stops);
  } finally {
    stops.release();
  }
}

async function cycle(deps: CycleDeps, stops: Stops): Promise<SyncReport> {
  const { settings, ports, state, photos } = deps;
  const { clock, logger } = ports;
  const startedAt = clock.now();
  const began = clock.monotonic();
  const tally = new Tally();
  const teller = new ProgressTeller(tally, ports);
  const device = await deviceOf(settings.directory);

  state.promoteOrphanRuns();
  const lastRunAt = state.lastRuns(1)[0]?.startedAt;
  // A run that finds nothing to do writes nothing, so that disks can sleep.
  let begun: number | undefined;
  const run = () => {
    begun ??= state.beginRun(startedAt);
    return begun;
  };

  const finalizer = new Finalizer({ clock, transaction: (work) => state.transaction(work), syncDirectories });
  const inFlight = new InFlight();
  const workerDeps = {
    state,
    finalizer,
    inFlight,
    tally,
    stops,
    transfer: {
      ...deps.transfer,
      stop: stops.signal,
      cancel: ports.cancel,
      onBytes: (bytes: number) => teller.bytes(bytes),
      onRateLimited: () => {
        tally.rateLimited += 1;
      },
    },
    albumCopies: settings.albumCopies,
    clock,
    logger,
    root: settings.directory,
  };
  const pool = createPool<Job>({
    threads: settings.threads,
    queue: 2 * settings.threads,
    run: async (job) => {
      try {
        await work(job, workerDeps);
      } catch (error) {
        // The catalogue can't be written: listing on would only promise more.
        stops.trip("failure");
        throw error;
      }
      teller.tell();
    },
  });
  const newest = new Newest({ photos, state, settings, signal: stops.signal });
  const planner = new Planner({
    state,
    tally,
    root: settings.directory,
    naming: namingOf(settings),
    filters: filtersOf(settings),
    newest,
    traits: deps.traits,
    tempSuffix: settings.tempSuffix,
    perAsset: settings.perAsset,
    retryOnly: settings.retryFailed,
    signal: stops.signal,
    get run() {
      return run();
    },
    startedAt,
    nowSeconds: () => Math.trunc(clock.now() / 1000),
  });
  const rehearsal = deps.rehearsal ?? (settings.dryRun ? new Rehearsal(ports.onPlanned) : undefined);
  const forecast = new Forecast({ directory: settings.directory, tally, clock, logger, signal: stops.signal });
  const pace = new Pace(() => pool.idle > 0 && pool.queued === 0);
  const walk = {
    photos,
    state,
    planner,
    newest,
    tally,
    stops,
    logger,
    cancel: stops.signal,
    pace,
    beforeFirstByte: async () => {
      if (deps.rehearsal === undefined) await forecast.beforeFirstByte();
    },
    enqueue: async (job: Job) => {
      if (stops.stopped) return false;
      if (rehearsal !== undefined) return rehearsal.note(job);
      const next = inFlight.joinOrLead(job);
      return next === undefined || (await pool.put(next));
    },
    betweenPages: async (pass: { readonly label: string }) => {
      teller.passing(pass.label);
      if (device !== undefined && (await deviceOf(settings.directory)) !== device) stops.trip("root-gone");
    },
  };

  let failure: unknown;
  let cutOff = false;
  let unchanged = false;
  let retried = 0;
  try {
    const memory = new Memory(state, settings);
    const { libraries, selected, searched, turns, settle } = await survey({
      photos,
      state,
      memory,
      settings,
      tally,
      logger,
      signal: stops.signal,
    });
    unchanged = turns.length === 0;
    ports.onStage({ kind: "ready" });
    if (!unchanged) {
      run();
      ports.onStage({ kind: "running" });
      await deps.beforeWork?.();
    }
    const merged = mergedTrees(settings, selected.length, searched.length);
    if (merged !== undefined) tally.notice(merged);
    retried = settings.retryFailed ? state.forgiveFailed() : state.requeueFailed(settings.perAsset);
    if (retried > 0) logger.info("files that failed before are tried again", { files: retried });
    await lookWhatIsLeftOut(libraries, selected, { photos, state, settings, tally, signal: stops.signal });
    const foreign = new ForeignMembers({
      photos,
      state,
      tally,
      signal: stops.signal,
      others: searched.filter((library) => !hasAlbums(library)),
      unselected: libraries.filter((library) => !searched.includes(library)),
      isAsked: turns.some((turn) => mayBeInAlbums(state, turn)),
    });
    let settled = true;
    for (const library of searched) {
      if (stops.stopped) break;
      const turn = turns.find((one) => one.library === library) ?? foreign.turnOf(library, selected.includes(library));
      if (turn === undefined) continue;
      const done = await syncLibrary(turn, {
        photos,
        state,
        memory,
        settings,
        tally,
        stops,
        clock,
        logger,
        cancel: stops.signal,
        foreign,
        expect: (assets) => {
          teller.expect(assets);
          forecast.expect(assets);
        },
        walk,
        cleanUp: async (candidate) => {
          await pool.whenIdle();
          await finalizer.settled();
          await cleanUp(candidate, {
            photos,
            state,
            tally,
            stops,
            signal: stops.signal,
            worker: workerDeps,
            tempSuffix: settings.tempSuffix,
          });
        },
      });
      settled &&= done;
    }
    if (settled && !stops.stopped && !settings.dryRun && tally.enumerationErrors.length === 0) {
      foreign.settled();
      settle();
    }
  } catch (error) {
    failure = error;
    // A request that a stop has cut off is not a failure of its own.
    cutOff = stops.stopped && error === stops.signal.reason;
    stops.trip("failure");
  }
  teller.phase("finishing");
  try {
    await pool.drain();
    await finalizer.settled();
  } catch (error) {
    failure = error;
    cutOff = false;
  }
  teller.end();
  if (failure === undefined && !stops.stopped && !settings.dryRun) tellWhatIsLeftOut(state, tally);

  if (!settings.dryRun) await sweepTemps(state, settings.directory);
  const unsettled = begun === undefined || stops.stopped || settings.dryRun ? 0 : state.settleUnfinished(begun);
  tally.failed += unsettled;
  if (unsettled > 0)
    logger.error("files were lost track of in this run; they are tried again in the next one", { files: unsettled });
  const gap = tally.checkSum();
  if (gap !== undefined) logger.warn(`the count of this run does not add up: ${gap}`);
  const { lastCount = {} } = deps;
  // What another command has put to failed may belong to a library that has no turn.
  const isCounted = unchanged && retried === 0 && lastCount.runAt === lastRunAt;
  const counted = isCounted ? lastCount.totals : undefined;
  const totals = counted ?? state.totals(settings.perAsset);
  const report = buildReport({
    tally,
    stops,
    state,
    totals,
    settings,
    elapsedMs: clock.monotonic() - began,
    planned: rehearsal?.planned,
    unchanged,
    expected: teller.expected,
  });
  // A watch that finds nothing to do leaves no trace, however often.
  const idle = settings.watching && unchanged && failure === undefined && !stops.stopped;
  Object.assign(lastCount, { totals, runAt: idle ? lastRunAt : startedAt });
  if (!idle)
    state.endRun(run(), {
      completedAt: clock.now(),
      status: report.outcome === "interrupted" ? "interrupted" : "complete",
      outcome: failure === undefined || cutOff ? report.outcome : "failed",
      fullReason: report.fullReason,
      assetsSeen: tally.seen,
      downloaded: tally.downloaded,
      failed: tally.failed,
      enumerationErrors: tally.enumerationErrors.length,
    });
  const until = failure instanceof Throttled ? failure.until : stops.until;
  if (until !== undefined && !settings.dryRun) keepBreak(state, until, clock.now());
  deps.onReport(report);
  if (failure !== undefined && !cutOff) throw failure;
  throwIfStopped(stops, report, settings);
  return report;
}

/** Breakers that mean the whole run failed for a reason of this machine or of the account. */
function throwIfStopped(stops: Stops, report: SyncReport, settings: SyncSettings): void {
  const saved = report.downloaded > 0 ? ` ${report.downloaded} files were saved before that.` : "";
  switch (stops.reason) {
    case "disk-full":
      throw new Failure(`The disk of ${settings.directory} is full.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        remedy: "Free some space and run kei again; it goes on where it stopped.",
      });
    case "root-gone":
      throw new Failure(`The download folder ${settings.directory} has vanished while kei was running.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        remedy: "Mount the disk it is on and run kei again.",
      });
    case "tls":
      throw new Failure(`Apple's servers could not be trusted: ${stops.detail ?? "invalid certificate"}.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        remedy: "Check this machine's clock, and whether something intercepts its connections.",
      });
    case "offline":
      throw new Failure(`The connection to Apple's servers is down.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        remedy: "Check the network and run kei again; it goes on where it stopped.",
      });
    case "outage":
      throw new Failure(`Apple's media servers are out of order: ${stops.detail ?? "no answer"}.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        remedy: "Wait a while and run kei again; it goes on where it stopped.",
      });
    case "throttled":
      throw new Failure(`Apple asks to wait: ${stops.detail ?? "too many requests"}.${saved}`, {
        exit: EXIT.failure,
        passing: true,
        retryAt: stops.until,
        remedy: "Wait a while before the next run, and use fewer --threads.",
      });
    default:
  }
}
