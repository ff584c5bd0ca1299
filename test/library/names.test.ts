import { describe, expect, test } from "bun:test";
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
import { chooseFiles, DEFAULT_RENDITIONS, type RenditionSettings } from "../../src/library/choose.ts";
import { cleanComponent, cleanName } from "../../src/library/clean.ts";
import { fileName, type NamingSettings } from "../../src/library/names.ts";
import { pathKey } from "../../src/library/pathkey.ts";
import { choosePlace, type Occupant } from "../../src/library/place.ts";

const NAMING: NamingSettings = {
  ...DEFAULT_RENDITIONS,
  keepUnicode: false,
  fileMatchPolicy: "name-size-dedup-with-suffix",
  livePhotoMovNaming: "suffix",
};

function resource(uti: string, size = 10, url = `https://cvws.icloud-content.com/${uti}/${size}`): Resource {
  return { checksum: "x" as AppleChecksum, size, url, uti, width: undefined, height: undefined };
}

function asset(filename: string | undefined, renditions: Partial<Record<Rendition, Resource>>, id = "ASSET"): Asset {
  const live = Object.keys(renditions).some((rendition) => rendition.startsWith("live_"));
  return {
    library: "PrimarySync" as ZoneName,
    id: id as AssetId,
    masterId: "MASTER" as MasterId,
    filename,
    itemType: "public.heic",
    kind: live ? "live-photo" : "photo",
    capturedAt: 0,
    timeZoneOffset: 0,
    addedAt: undefined,
    isFavorite: false,
    isHidden: false,
    isDeleted: false,
    changeTag: undefined,
    renditions,
    defects: [],
  };
}

function namesOf(from: Asset, settings: Partial<NamingSettings> = {}): string[] {
  const naming = { ...NAMING, ...settings };
  let still: string | undefined;
  return chooseFiles(from, naming).map((file) => {
    const name = fileName(from, file, naming, still);
    if (file.role === "primary") still = name;
    return name;
  });
}

const HEIC = resource("public.heic");
const MOTION = resource("com.apple.quicktime-movie");
const LIVE = { original: HEIC, live_original: MOTION };

