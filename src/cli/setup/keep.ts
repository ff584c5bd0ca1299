/** Which photos, and which files of each: three ways for most people, and single questions for the others. */
import { SETTINGS, type SettingName } from "../../config/settings.ts";
import type { Value } from "../../config/values.ts";
import { askChoice, askYesNo, type Person } from "./ask.ts";
import type { Values } from "./questions.ts";

/** The settings that these questions decide. */
const DECIDED = [
  "media",
  "livePhotoMode",
  "edited",
  "alternative",
  "libraries",
  "smartFolders",
  "albums",
  "folderStructure",
] as const satisfies readonly SettingName[];

type Kept = Readonly<Record<(typeof DECIDED)[number], Value>>;

const USUAL = Object.fromEntries(DECIDED.map((name) => [name, SETTINGS[name].default])) as unknown as Kept;
const EVERYTHING: Kept = {
  ...USUAL,
  edited: true,
  alternative: true,
  libraries: ["all"],
  smartFolders: ["Hidden"],
};

/** Settings for what shall be saved. What `start` says is among the answers, so that nothing is lost on the way. */
export async function askWhatToKeep(person: Person, start: Values): Promise<Values> {
  const now: Kept = { ...USUAL, ...given(start) };
  const chosen = await askChoice(
    person,
    "What shall be saved?",
    [
      ...(same(now, USUAL) || same(now, EVERYTHING)
        ? []
        : [{ label: "What the configuration says now", value: now as Kept | undefined }]),
      { label: "All photos and videos of your library, as they were taken", value: USUAL },
      {
        label: "All that, and also edited versions, shared libraries and hidden photos",
        value: EVERYTHING,
      },
      { label: "Let me choose", value: undefined },
    ],
    same(now, EVERYTHING) ? EVERYTHING : same(now, USUAL) ? USUAL : now,
  );
  return chosen ?? askOneByOne(person, now);
}

async function askOneByOne(person: Person, now: Kept): Promise<Values> {
  const kinds = now.media as readonly string[];
  const photos = await askYesNo(person, "Photos?", kinds.includes("photos"));
  const videos = await askYesNo(person, "Videos?", kinds.includes("videos"));
  const livePhotoMode = await askChoice(
    person,
    "A Live Photo is a photo with a short video. What shall be saved of it?",
    [
      { label: "Both", value: "both" },
      { label: "Only the photo", value: "image-only" },
      { label: "Only the video", value: "video-only" },
      { label: "Nothing: leave Live Photos out", value: "skip" },
    ],
    String(now.livePhotoMode),
  );
  if (!photos && !videos && livePhotoMode === "skip") {
    person.say("Then nothing would be saved. Please choose again.");
    return askOneByOne(person, now);
  }
  const edited = await askYesNo(
    person,
    "Edited photos: save the edited version beside the original?",
    now.edited === true,
  );
  const alternative = await askYesNo(
    person,
    "Some cameras take a photo twice, as RAW and as JPEG. Save both?",
    now.alternative === true,
  );
  const shared = await askYesNo(person, "Photos of shared libraries, too?", isMore(now.libraries, USUAL.libraries));
  const hidden = await askYesNo(person, "Hidden photos, too?", isMore(now.smartFolders, USUAL.smartFolders));
  const albums = await askChoice(
    person,
    "How shall the folders look?",
    [
      { label: "A folder for each album, and what is in no album by date", value: true },
      { label: "Everything by date; albums make no folders", value: false },
    ],
    !same(now.albums, ["none"]),
  );
  const folderStructure = await askDates(person, String(now.folderStructure));
  return {
    media: [
      ...(photos ? ["photos"] : []),
      ...(videos ? ["videos"] : []),
      ...(livePhotoMode === "skip" ? [] : ["live-photos"]),
    ],
    livePhotoMode,
    edited,
    alternative,
    libraries: changed(now.libraries, USUAL.libraries, shared, ["all"]),
    smartFolders: changed(now.smartFolders, USUAL.smartFolders, hidden, ["Hidden"]),
    albums: albums === !same(now.albums, ["none"]) ? now.albums : albums ? USUAL.albums : ["none"],
    folderStructure,
  };
}

function askDates(person: Person, now: string): Promise<string> {
  const forms = [
    { label: "Year, month and day: 2026/03/14", value: "%Y/%m/%d" },
    { label: "Year and month: 2026/03", value: "%Y/%m" },
    { label: "Year: 2026", value: "%Y" },
    { label: "No folders for dates", value: "none" },
  ];
  const own = forms.some(({ value }) => value === now) ? [] : [{ label: `As now: ${now}`, value: now }];
  return askChoice(person, "And the folders for dates?", [...own, ...forms], now);
}

function given(start: Values): Partial<Kept> {
  return Object.fromEntries(DECIDED.flatMap((name) => (start[name] === undefined ? [] : [[name, start[name]]])));
}

function isMore(now: Value, usual: Value): boolean {
  return !same(now, usual);
}

/** A list that says more than yes and no stays as it is when the answer is the same as before. */
function changed(now: Value, usual: Value, wanted: boolean, all: Value): Value {
  if (wanted === isMore(now, usual)) return now;
  return wanted ? all : usual;
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
