/** Where one photo stands, in a word, a sentence and a way out: the same parts as on the status page. */
import { formatClock, plural } from "./format.ts";
import { ISSUE_WORDS, KEPT_WORDS, leftOutWords } from "./summary.ts";
import { errorWords, isExhausted, ownWayOut } from "./ways-out.ts";
import type { WhyAsset, WhyFacts, WhyLever } from "./why-facts.ts";

export type Part = "saved" | "left-out" | "kept" | "waiting" | "failed" | "exhausted" | "broken";

export interface Disposition {
  readonly part: Part;
  /** Goes on after the photo's name: `left out, hidden in Photos`. */
  readonly sentence: string;
  /** What to do, if anything is to be done. */
  readonly wayOut: string | undefined;
}

type Files = WhyAsset["story"]["files"];
type Places = WhyAsset["story"]["places"];

/** The photo's part; its worst file decides. */
export function dispositionOf(asset: WhyAsset, facts: Pick<WhyFacts, "cap" | "now" | "nextAt">): Disposition {
  const { story, levers } = asset;
  const { disposition, rule = "" } = story.asset;
  if (disposition === "broken")
    return {
      part: "broken",
      sentence: `can't be saved: Apple lists it ${ISSUE_WORDS[rule] ?? rule}`,
      wayOut: "nothing to do here: kei looks at it again whenever Apple lists it",
    };
  if (disposition === "left-out") {
    if (Object.hasOwn(KEPT_WORDS, rule))
      return { part: "kept", sentence: keptSentence(rule, story.places), wayOut: leversText(levers.filter(isSaid)) };
    return { part: "left-out", sentence: leftOutWords(rule), wayOut: DONE_IN_PHOTOS[rule] ?? leversText(levers) };
  }
  return wantedDisposition(story.files, story.places, facts);
}

/** What iCloud shows no more may have vanished here as well. */
function keptSentence(rule: string, places: Places): string {
  const words = KEPT_WORDS[rule] ?? rule;
  const isHere = places.some(({ status }) => status === "present" || status === "historical");
  return isHere ? words : words.replace("kept here", "no longer on disk");
}

function wantedDisposition(
  files: Files,
  places: Places,
  { cap, now, nextAt }: Pick<WhyFacts, "cap" | "now" | "nextAt">,
): Disposition {
  const failed = files.filter(({ status }) => status === "failed");
  const worst = failed.find(({ attempts }) => isExhausted(attempts, cap)) ?? failed[0];
  const next = nextAt === undefined ? "the next run" : `the next run, ${formatClock(nextAt, now)},`;
  if (worst !== undefined) {
    const { attempts, lastErrorKind } = worst;
    const lastError = errorWords(worst.lastError);
    const out = ownWayOut(lastErrorKind, attempts, cap);
    if (isExhausted(attempts, cap))
      return {
        part: "exhausted",
        sentence: `given up after ${plural(attempts, "attempt")}: ${lastError}`,
        wayOut: out,
      };
    const count = cap === 0 ? `attempt ${attempts}` : `attempt ${attempts} of ${cap}`;
    return { part: "failed", sentence: `failed: ${lastError} (${count}); ${next} tries again`, wayOut: out };
  }
  const place = places.find(({ status }) => status === "failed");
  if (place !== undefined)
    return {
      part: "failed",
      sentence: `on disk, but not at each of its places: ${errorWords(place.lastError)}; ${next} tries again`,
      wayOut: ownWayOut(place.lastErrorKind, 0, cap),
    };
  const waiting = files.filter(({ status }) => status === "pending").length;
  if (waiting > 0 || files.length === 0)
    return {
      part: "waiting",
      sentence: `waiting: ${waiting === 0 ? "its files are" : `${waiting} of ${plural(files.length, "file")} ${waiting === 1 ? "is" : "are"}`} still to be fetched; ${next} goes on`,
      wayOut: nextAt === undefined ? "`kei sync`" : undefined,
    };
  if (places.some(({ status }) => status === "pending"))
    return {
      part: "waiting",
      sentence: `on disk, but not yet at each of its places; ${next} goes on`,
      wayOut: nextAt === undefined ? "`kei sync`" : undefined,
    };
  return { part: "saved", sentence: `saved; ${proofText(files)}`, wayOut: undefined };
}

function proofText(files: Files): string {
  const proofs = new Set(files.map(({ proof }) => proof));
  if (proofs.has("size")) return "its size is right, and Apple gives no checksum that could prove more";
  if (proofs.has("adopted")) return "it was found on disk, and its content is that of Apple's";
  return "Apple's checksum proves every byte";
}

/** What a person did in Photos is undone there. */
const DONE_IN_PHOTOS: Readonly<Record<string, string>> = {
  hidden: "unhide it in Photos, or save hidden photos with --smart-folder Hidden",
  recently_deleted: "recover it in Photos, or save deleted photos with --smart-folder 'Recently Deleted'",
};

const ORIGINS: Readonly<Record<WhyLever["origin"], string>> = {
  flag: "from a flag",
  env: "from the environment",
  file: "from the configuration file",
  default: "the default",
};

function isSaid({ origin }: WhyLever): boolean {
  return origin !== "default";
}

/** `change --skip-videos (true, from the environment)`; what nobody has said is named in both spellings. */
function leversText(levers: readonly WhyLever[]): string | undefined {
  if (levers.length === 0) return undefined;
  const names = levers.map((lever) => {
    const { flag, key, value, origin } = lever;
    const inFile = key?.replace(/^(.+)\.([^.]+)$/, "[$1] $2");
    if (!isSaid(lever)) return [flag, inFile].filter((name) => name !== undefined).join(", ");
    const name = origin === "file" ? (inFile ?? flag) : (flag ?? inFile);
    return `${name} (${value ?? "not set"}, ${ORIGINS[origin]})`;
  });
  return `change ${names.join(" or ")}`;
}
