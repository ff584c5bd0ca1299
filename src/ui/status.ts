import { sumOf } from "../library/sum.ts";
import { formatBytes, formatCount, formatTime, plural } from "./format.ts";
import { ISSUE_WORDS, RULE_WORDS } from "./summary.ts";

/** What a status page is made from. */
export interface StatusFacts {
  readonly totals: {
    readonly assets: number;
    readonly onDisk: number;
    readonly leftOut: Readonly<Record<string, number>>;
    readonly waiting: number;
    readonly failed: number;
    readonly exhausted: number;
    readonly broken: Readonly<Record<string, number>>;
    readonly files: { readonly downloaded: number; readonly pending: number; readonly failed: number };
    readonly bytes: number;
    readonly issues: Readonly<Record<string, number>>;
  };
  readonly runs: ReadonlyArray<{
    readonly startedAt: number;
    readonly completedAt: number | undefined;
    readonly status: string;
    readonly outcome: string | undefined;
    readonly downloaded: number;
    readonly failed: number;
  }>;
  readonly failures: readonly ListedFailure[];
  /** Libraries whose list has not been read to its end yet. */
  readonly unfinished: readonly string[];
}

export interface ListedFailure {
  readonly filename: string | undefined;
  readonly path: string | undefined;
  readonly asset: string;
  readonly error: string | undefined;
  readonly errorKind: string | undefined;
  readonly attempts: number;
  readonly seenAt: number | undefined;
}

/** Failures that are explained without being asked for. */
const EXPLAINED = 5;

/** The way out of each kind of failure. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  permission: "check the permissions of the download folder",
  "disk-full": "free some space",
  "local-io": "check the disk",
  "bad-path": "choose another folder template or file system",
  "fd-pressure": "lower --threads",
  collision: "move the other file away",
  "foreign-temp": "move the file that is in the way",
  session: "sign in again with `kei login`",
  tls: "check this machine's clock",
  network: "check the network; the next run tries again",
  stall: "check the network; the next run tries again",
};
const DEFAULT_WAY_OUT = "nothing to do: the next run tries again";
const EXHAUSTED_WAY_OUT = "`kei sync --retry-failed` tries it again";

/** One page that answers "is everything saved?": a verdict whose parts add up, then why not, then the last runs. */
export function statusLines(facts: StatusFacts, cap: number): string[] {
  const lines = [verdict(facts), ""];
  lines.push(...partLines(facts.totals), "");
  for (const library of facts.unfinished) {
    lines.push(
      `Not everything in iCloud is known yet: the list of ${library} was not read to its end. Run \`kei sync\`.`,
      "",
    );
  }
  const { files, bytes } = facts.totals;
  lines.push(`On disk: ${plural(files.downloaded, "file")}, ${formatBytes(bytes)}`);
  for (const [reason, count] of Object.entries(facts.totals.issues)) {
    lines.push(
      `Besides, Apple listed ${plural(count, "record")} ${ISSUE_WORDS[reason] ?? reason}; they can't be saved.`,
    );
  }
  if (facts.failures.length > 0) {
    lines.push("", "What failed, and the way out:");
    for (const failure of facts.failures.slice(0, EXPLAINED))
      lines.push(`  ${failureLine(failure)} -> ${wayOut(failure, cap)}`);
    if (facts.failures.length > EXPLAINED) lines.push("  ... the rest: `kei status --failed`");
  }
  if (facts.runs.length > 0) lines.push("", "Last runs:");
  for (const run of facts.runs) lines.push(`  ${runLine(run)}`);
  return lines;
}

function verdict({ totals, runs }: StatusFacts): string {
  const last = runs.find((run) => run.completedAt !== undefined)?.completedAt;
  const asOf = last === undefined ? "" : ` as of ${formatTime(last)}`;
  const leftOut = sumOf(totals.leftOut);
  const broken = sumOf(totals.broken);
  const rest = [
    leftOut > 0 ? `${formatCount(leftOut)} left out` : undefined,
    totals.waiting > 0 ? `${formatCount(totals.waiting)} waiting` : undefined,
    totals.failed > 0 ? `${formatCount(totals.failed)} failed` : undefined,
    totals.exhausted > 0 ? `${formatCount(totals.exhausted)} given up` : undefined,
    broken > 0 ? `${formatCount(broken)} unusable at Apple` : undefined,
  ].filter((part) => part !== undefined);
  const tail = rest.length === 0 ? "" : `; ${rest.join(", ")}`;
  return `${formatCount(totals.onDisk)} of ${formatCount(totals.assets)} photos backed up${asOf}${tail}`;
}

function partLines(totals: StatusFacts["totals"]): string[] {
  const rows: Array<readonly [number, string]> = [
    [totals.onDisk, "saved and proven"],
    ...Object.entries(totals.leftOut).map(([rule, count]) => [count, `left out: ${RULE_WORDS[rule] ?? rule}`] as const),
    [totals.waiting, "waiting for the next run"],
    [totals.failed, "failed, tried again in the next run"],
    [totals.exhausted, "given up after too many failures"],
    ...Object.entries(totals.broken).map(
      ([defect, count]) => [count, `unusable: ${ISSUE_WORDS[defect] ?? defect}`] as const,
    ),
  ];
  const shown = rows.filter(([count], index) => count > 0 || index === 0);
  const width = Math.max(
    ...[...shown.map(([count]) => count), totals.assets].map((count) => formatCount(count).length),
  );
  const line = (count: number, words: string) => `  ${formatCount(count).padStart(width)}  ${words}`;
  return [...shown.map(([count, words]) => line(count, words)), line(totals.assets, "photos in all")];
}

/** `IMG_1.JPG (ID): reason (attempts: 2)`. */
export function failureLine(failure: ListedFailure): string {
  return `${failure.path ?? failure.filename ?? failure.asset}: ${failure.error ?? "unknown error"} (attempts: ${failure.attempts})`;
}

function wayOut({ errorKind, attempts }: ListedFailure, cap: number): string {
  if (cap > 0 && attempts >= cap) return EXHAUSTED_WAY_OUT;
  return WAYS_OUT[errorKind ?? ""] ?? DEFAULT_WAY_OUT;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  success: "complete",
  partial_failure: "not complete",
  interrupted: "stopped",
  session_expired: "session ended",
  failed: "failed",
};

function runLine(run: StatusFacts["runs"][number]): string {
  const outcome =
    run.status === "running"
      ? "running"
      : run.status === "interrupted"
        ? "stopped"
        : (OUTCOMES[run.outcome ?? ""] ?? run.status);
  const failed = run.failed > 0 ? `, ${plural(run.failed, "failure")}` : "";
  return `${formatTime(run.startedAt)}  ${outcome}, ${plural(run.downloaded, "file")} saved${failed}`;
}
