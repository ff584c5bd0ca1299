/** The calls that `cli/` makes; each opens what it needs and closes it again. */
import { createBrake } from "../download/brake.ts";
import { probeTraits } from "../download/space.ts";
import { AuthError } from "../icloud/auth/errors.ts";
import type { Library, Photos } from "../icloud/photos/types.ts";
import { PRIMARY_ZONE } from "../library/asset.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { AccountBusy, openForDryRun, openState } from "../state/index.ts";
import type { State } from "../state/types.ts";
import { countOf } from "./count.ts";
import { type LastCount, respectBreak, runCycle } from "./cycle.ts";
import { Memory } from "./memory.ts";
import { pathOf, selectLibraries } from "./passes.ts";
import { reconcileWhileWatching } from "./reconcile.ts";
import { buildReport } from "./report.ts";
import { type KnownRoot, openRoot, probeRoot, recogniseRoot } from "./root.ts";
import { type AccountSession, credentials, filesOf, openPhotos, withAccount } from "./session.ts";
import { Stops } from "./stops.ts";
import { Tally } from "./tally.ts";
import { sweepTemps } from "./temps.ts";
import { transferOf } from "./transfer-deps.ts";
import type {
  AccountSettings,
  AlbumLine,
  CodeByText,
  CodeRequest,
  LibraryLine,
  PhoneLine,
  Ports,
  RunEnd,
  SyncReport,
  SyncSettings,
  WatchOptions,
} from "./types.ts";
import { type Entry, MOST_RENEWALS, runWatch } from "./watch.ts";

export type * from "./check-types.ts";
export { verifyComplete } from "./completeness.ts";
export { reconcile } from "./reconcile.ts";
export { resetSession, resetState, resetSyncTokens } from "./reset.ts";
export { filesOf } from "./session.ts";
export type * from "./types.ts";
export { verify } from "./verify.ts";

/** One sync run (DECISIONS 4 to 20). Throws `Failure` when it could not run or could not go on. */
export function runSync(settings: SyncSettings, ports: Ports): Promise<SyncReport> {
  return runAndTell(settings, ports, nothingKnown(), FIRST_ENTRY);
}

/** A sync run whose end is told to those who follow. */
async function runAndTell(settings: SyncSettings, ports: Ports, known: Known, entry: Entry): Promise<SyncReport> {
  let report: SyncReport | undefined;
  const onReport = (done: SyncReport) => {
    report = done;
  };
  const options = { readOnly: settings.dryRun, patient: settings.watching };
  try {
    report = await withAccount(settings, ports, options, (session) =>
      oneRun(settings, session, ports, { known, entry, onReport }),
    );
  } catch (error) {
    const stopped = ports.stop.aborted && !(error instanceof Failure);
    // Another process has its run, and tells of it; and that a code is waited for is told once.
    const isTold = error instanceof AccountBusy || (isCodeNeeded(error) && entry.awaiting !== undefined);
    if (!isTold) await ports.onEnd({ report, error, stopped, locked: lockedOut(error) });
    throw error;
  }
  const isLost = report.outcome === "session_expired" && (!settings.watching || entry.lost >= MOST_RENEWALS);
  await ports.onEnd({ report, error: undefined, stopped: false, locked: isLost ? "signed-out" : undefined });
  return report;
}

const FIRST_ENTRY: Entry = { lost: 0, awaiting: undefined };

/** What stands between kei and the account, if that is why a run has failed. */
function lockedOut(error: unknown): RunEnd["locked"] {
  if (isCodeNeeded(error)) return "code-needed";
  const isForItsOwner = error instanceof Failure && (error.exit === EXIT.signIn || error.exit === EXIT.owner);
  return isForItsOwner && !error.passing ? "signed-out" : undefined;
}

function isCodeNeeded(error: unknown): boolean {
  return error instanceof AuthError && error.kind === "two-factor-required";
}

/** What the runs of one process leave for each other. */
interface Known {
  readonly root: KnownRoot;
  readonly count: LastCount;
}

