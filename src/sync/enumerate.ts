import type { Library } from "../icloud/photos/types.ts";
import type { ShortAlbum } from "./foreign.ts";
import type { LibraryDeps } from "./library.ts";
import type { Pass } from "./pass.ts";
import { hasAlbums } from "./passes.ts";
import { Walk } from "./walk.ts";

/** What Apple counts in each list, by the pass that walks it. */
interface Counts {
  readonly of: ReadonlyMap<string, number>;
  /** Resolves when there is nothing more to come; never rejects. */
  readonly settled: Promise<void>;
}

/** Counts are for progress and for the end of a walk: no walk waits for them, and their failure is no failure. */
function countInBackground(library: Library, passes: readonly Pass[], deps: LibraryDeps): Counts {
  const counts = new Map<string, number>();
  const counted = passes.flatMap(({ key, list }) => (list.kind === "named" ? [] : [{ key, list }]));
  const settled = deps.photos
    .counts(
      library,
      counted.map(({ list }) => list),
      deps.cancel,
    )
    .then((found) => {
      for (const [index, { key }] of counted.entries()) {
        const count = found[index];
        if (count !== undefined) counts.set(key, count);
      }
      deps.expect(expected(passes, counts));
    })
    .catch((error: unknown) => deps.logger.debug("could not count the library", { reason: String(error) }));
  return { of: counts, settled };
}

/** The whole list when it is walked (albums are parts of it), else the albums. */
function expected(passes: readonly Pass[], counts: ReadonlyMap<string, number>): number {
  const whole = passes.find((pass) => pass.list.kind === "all");
  if (whole !== undefined) return counts.get(whole.key) ?? 0;
  return passes.reduce((sum, pass) => sum + (counts.get(pass.key) ?? 0), 0);
}

/**
 * Walks the passes of a library in order; while one is planned, the first pages of the next ones are on their way as far as the
 * pace allows. The unfiled rest is opened only when every album is known (engine.md 1.3), so its URLs are fresh. Returns whether everything was told.
 */
export async function enumerate(
  library: Library,
  passes: readonly Pass[],
  scan: number,
  albumsKnown: boolean,
  deps: LibraryDeps,
): Promise<boolean> {
  const counts = countInBackground(library, passes, deps);
  const met = new Map<Pass, number>();
  const open: Walk[] = [];
  let upcoming = 0;
  let complete = albumsKnown;
  let filedKnown = albumsKnown;
  const openMore = (atMost: number) => {
    while (open.length < atMost) {
      const pass = passes[upcoming];
      if (pass === undefined || (pass.onlyUnfiled && open.length > 0)) return;
      upcoming += 1;
      open.push(new Walk(pass, scan, () => counts.of.get(pass.key), deps.walk));
    }
  };
  try {
    for (;;) {
      openMore(1);
      const walk = open[0];
      if (walk === undefined) break;
      if (walk.pass.onlyUnfiled && !filedKnown) {
        deps.tally.enumerationError(
          "photos in no album were left for the next run, because not every album could be read",
        );
        return false;
      }
      openMore(deps.walk.pace.lookAhead());
      const end = await walk.finish();
      open.shift();
      if (end.met !== undefined) met.set(walk.pass, end.met);
      complete &&= end.complete;
      filedKnown &&= end.accounted;
      if (deps.stops.stopped) return false;
    }
    if (hasAlbums(library)) {
      await counts.settled;
      await deps.foreign.learn(library, shortAlbums(met, counts.of));
    }
    return complete;
  } finally {
    await Promise.all(open.map((walk) => walk.close()));
  }
}

/** Albums of which fewer members were met than Apple counts. */
function shortAlbums(met: ReadonlyMap<Pass, number>, counts: ReadonlyMap<string, number>): readonly ShortAlbum[] {
  return [...met].flatMap(([pass, members]) => {
    const missing = (counts.get(pass.key) ?? 0) - members;
    return missing > 0 ? [{ pass, missing }] : [];
  });
}
