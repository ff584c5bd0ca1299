/** What holds for every name that Apple may send, every template, and every file system. */
import { describe, expect, test } from "bun:test";
import { resolve, sep } from "node:path";
import fc from "fast-check";
import type {
  AppleChecksum,
  Asset,
  AssetId,
  MasterId,
  Rendition,
  Resource,
  ZoneName,
} from "../../src/library/asset.ts";
import { chooseFiles, type RenditionSettings, type Resolution } from "../../src/library/choose.ts";
import { fileName, type NamingSettings } from "../../src/library/names.ts";
import { type PathTraits, pathKey } from "../../src/library/pathkey.ts";
import { choosePlace, type Occupant } from "../../src/library/place.ts";
import { type FolderTemplate, parseTemplate, renderFolder, type TemplateCategory } from "../../src/library/template.ts";

const RUNS = { numRuns: 300 };

/** Names with everything that has ever led out of a folder or met another name. */
const name = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "",
    " ",
    "../../etc/passwd",
    "/abs",
    "C:\\x",
    "a/../b",
    "con.jpg",
    ".hidden",
    "IMG_1.JPG",
    "img_1.jpg",
  ),
  fc.constantFrom(
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "Cafe\u0301.JPG",
    "A 1.40 PM.png",
    "A 1.40\u202fPM.png",
    "\u0000.jpg",
    "a\u202eb.jpg",
  ),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ minLength: 240, maxLength: 300 }),
);
const uti = fc.constantFrom(
  "public.jpeg",
  "public.heic",
  "com.apple.quicktime-movie",
  "public.mpeg-4",
  "com.adobe.raw-image",
  "x",
);

const naming: fc.Arbitrary<NamingSettings> = fc.record({
  resolutions: fc.constantFrom<Resolution[]>(
    ["original"],
    ["medium"],
    ["original", "medium", "thumb"],
    ["adjusted"],
    [],
  ),
  edited: fc.boolean(),
  alternative: fc.boolean(),
  editedNaming: fc.constantFrom("suffix" as const, "primary" as const),
  forceResolution: fc.boolean(),
  rawPolicy: fc.constantFrom("as-is" as const, "prefer-raw" as const, "prefer-jpeg" as const),
  livePhotoMode: fc.constantFrom("both" as const, "image-only" as const, "video-only" as const),
  liveResolution: fc.constantFrom("original" as const, "medium" as const, "adjusted" as const),
  keepUnicode: fc.boolean(),
  windows: fc.boolean(),
  fileMatchPolicy: fc.constantFrom("name-size-dedup-with-suffix" as const, "name-id7" as const),
  livePhotoMovNaming: fc.constantFrom("suffix" as const, "original" as const),
} satisfies { [K in keyof Required<RenditionSettings & NamingSettings>]: fc.Arbitrary<unknown> });

const template = fc.constantFrom<readonly [string, TemplateCategory]>(
  ["%Y/%m/%d", "unfiled"],
  ["none", "unfiled"],
  ["{library}/%c", "unfiled"],
  ["%x/%:z", "unfiled"],
  ["{album}", "albums"],
  ["{library}/{album}/%Y", "albums"],
  ["{album} of %B", "albums"],
  ["{smart-folder}/%A", "smart-folders"],
);

const kinds = fc.constantFrom<readonly Rendition[]>(
  ["original"],
  ["original", "adjusted", "medium", "thumb"],
  ["original", "alternative"],
  ["original", "live_original", "live_medium", "live_adjusted", "adjusted"],
);

