/** Which photos are saved: albums, smart folders, libraries, and the filters; each photo left out has its rule. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AddedAsset, type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { Home, type KeiResult } from "../support/kei.ts";

const DAY = 86_400_000;
const HEIC = "public.heic";
const MOVIE = "com.apple.quicktime-movie";

let double: Double;
let home: Home;
let library: PhotoLibrary;

beforeEach(() => {
  library = new PhotoLibrary({ seed: 4 });
});

afterEach(async () => {
  await double.stop();
  home.remove();
});

async function begin(): Promise<void> {
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
  double.log.clear();
}

const photo = (name: string, taken: string, more: Parameters<PhotoLibrary["addAsset"]>[0] = {}): AddedAsset =>
  library.addAsset({ filename: `${name}.JPG`, content: 900, assetDate: Date.parse(taken), ...more });

/** One run; its outcome, and what it left out by which rule. */
async function sync(...args: readonly string[]): Promise<KeiResult & { readonly skipped: Record<string, number> }> {
  const report = join(home.root, "report.json");
  const result = await home.fast(["sync", "-d", home.photos, "--report-json", report, ...args]);
  const { stats } = JSON.parse(readFileSync(report, "utf8")) as {
    stats: { assets_seen: number; downloaded: number; skipped: Record<string, number> };
  };
  const skipped = Object.fromEntries(Object.entries(stats.skipped).filter(([, count]) => count > 0));
  return { ...result, skipped };
}

const refused = (...args: readonly string[]): Promise<KeiResult> => home.fast(["sync", "-d", home.photos, ...args]);

describe("albums", () => {
  beforeEach(async () => {
    const rome = library.createAlbum({ name: "Rome" });
    const odd = library.createAlbum({ name: "all" });
    const folder = library.createFolder("Trips");
    const nested = library.createAlbum({ name: "Oslo", parent: folder });
    library.addToAlbum(photo("R1", "2024-05-01T10:00:00Z"), rome);
    library.addToAlbum(photo("A1", "2024-05-02T10:00:00Z"), odd);
    library.addToAlbum(photo("O1", "2024-05-03T10:00:00Z"), nested);
    photo("U1", "2024-05-04T10:00:00Z");
    await begin();
  });

  const cases: ReadonlyArray<readonly [string, readonly string[], readonly string[]]> = [
    ["all by default, and the rest by date", [], ["2024/05/04/U1.JPG", "Oslo/O1.JPG", "Rome/R1.JPG", "all/A1.JPG"]],
    ["one by name; the members of others stay out of the rest", ["-a", "Rome"], ["2024/05/04/U1.JPG", "Rome/R1.JPG"]],
    ["one without the rest", ["-a", "Rome", "--unfiled=false"], ["Rome/R1.JPG"]],
    ["one by its literal name", ["-a", "=all", "--unfiled=false"], ["all/A1.JPG"]],
    ["one by the path of its folder", ["-a", "Trips/Oslo", "--unfiled=false"], ["Oslo/O1.JPG"]],
    ["all but one", ["-a", "!Rome"], ["2024/05/04/U1.JPG", "Oslo/O1.JPG", "all/A1.JPG"]],
    [
      "none: then the whole library is one tree",
      ["-a", "none"],
      ["2024/05/01/R1.JPG", "2024/05/02/A1.JPG", "2024/05/03/O1.JPG", "2024/05/04/U1.JPG"],
    ],
    ["none, and no rest either: nothing to do", ["-a", "none", "--unfiled=false"], []],
  ];
  test.each(cases)("are saved: %s", async (_what, args, files) => {
    const result = await sync(...args);
    expect([result.code, await home.files()]).toEqual([0, [...files]]);
  });

  test("that do not exist are an error that names the nearest, before anything is saved", async () => {
    for (const name of ["Roma", "!Roma"]) {
      const result = await refused("-a", name);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('There is no album "Roma"');
      expect(result.stderr).toContain('"Rome"');
    }
    const smart = await refused("-a", "Favorites");
    expect(smart.stderr).toContain("--smart-folder");
    expect(await home.files()).toEqual([]);
  });

  test("are looked for although another library was chosen for the rest", async () => {
    const shared = library.addSharedLibrary("owner");
    library.addAsset({
      filename: "S1.JPG",
      content: 900,
      zone: shared.name,
      assetDate: Date.parse("2024-05-05T10:00:00Z"),
    });
    expect((await sync("--library", "shared", "-a", "Rome")).code).toBe(0);
    expect(await home.files()).toEqual(["2024/05/05/S1.JPG", "Rome/R1.JPG"]);
  });
});

