import { formatBytes, formatCount, formatDuration, plural } from "./format.ts";
import { errorWords } from "./ways-out.ts";
import { wrap } from "./wrap.ts";

/** What a summary needs to know of a run. */
export interface RunSummary {
  readonly outcome: "success" | "partial_failure" | "interrupted" | "session_expired";
  readonly dryRun: boolean;
  readonly retryOnly: boolean;
  readonly unchanged: boolean;
  /** Why everything was listed; undefined when only changes were looked at. */
  readonly fullReason: string | undefined;
  readonly assetsSeen: number;
  readonly downloaded: number;
  readonly adopted: number;
  readonly linked: number;
  readonly failed: number;
  readonly exhausted: number;
  readonly waiting: number;
  readonly bytesDownloaded: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly issues: Readonly<Record<string, number>>;
  readonly enumerationErrors: readonly string[];
  readonly elapsedMs: number;
  readonly failedFiles: ReadonlyArray<{ readonly name: string; readonly error: string | undefined }>;
  /** Failed files beyond those listed. */
  readonly failedUnnamed: number;
  readonly notices: readonly string[];
  readonly planned: { readonly files: number; readonly bytes: number } | undefined;
}

/** Rules by which photos are left out, in words. */
export const RULE_WORDS: Readonly<Record<string, string>> = {
  by_state: "already saved",
  on_disk: "found on disk and recognised",
  ampm_variant: "found on disk under another spelling and recognised",
  by_excluded_album: "only in albums that are not selected",
  by_media_type: "of a kind that is not selected",
  by_live_photo: "left out as Live Photos",
  by_date_range: "taken outside the dates that are selected",
  by_filename: "left out by name",
  by_recent: "not among the most recent",
  by_rendition: "without any of the versions that are selected",
  hidden: "hidden in Photos",
  recently_deleted: "recently deleted in Photos",
  retry_only: "left for an ordinary run",
  retry_exhausted: "given up after too many failures",
};

/** A rule by which photos are left out, as a line or sentence of its own. */
export function leftOutWords(rule: string): string {
  const words = RULE_WORDS[rule] ?? rule;
  return words.startsWith("left") ? words : `left out: ${words}`;
}

/** Rules under which files stay here that iCloud does not show any more, in words. */
export const KEPT_WORDS: Readonly<Record<string, string>> = {
  gone: "kept here, deleted in iCloud",
  unlisted: "kept here, in no list any more (deleted, hidden or not selected)",
};

/** Reasons for which a record of Apple's can't be used, in words. */
export const ISSUE_WORDS: Readonly<Record<string, string>> = {
  "no-capture-date": "without a usable date",
  "no-master-ref": "without a link to its original",
  "no-record-name": "without a name",
  "no-master-name": "whose original has no name",
  "no-download-url": "without an address to fetch it from",
  "no-checksum": "without a checksum",
  "no-size": "without a size",
  "no-file-type": "without a file type",
  "no-usable-file": "without any file to fetch",
  "foreign-url": "with an address outside Apple's hosts",
  "unpaired-asset": "whose original Apple did not send",
  "unpaired-master": "that belong to no photo",
  "record-error": "that Apple answered with an error",
};

/** Lines of each kind that a summary shows, so that all of it fits on one screen. */
const MOST = { rules: 4, issues: 2, errors: 1, notices: 4, failures: 3 };

/**
 * The end of a run on one screen: a verdict first, then what it consists of, then what to do. Lines are at most `width`
 * columns wide.
 */
export function summaryLines(run: RunSummary, width = 80): string[] {
  const skipped = Object.entries(run.skipped)
    .filter(([rule, count]) => count > 0 && rule !== "by_state")
    .toSorted(([, a], [, b]) => b - a);
  const rules = skipped.map(([rule, count]) => `${formatCount(count)} ${RULE_WORDS[rule] ?? rule}`);
  const issues = Object.entries(run.issues).map(
    ([reason, count]) => `${plural(count, "record")} ${ISSUE_WORDS[reason] ?? reason}`,
  );
  const errors = run.enumerationErrors.map((error) => `not everything could be listed: ${error}`);
  const failures = run.failedFiles.map(({ name, error }) => `failed: ${name}: ${errorWords(error)}`);
  const details = [
    ...first(
      rules,
      MOST.rules,
      skipped.slice(MOST.rules).reduce((sum, [, count]) => sum + count, 0),
      "left out",
    ),
    ...first(issues, MOST.issues, issues.length - MOST.issues, "kinds of broken records"),
    ...first(errors, MOST.errors, errors.length - MOST.errors, "lists"),
    ...first(run.notices, MOST.notices, run.notices.length - MOST.notices, "remarks"),
    ...first(failures, MOST.failures, failures.length - MOST.failures + run.failedUnnamed, "failed"),
  ];
  const hint = "The next run tries them again; `kei status --failed` shows what happened.";
  return [
    ...wrap(verdict(run), width, "  "),
    ...details.flatMap((line) => wrap(`  ${line}`, width, "    ")),
    ...(run.failed > 0 ? wrap(hint, width) : []),
  ];
}

/** The first lines of a kind, and how many of what there are beyond them. */
function first(lines: readonly string[], most: number, beyond: number, what: string): string[] {
  if (beyond <= 0) return lines.slice(0, most);
  return [...lines.slice(0, most), `... and ${formatCount(beyond)} more (${what})`];
}

function verdict(run: RunSummary): string {
  if (run.planned !== undefined) {
    return `Dry run: ${plural(run.planned.files, "file")} (${formatBytes(run.planned.bytes)}) would be saved; nothing was written.`;
  }
  const checked = `${plural(run.assetsSeen, "photo")} checked in ${formatDuration(run.elapsedMs)}`;
  const parts = [`${plural(run.downloaded, "file")} saved (${formatBytes(run.bytesDownloaded)})`];
  if (run.linked > 0) parts.push(`${plural(run.linked, "further place")} served from disk`);
  if (run.adopted > 0) parts.push(`${plural(run.adopted, "file")} recognised on disk`);
  if (run.failed > 0) parts.push(`${formatCount(run.failed)} failed`);
  const nothingNew = run.downloaded + run.linked + run.adopted + run.failed === 0;
  switch (run.outcome) {
    case "success":
      if (run.retryOnly && nothingNew) return "No file has failed; nothing to try again.";
      if (nothingNew && run.assetsSeen === 0 && !run.unchanged)
        return run.fullReason === undefined
          ? "Nothing new: no photo came or changed in iCloud, and everything is saved."
          : "Nothing to save: no photo is selected.";
      if (run.unchanged) return "Nothing new: nothing has changed in iCloud, and everything is saved.";
      return nothingNew ? `Nothing new: ${checked}, everything is saved.` : `Done: ${parts.join(", ")}; ${checked}.`;
    case "interrupted":
      return `Stopped: ${parts.join(", ")}; the next run goes on from here.`;
    case "session_expired":
      return `Apple has ended the session: ${parts.join(", ")}; sign in with \`kei login\`.`;
    case "partial_failure":
      if (run.unchanged) return "Nothing has changed in iCloud, but not everything is saved.";
      return `Not complete: ${parts.join(", ")}; ${checked}.`;
  }
}
