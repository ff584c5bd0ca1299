import { stat } from "node:fs/promises";
import { AuthError } from "../icloud/auth/errors.ts";
import type { AccountFiles } from "../library/account.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { AccountBusy } from "../state/index.ts";
import { pauseFor } from "./pause.ts";
import type { Ports, SyncReport, WatchOptions } from "./types.ts";

/** How a run comes into the account; by what is saved of the last sign-in unless told otherwise. */
export interface Entry {
  /** Runs in a row that have ended because Apple refused the session: it is renewed first, more thoroughly each time. */
  readonly lost: number;
  /**
   * A code is waited for: only a sign-in that another process has completed helps. This is thrown in place of one by
   * password, which would take the validity of the code that is on its way.
   */
  readonly awaiting: AuthError | undefined;
}

/** What a watch does again and again. */
export interface WatchActions {
  readonly cycle: (entry: Entry) => Promise<SyncReport>;
  /** Looks whether files are still there; those that are not come back in the next cycle. */
  readonly reconcile: () => Promise<void>;
  readonly files: Pick<AccountFiles, "session" | "cookies" | "cache">;
}

/** First pause after passing trouble, ms; it doubles up to the interval. */
const FIRST_PAUSE_MS = 60_000;
/** How often it is looked whether a code was handed in, ms. */
const CODE_POLL_MS = 5_000;
/** Renewals of the session in a row (engine.md 6.4). */
export const MOST_RENEWALS = 3;
/** A moment that is further away than this is a clock that has jumped, ms. */
const FARTHEST_MS = 86_400_000;

/**
 * Runs cycles until a stop, or until something has to be settled by a person (exit 3 or 4), or a cycle fails completely
 * (DECISIONS 2, 12). Trouble of any other kind is waited out, once a cycle has gone well: before that, what does not
 * pass by itself is a mistake in the settings or on this machine, and its owner is there to hear of it. Returns the
 * report of the last cycle; throws the failure that ended the watch, or that of a last cycle that a stop has left behind.
 */
export async function runWatch(
  actions: WatchActions,
  { intervalMs, reconcileEvery }: WatchOptions,
  ports: Ports,
): Promise<SyncReport | undefined> {
  const { logger, stop, clock } = ports;
  let last: SyncReport | undefined;
  let lastFailure: Failure | undefined;
  let awaiting: AuthError | undefined;
  let wentWell = false;
  let troubles = 0;
  let lost = 0;
  for (let cycle = 1; !stop.aborted; cycle += 1) {
    let pause = intervalMs;
    try {
      last = await actions.cycle({ lost, awaiting });
      lastFailure = undefined;
      awaiting = undefined;
      troubles = 0;
    } catch (error) {
      if (stop.aborted && !(error instanceof Failure)) break;
      const failure = asFailure(error);
      lastFailure = failure;
      if (failure instanceof AuthError && failure.kind === "two-factor-required") {
        if (awaiting === undefined)
          logger.warn(`${failure.message} Waiting until it is handed in.`, { remedy: failure.remedy });
        awaiting = failure;
        lost = 0;
        await anotherSignIn(actions.files, ports);
        continue;
      }
      if (awaiting !== undefined && failure instanceof AccountBusy) {
        // Whoever holds the account is probably handing the code in.
        if (!(await pauseFor(CODE_POLL_MS, ports))) break;
        continue;
      }
      const isOver = failure instanceof AccountBusy ? cycle === 1 : !failure.passing && !wentWell;
      if (isForItsOwner(failure) || isOver) throw error;
      troubles += 1;
      tell(failure, error, ports);
      const wished = Math.min(FARTHEST_MS, (failure.retryAt ?? 0) - clock.now());
      pause = Math.max(wished, Math.min(intervalMs, FIRST_PAUSE_MS * 2 ** (troubles - 1)));
    }
    if (stop.aborted) break;
    if (lastFailure === undefined && last !== undefined) {
      if (last.outcome === "session_expired") {
        lost += 1;
        if (lost > MOST_RENEWALS) throw sessionLost();
        continue;
      }
      lost = 0;
      wentWell = true;
      if (last.completeFailure) throw nothingSaved();
      if (reconcileEvery > 0 && cycle % reconcileEvery === 0) await lookAfterFiles(actions, ports);
      if (stop.aborted) break;
    }
    ports.onStage({ kind: "waiting", ms: pause });
    if (!(await pauseFor(pause, ports))) break;
  }
  if (lastFailure !== undefined) throw lastFailure;
  return last;
}

/** Only a person can settle it: sign in, or see to the account at Apple. */
function isForItsOwner({ exit, passing }: Failure): boolean {
  return (exit === EXIT.signIn || exit === EXIT.owner) && !passing;
}

function sessionLost(): Failure {
  return new Failure("Apple does not accept the session, although it was renewed several times", {
    exit: EXIT.signIn,
    remedy: "Sign in again with `kei login`.",
  });
}

function nothingSaved(): Failure {
  return new Failure("No file could be saved, and files have failed", {
    exit: EXIT.failure,
    remedy: "See `kei status --failed`; kei goes on when it is started again.",
  });
}

/** What nobody has foreseen is a failure of this run, too: the next one opens everything anew. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(`kei has met something it was not made for: ${message}`, {
    exit: EXIT.failure,
    remedy: "Please report it with a log of --log-level debug.",
    cause: error,
  });
}

function tell(failure: Failure, error: unknown, { logger }: Ports, what = ""): void {
  logger.warn(`${what}${failure.message}`, failure.remedy === undefined ? undefined : { remedy: failure.remedy });
  if (failure !== error && error instanceof Error) logger.debug("where it happened", { stack: error.stack });
}

/** Trouble here is no trouble of the run before, nor of the next one. */
async function lookAfterFiles({ reconcile }: WatchActions, ports: Ports): Promise<void> {
  try {
    await reconcile();
  } catch (error) {
    if (ports.stop.aborted && !(error instanceof Failure)) return;
    tell(asFailure(error), error, ports, "could not look after the saved files: ");
  }
}

/** Waits without any traffic until another process has changed the session: a code was handed in (engine.md 6.4). */
async function anotherSignIn(files: WatchActions["files"], ports: Ports): Promise<void> {
  ports.onStage({ kind: "waiting-for-code" });
  const before = await stampOf(files);
  while (await pauseFor(CODE_POLL_MS, ports)) if ((await stampOf(files)) !== before) return;
}

async function stampOf({ session, cookies, cache }: WatchActions["files"]): Promise<string> {
  const stamps = [session, cookies, cache].map(async (path) => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  });
  return (await Promise.all(stamps)).join("|");
}