describe("smart folders", () => {
  beforeEach(async () => {
    photo("F1", "2024-05-01T10:00:00Z", { favorite: true });
    photo("H1", "2024-05-02T10:00:00Z", { hidden: true });
    photo("D1", "2024-05-03T10:00:00Z", { deletedAt: Date.parse("2024-05-09T10:00:00Z") });
    photo("U1", "2024-05-04T10:00:00Z");
    library.addAsset({ filename: "V1.MOV", uti: MOVIE, content: 900, assetDate: Date.parse("2024-05-05T10:00:00Z") });
    await begin();
  });

  const cases: ReadonlyArray<readonly [string, readonly string[], readonly string[]]> = [
    ["none by default", [], []],
    ["one by name", ["Favorites"], ["Favorites/F1.JPG"]],
    ["all, without what is out of sight", ["all"], ["Favorites/F1.JPG", "Videos/V1.MOV"]],
    ["all but one", ["!Videos"], ["Favorites/F1.JPG"]],
    ["hidden ones when asked for", ["Hidden"], ["Hidden/H1.JPG"]],
    [
      "all with what is out of sight",
      ["all-with-sensitive"],
      ["Favorites/F1.JPG", "Hidden/H1.JPG", "Recently Deleted/D1.JPG", "Videos/V1.MOV"],
    ],
  ];
  test.each(cases)("are saved beside the rest: %s", async (_what, selectors, files) => {
    const result = await sync(...selectors.flatMap((selector) => ["--smart-folder", selector]));
    const rest = ["2024/05/01/F1.JPG", "2024/05/04/U1.JPG", "2024/05/05/V1.MOV"];
    expect([result.code, await home.files()]).toEqual([0, [...rest, ...files]]);
    expect(double.log.count("cdn")).toBe(new Set([...rest, ...files].map((file) => file.split("/").at(-1))).size);
  });

  test("have folders of their own by a template", async () => {
    const args = ["--smart-folder", "Favorites", "--folder-structure-smart-folders", "{smart-folder}/%Y"];
    expect((await sync(...args, "--unfiled=false")).code).toBe(0);
    expect(await home.files()).toEqual(["Favorites/2024/F1.JPG"]);
  });

  test("that do not exist are an error with those that do; one that is only left out is a warning", async () => {
    const wrong = await refused("--smart-folder", "Selfies");
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toContain("Time-lapse");
    const excluded = await sync("--smart-folder", "!Selfies", "--unfiled=false");
    expect(excluded.code).toBe(0);
    expect(excluded.stderr).toContain('no smart folder "Selfies" to leave out');
  });
});

