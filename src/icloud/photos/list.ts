import type { Clock } from "../../runtime/ports.ts";
import { follow } from "../../runtime/signals.ts";
import type { CloudKit } from "../cloudkit/client.ts";
import { asText, readRecord, type WireRecord } from "../cloudkit/record.ts";
import { Pairing } from "./pairing.ts";
import { ID_KEYS, listQuery, ranksPerPage } from "./queries.ts";
import type { AssetPage, KeptList, Library, ListingEnd, ListingOptions, RecordIssue } from "./types.ts";

export interface ListDeps {
  readonly cloudkit: CloudKit;
  readonly clock: Clock;
  /** What whole assets are asked for. */
  readonly keys: readonly string[];
}

/** Empty pages in a row that end a list: a run of vanished records looks like its end (cloudkit.md 3.5). */
const MOST_EMPTY = 5;

/** Pages in a row that bring only what was there before: the server does not count as it should. */
const MOST_REPEATS = 50;

/** One answer of Apple's. */
interface Answer {
  readonly records: readonly WireRecord[];
  /** Records that came with an error instead of a record, after all retries. */
  readonly errors: readonly RecordIssue[];
  readonly hasMore: boolean;
  readonly token: string | undefined;
  readonly receivedAt: number;
}

/**
 * Walks a list in rank order. Up to `lookAhead()` pages are on their way, guessed to lie one full page apart; where a
 * page turns out to hold fewer assets than guessed, the gap is asked for too, so a guess can cost a request but never
 * a photo. Ending early cancels what is on its way.
 */
export async function* listAssets(
  deps: ListDeps,
  library: Library,
  list: KeptList,
  options: ListingOptions,
): AsyncGenerator<AssetPage, ListingEnd, void> {
  const requests = follow(options.signal);
  const { signal } = requests;
  const keys = options.idsOnly === true ? ID_KEYS : deps.keys;
  const stride = ranksPerPage(list);
  const pairing = new Pairing(library.zone, options.seenBefore);
  const onTheWay = new Map<number, Promise<Answer>>();
  const reasons = new Set<string>();
  /** Whether everything that is missing is known by name. */
  let accounted = true;
  let firstToken: string | undefined;
  /** Everything before this rank has been taken in. */
  let position = 0;
  let emptyInARow = 0;
  let repeats = 0;
  let namesBefore = "";
  /** Everything before this rank was really there. */
  let reached = 0;

  const ask = (rank: number): void => {
    const answer = fetchPage(deps, library, list, rank, keys, signal);
    answer.catch(() => undefined); // Met again when its turn comes; a walk that ends before has no use for it.
    onTheWay.set(rank, answer);
  };

  try {
    for (;;) {
      const next = [...onTheWay.keys()].filter((rank) => rank <= position).toSorted((a, b) => b - a)[0];
      if (next === undefined) ask(position);
      // In a stretch of empty pages only what is on its way already is worth waiting for.
      if (emptyInARow === 0) guessAhead(position, stride, onTheWay, options, ask);
      const rank = next ?? position;
      const answer = await onTheWay.get(rank);
      onTheWay.delete(rank);
      if (answer === undefined) continue;
      if (rank === 0) firstToken ??= answer.token;
      if (answer.errors.length > 0) reasons.add("Apple sent errors instead of some records");
      if (answer.errors.some((issue) => issue.recordName === undefined)) accounted = false;

      const { masters, assets } = countHalves(answer.records);
      if (masters + assets === 0) {
        if (answer.errors.length > 0)
          yield { assets: [], issues: answer.errors, duplicates: 0, receivedAt: answer.receivedAt };
        if (rank < position) continue;
        if (!answer.hasMore && options.expected !== undefined && position >= options.expected) break;
        emptyInARow += 1;
        if (emptyInARow >= MOST_EMPTY && ![...onTheWay.keys()].some((other) => other > position)) {
          if (answer.hasMore) {
            reasons.add("Apple announced more pages but sent none");
            accounted = false;
          }
          break;
        }
        position += stride;
        continue;
      }
      emptyInARow = 0;
      position = Math.max(position, rank + advance(masters, assets));
      reached = position;
      const { assets: found, issues, duplicates } = pairing.take(answer.records);
      const names = answer.records.map(({ recordName }) => recordName).join(" ");
      repeats = found.length === 0 && (duplicates > 0 || names === namesBefore) ? repeats + 1 : 0;
      namesBefore = names;
      if (repeats >= MOST_REPEATS) {
        reasons.add("Apple sent the same photos again and again");
        accounted = false;
        break;
      }
      issues.push(...answer.errors);
      if (found.length + issues.length + duplicates > 0) {
        yield { assets: found, issues, duplicates, receivedAt: answer.receivedAt };
      }
    }
    const issues = pairing.leftovers();
    if (issues.length > 0) reasons.add("some records came without their other half");
    const missing = emptyInARow === 0 ? 0 : Math.max(0, (options.expected ?? 0) - reached);
    const shortfall = { missing, listed: reached };
    return { complete: reasons.size === 0, accounted, reasons: [...reasons], firstToken, issues, shortfall };
  } finally {
    requests.release();
    requests.abort(new DOMException("the walk has ended", "AbortError"));
  }
}

/** Asks for pages ahead of `position`, one full page apart, as far as it is likely that there are any. */
function guessAhead(
  position: number,
  stride: number,
  onTheWay: ReadonlyMap<number, unknown>,
  options: ListingOptions,
  ask: (rank: number) => void,
): void {
  const limit = options.lookAhead();
  // Without a count, one page ahead is as far as a guess should go.
  const end = options.expected ?? position + stride + 1;
  const start = Math.max(position, ...onTheWay.keys());
  for (let rank = start + stride; rank < end && onTheWay.size < limit; rank += stride) ask(rank);
}

/** Ranks that a page has covered: overlap costs a duplicate, a gap would cost a photo (cloudkit.md 3.4). */
function advance(masters: number, assets: number): number {
  if (masters === 0 || assets === 0) return Math.max(1, masters === 0 ? assets : 1);
  return Math.max(1, Math.min(masters, assets));
}

function countHalves(records: readonly WireRecord[]): { masters: number; assets: number } {
  const masters = new Set<string | undefined>();
  const assets = new Set<string | undefined>();
  for (const record of records) {
    if (record.recordType === "CPLMaster") masters.add(record.recordName);
    if (record.recordType === "CPLAsset") assets.add(record.recordName);
  }
  return { masters: masters.size, assets: assets.size };
}

/** One page. Records that still fail for passing reasons when it was asked for again are among its errors. */
async function fetchPage(
  deps: ListDeps,
  library: Library,
  list: KeptList,
  rank: number,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Answer> {
  const query = listQuery(library, list, rank, keys);
  const json = await deps.cloudkit.call(library.database, "records/query", query, signal);
  const receivedAt = deps.clock.now();
  const all = recordsOf(json);
  return {
    records: all.filter((record) => record.errorCode === undefined && !record.deleted),
    errors: all
      .filter((record) => record.errorCode !== undefined)
      .map((record) => ({
        recordName: record.recordName,
        reason: "record-error",
        detail: [record.errorCode, record.reason].filter((part) => part !== undefined).join(": "),
      })),
    hasMore: asText(json["continuationMarker"]) !== undefined,
    token: asText(json["syncToken"]),
    receivedAt,
  };
}

/** The records of an answer to a query or a lookup; `CloudKit` returns none without. */
export function recordsOf(json: Record<string, unknown>): WireRecord[] {
  const records = json["records"];
  return Array.isArray(records) ? records.map(readRecord) : [];
}
