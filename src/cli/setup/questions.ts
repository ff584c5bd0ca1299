/** What is asked about account, folder and rhythm, and what the answers mean as settings. */
import type { SettingName } from "../../config/settings.ts";
import type { Value } from "../../config/values.ts";
import { formatBytes } from "../../ui/format.ts";
import { askChoice, askText, askYesNo, type Person } from "./ask.ts";
import type { FolderFacts } from "./folder.ts";
import { askWhatToKeep } from "./keep.ts";

/** Settings by name, as a configuration file would set them. */
export type Values = { readonly [N in SettingName]?: Value | undefined };

/** What the questions have to look up. */
export interface World {
  /** Folder that is suggested when none is known yet. */
  readonly suggestion: string;
  readonly lookAt: (folder: string) => Promise<FolderFacts>;
}

/** Asks for everything but the password; `start` holds what is known already, which Enter keeps. */
export async function askSettings(person: Person, start: Values, world: World): Promise<Values> {
  person.say("\n1 of 4: your account");
  const account = await askAccount(person, start);
  person.say("\n2 of 4: the folder");
  const directory = await askFolder(person, start, world);
  person.say("\n3 of 4: what to keep");
  const kept = await askWhatToKeep(person, start);
  person.say("\n4 of 4: how often");
  const rhythm = await askRhythm(person, start);
  return { ...start, ...account, directory, ...kept, ...rhythm };
}

async function askAccount(person: Person, start: Values): Promise<Values> {
  person.say("Your Apple ID is the e-mail address or phone number with which you sign in to iCloud.");
  const username = await askText(person, {
    question: "Apple ID",
    usual: textOf(start.username),
    check: (answer) =>
      /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(answer) || /^\+?\d{7,15}$/.test(answer)
        ? undefined
        : `"${answer}" is neither an e-mail address nor a phone number. It looks like you@example.com.`,
  });
  const chinese = await askYesNo(person, "Is it an account of mainland China (icloud.com.cn)?", start.domain === "cn");
  return { username, domain: chinese ? "cn" : "com" };
}

/** Less than this is worth a word before the first photo, bytes. */
const LITTLE_SPACE = 10_000_000_000;

async function askFolder(person: Person, start: Values, { suggestion, lookAt }: World): Promise<string> {
  person.say(
    "Photos are saved to a folder of this computer, or to a disk that is connected to it. ~ is your home folder.",
  );
  for (;;) {
    const answer = await askText(person, {
      question: "Folder for your photos",
      usual: textOf(start.directory) ?? suggestion,
      check: async (typed) => {
        const { wrong } = await lookAt(typed);
        return wrong === undefined ? undefined : `${wrong}. Please choose another folder.`;
      },
    });
    const { path, exists, isEmpty, free } = await lookAt(answer);
    if (free !== undefined) {
      const little = free < LITTLE_SPACE ? ", which is little for a photo library" : "";
      person.say(`${path}: ${formatBytes(free)} are free there${little}.`);
    }
    if (exists && !isEmpty) {
      person.say("There are files in it already. kei leaves them alone: it never overwrites or deletes anything.");
    }
    if (await askYesNo(person, exists ? "Use this folder?" : "It does not exist yet. Make it at the end?", true)) {
      // Short forms stay short; what begins in the folder of today would mean another one tomorrow.
      return answer.startsWith("~/") ? answer : path;
    }
  }
}

const BY_HAND = 0;
export const HOUR = 3_600;
export const DAY = 86_400;
const OTHER = -1;

async function askRhythm(person: Person, start: Values): Promise<Values> {
  const now = typeof start.watchInterval === "number" ? start.watchInterval : BY_HAND;
  const known = [BY_HAND, HOUR, DAY].includes(now);
  const chosen = await askChoice(
    person,
    "When shall kei look for new photos?",
    [
      { label: "When I start it: `kei sync` runs once", value: BY_HAND },
      { label: "Every hour: `kei sync` goes on until it is stopped", value: HOUR },
      { label: "Once a day", value: DAY },
      { label: known ? "At another interval" : `At another interval (now ${spokenInterval(now)})`, value: OTHER },
    ],
    known ? now : OTHER,
  );
  if (chosen !== OTHER) return { watchInterval: chosen === BY_HAND ? undefined : chosen };
  const typed = await askText(person, {
    question: "Time between two runs, such as 30m, 6h or 1d",
    usual: known ? undefined : spokenInterval(now),
    check: (answer) =>
      secondsOf(answer) === undefined
        ? "Please type a number with m, h or d, from 1m to 1d: 30m is half an hour."
        : undefined,
  });
  return { watchInterval: secondsOf(typed) ?? HOUR };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: HOUR, d: DAY };

/** Seconds of `30m`, `6h`, `1d` or `3600`; undefined for what is no interval from a minute to a day. */
export function secondsOf(text: string): number | undefined {
  const match = /^(\d{1,6})\s*([smhd]?)/.exec(text.trim().toLowerCase());
  if (match === null || !/^\d+\s*(s|m|h|d|sec.*|min.*|hours?|days?)?$/.test(text.trim().toLowerCase()))
    return undefined;
  const seconds = Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1);
  return seconds >= 60 && seconds <= DAY ? seconds : undefined;
}

/** `30m`, `6h`; `every` second that is no whole minute as `90s`. */
export function spokenInterval(seconds: number): string {
  for (const [unit, length] of [
    ["d", DAY],
    ["h", HOUR],
    ["m", 60],
  ] as const) {
    if (seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${seconds}s`;
}

function textOf(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
