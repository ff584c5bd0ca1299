import { CloudKitError } from "../icloud/cloudkit/errors.ts";
import type { AssetPage, ListingEnd, Photos } from "../icloud/photos/types.ts";
import { type AlbumId, type AssetId, PRIMARY_ZONE } from "../library/asset.ts";
import type { Logger } from "../runtime/ports.ts";
import { type Follower, follow } from "../runtime/signals.ts";
import type { State } from "../state/types.ts";
import { countOf } from "./count.ts";
import type { Job } from "./jobs.ts";
import type { Newest } from "./newest.ts";
import type { Pace } from "./pace.ts";
import type { Pass } from "./pass.ts";
import type { Planner } from "./plan.ts";
import type { Stops } from "./stops.ts";
import type { Tally } from "./tally.ts";

export interface WalkDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly planner: Planner;
  readonly newest: Newest;
  readonly logger: Logger;
  readonly tally: Tally;
  readonly stops: Stops;
  /** Aborts requests at once. */
  readonly cancel: AbortSignal;
  readonly pace: Pace;
  /** Hands a job to the workers; resolves when there is room, false when no more work is taken. */
  readonly enqueue: (job: Job) => Promise<boolean>;
  /** Called with the first work there is, before it starts; later calls do nothing. */
  readonly beforeFirstByte: () => Promise<void>;
  /** Called after each page, for progress and for checks that belong between pages. */
  readonly betweenPages: (pass: Pass) => Promise<void>;
}

export interface WalkEnd {
  readonly complete: boolean;
  /** Whether all members of an album are known by name, those too whose records are broken (engine.md 1.3 b). */
  readonly accounted: boolean;
  /** Members of the album that were met; undefined for other lists, and for those that were not walked to the end. */
  readonly met?: number;
  /** Sync token of the zone from before the walk's first page. */
  readonly firstToken: string | undefined;
}

/** What is left to say of a walk that was ended early. */
const CUT_OFF: ListingEnd = { complete: false, accounted: false, reasons: [], firstToken: undefined, issues: [] };

/**
 * One pass over one list. The first page is asked for at once, while earlier passes are still being planned; nothing is
 * planned before `finish`: planning follows the order of the passes, so names never depend on which answer came first.
 */
export class Walk {
  readonly pass: Pass;
  readonly #scan: number;
  readonly #deps: WalkDeps;
  /** Under which the catalogue keeps what was met. */
  readonly #name: string;
  readonly #requests: Follower;
  readonly #pages: AsyncGenerator<AssetPage, ListingEnd, void>;
  /** Its turn has come: until then it asks for one page only. */
  #current = false;
  #first: Promise<IteratorResult<AssetPage, ListingEnd>> | undefined;

  /** `expected` is asked when it is needed: the count may arrive while the walk is on its way. */
  constructor(pass: Pass, scan: number, expected: () => number | undefined, deps: WalkDeps) {
    this.pass = pass;
    this.#scan = scan;
    this.#deps = deps;
    this.#name = `${scan}:${pass.key}`;
    this.#requests = follow(deps.cancel);
    this.#pages = deps.photos.list(pass.library, pass.list, {
      signal: this.#requests.signal,
      lookAhead: () => (this.#current ? deps.pace.lookAhead() : 1),
      get expected() {
        return expected();
      },
      seenBefore: (id) => deps.state.metInWalk(this.#name, id),
      idsOnly: pass.purpose === "members",
    });
    this.#first = this.#pages.next();
    // Awaited later; a failure that comes earlier must not count as unhandled.
    this.#first.catch(() => undefined);
  }