describe("libraries", () => {
  const own = ["2024/05/01/P1.JPG"];
  const theirs = ["2024/05/02/S1.JPG"];

  const cases: ReadonlyArray<readonly [string, readonly string[], readonly string[]]> = [
    ["the own one by default", [], own],
    ["the shared one", ["shared"], theirs],
    ["both", ["all"], [...own, ...theirs]],
    ["both, named", ["primary", "shared"], [...own, ...theirs]],
    ["all but the shared one", ["all", "!SHORT"], own],
    ["one by its short name", ["SHORT"], theirs],
    ["one by its whole name", ["ZONE"], theirs],
  ];
  for (const role of ["owner", "participant"] as const) {
    test.each(cases)(`are saved by who is ${role} of the shared one: %s`, async (_what, selectors, files) => {
      // Zones that are no libraries: nobody may ask them for anything.
      library.addDecoys();
      const shared = library.addSharedLibrary(role);
      photo("P1", "2024-05-01T10:00:00Z");
      library.addAsset({
        filename: "S1.JPG",
        content: 901,
        zone: shared.name,
        assetDate: Date.parse("2024-05-02T10:00:00Z"),
      });
      await begin();
      const named = selectors.map((value) =>
        value.replace("SHORT", shared.name.slice(0, 19)).replace("ZONE", shared.name),
      );
      const result = await sync(...named.flatMap((value) => ["--library", value]));
      expect([result.code, await home.files()]).toEqual([0, [...files]]);
    });
  }

  for (const role of ["owner", "participant"] as const) {
    test(`and their photos in own albums, for who is ${role}: they come into the album's folder, fetched once`, async () => {
      const shared = library.addSharedLibrary(role);
      const album = library.createAlbum({ name: "Rome" });
      library.addToAlbum(photo("P1", "2024-05-01T10:00:00Z"), album);
      const theirs = library.addAsset({
        filename: "S1.JPG",
        content: 901,
        zone: shared.name,
        assetDate: Date.parse("2024-05-02T10:00:00Z"),
      });
      library.addAsset({
        filename: "S2.JPG",
        content: 902,
        zone: shared.name,
        assetDate: Date.parse("2024-05-03T10:00:00Z"),
      });
      library.addToAlbum(theirs, album);
      await begin();
      const without = await sync();
      expect(without.code).toBe(0);
      expect(without.stderr).toContain('left out: 1 photo of the album "Rome", in a library that is not selected');
      expect(await home.files()).toEqual(["Rome/P1.JPG"]);
      expect((await sync("--library", "all")).code).toBe(0);
      const files = ["2024/05/03/S2.JPG", "Rome/P1.JPG", "Rome/S1.JPG"];
      expect(await home.files()).toEqual(files);
      // Once the memberships are known, only what changed is asked for.
      double.log.clear();
      const again = await sync("--library", "all");
      expect(again.stderr).toContain("Nothing new");
      expect(double.log.count("cdn")).toBe(0);
      // Out of the album: its file stays, and the photo comes to the rest.
      library.removeFromAlbum(theirs, album);
      expect((await sync("--library", "all")).code).toBe(0);
      expect(await home.files()).toEqual(["2024/05/02/S1.JPG", ...files]);
      expect(double.log.count("cdn")).toBe(0);
      expect(again.stderr).not.toContain("does not add up");
    });
  }

  test("share one tree unless the template parts them, which is said", async () => {
    const shared = library.addSharedLibrary("owner");
    photo("P1", "2024-05-01T10:00:00Z");
    library.addAsset({
      filename: "S1.JPG",
      content: 901,
      zone: shared.name,
      assetDate: Date.parse("2024-05-02T10:00:00Z"),
    });
    await begin();
    const merged = await sync("--library", "all");
    expect(merged.stderr).toContain("several libraries share one tree");
    const parted = await sync("--library", "all", "--folder-structure", "{library}/%Y");
    expect(parted.stderr).not.toContain("several libraries share one tree");
  });

  test("have folders of their own by the template", async () => {
    const shared = library.addSharedLibrary("owner");
    photo("P1", "2024-05-01T10:00:00Z");
    library.addAsset({
      filename: "P1.JPG",
      content: 901,
      zone: shared.name,
      assetDate: Date.parse("2024-05-01T10:00:00Z"),
    });
    await begin();
    expect((await sync("--library", "all", "--folder-structure", "{library}/%Y")).code).toBe(0);
    expect(await home.files()).toEqual(["PrimarySync/2024/P1.JPG", `${shared.name.slice(0, 19)}/2024/P1.JPG`]);
  });

  test("that do not exist are an error with those that do", async () => {
    photo("P1", "2024-05-01T10:00:00Z");
    await begin();
    for (const name of ["shared", "SharedSync-12345678"]) {
      const result = await refused("--library", name);
      expect([result.code, result.stderr.includes("PrimarySync")]).toEqual([1, true]);
    }
  });
});

