import { localTime } from "../library/local-time.ts";
import { columnsOf } from "../runtime/columns.ts";
import { dispositionOf, type Part } from "./disposition.ts";
import { escapeControls, formatTime, plural } from "./format.ts";
import { ISSUE_WORDS } from "./summary.ts";
import { errorWords } from "./ways-out.ts";
import type { WhyAsset, WhyFacts } from "./why-facts.ts";
import { wrap } from "./wrap.ts";

/** Photos that are told in full; of more there is a list. */
const IN_FULL = 3;
/** Most lines of that list. */
const LISTED = 20;

const KIND_WORDS = { photo: "photo", video: "video", "live-photo": "Live Photo" } as const;

/** What the files of a photo are, for people. */
const FILE_WORDS: Readonly<Record<string, string>> = {
  original: "original",
  alternative: "other half of the RAW pair",
  adjusted: "edited version",
  medium: "medium size",
  thumb: "small size",
  live_original: "video",
  live_medium: "video, medium size",
  live_thumb: "video, small size",
  live_adjusted: "edited video",
};

const PART_WORDS: Readonly<Record<Part, string>> = {
  saved: "saved",
  "left-out": "left out",
  kept: "kept here",
  waiting: "waiting",
  failed: "failed",
  exhausted: "given up",
  broken: "unusable",
};

/** The answer to `kei why`: for each photo what it is, where it stands and what to do; or why nothing was found. */
export function whyLines(facts: WhyFacts, width = Number.POSITIVE_INFINITY): string[] {
  const { assets, more, records } = facts;
  const lines: string[] = [];
  if (assets.length > IN_FULL || more) lines.push(...listLines(facts));
  else for (const asset of assets) lines.push(...(lines.length > 0 ? [""] : []), ...assetLines(asset, facts));
  for (const { library, reason } of assets.length === 0 ? records : [])
    lines.push(`${facts.word} in ${library} is a record ${ISSUE_WORDS[reason] ?? reason}; it can't be saved.`);
  if (lines.length === 0) lines.push(...missingLines(facts));
  return lines.map(escapeControls).flatMap((line) => {
    // What fits stays as it is, with its columns.
    if (columnsOf(line) <= width) return [line];
    return wrap(line, width, line.startsWith("  ") ? "      " : "  ");
  });
}

function assetLines(asset: WhyAsset, facts: WhyFacts): string[] {
  const { asset: row, albums, issues } = asset.story;
  const { sentence, wayOut } = dispositionOf(asset, facts);
  const marks = [row.isFavorite ? "a favourite" : "", row.isHidden ? "hidden" : "", row.isDeleted ? "deleted" : ""];
  const about = [KIND_WORDS[row.kind], `taken ${takenAt(row)}`, `in ${row.library}`, ...marks.filter(Boolean)];
  return [
    `${row.filename ?? "Unnamed"}: ${sentence}`,
    ...(wayOut === undefined ? [] : [`  What to do: ${wayOut}`]),
    `  ${about.join(", ")}`,
    ...(albums.length === 0 ? [] : [`  Albums: ${albums.join(", ")}`]),
    ...placeLines(asset),
    ...issues.map(
      ({ reason, detail }) =>
        `  Not saved: ${FILE_WORDS[detail ?? ""] ?? detail ?? "a file"}, ${ISSUE_WORDS[reason] ?? reason}`,
    ),
    `  Record: ${row.id}`,
  ];
}

function placeLines({ story: { files, places } }: WhyAsset): string[] {
  const rows = places.map(({ rendition, path, status, owner, lastError }) => {
    const remark = {
      present: owner ? "" : "  (one file for several photos or folders)",
      pending: "  (not there yet)",
      failed: `  (failed: ${errorWords(lastError)})`,
      historical: "  (an earlier version, which stays)",
    }[status];
    return [FILE_WORDS[rendition] ?? rendition, `${path}${remark}`] as const;
  });
  const without = files
    .filter(({ rendition }) => !places.some((place) => place.rendition === rendition))
    .map(({ rendition }) => [FILE_WORDS[rendition] ?? rendition, "(no place yet)"] as const);
  const all = [...rows, ...without];
  const column = Math.max(0, ...all.map(([words]) => words.length));
  return all.map(([words, text]) => `  ${words.padEnd(column)}  ${text}`);
}

function listLines(facts: WhyFacts): string[] {
  const { assets, more, word } = facts;
  const shown = assets.slice(0, LISTED);
  const lines = shown.map((asset) => {
    const { asset: row } = asset.story;
    const { part } = dispositionOf(asset, facts);
    return `  ${row.filename ?? "unnamed"}  ${takenAt(row)}  ${PART_WORDS[part]}  ${row.id}`;
  });
  const rest = assets.length - shown.length;
  return [
    `${more ? "More than " : ""}${assets.length} photos fit "${word}":`,
    ...lines,
    ...(rest > 0 || more ? ["  ... and more"] : []),
    "For one of them: `kei why RECORD`, with the record name at the end of its line; or write more of its name or path.",
  ];
}

function missingLines({ word, near, asOf, unusable, unfinished, libraries }: WhyFacts): string[] {
  const seen = asOf === undefined ? "no run has come to its end yet" : `it may be newer than ${formatTime(asOf)}`;
  return [
    `No photo is known as "${word}".`,
    ...(near.length === 0 ? [] : [`Did you mean ${near.join(", ")}?`]),
    "If it is in iCloud:",
    `  ${seen}: \`kei sync\` looks for it`,
    ...unfinished.map((library) => `  the list of ${library} was not read to its end: \`kei sync\` reads it`),
    `  it may be in a library that is not selected: --library is ${libraries.join(", ")}`,
    "  it may be hidden or recently deleted, which lists don't show: --smart-folder",
    ...(unusable === 0
      ? []
      : [`  it may be among the ${plural(unusable, "record")} of Apple's that can't be used: \`kei status\``]),
    "  it may be in no album, or in one that is not selected: --album, --unfiled",
  ];
}

/** Capture time on the clock of where it was taken: `2024-05-01 12:30`. */
function takenAt({ capturedAt, timeZoneOffset }: WhyAsset["story"]["asset"]): string {
  const { year, month, day, hour, minute } = localTime(capturedAt, timeZoneOffset);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`;
}