  /**
   * Walks to the end: plans each page, hands out its jobs, and records who is a member of an album. Returns early
   * (incomplete) when a stop was asked for. Throws what the listing throws.
   */
  async finish(): Promise<WalkEnd> {
    const { pass } = this;
    const { state, tally, stops, pace, newest } = this.#deps;
    this.#current = true;
    const album = pass.album;
    const generation = album === undefined ? 0 : state.beginMembers(pass.library.zone, album.id, album.name);
    try {
      await newest.prepare(pass, this.#scan);
      for (;;) {
        const next = await (this.#first ?? this.#pages.next());
        this.#first = undefined;
        if (next.done === true) return await end(pass, next.value, album?.id, generation, this.#scan, this.#deps);
        const page = next.value;
        pace.pageArrived();
        tally.duplicates += page.duplicates;
        for (const issue of page.issues) note(pass, this.#scan, issue, this.#deps);
        if (album !== undefined) {
          state.addMembers(pass.library.zone, album.id, generation, [
            ...page.assets.map((asset) => asset.id),
            ...namesOf(page.issues),
          ]);
        }
        if (pass.purpose === "place") await this.#plan(page);
        await this.#deps.betweenPages(pass);
        if (stops.stopped) return { complete: false, accounted: false, firstToken: undefined };
        if (newest.endsBefore(pass, page.assets)) return { complete: true, accounted: true, firstToken: undefined };
      }
    } catch (error) {
      if (!isUnavailable(pass, error)) throw error;
      this.#deps.logger.debug("this library has no such folder", { library: pass.library.zone, folder: pass.label });
      return { complete: true, accounted: true, firstToken: undefined };
    } finally {
      await this.close();
    }
  }

  async #plan(page: AssetPage): Promise<void> {
    const { planner, beforeFirstByte, enqueue } = this.#deps;
    const jobs = await planner.plan(this.pass, page.assets, this.#scan, page.receivedAt);
    if (jobs.length > 0) await beforeFirstByte();
    for (const job of jobs) {
      if (!(await enqueue(job))) break;
    }
  }

  /** Ends the requests that are still on their way: a walk that is closed has nothing left to say. */
  async close(): Promise<void> {
    this.#requests.release();
    this.#requests.abort(new DOMException("the walk has ended", "AbortError"));
    await this.#pages.return(CUT_OFF);
    this.#deps.state.forgetWalk(this.#name);
  }
}

/** Not every smart folder is kept for a shared library: then Apple refuses to list it (cloudkit.md 2.4). */
function isUnavailable(pass: Pass, error: unknown): boolean {
  if (pass.smartFolder === undefined || pass.library.zone === PRIMARY_ZONE) return false;
  return error instanceof CloudKitError && (error.problem.kind === "bad-request" || error.problem.kind === "permanent");
}

async function end(
  pass: Pass,
  listing: ListingEnd,
  album: AlbumId | undefined,
  generation: number,
  scan: number,
  deps: WalkDeps,
): Promise<WalkEnd> {
  for (const issue of listing.issues) note(pass, scan, issue, deps);
  const { missing, gap } = await gapOf(pass, listing, deps);
  if (gap) {
    deps.tally.fellShort(missing);
    deps.tally.enumerationError(`${pass.label}: Apple counts ${missing} more photos than it listed`);
  }
  if (!listing.complete) deps.tally.enumerationError(`${pass.label}: ${listing.reasons.join("; ")}`);
  if (album !== undefined) {
    deps.state.addMembers(pass.library.zone, album, generation, namesOf(listing.issues));
    if (listing.accounted) deps.state.completeMembers(pass.library.zone, album, generation);
  }
  const met = album === undefined ? undefined : deps.state.memberCount(pass.library.zone, album, generation);
  const { complete, accounted, firstToken } = listing;
  return {
    complete: complete && !gap,
    accounted: accounted && !gap,
    firstToken,
    ...(met === undefined ? {} : { met }),
  };
}

/**
 * Whether photos may be missing from a list that ended before its count was reached (cloudkit.md 3.5). Counts of albums
 * include members of other libraries, and some libraries are counted wrongly for good (engine.md DC-7): a small gap that
 * was the same the last time is believed to be such a one.
 */
async function gapOf(
  pass: Pass,
  { shortfall }: ListingEnd,
  { photos, state, cancel }: WalkDeps,
): Promise<{ readonly missing: number; readonly gap: boolean }> {
  const { list, library } = pass;
  if (shortfall === undefined || list.kind === "named" || list.kind === "album") return { missing: 0, gap: false };
  const { listed } = shortfall;
  let { missing } = shortfall;
  // Counted anew: photos may have gone while the list was read.
  if (missing > 0) missing = Math.max(0, ((await countOf(photos, library, list, cancel)) ?? listed + missing) - listed);
  const key = `count_gap:${library.zone}:${pass.key}`;
  const before = Number(state.meta(key) ?? 0);
  if (missing !== before) {
    if (missing === 0) state.deleteMeta(key);
    else state.setMeta(key, String(missing));
  }
  return { missing, gap: missing > 0 && (missing !== before || missing > listed * SMALL_GAP) };
}

/** Share of what was listed that is never taken for a wrong count when it is exceeded. */
const SMALL_GAP = 0.1;

/** A photo whose record is broken is a member all the same; the names of other records are nobody's. */
function namesOf(issues: ReadonlyArray<{ recordName: string | undefined }>): AssetId[] {
  return issues.flatMap(({ recordName }) => (recordName === undefined ? [] : [recordName as AssetId]));
}

function note(
  pass: Pass,
  scan: number,
  issue: { recordName: string | undefined; reason: string; detail?: string },
  deps: WalkDeps,
): void {
  deps.tally.issue(issue.reason);
  deps.state.putIssue(pass.library.zone, scan, issue.recordName ?? "", issue.reason, issue.detail);
}