describe("filters", () => {
  beforeEach(async () => {
    const live = { uti: HEIC, motion: { uti: MOVIE, content: 700 } };
    photo("P1", "2024-05-01T10:00:00Z");
    library.addAsset({ ...live, filename: "L1.HEIC", content: 800, assetDate: Date.parse("2024-06-01T10:00:00Z") });
    library.addAsset({ filename: "V1.MOV", uti: MOVIE, content: 900, assetDate: Date.parse("2024-07-01T10:00:00Z") });
    // New Year's Eve where it was taken, though not in London.
    photo("N1", "2024-12-31T23:30:00Z", { timeZoneOffset: 3600 });
    photo("Screenshot 1", "2023-01-01T10:00:00Z");
    await begin();
  });

  const cases: ReadonlyArray<
    readonly [
      string,
      { readonly args?: readonly string[]; readonly toml?: string },
      readonly string[],
      Record<string, number>,
    ]
  > = [
    ["nothing", {}, ["L1.HEIC", "L1_HEVC.MOV", "N1.JPG", "P1.JPG", "Screenshot 1.JPG", "V1.MOV"], {}],
    [
      "videos",
      { args: ["--skip-videos"] },
      ["L1.HEIC", "L1_HEVC.MOV", "N1.JPG", "P1.JPG", "Screenshot 1.JPG"],
      { by_media_type: 1 },
    ],
    ["photos", { args: ["--skip-photos"] }, ["L1.HEIC", "L1_HEVC.MOV", "V1.MOV"], { by_media_type: 3 }],
    ["all but videos", { toml: '[filters]\nmedia = ["videos"]\n' }, ["V1.MOV"], { by_media_type: 4 }],
    [
      "the videos of Live Photos",
      { args: ["--live-photo-mode", "image-only"] },
      ["L1.HEIC", "N1.JPG", "P1.JPG", "Screenshot 1.JPG", "V1.MOV"],
      {},
    ],
    [
      "the stills of Live Photos",
      { args: ["--live-photo-mode", "video-only"] },
      ["L1_HEVC.MOV", "N1.JPG", "P1.JPG", "Screenshot 1.JPG", "V1.MOV"],
      {},
    ],
    [
      "Live Photos",
      { args: ["--live-photo-mode", "skip"] },
      ["N1.JPG", "P1.JPG", "Screenshot 1.JPG", "V1.MOV"],
      { by_live_photo: 1 },
    ],
    [
      "what is older than a day",
      { args: ["--skip-created-before", "2024-06-01"] },
      ["L1.HEIC", "L1_HEVC.MOV", "N1.JPG", "V1.MOV"],
      { by_date_range: 2 },
    ],
    [
      "what is newer than a day, as the calendar showed it there",
      { args: ["--skip-created-after", "2024-12-31"] },
      ["L1.HEIC", "L1_HEVC.MOV", "P1.JPG", "Screenshot 1.JPG", "V1.MOV"],
      { by_date_range: 1 },
    ],
    [
      "what is newer than a moment",
      { args: ["--skip-created-after", "2024-06-01T09:59:59"] },
      ["P1.JPG", "Screenshot 1.JPG"],
      { by_date_range: 3 },
    ],
    [
      "what lies outside a range",
      { args: ["--skip-created-before", "2024-01-01", "--skip-created-after", "2024-06-30"] },
      ["L1.HEIC", "L1_HEVC.MOV", "P1.JPG"],
      { by_date_range: 3 },
    ],
    [
      "names",
      { args: ["--filename-exclude", "screen*", "--filename-exclude", "[l-p]?.*"] },
      ["V1.MOV"],
      { by_filename: 4 },
    ],
    [
      "names, in one value",
      { args: ["--filename-exclude", "*.mov,*.heic"] },
      ["N1.JPG", "P1.JPG", "Screenshot 1.JPG"],
      { by_filename: 2 },
    ],
    [
      "several things, each under the first rule that fits",
      { args: ["--skip-videos", "--skip-created-before", "2024-05-02", "--filename-exclude", "*"] },
      [],
      { by_media_type: 1, by_date_range: 2, by_filename: 2 },
    ],
  ];
  test.each(cases)("leave out %s", async (_what, { args = [], toml }, files, skipped) => {
    if (toml !== undefined) {
      mkdirSync(home.data, { recursive: true });
      writeFileSync(join(home.data, "config.toml"), toml);
    }
    const result = await sync("--folder-structure", "none", ...args);
    expect([result.code, await home.files(), result.skipped]).toEqual([0, [...files], skipped]);
    expect(result.stderr).not.toContain("does not add up");
  });

  test("take effect again when they change: nothing is fetched twice, nothing is deleted", async () => {
    await sync("--folder-structure", "none", "--skip-videos");
    const fetched = double.log.count("cdn");
    await sync("--folder-structure", "none");
    expect(double.log.count("cdn")).toBe(fetched + 1);
    await sync("--folder-structure", "none", "--skip-photos");
    expect(double.log.count("cdn")).toBe(fetched + 1);
    expect(await home.files()).toHaveLength(6);
  });

  const contradictions: ReadonlyArray<readonly [string, readonly string[], string]> = [
    [
      "only Live Photos, and those skipped",
      ["--skip-photos", "--skip-videos", "--live-photo-mode", "skip"],
      "Nothing would be saved",
    ],
    ["no size, and no version", ["--size", "none"], "nothing would be saved"],
    ["two beginnings", ["--recent", "30d", "--skip-created-before", "2024-01-01"], "two beginnings"],
    ["a scope without a number", ["--recent", "30d", "--recent-scope", "per-filter"], "recent_scope"],
  ];
  test.each(contradictions)("refuse %s", async (_what, args, words) => {
    const result = await refused(...args);
    expect([result.code, result.stderr.includes(words)]).toEqual([1, true]);
    expect(double.log.all).toHaveLength(0);
  });

  const wrong: ReadonlyArray<readonly [readonly string[], string]> = [
    [["--skip-created-before", "20D"], "2024-12-31, 2024-12-31T18:00:00 or 30d"],
    [["--skip-created-after", "2024-02-30"], "is no date"],
    [["--recent", "3w"], "neither a number of photos"],
    [["--recent", "0"], "neither a number of photos"],
    [["--filename-exclude", "a["], "never closed"],
    [["--filename-exclude", "***"], "means nothing"],
    [["--size", "large"], "is none of original"],
    [["--size", "none", "--size", "original"], "contradict"],
    [["--live-photo-mode", "both-ways"], "is none of both"],
    [["--skip-live-photos"], "--live-photo-mode"],
    [["--folder-structure", "{album}/%Y"], "folder_structure_albums"],
  ];
  test.each(wrong)("and names refuse a bad value: %p", async (args, words) => {
    const result = await refused(...args);
    expect([result.code, result.stderr.includes(words)]).toEqual([64, true]);
  });

  test("warn about a range that nothing can lie in", async () => {
    const result = await sync("--skip-created-before", "2024-06-01", "--skip-created-after", "2024-01-01");
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("nothing will match");
    expect(await home.files()).toEqual([]);
  });
});