describe("a file name", () => {
  test("keeps a suffix whole where the name is too long for it", () => {
    const [still, motion] = namesOf(asset(`${"a".repeat(300)}.heic`, LIVE));
    expect(still).toBe(`${"a".repeat(250)}.HEIC`);
    expect(motion).toBe(`${"a".repeat(246)}_HEVC.MOV`);
    const [marked] = namesOf(asset(`${"a".repeat(300)}.heic`, { original: HEIC, medium: resource("public.jpeg") }), {
      resolutions: ["medium"],
      fileMatchPolicy: "name-id7",
    });
    expect(marked).toEndWith("-medium_TUFTVEV.JPG");
    expect(Buffer.byteLength(marked ?? "")).toBe(255);
  });

  test("is never that of a folder above", () => {
    const odd = resource("public.mpeg-4");
    for (const name of ["..", ".", "...", "../..", "/..", "", " "]) {
      const [still] = namesOf(asset(name, { original: odd }));
      expect(still).not.toBeOneOf([".", "..", ""]);
      expect(still).not.toContain("/");
    }
  });

  test("comes from the identity of the original, so two tools and two copies agree", () => {
    const one = namesOf(asset(undefined, LIVE, "ONE"));
    expect(one).toEqual(namesOf(asset("", LIVE, "TWO")));
    expect(one[0]).toMatch(/^[0-9a-f]{12}\.HEIC$/);
    expect(one[1]).toBe(`${one[0]?.slice(0, 12)}_HEVC.MOV`);
  });

  test("of an edited Live Photo's video is that of a video, whatever type Apple names", () => {
    const renditions = { ...LIVE, live_adjusted: resource("public.mpeg-4", 11) };
    expect(namesOf(asset("IMG_1.HEIC", renditions), { edited: true })).toContain("IMG_1_edited.MOV");
  });

  test("of a video whose still is not wanted comes from the photo's own name", () => {
    expect(namesOf(asset("IMG_1.heic", LIVE), { livePhotoMode: "video-only" })).toEqual(["IMG_1_HEVC.MOV"]);
    const renditions = { ...LIVE, live_adjusted: resource("com.apple.quicktime-movie", 11) };
    const primary: Partial<NamingSettings> = { edited: true, editedNaming: "primary", livePhotoMode: "video-only" };
    expect(namesOf(asset("IMG_1.heic", renditions), primary)).toEqual(["IMG_1_HEVC.MOV", "IMG_1_HEVC_original.MOV"]);
  });

  test("holds no separator, fits the disk and means no other folder, whatever Apple sends", () => {
    const uti = fc.constantFrom("public.heic", "public.jpeg", "public.mpeg-4", "com.apple.quicktime-movie", "x.raw-y");
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.stringMatching(/^[./\\ \t\n]{0,12}$/),
      fc.constantFrom("..", ".", "../../etc/passwd", "CON", "日".repeat(200)),
    );
    fc.assert(
      fc.property(name, uti, fc.boolean(), fc.boolean(), fc.boolean(), (filename, type, keepUnicode, id7, windows) => {
        const names = namesOf(asset(filename, { ...LIVE, original: resource(type), adjusted: resource(type, 3) }), {
          keepUnicode,
          windows,
          edited: true,
          fileMatchPolicy: id7 ? "name-id7" : "name-size-dedup-with-suffix",
        });
        for (const leaf of names) {
          expect(leaf).not.toBeOneOf(["", ".", ".."]);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
          expect(leaf).not.toMatch(/[/\\:*?"<>|\u0000-\u001f\u007f-\u009f]/);
          expect(Buffer.byteLength(leaf)).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("names for Windows", () => {
  test("avoid devices, and dots and blanks at the end", () => {
    expect(cleanName("CON.jpg", { windows: true })).toBe("_CON.jpg");
    expect(cleanName("lpt1", { windows: true })).toBe("_lpt1");
    expect(cleanName("COM10.jpg", { windows: true })).toBe("COM10.jpg");
    expect(cleanName("photo. ", { windows: true })).toBe("photo");
    expect(cleanName("...", { windows: true })).toBe("_");
    expect(cleanName("CON.jpg")).toBe("CON.jpg");
    expect(cleanComponent("nul.x", { windows: true })).toBe("_nul.x");
  });
});

describe("the files of an asset", () => {
  const choose = (from: Asset, settings: Partial<RenditionSettings>): string[] =>
    chooseFiles(from, { ...DEFAULT_RENDITIONS, ...settings }).map((file) => `${file.role}:${file.rendition}`);

  test("leave out what one URL offers twice", () => {
    const same = resource("public.heic", 10, "https://cvws.icloud-content.com/same");
    const twice = asset("IMG_1.HEIC", { original: same, adjusted: { ...same, size: 11 } });
    expect(choose(twice, { edited: true })).toEqual(["primary:original"]);
  });

  test("bear the name of what they really are when a RAW pair is swapped", () => {
    const pair = asset("DSC_1.JPG", {
      original: resource("public.jpeg"),
      alternative: resource("com.adobe.raw-image"),
    });
    expect(choose(pair, { rawPolicy: "prefer-raw", alternative: true })).toEqual([
      "primary:alternative",
      "alternative:original",
    ]);
  });

  test("follow the Live Photo mode, extras too", () => {
    const renditions = { ...LIVE, adjusted: resource("public.heic", 2), live_adjusted: resource("public.mpeg-4", 3) };
    const live = asset("IMG_1.HEIC", renditions);
    expect(choose(live, { edited: true, livePhotoMode: "image-only" })).toEqual([
      "primary:original",
      "edited:adjusted",
    ]);
    expect(choose(live, { edited: true, livePhotoMode: "video-only" })).toEqual([
      "edited-motion:live_adjusted",
      "motion:live_original",
    ]);
    expect(choose(live, { edited: true, livePhotoMode: "skip" })).toEqual([]);
  });
});

describe("a taken name", () => {
  const request = {
    folder: "2024",
    leaf: "IMG_1.JPG",
    role: "primary",
    size: 200,
    assetId: "A/B" as AssetId,
    policy: "name-size-dedup-with-suffix",
  } as const;
  const other = (size: number): Occupant => ({ by: "other-asset", size, sameContent: false, otherLibrary: false });
  const among = (taken: Readonly<Record<string, Occupant>>) => (path: string) => taken[path];

  test("gives way to the size, then to the identity, then to ordinals from 2", () => {
    const taken: Record<string, Occupant> = {};
    const names = [];
    for (let count = 0; count < 5; count += 1) {
      const place = choosePlace(request, among(taken));
      names.push(place.path);
      taken[place.path] = other(100);
    }
    expect(names).toEqual([
      "2024/IMG_1.JPG",
      "2024/IMG_1-200.JPG",
      "2024/IMG_1-A_B.JPG",
      "2024/IMG_1-A_B-2.JPG",
      "2024/IMG_1-A_B-3.JPG",
    ]);
  });

  test("goes to the identity at once when the sizes are equal, and when it is a video half", () => {
    expect(choosePlace(request, among({ "2024/IMG_1.JPG": other(200) })).path).toBe("2024/IMG_1-A_B.JPG");
    const motion = { ...request, role: "motion" as const };
    expect(choosePlace(motion, among({ "2024/IMG_1.JPG": other(100) })).path).toBe("2024/IMG_1-A_B.JPG");
  });

  test("counts two empty sizes as no likeness", () => {
    const empty = { ...request, size: 0 };
    expect(choosePlace(empty, among({ "2024/IMG_1.JPG": other(0) })).path).toBe("2024/IMG_1-0.JPG");
  });

  test("is taken over from a stray file that proves to be the same", () => {
    const taken = among({ "2024/IMG_1.JPG": { by: "stray-file", size: 200, sameContent: true } });
    expect(choosePlace(request, taken)).toEqual({ how: "adopt", otherSpelling: false, path: "2024/IMG_1.JPG" });
  });

  test("is never a folder's", () => {
    expect(choosePlace(request, among({ "2024/IMG_1.JPG": { by: "not-a-file" } }))).toEqual({
      how: "free",
      path: "2024/IMG_1-200.JPG",
    });
  });

  test("is shared by one photo in two libraries", () => {
    const taken = among({ "2024/IMG_1.JPG": { ...other(200), sameContent: true, otherLibrary: true } as Occupant });
    expect(choosePlace(request, taken)).toEqual({ how: "share", path: "2024/IMG_1.JPG" });
  });
});

describe("the key of a path", () => {
  test("folds case and composition only where the disk does", () => {
    const exact = { caseInsensitive: false, normalising: false };
    expect(pathKey("A/é.JPG", exact)).not.toBe(pathKey("a/é.jpg", exact));
    expect(pathKey("é", exact)).not.toBe(pathKey("e\u0301", exact));
    expect(pathKey("é", { ...exact, normalising: true })).toBe(pathKey("e\u0301", { ...exact, normalising: true }));
    expect(pathKey("ÀB", { ...exact, caseInsensitive: true })).toBe(pathKey("àb", { ...exact, caseInsensitive: true }));
  });
});

test("a size can be forced, a version can't: photos that were never edited are saved with --size adjusted all the same", () => {
  const plain = asset("IMG_1.HEIC", { original: HEIC, live_original: MOTION });
  const force = { forceResolution: true };
  expect(namesOf(plain, { ...force, resolutions: ["adjusted"], liveResolution: "adjusted" })).toEqual([
    "IMG_1.HEIC",
    "IMG_1_HEVC.MOV",
  ]);
  expect(namesOf(plain, { ...force, resolutions: ["alternative"] })).toEqual(["IMG_1.HEIC", "IMG_1_HEVC.MOV"]);
  expect(namesOf(plain, { ...force, resolutions: ["medium"], liveResolution: "medium" })).toEqual([]);
});
