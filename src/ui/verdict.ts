/** Is everything saved? One sentence whose parts add up, and the reasons why the answer is no. */
import { sumOf } from "../library/sum.ts";
import { formatClock, formatCount } from "./format.ts";
import { holdsOf, isRunning } from "./holds.ts";
import type { StatusFacts } from "./status-facts.ts";

/** Why "everything is backed up" would not be true. */
export type Incomplete =
  | "never-completed"
  | "list-unfinished"
  | "nothing-listed"
  | "folder-missing"
  | "waiting"
  | "failed"
  | "exhausted"
  | "broken"
  | "unusable-records"
  | "last-run-incomplete";

export interface Verdict {
  /** Everything that is selected is on disk, as far as the last complete look at iCloud tells. */
  readonly complete: boolean;
  readonly reasons: readonly Incomplete[];
  /** When iCloud was last known as a whole, ms since the epoch. */
  readonly asOf: number | undefined;
  /** When a watch runs next, ms since the epoch; undefined when none waits. */
  readonly nextAt: number | undefined;
  readonly sentence: string;
}

/** Rules that stand for what people did in Photos, not for what the settings say. */
const DONE_IN_PHOTOS: readonly string[] = ["hidden", "recently_deleted"];

/** The photos that are left out, by whose doing it is: that of the settings, or of a person in Photos. */
export function leftOutParts(leftOut: Readonly<Record<string, number>>): {
  readonly byFilters: number;
  readonly inPhotos: number;
} {
  const inPhotos = DONE_IN_PHOTOS.reduce((sum, rule) => sum + (leftOut[rule] ?? 0), 0);
  return { byFilters: sumOf(leftOut) - inPhotos, inPhotos };
}

export function verdictOf(facts: StatusFacts): Verdict {
  const { totals, health, lastWholeRun, now } = facts;
  // A success that no run of this catalogue has brought speaks of an earlier one.
  const asOf = lastWholeRun === undefined ? undefined : Math.max(lastWholeRun, health?.lastSuccessAt ?? 0);
  const next = health?.nextSyncAt;
  const nextAt = next !== undefined && next > now ? next : undefined;
  const reasons = reasonsAgainst(facts, asOf);
  return { complete: reasons.length === 0, reasons, asOf, nextAt, sentence: sentence(facts, totals, asOf, nextAt) };
}

function reasonsAgainst(facts: StatusFacts, asOf: number | undefined): readonly Incomplete[] {
  const { totals } = facts;
  // An original that belongs to no photo is no photo that is missing.
  const { "unpaired-master": _, ...lost } = totals.issues;
  const found: ReadonlyArray<readonly [Incomplete, boolean]> = [
    ["folder-missing", holdsOf(facts).some(({ kind }) => kind === "folder-missing")],
    ["never-completed", asOf === undefined],
    ["list-unfinished", facts.unfinished.length > 0],
    ["nothing-listed", totals.assets === 0],
    ["waiting", totals.waiting > 0],
    ["failed", totals.failed > 0],
    ["exhausted", totals.exhausted > 0],
    ["broken", sumOf(totals.broken) > 0],
    ["unusable-records", sumOf(lost) > 0],
  ];
  const reasons = found.flatMap(([reason, holds]) => (holds ? [reason] : []));
  return reasons.length === 0 && lastRunIsIncomplete(facts, asOf) ? ["last-run-incomplete"] : reasons;
}

/** What is new since, or selected since, is not known then, though nothing else shows it. */
function lastRunIsIncomplete(facts: StatusFacts, asOf: number | undefined): boolean {
  const [last] = facts.runs;
  if (holdsOf(facts).some(({ kind }) => kind === "runs-failing" || kind === "run-unfinished")) return true;
  if (last === undefined || last.status === "running" || last.startedAt <= (asOf ?? 0)) return false;
  const hasEnded = last.status === "complete" && (last.outcome === "success" || last.outcome === "partial_failure");
  return !hasEnded || last.enumerationErrors > 0;
}

function sentence(
  facts: StatusFacts,
  totals: StatusFacts["totals"],
  asOf: number | undefined,
  nextAt: number | undefined,
): string {
  const { byFilters, inPhotos } = leftOutParts(totals.leftOut);
  const parts: ReadonlyArray<readonly [number, string]> = [
    [byFilters, "left out by your filters"],
    [inPhotos, "hidden or deleted in Photos"],
    [totals.waiting, "waiting"],
    [totals.failed, "failed"],
    [totals.exhausted, "given up"],
    [sumOf(totals.broken), "unusable at Apple"],
  ];
  const rest = parts.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`);
  const time = (ms: number) => formatClock(ms, facts.now);
  const next = isRunning(facts) ? "a run is at work" : nextAt === undefined ? undefined : `next run ${time(nextAt)}`;
  return [
    `${formatCount(totals.onDisk)} of ${formatCount(totals.assets)} photos backed up${asOf === undefined ? "" : ` as of ${time(asOf)}`}`,
    ...(rest.length === 0 ? [] : [rest.join(", ")]),
    ...(next === undefined ? [] : [next]),
  ].join("; ");
}

/** The reasons that no count in the sentence tells. */
const REASON_WORDS: Readonly<Partial<Record<Incomplete, string>>> = {
  "folder-missing": "the download folder is missing",
  "never-completed": "no run has come to its end yet",
  "list-unfinished": "not everything in iCloud is known yet",
  "nothing-listed": "iCloud has listed no photo that is selected",
  "unusable-records": "Apple sent records that can't be used",
  "last-run-incomplete": "the last run could not look at everything",
};

/** The answer in one line of its own. */
export function answer({ complete, reasons }: Verdict): string {
  if (complete) return "Everything that is selected is backed up.";
  const words = reasons.flatMap((reason) => REASON_WORDS[reason] ?? []);
  return `Not everything is backed up${words.length === 0 ? "" : `: ${words.join("; ")}`}.`;
}
