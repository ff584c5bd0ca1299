/** `kei status --json`: schema 1. Fields may be added; none is taken away or changes its meaning (docs/answers.md). */
import { holdsOf, isRunning, waitsForCode } from "./holds.ts";
import type { ListedFailure, StatusFacts } from "./status-facts.ts";
import { ISSUE_WORDS, KEPT_WORDS, RULE_WORDS } from "./summary.ts";
import { answer, verdictOf } from "./verdict.ts";
import { isExhausted, wayOut } from "./ways-out.ts";

const DAY_MS = 86_400_000;

/** Lists that were asked for by name; each file as it is listed. */
export interface AskedLists {
  readonly pending?: readonly ListedFailure[];
  readonly downloaded?: readonly ListedFailure[];
}

/** The answer where there is no database yet. */
export function noDatabaseJson(command: string, path: string, advice: string): object {
  return { schema: 1, command, found: false, database: path, advice };
}

export function statusJson(facts: StatusFacts, path: string, lists: AskedLists = {}): object {
  const { totals, shared, runs, failures, cap, now } = facts;
  const verdict = verdictOf(facts);
  return {
    schema: 1,
    command: "status",
    found: true,
    database: path,
    verdict: {
      complete: verdict.complete,
      reasons: verdict.reasons,
      sentence: verdict.sentence,
      answer: answer(verdict),
      as_of: time(verdict.asOf),
    },
    counts: {
      assets: totals.assets,
      on_disk: totals.onDisk,
      left_out: totals.leftOut,
      waiting: totals.waiting,
      failed: totals.failed,
      exhausted: totals.exhausted,
      broken: totals.broken,
      same_file: shared,
      kept: totals.kept,
      files: totals.files,
      saved_files: totals.savedFiles,
      bytes: totals.bytes,
      unusable_records: totals.issues,
    },
    rules: [
      ...rules("left_out", totals.leftOut, RULE_WORDS),
      ...rules("broken", totals.broken, ISSUE_WORDS),
      ...rules("kept", totals.kept, KEPT_WORDS),
    ],
    holds: holdsOf(facts).map((hold) => ({
      kind: hold.kind,
      what: hold.what,
      since: time(hold.since),
      until: time(hold.until),
      way_out: hold.wayOut,
    })),
    failures: failures.map((file) => ({
      ...listed(file),
      error: file.error ?? null,
      kind: file.errorKind ?? null,
      exhausted: isExhausted(file.attempts, cap),
      way_out: wayOut(file.errorKind, file.attempts, cap),
    })),
    ...(lists.pending === undefined ? {} : { pending: lists.pending.map(listed) }),
    ...(lists.downloaded === undefined ? {} : { downloaded: lists.downloaded.map(listed) }),
    runs: runs.map((run) => ({
      started_at: time(run.startedAt),
      completed_at: time(run.completedAt),
      status: run.status,
      outcome: run.outcome ?? null,
      full_reason: run.fullReason ?? null,
      assets_seen: run.assetsSeen,
      downloaded: run.downloaded,
      failed: run.failed,
      enumeration_errors: run.enumerationErrors,
    })),
    session: session(facts),
    next: {
      at: time(verdict.nextAt),
      by: verdict.nextAt === undefined && !waitsForCode(facts) ? "hand" : "watch",
      running: isRunning(facts),
    },
    generated_at: time(now),
  };
}

function session({ standing, now }: StatusFacts): object {
  const { hasSession, isTrusted, trustedAt } = standing.signIn;
  return {
    state: !hasSession ? "none" : isTrusted ? "trusted" : "code-needed",
    trusted_at: time(trustedAt),
    age_days: trustedAt === undefined ? null : Math.max(0, Math.floor((now - trustedAt) / DAY_MS)),
    sign_in: "kei login",
  };
}

function rules(part: string, counts: Readonly<Record<string, number>>, words: Readonly<Record<string, string>>) {
  return Object.entries(counts).map(([rule, assets]) => ({ part, rule, assets, words: words[rule] ?? rule }));
}

function listed(file: ListedFailure) {
  return {
    library: file.library,
    asset: file.asset,
    version: file.rendition,
    filename: file.filename ?? null,
    path: file.path ?? null,
    attempts: file.attempts,
    last_seen_at: time(file.seenAt),
  };
}

/** ISO time; null for what is not known, or no moment that a calendar knows. */
export function time(ms: number | undefined): string | null {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
