import { CloudKitError, TokenRefused } from "../icloud/photos/index.ts";
import type { Library, Photos } from "../icloud/photos/types.ts";
import type { ZoneName } from "../library/asset.ts";
import type { Logger } from "../runtime/ports.ts";
import type { State } from "../state/types.ts";
import { checkFiles } from "./check-files.ts";
import { isForeignDue, mayBeInAlbums } from "./foreign.ts";
import type { Turn } from "./library.ts";
import type { Memory } from "./memory.ts";
import { hasAlbums, looksEverywhere, searchedLibraries, selectLibraries } from "./passes.ts";
import type { Tally } from "./tally.ts";
import type { SyncSettings } from "./types.ts";

type Database = Library["database"];

export interface SurveyDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly memory: Memory;
  readonly settings: SyncSettings;
  readonly tally: Tally;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What there is to do in a run. */
export interface Survey {
  readonly libraries: readonly Library[];
  readonly selected: readonly Library[];
  /** Selected, or looked into for albums and smart folders. */
  readonly searched: readonly Library[];
  /** None when nothing has changed, in iCloud and here. */
  readonly turns: readonly Turn[];
  /** To be called when every turn has ended well: the next run asks what has changed since this one began. */
  readonly settle: () => void;
}

/** What Apple says has changed since last time. */
interface Changes {
  readonly libraries: readonly Library[];
  /** Undefined: everything may have. */
  readonly zones: ReadonlySet<string> | undefined;
  /** What to ask with next time; undefined when that was not told. */
  readonly tokens: ReadonlyMap<Database, string>;
}

/**
 * Finds out what there is to do: one question per database when the last run left all it takes, and nothing else if the
 * answer is that nothing has changed (DECISIONS 14, engine.md 5.6). Throws `Failure` for libraries that do not exist.
 */
export async function survey(deps: SurveyDeps): Promise<Survey> {
  const { state, memory, settings, tally, logger, signal } = deps;
  const { libraries, zones, tokens } = (await whatChanged(deps)) ?? (await startAfresh(deps));
  const { libraries: selected, gone } = selectLibraries(settings, libraries, memory.everKnown);
  // Known from last time, it was said last time.
  for (const name of zones === undefined ? gone : []) {
    const warning = `library "${name}" is no longer in iCloud; what was saved of it stays`;
    logger.warn(warning);
    tally.notice(warning);
  }
  const searched = searchedLibraries(settings, libraries, selected);
  const reasons = new Map(searched.map((library) => [library, memory.fullReason(library)]));
  // A full list looks at every file by itself.
  const damaged =
    settings.watching || [...reasons.values()].every((reason) => reason !== undefined)
      ? new Set<ZoneName>()
      : await checkFiles(state, settings.directory, signal);
  const { followed } = memory;
  const hasTurn = (library: Library): boolean =>
    reasons.get(library) !== undefined ||
    damaged.has(library.zone) ||
    zones === undefined ||
    zones.has(library.zone) ||
    !followed.has(library.zone);
  // Albums are told by their own library, also to the others whose photos are in them.
  const isAsked =
    isForeignDue(state) ||
    searched.some((library) => hasTurn(library) && mayBeInAlbums(state, { library, reason: reasons.get(library) }));
  const turns = searched
    .filter((library) => hasTurn(library) || (isAsked && hasAlbums(library)))
    .map((library): Turn => {
      const reason = reasons.get(library) ?? (damaged.has(library.zone) ? "pending_rows" : undefined);
      return { library, selected: selected.includes(library), reason };
    });
  const settle = (): void => {
    // An answer that tells of nothing is no place to go on from: it may have been given in error.
    if (turns.length > 0 && databasesOf(settings).every((database) => tokens.has(database)))
      memory.keepDatabases(libraries, searched, tokens);
  };
  return { libraries, selected, searched, turns, settle };
}

/** The databases that hold what the settings select: the other one matters only to who looks beyond the own library. */
function databasesOf(settings: SyncSettings): readonly Database[] {
  const beyond = settings.libraries.some((selector) => selector !== "primary");
  return beyond || looksEverywhere(settings) ? ["private", "shared"] : ["private"];
}

/** Undefined when too little is known from last time, or Apple does not answer: then the run starts afresh. */
async function whatChanged(deps: SurveyDeps): Promise<Changes | undefined> {
  const { photos, memory, settings, logger, signal } = deps;
  const libraries = memory.libraries;
  if (libraries === undefined || settings.retryFailed) return undefined;
  const zones = new Set<string>();
  const tokens = new Map<Database, string>();
  const known = new Set<string>(libraries.map((library) => library.zone));
  for (const database of databasesOf(settings)) {
    const token = memory.databaseToken(database);
    if (token === undefined) return undefined;
    try {
      const changes = await photos.databaseChanges(database, token, signal);
      // Libraries have come or gone.
      if (changes.gone.some((zone) => known.has(zone)) || changes.libraries.some(({ zone }) => !known.has(zone)))
        return undefined;
      for (const { zone } of changes.libraries) zones.add(zone);
      if (changes.token !== undefined) tokens.set(database, changes.token);
    } catch (error) {
      if (!isAboutTheQuestion(error, database)) throw error;
      logger.debug("could not ask what has changed", { database, reason: String(error) });
      return undefined;
    }
  }
  return { libraries, zones, tokens };
}

/** All libraries there are, and a place in each database's feed from before they were listed. */
async function startAfresh(deps: SurveyDeps): Promise<Changes> {
  const { photos, memory, settings, tally, logger, signal } = deps;
  const tokens = new Map<Database, string>();
  for (const database of databasesOf(settings)) {
    try {
      const { token } = await photos.databaseChanges(database, undefined, signal);
      if (token !== undefined) tokens.set(database, token);
    } catch (error) {
      if (!isAboutTheQuestion(error, database)) throw error;
      logger.debug("could not ask where the changes begin", { database, reason: String(error) });
    }
  }
  const { libraries, problems } = await photos.libraries(signal);
  memory.noteLibraries(libraries);
  for (const problem of problems) {
    logger.warn(problem);
    // Who asked for more than the own library has not got all of it.
    if (databasesOf(settings).includes("shared")) tally.enumerationError(problem);
  }
  return { libraries, zones: undefined, tokens };
}

const ABOUT_THE_QUESTION: ReadonlySet<string> = new Set(["transient", "bad-request", "zone-gone", "permanent"]);

/**
 * Refusals that say nothing about the session or the account; those end the run, as they would anywhere. That what others
 * share is not open to this account says nothing about its own photos (cloudkit.md 2.2).
 */
function isAboutTheQuestion(error: unknown, database: Database): boolean {
  if (error instanceof TokenRefused) return true;
  if (!(error instanceof CloudKitError)) return false;
  const { kind } = error.problem;
  return ABOUT_THE_QUESTION.has(kind) || (database === "shared" && kind === "not-activated");
}