describe("the most recent photos", () => {
  /** Added in the order of their numbers, taken in another. */
  beforeEach(async () => {
    const start = Date.parse("2024-05-01T10:00:00Z");
    const album = library.createAlbum({ name: "A" });
    for (let number = 1; number <= 8; number += 1) {
      const taken = new Date(start - number * DAY).toISOString();
      const added = photo(`P${number}`, taken, { addedDate: start + number * DAY });
      if (number % 2 === 0) library.addToAlbum(added, album);
    }
    photo("H", "2024-06-01T10:00:00Z", { hidden: true, addedDate: start + 99 * DAY });
    await begin();
  });

  test("are those that came to iCloud last, wherever they are", async () => {
    const result = await sync("--recent", "3", "--folder-structure", "none");
    expect(result.code).toBe(0);
    expect(await home.files()).toEqual(["A/P6.JPG", "A/P8.JPG", "P7.JPG"]);
  });

  test("are counted in each album and in the rest when that was asked for", async () => {
    const result = await sync("--recent", "3", "--recent-scope", "per-filter", "--folder-structure", "none");
    expect(result.code).toBe(0);
    expect(await home.files()).toEqual(["A/P4.JPG", "A/P6.JPG", "A/P8.JPG", "P3.JPG", "P5.JPG", "P7.JPG"]);
    expect(result.stderr).not.toContain("does not add up");
  });

  test("do not make the next run believe that it has seen everything", async () => {
    await sync("--recent", "1", "--album", "none", "--folder-structure", "none");
    expect(await home.files()).toEqual(["P8.JPG"]);
    await sync("--album", "none", "--folder-structure", "none");
    expect(await home.files()).toHaveLength(8);
  });

  test("are all there are when the number is larger", async () => {
    const result = await sync("--recent", "100", "--album", "none", "--folder-structure", "none");
    expect(result.skipped).toEqual({});
    expect(await home.files()).toHaveLength(8);
  });
});
