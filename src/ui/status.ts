import { columnsOf } from "../runtime/columns.ts";
import { escapeControls, formatBytes, formatClock, formatCount, formatDuration, formatTime, plural } from "./format.ts";
import { type Hold, holdsOf, waitsForCode } from "./holds.ts";
import type { ListedFailure, StatusFacts, StatusRun } from "./status-facts.ts";
import { ISSUE_WORDS, KEPT_WORDS, leftOutWords } from "./summary.ts";
import { answer, type Verdict, verdictOf } from "./verdict.ts";
import { errorWords, wayOut } from "./ways-out.ts";
import { wrap } from "./wrap.ts";

/** Kinds of failures that are explained without being asked for. */
const EXPLAINED = 5;
/** Runs that are shown where failures have to fit on the screen, too. */
const RUNS_BESIDE_FAILURES = 3;

/** Apple's trust in a machine has lasted from about one month to two, by what people report; days (auth.md 5.5). */
const TRUST_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * One page that answers "is everything saved?": a verdict whose parts add up, then why not and what to do, then the last
 * runs. Lines are at most `width` columns wide where words allow it; control characters are escaped.
 */
export function statusLines(facts: StatusFacts, width = Number.POSITIVE_INFINITY): string[] {
  const { totals, failedKinds, runs } = facts;
  const verdict = verdictOf(facts);
  const holds = holdsOf(facts);
  const lines = [verdict.sentence, answer(verdict), "", ...partLines(facts)];
  lines.push(`On disk: ${plural(totals.savedFiles, "file")}, ${formatBytes(totals.bytes)}`);
  for (const [reason, count] of Object.entries(totals.issues)) {
    lines.push(
      `Besides, Apple sent ${plural(count, "record")} ${ISSUE_WORDS[reason] ?? reason}: what belongs to it can't be saved.`,
    );
  }
  if (holds.length > 0) lines.push("In the way:", ...holds.map((hold) => `  ${holdLine(hold, facts.now)}`));
  lines.push(...failedLines(facts));
  if (runs.length > 0) lines.push("Last runs:");
  for (const run of runs.slice(0, failedKinds.length === 0 ? runs.length : RUNS_BESIDE_FAILURES))
    lines.push(`  ${runLine(run)}`);
  lines.push(...sessionLines(facts), nextLine(verdict, facts));
  return lines.map(escapeControls).flatMap((line) => {
    // What fits stays as it is, with its columns.
    if (columnsOf(line) <= width) return [line];
    return wrap(line, width, line.startsWith("  ") ? "      " : "  ");
  });
}

function partLines({ totals, shared }: StatusFacts): string[] {
  const sharing =
    shared === 0 ? "" : ` (${formatCount(shared)} of them ${shared === 1 ? "is" : "are"} the same file as another)`;
  const rows: Array<readonly [number, string]> = [
    [totals.onDisk, `saved and proven${sharing}`],
    ...Object.entries(totals.leftOut).map(([rule, count]) => [count, leftOutWords(rule)] as const),
    [totals.waiting, "waiting for the next run"],
    [totals.failed, "failed, tried again in the next run"],
    [totals.exhausted, "given up after too many failures"],
    ...Object.entries(totals.broken).map(
      ([defect, count]) => [count, `unusable: ${ISSUE_WORDS[defect] ?? defect}`] as const,
    ),
  ];
  const kept = Object.entries(totals.kept);
  const shown = rows.filter(([count], index) => count > 0 || index === 0);
  const all = [...shown.map(([count]) => count), totals.assets, ...kept.map(([, count]) => count)];
  const column = Math.max(...all.map((count) => formatCount(count).length));
  const line = (count: number, words: string) => `  ${formatCount(count).padStart(column)}  ${words}`;
  return [
    ...shown.map(([count, words]) => line(count, words)),
    line(totals.assets, "photos in all"),
    ...kept.map(([rule, count]) => `${line(count, `besides: ${KEPT_WORDS[rule] ?? rule}`)}`),
  ];
}

/** What failed, one line for what has the same reason and the same way out; the first file stands for the others. */
function failedLines({ failedKinds, totals, cap }: StatusFacts): string[] {
  if (failedKinds.length === 0) return [];
  const shown = failedKinds.slice(0, EXPLAINED);
  const lines = shown.map(({ sample, files }) => {
    const others = files > 1 ? ` and ${formatCount(files - 1)} more like it` : "";
    return `  ${failureLine(sample, others)} -> ${wayOut(sample.errorKind, sample.attempts, cap)}`;
  });
  const rest = totals.files.failed > shown.length ? ["  All of them: `kei status --failed`"] : [];
  return ["What failed, and the way out:", ...lines, ...rest];
}

function holdLine({ what, since, wayOut: out }: Hold, now: number): string {
  const age = since === undefined ? "" : `, since ${formatTime(since)} (${formatDuration(now - since)})`;
  return `${what}${age} -> ${out}`;
}

/** `IMG_1.JPG: reason (attempts: 2)`; `others` stands behind the name. */
export function failureLine(failure: ListedFailure, others = ""): string {
  const name = failure.path ?? failure.filename ?? failure.asset;
  return `${name}${others}: ${errorWords(failure.error)} (attempts: ${failure.attempts})`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  success: "complete",
  partial_failure: "not complete",
  interrupted: "stopped",
  session_expired: "session ended",
  failed: "failed",
};

function runLine(run: StatusRun): string {
  const outcome =
    run.status === "running"
      ? "not ended"
      : run.status === "interrupted"
        ? "stopped"
        : (OUTCOMES[run.outcome ?? ""] ?? run.status);
  const failed = run.failed > 0 ? `, ${plural(run.failed, "failure")}` : "";
  return `${formatTime(run.startedAt)}  ${outcome}, ${plural(run.downloaded, "file")} saved${failed}`;
}

/** When the session will need its owner, as far as that can be told. What is missing for one is said among the holds. */
function sessionLines({ standing, now }: StatusFacts): string[] {
  const { hasSession, isTrusted, trustedAt } = standing.signIn;
  if (!hasSession || !isTrusted) return [];
  if (trustedAt === undefined) return ["Session: trusted, since when is not known; when it ends: `kei login`"];
  const days = Math.max(0, Math.floor((now - trustedAt) / DAY_MS));
  const age = days === 0 ? "today" : `${plural(days, "day")} ago`;
  const day = (ms: number): string => formatTime(ms).slice(0, 10);
  const outlook =
    days < TRUST_DAYS
      ? `Apple may ask for a code from ${day(trustedAt + TRUST_DAYS * DAY_MS)} on`
      : "Apple may ask for a code any day now: `kei login`";
  return [`Session: trusted since ${day(trustedAt)} (${age}); ${outlook}`];
}

function nextLine({ nextAt }: Verdict, facts: StatusFacts): string {
  if (waitsForCode(facts)) return "Next: once the code was handed in, by the watch that waits for it";
  const { now } = facts;
  if (nextAt === undefined) return "Next: when `kei sync` is run";
  return `Next: ${formatClock(nextAt, now)}, by the watch`;
}
