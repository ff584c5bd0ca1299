import { formatBytes, formatCount, plural } from "./format.ts";
import { ISSUE_WORDS } from "./summary.ts";
import { errorWords } from "./ways-out.ts";

/** What is wrong with a saved file. */
export interface CheckedFile {
  readonly kind: "missing" | "truncated" | "corrupted" | "unreadable" | "no-path" | "not-saved";
  readonly path: string | undefined;
  readonly asset: string;
  readonly rendition: string;
  /** ms since the epoch. */
  readonly downloadedAt: number | undefined;
  readonly detail: string | undefined;
}

const WORDS: Readonly<Record<CheckedFile["kind"], string>> = {
  missing: "MISSING",
  truncated: "TRUNCATED",
  corrupted: "CORRUPTED",
  unreadable: "ERROR",
  "no-path": "NO PATH",
  "not-saved": "NOT SAVED",
};

/** One line of `kei verify` or `kei reconcile` (cli.md 5.2, 5.3). */
export function issueLine(file: CheckedFile, command: "verify" | "reconcile"): string {
  const { kind, path, asset, rendition, detail } = file;
  const word = WORDS[kind];
  const rest = detail === undefined ? "" : ` - ${errorWords(detail)}`;
  if (kind === "no-path") return `${word}: ${asset}${rest}`;
  if (kind === "unreadable") return `${word}: ${path}${rest}`;
  if (command === "reconcile") return `${word}: ${path} (${asset}, ${rendition})${rest}`;
  return `${word}: ${path} (${asset})${kind === "missing" ? ` - downloaded ${dateOf(file.downloadedAt)}` : rest}`;
}

function dateOf(ms: number | undefined): string {
  return ms === undefined ? "unknown" : new Date(ms).toISOString().slice(0, 10);
}

/** A block of results, its figures under each other; those that are undefined are left out. */
export function resultLines(rows: ReadonlyArray<readonly [label: string, figure: number | undefined]>): string[] {
  const shown = rows.flatMap(([label, figure]) => (figure === undefined ? [] : [[`${label}:`, figure] as const]));
  const width = Math.max(...shown.map(([label]) => label.length));
  return ["Results:", ...shown.map(([label, figure]) => `  ${label.padEnd(width)} ${formatCount(figure)}`)];
}

/** What iCloud has, measured against what is here. */
export interface Completeness {
  readonly listed: number;
  readonly leftOut: number;
  readonly notSaved: number;
  readonly bytes: number;
  readonly issues: Readonly<Record<string, number>>;
  readonly unlisted: readonly string[];
  readonly complete: boolean;
}

/** The answer to "is everything here?", and why not. `damaged`: files that should be here and are not in order. */
export function completenessLines(cloud: Completeness, damaged: number): string[] {
  const { listed, leftOut, notSaved, bytes, issues, unlisted, complete } = cloud;
  const selected = `${formatCount(listed - leftOut)} of ${plural(listed, "photo")} in iCloud are selected`;
  const lines = [
    complete && damaged === 0 ? `Complete: ${selected}, and every file of them is here.` : `Not complete: ${selected}.`,
  ];
  if (notSaved > 0)
    lines.push(`  ${plural(notSaved, "file")} (${formatBytes(bytes)}) not saved yet; \`kei sync\` fetches them`);
  if (damaged > 0) lines.push(`  ${plural(damaged, "saved file")} missing or damaged, as listed above`);
  for (const part of unlisted) lines.push(`  not everything could be listed: ${part}`);
  for (const [reason, count] of Object.entries(issues))
    lines.push(`  ${plural(count, "record")} ${ISSUE_WORDS[reason] ?? reason}`);
  return lines;
}