function nothingKnown(): Known {
  return { root: {}, count: {} };
}

interface RunDeps {
  readonly known: Known;
  readonly entry: Entry;
  /** Given the report, also when the run then throws. */
  readonly onReport: (report: SyncReport) => void;
}

async function oneRun(
  settings: SyncSettings,
  session: AccountSession,
  ports: Ports,
  { known, entry, onReport }: RunDeps,
): Promise<SyncReport> {
  const { directory, dryRun } = settings;
  // Later runs of a watch write to the disks only when there is something to do, so that these can sleep.
  const { root, count } = known;
  const proven = root.device !== undefined;
  const state = await openCatalogue(settings, session, ports, proven);
  try {
    const hasDownloads = state.hasDownloads();
    await openRoot({ directory, hasDownloads, force: settings.force, dryRun, probe: !proven }, ports.logger);
    await recogniseRoot(directory, state, root, settings.force);
    if (!dryRun) await sweepTemps(state, directory);
    if (settings.retryFailed && state.listFiles("failed", 1).length === 0) return nothingFailed(settings, state);
    respectBreak(state, ports.clock.now());
    ports.onProgress(new Tally().progress("signing-in", undefined, undefined));
    const photos = await openPhotos(session, settings, ports, {
      retries: settings.perTransfer,
      editedMotion: settings.renditions.edited || settings.renditions.liveResolution === "adjusted",
      // What comes first is one cheap question, which says as well whether the session still holds (DECISIONS 14).
      trustSaved: new Memory(state, settings).asksOneQuestion,
      ...entry,
    });
    root.traits ??= await probeTraits(directory, { write: !dryRun });
    return await runCycle({
      settings,
      ports,
      state,
      photos,
      traits: root.traits,
      lastCount: count,
      ...(proven && !dryRun ? { beforeWork: () => probeRoot(directory) } : {}),
      onReport,
      transfer: transferOf(settings, ports, createBrake(ports.clock)),
    });
  } finally {
    state.close();
  }
}

/** Sync runs with pauses between them. The account is free for other processes while it waits. */
export function watch(settings: SyncSettings, ports: Ports, options: WatchOptions): Promise<SyncReport | undefined> {
  const known = nothingKnown();
  let { force } = settings;
  const actions = {
    cycle: async (entry: Entry) => {
      const report = await runAndTell({ ...settings, watching: true, force }, ports, known, entry);
      // Said of the folder as it was when the watch began; one that is unmounted later is another matter.
      force = false;
      return report;
    },
    reconcile: () => reconcileWhileWatching(settings, ports),
    files: filesOf(settings),
  };
  return runWatch(actions, options, ports);
}

/** `--retry-failed` with nothing to retry: no request is made. */
function nothingFailed(settings: SyncSettings, state: State): SyncReport {
  const tally = new Tally();
  const stops = new Stops(new AbortController().signal);
  const unknown = { planned: undefined, expected: undefined };
  const totals = state.totals(settings.perAsset);
  return buildReport({ tally, stops, state, totals, settings, elapsedMs: 0, unchanged: true, ...unknown });
}

function openCatalogue(settings: SyncSettings, session: AccountSession, ports: Ports, proven: boolean): Promise<State> {
  const options = {
    path: session.files.database,
    domain: settings.domain,
    username: settings.username,
    clock: ports.clock,
    logger: ports.logger,
    proven,
  };
  return settings.dryRun ? openForDryRun(options) : openState(options);
}

/**
 * Signs in, asking for a code where a terminal is; without one, throws with exit 3 and names the two commands. A person asks
 * for it: where Apple has refused the configured password before, they can type another one (DECISIONS 18).
 */
export function signIn(settings: AccountSettings, ports: Ports, byText?: CodeByText): Promise<"already" | "signed-in"> {
  return withAccount(settings, ports, { patient: true }, async (session) => {
    const { how } = await session.signIn.authenticate(credentials(settings, ports, { mayReplace: true }), { byText });
    return how === "srp" ? "signed-in" : "already";
  });
}

