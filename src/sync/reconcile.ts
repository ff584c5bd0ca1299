import { EXIT, Failure } from "../library/failure.ts";
import { hasDatabase, openForDryRun, openState } from "../state/index.ts";
import type { State } from "../state/types.ts";
import type { CatalogueSettings, CheckListener, ReconcileOptions, ReconcileResult } from "./check-types.ts";
import { openRoot } from "./root.ts";
import { issueOf, lookAtSaved, NAMED_PLACELESS, placelessIssues, savedFiles } from "./saved-files.ts";
import { filesOf, lockAccount } from "./session.ts";
import type { Ports } from "./types.ts";

/** Fixed words: monitoring looks for them (cli.md 5.3). */
const FILE_MISSING = "FILE_MISSING_AT_STARTUP";
const FILE_TRUNCATED = "FILE_TRUNCATED_AT_STARTUP";

/** So many files, and this share of all, may be missing before that looks like another disk (engine.md RC-5). */
const MANY = 20;
const MANY_SHARE = 0.25;

/** Rows that change in one transaction. */
const BATCH = 500;

/** Files to fail, by the number of their place: eight bytes each, and few unless forced. */
interface Findings {
  readonly missing: number[];
  readonly truncated: number[];
  readonly total: number;
  readonly unreadable: number;
}

/**
 * Looks whether every saved file is still there (engine.md 7.2). What is missing or cut short has failed, with fresh
 * attempts, and comes with the next run; a file that stands at other places as well comes back from there. Nothing on
 * disk is touched and nothing is asked of Apple. Everything is looked at before the first row changes. Undefined when
 * there is no catalogue. Throws `Failure` (exit 1), with nothing changed, when so much is missing that it looks like
 * another disk and `force` is not given.
 */
export async function reconcile(
  settings: CatalogueSettings,
  options: ReconcileOptions,
  listener: CheckListener,
  ports: Ports,
): Promise<ReconcileResult | undefined> {
  const files = filesOf(settings);
  if (!hasDatabase(files.database)) return undefined;
  const lock = options.dryRun ? undefined : await lockAccount(settings, ports, { patient: true });
  try {
    const { domain, username } = settings;
    const how = { path: files.database, domain, username, clock: ports.clock, logger: ports.logger };
    const state = options.dryRun ? await openForDryRun(how) : await openState(how);
    try {
      return await look(state, settings.directory, options, listener, ports);
    } finally {
      state.close();
    }
  } finally {
    lock?.release();
  }
}

async function look(
  state: State,
  directory: string,
  { dryRun, force }: ReconcileOptions,
  listener: CheckListener,
  ports: Ports,
): Promise<ReconcileResult> {
  if (!dryRun)
    await openRoot({ directory, hasDownloads: state.hasDownloads(), force, dryRun: true, probe: false }, ports.logger);
  const found = await findings(state, directory, listener, ports.stop);
  const { missing, truncated, total, unreadable } = found;
  const placeless = state.placeless(NAMED_PLACELESS);
  for (const issue of placelessIssues(placeless.files)) listener.issue(issue);
  const guarded = !force && looksLikeAnotherDisk(missing.length, total);
  if (guarded && !dryRun) {
    throw new Failure(
      `${missing.length} of ${total} saved files are missing below ${directory}; that looks like another disk, and nothing was changed`,
      {
        exit: EXIT.failure,
        passing: true,
        remedy:
          "Check that the right disk is mounted. If the files are really gone and should be fetched again, add --force.",
      },
    );
  }
  return {
    present: total - missing.length - truncated.length - unreadable,
    missing: missing.length,
    truncated: truncated.length,
    unreadable,
    noPath: placeless.count,
    flipped: dryRun ? 0 : flip(state, found),
    guarded,
  };
}

async function findings(
  state: State,
  directory: string,
  listener: CheckListener,
  stop: AbortSignal,
): Promise<Findings> {
  const missing: number[] = [];
  const truncated: number[] = [];
  let unreadable = 0;
  let total = 0;
  const count = state.countSaved();
  listener.begin(count.files, count.bytes);
  for (const file of savedFiles(state)) {
    stop.throwIfAborted();
    const standing = await lookAtSaved(directory, file.path);
    total += 1;
    if (standing.kind === "missing") {
      missing.push(file.rowid);
      listener.issue(issueOf("missing", file));
    } else if (standing.kind === "unreadable") {
      unreadable += 1;
      listener.issue(issueOf("unreadable", file, standing.reason));
    } else if (file.localSize !== undefined && standing.size < file.localSize) {
      truncated.push(file.rowid);
      listener.issue(issueOf("truncated", file, `${standing.size} of ${file.localSize} bytes`));
    }
    listener.progress(total, 0);
  }
  return { missing, truncated, total, unreadable };
}

/** Whether so much is missing that the disk is more likely to be away than the files. */
function looksLikeAnotherDisk(missing: number, total: number): boolean {
  return (total >= 2 && missing === total) || missing > Math.max(MANY, total * MANY_SHARE);
}

/** Returns how many files have failed by it. */
function flip(state: State, { missing, truncated }: Findings): number {
  let flipped = 0;
  const inBatches = (rowids: readonly number[], change: (rowid: number) => boolean): void => {
    for (let from = 0; from < rowids.length; from += BATCH) {
      state.transaction(() => {
        for (const rowid of rowids.slice(from, from + BATCH)) if (change(rowid)) flipped += 1;
      });
    }
  };
  inBatches(missing, (rowid) => {
    const file = state.savedFile(rowid);
    if (file === undefined) return false;
    state.markMissing(file, file.pass, { error: FILE_MISSING, kind: "missing" });
    return true;
  });
  inBatches(truncated, (rowid) => {
    const file = state.savedFile(rowid);
    // Its place stays as it is: the next run sees what stands there, leaves it alone and puts a good copy beside it.
    return file !== undefined && state.failSaved(file, { error: FILE_TRUNCATED, kind: "truncated" });
  });
  return flipped;
}

/** What a watch does every so many runs; it never forces. Throws as `reconcile` does. */
export async function reconcileWhileWatching(settings: CatalogueSettings, ports: Ports): Promise<void> {
  const silent: CheckListener = { begin: () => undefined, issue: () => undefined, progress: () => undefined };
  const result = await reconcile(settings, { dryRun: false, force: false }, silent, ports);
  if (result === undefined) return;
  const { present, missing, truncated, unreadable, noPath, flipped } = result;
  ports.logger.info("looked after the saved files", { present, missing, truncated, unreadable, flipped });
  if (unreadable + noPath > 0)
    ports.logger.warn("some saved files could not be looked at", { unreadable, without_path: noPath });
}