/** A few assets that share names, dates and sizes as often as not. */
const assets = fc.array(
  fc.record({
    filename: fc.option(name, { nil: undefined }),
    kind: kinds,
    size: fc.integer({ min: 1, max: 3 }),
    uti,
    day: fc.integer({ min: 0, max: 1 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function assetOf(
  from: { filename: string | undefined; kind: readonly Rendition[]; size: number; uti: string; day: number },
  index: number,
): Asset {
  const renditions: Partial<Record<Rendition, Resource>> = {};
  for (const rendition of from.kind) {
    const key = `${index}/${rendition}`;
    const type = rendition.startsWith("live") ? "com.apple.quicktime-movie" : from.uti;
    renditions[rendition] = {
      checksum: key as AppleChecksum,
      size: from.size,
      url: key,
      uti: type,
      width: undefined,
      height: undefined,
    };
  }
  return {
    library: "PrimarySync" as ZoneName,
    id: `ID/${index}` as AssetId,
    masterId: `M${index}` as MasterId,
    filename: from.filename,
    itemType: from.uti,
    kind: from.kind.includes("live_original") ? "live-photo" : "photo",
    capturedAt: from.day * 86_400_000,
    timeZoneOffset: 0,
    addedAt: 0,
    isFavorite: false,
    isHidden: false,
    isDeleted: false,
    changeTag: undefined,
    renditions,
    defects: [],
  };
}

interface Placed {
  readonly file: string;
  readonly path: string;
}

/** Names every file in order; `taken` holds what stands where, under the keys of a file system. */
function placeAll(
  list: readonly Asset[],
  folder: (asset: Asset) => string,
  settings: NamingSettings,
  traits: PathTraits,
  taken: Map<string, { file: string; size: number }>,
): Placed[] {
  return list.flatMap((asset) => {
    let still: string | undefined;
    return chooseFiles(asset, settings).map((file) => {
      const id = `${asset.id} ${file.rendition}`;
      const { size } = file.resource;
      const place = choosePlace(
        {
          folder: folder(asset),
          leaf: fileName(asset, file, settings, still),
          role: file.role,
          size,
          assetId: asset.id,
          policy: settings.fileMatchPolicy,
        },
        (path): Occupant | undefined => {
          const there = taken.get(pathKey(path, traits));
          if (there === undefined) return undefined;
          return there.file === id
            ? { by: "this-file" }
            : { by: "other-asset", size: there.size, sameContent: false, otherLibrary: false };
        },
      );
      if (file.role === "primary") still ??= place.path.slice(place.path.lastIndexOf("/") + 1);
      taken.set(pathKey(place.path, traits), { file: id, size });
      return { file: id, path: place.path };
    });
  });
}

const folderOf = (parsed: FolderTemplate, album: string) => (asset: Asset) =>
  renderFolder(parsed, { capturedAt: asset.capturedAt, timeZoneOffset: 0, album, library: asset.library });

const traits = fc.record({ caseInsensitive: fc.boolean(), normalising: fc.boolean() });
const world = fc.tuple(assets, template, name, naming, traits);

describe("whatever names, albums, templates and file systems", () => {
  test("no file leads out of the download folder, and every name fits the disk", () => {
    fc.assert(
      fc.property(world, ([list, [text, category], album, settings, disk]) => {
        const parsed = parseTemplate(text, category);
        for (const { path } of placeAll(list.map(assetOf), folderOf(parsed, album), settings, disk, new Map())) {
          expect(resolve("/root", path).startsWith(`/root${sep}`)).toBe(true);
          for (const part of path.split("/")) {
            expect(["", ".", ".."]).not.toContain(part);
            expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
            expect(part).not.toMatch(/[\u0000-\u001f\u007f-\u009f\\:*?"<>|]/);
          }
        }
      }),
      RUNS,
    );
  });

  test("no two files share a path, also where the disk folds case or composes letters", () => {
    fc.assert(
      fc.property(world, ([list, [text, category], album, settings, disk]) => {
        const placed = placeAll(
          list.map(assetOf),
          folderOf(parseTemplate(text, category), album),
          settings,
          disk,
          new Map(),
        );
        expect(new Set(placed.map(({ path }) => pathKey(path, disk))).size).toBe(placed.length);
      }),
      RUNS,
    );
  });

  test("planning again changes no name, also when the disk tells its names in another form", () => {
    fc.assert(
      fc.property(world, fc.constantFrom("NFC", "NFD"), ([list, [text, category], album, settings, disk], form) => {
        const all = list.map(assetOf);
        const folder = folderOf(parseTemplate(text, category), album);
        const taken = new Map<string, { file: string; size: number }>();
        const first = placeAll(all, folder, settings, disk, taken);
        // What a listing of such a disk would tell of the same files.
        const told = new Map(
          first.map(({ path, file }) => {
            const normal = disk.normalising ? path.normalize(form) : path;
            const key = pathKey(disk.caseInsensitive ? normal.toLowerCase() : normal, disk);
            return [key, { file, size: taken.get(pathKey(path, disk))?.size ?? 0 }];
          }),
        );
        expect(placeAll(all, folder, settings, disk, told)).toEqual(first);
      }),
      RUNS,
    );
  });

  test("a new photo takes no name from those before it", () => {
    fc.assert(
      fc.property(world, ([list, [text, category], album, settings, disk]) => {
        const all = list.map(assetOf);
        const folder = folderOf(parseTemplate(text, category), album);
        const whole = placeAll(all, folder, settings, disk, new Map());
        const before = placeAll(all.slice(0, -1), folder, settings, disk, new Map());
        expect(whole.slice(0, before.length)).toEqual(before);
      }),
      RUNS,
    );
  });
});