/** Asks Apple to send a code to the trusted devices, or to a phone; `already` when none is needed. */
export function requestCode(settings: AccountSettings, ports: Ports, byText?: CodeByText): Promise<CodeRequest> {
  return withAccount(settings, ports, { patient: true }, (session) =>
    session.signIn.requestCode(credentials(settings, ports), byText),
  );
}

/** The phones that a code can be sent to. Apple shows them to a sign-in that waits for a code only; else `already`. */
export function listPhones(settings: AccountSettings, ports: Ports): Promise<"already" | readonly PhoneLine[]> {
  return withAccount(settings, ports, { patient: true }, (session) =>
    session.signIn.listPhones(credentials(settings, ports)),
  );
}

/** Hands in the code of another process's `requestCode`; never sends a new one. */
export function submitCode(settings: AccountSettings, code: string, ports: Ports): Promise<"already" | "accepted"> {
  return withAccount(settings, ports, { patient: true }, (session) =>
    session.signIn.submitCode(code, credentials(settings, ports)),
  );
}

/** Retries of one API call in the listing commands. */
const LIST_RETRIES = 3;

/** The account's libraries with the number of photos Apple counts in each. */
export function listLibraries(
  settings: AccountSettings,
  ports: Ports,
  asked?: readonly string[],
): Promise<readonly LibraryLine[]> {
  return withAccount(settings, ports, { patient: true }, async (session) => {
    const photos = await openPhotos(session, settings, ports, { retries: LIST_RETRIES });
    const libraries = await librariesOf(photos, ports, asked);
    return Promise.all(
      libraries.map(async (library): Promise<LibraryLine> => {
        const count = await countOf(photos, library, { kind: "all" }, ports.stop);
        return {
          zone: library.zone,
          selector: selectorOf(library),
          kind: isPrimary(library) ? "primary" : "shared",
          count,
        };
      }),
    );
  });
}

/** The libraries that selectors name, or all. Throws `Failure` (exit 1) for a name that does not exist. */
async function librariesOf(
  photos: Photos,
  ports: Ports,
  asked: readonly string[] | undefined,
): Promise<readonly Library[]> {
  const { libraries, problems } = await photos.libraries(ports.stop);
  for (const problem of problems) ports.logger.warn(problem);
  return asked === undefined ? libraries : selectLibraries({ libraries: asked }, libraries, []).libraries;
}

/** The albums of the account's own library, or of those that are asked for; only the own one has any. */
export function listAlbums(
  settings: AccountSettings,
  ports: Ports,
  asked?: readonly string[],
): Promise<ReadonlyArray<{ library: string; albums: readonly AlbumLine[]; unsupported: readonly string[] }>> {
  return withAccount(settings, ports, { patient: true }, async (session) => {
    const photos = await openPhotos(session, settings, ports, { retries: LIST_RETRIES });
    const libraries = await librariesOf(photos, ports, asked ?? ["primary"]);
    return Promise.all(
      libraries.map(async (library) => {
        if (!isPrimary(library)) return { library: library.zone, albums: [], unsupported: [] };
        const { albums, unsupported } = await photos.albums(library, ports.stop);
        const counts = await photos.counts(
          library,
          albums.map((album) => ({ kind: "album", album: album.id }) as const),
          ports.stop,
        );
        const lines = albums.map(
          (album, index): AlbumLine => ({ path: pathOf(album), id: album.id, count: counts[index] }),
        );
        return {
          library: library.zone,
          albums: lines.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
          unsupported: unsupported.map((album) => `${album.name} (${album.reason})`),
        };
      }),
    );
  });
}

function isPrimary(library: Library): boolean {
  return library.zone === PRIMARY_ZONE;
}

/** `SharedSync-` and the first eight characters of the UUID, the short form people write. */
function selectorOf(library: Library): string {
  return isPrimary(library) ? "primary" : library.zone.slice(0, 19);
}
