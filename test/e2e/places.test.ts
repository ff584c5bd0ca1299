/** One photo in several places, and places whose albums, versions and names change: what is on disk stays. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createLibrary, type Double, expectedFiles, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { checksums, Home, inodes, type KeiResult } from "../support/kei.ts";

const HEIC = "public.heic";
const JPEG = "public.jpeg";
const MOVIE = "com.apple.quicktime-movie";
const TAKEN = Date.parse("2024-05-01T10:00:00Z");

let double: Double;
let home: Home;

async function begin(library: PhotoLibrary): Promise<void> {
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
  double.log.clear();
}

afterEach(async () => {
  await double.stop();
  home.remove();
});

const sync = (...args: readonly string[]): Promise<KeiResult> => home.fast(["sync", "-d", home.photos, ...args]);
const fetched = (): number => double.log.count("cdn");

function refuse(match: (request: { assetIds: readonly string[]; prefix: string }) => boolean): void {
  double.photos.cdnFaults.inject({ kind: "status", status: 404, match, times: Number.POSITIVE_INFINITY });
}

function config(text: string): void {
  mkdirSync(home.data, { recursive: true });
  writeFileSync(join(home.data, "config.toml"), text);
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(home.photos, path)), { recursive: true });
  writeFileSync(join(home.photos, path), bytes);
}

describe("500 photos in 10 overlapping albums", () => {
  const library = () =>
    createLibrary({
      seed: 9,
      assets: 500,
      bytes: 4096,
      albums: { count: 10, members: 120 },
      mix: { jpeg: 1 },
      derivatives: false,
    });

  /** Bytes of disk space below the download folder: a file under two names counts once. */
  async function used(): Promise<number> {
    const sizes = new Map<number, number>();
    for (const path of await home.files()) {
      const { ino, size } = statSync(join(home.photos, path));
      sizes.set(ino, size);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  test.each([
    ["link", "are stored once"],
    ["copy", "are stored at each place"],
  ])(
    "with album_copies = %s are fetched once and %s; a second run does nothing",
    async (policy) => {
      await begin(library());
      const files = expectedFiles(double.library);
      const bytes = files.reduce((sum, file) => sum + file.size, 0);
      const places = files.reduce((sum, file) => sum + Math.max(1, file.albums.length), 0);
      expect(places).toBeGreaterThan(files.length * 2);

      const report = join(home.root, "report.json");
      const first = await sync("--album-copies", policy, "--report-json", report);
      expect(first.code).toBe(0);
      const { stats } = (await Bun.file(report).json()) as { stats: { bytes_downloaded: number } };
      expect([fetched(), stats.bytes_downloaded]).toEqual([files.length, bytes]);
      expect(await home.files()).toHaveLength(places);
      const seen = await checksums(home.photos);
      expect(new Set(seen.values())).toEqual(new Set(files.map((file) => file.checksum)));
      expect(await used()).toBe(policy === "link" ? bytes : places * 4096);

      const before = await inodes(home.photos);
      expect((await sync("--album-copies", policy)).code).toBe(0);
      expect(fetched()).toBe(files.length);
      expect(await inodes(home.photos)).toEqual(before);
    },
    30_000,
  );
});

describe("an album", () => {
  test("that is renamed keeps its files; new photos come under the new name", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const album = library.createAlbum({ name: "Rome" });
    library.addToAlbum(library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN }), album);
    await begin(library);
    await sync();
    library.renameAlbum(album, "Roma");
    library.addToAlbum(library.addAsset({ filename: "B.JPG", content: 901, assetDate: TAKEN }), album);
    expect((await sync()).code).toBe(0);
    expect(await home.files()).toEqual(["Roma/B.JPG", "Rome/A.JPG"]);
    expect(fetched()).toBe(2);
  });

  test("that a photo leaves keeps its file; the photo comes to the rest without being fetched", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const album = library.createAlbum({ name: "Rome" });
    const asset = library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN });
    library.addToAlbum(asset, album);
    await begin(library);
    await sync();
    library.removeFromAlbum(asset, album);
    expect((await sync()).code).toBe(0);
    expect(await home.files()).toEqual(["2024/05/01/A.JPG", "Rome/A.JPG"]);
    library.addToAlbum(asset, album);
    library.deleteAlbum(album);
    expect((await sync()).code).toBe(0);
    expect(await home.files()).toEqual(["2024/05/01/A.JPG", "Rome/A.JPG"]);
    expect(fetched()).toBe(1);
  });

  test("of a name that another one has shares its folder, and both have all their photos", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    for (const [index, name] of ["Rome", "Rome", "A:B", "A/B"].entries()) {
      const asset = library.addAsset({ filename: "A.JPG", content: 900 + index, assetDate: TAKEN });
      library.addToAlbum(asset, library.createAlbum({ name }));
    }
    await begin(library);
    expect((await sync()).code).toBe(0);
    expect(await home.files()).toHaveLength(4);
    expect((await home.files()).map((file) => dirname(file))).toEqual(["A_B", "A_B", "Rome", "Rome"]);
  });

  test("whose photos were not fetched yet leaves nothing waiting when it is no longer selected", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const album = library.createAlbum({ name: "Rome" });
    const asset = library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN });
    library.addToAlbum(asset, album);
    library.addAsset({ filename: "B.JPG", content: 901, assetDate: TAKEN });
    await begin(library);
    refuse(({ assetIds }) => assetIds.includes(asset.id));
    expect((await sync()).code).toBe(2);
    expect((await sync("--album", "!Rome")).code).toBe(0);
    const { stdout } = await home.fast(["status"]);
    expect(stdout).not.toMatch(/waiting|failed/);
  });
});

describe("versions", () => {
  const edited = { resJPEGFull: { uti: JPEG, content: 700 } };

  test("that are no longer wanted leave nothing waiting, and nothing is deleted", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    library.addAsset({
      filename: "A.HEIC",
      uti: HEIC,
      content: 900,
      assetDate: TAKEN,
      motion: { uti: MOVIE, content: 800 },
    });
    await begin(library);
    refuse(({ prefix }) => prefix === "resOriginalVidCompl");
    expect((await sync("--folder-structure", "none")).code).toBe(2);
    expect((await sync("--folder-structure", "none", "--live-photo-mode", "image-only")).code).toBe(0);
    const { stdout } = await home.fast(["status"]);
    expect(stdout).not.toMatch(/waiting|failed/);
    expect(await home.files()).toEqual(["A.HEIC"]);
  });

  test("keep their names: an edit that comes later does not take the plain name from its original", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const asset = library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN });
    await begin(library);
    config('[photos]\nedited = true\nedited_naming = "primary"\n');
    await sync("--folder-structure", "none");
    library.edit(asset, edited);
    expect((await sync("--folder-structure", "none")).code).toBe(0);
    expect(await home.files()).toEqual(["A.JPG", "A_edited.JPG"]);
    const kept = await inodes(home.photos);
    expect((await sync("--folder-structure", "none")).code).toBe(0);
    config("[photos]\nedited = true\n");
    expect((await sync("--folder-structure", "none")).code).toBe(0);
    library.revertEdit(asset);
    expect((await sync("--folder-structure", "none")).code).toBe(0);
    expect(await inodes(home.photos)).toEqual(kept);
    expect(fetched()).toBe(2);
  });

  test("that are edited again come beside the earlier ones", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const asset = library.addAsset({
      filename: "A.JPG",
      content: 900,
      assetDate: TAKEN,
      assetResources: edited,
      adjustmentType: "com.apple.photo",
    });
    await begin(library);
    config("[photos]\nedited = true\n");
    await sync("--folder-structure", "none");
    library.edit(asset, { resJPEGFull: { uti: JPEG, content: 701 } });
    expect((await sync("--folder-structure", "none")).code).toBe(0);
    expect(await home.files()).toEqual(["A.JPG", "A_edited-701.JPG", "A_edited.JPG"]);
  });

  test("of two copies of one photo with different edits are all saved under short ids", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    const first = library.addAsset({
      filename: "A.JPG",
      content: 900,
      assetDate: TAKEN,
      assetResources: edited,
      adjustmentType: "com.apple.photo",
    });
    const second = library.duplicate(first, { assetDate: TAKEN - 1000 });
    library.edit(second, { resJPEGFull: { uti: JPEG, content: 702 } });
    await begin(library);
    config("[photos]\nedited = true\n");
    const args = ["--folder-structure", "none", "--file-match-policy", "name-id7"];
    expect((await sync(...args)).code).toBe(0);
    const files = await home.files();
    // One original for both, and two edits that differ by the id of the photo.
    expect(files).toHaveLength(3);
    expect(files.every((file) => /^A(_edited)?_\w{7}\.JPG$/.test(file))).toBe(true);
    expect(new Set((await checksums(home.photos)).values()).size).toBe(3);
    expect((await sync(...args)).code).toBe(0);
    expect(await home.files()).toEqual(files);
  });

  test("that have a defect do not keep the others away, and are told", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN });
    await begin(library);
    // No version of the wanted size, and nothing in its place: left out, and no failure.
    const forced = await sync("--size", "thumb", "--force-size");
    expect(forced.code).toBe(0);
    expect(forced.stderr).toContain("without any of the versions that are selected");
    expect(await home.files()).toEqual([]);
  });
});

describe("a screenshot that was saved with another blank before PM", () => {
  const name = (blank: string) => `Screenshot 2024-05-01 at 1.40.01${blank}PM.png`;

  test("is recognised by its content and not fetched again", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    library.addAsset({ filename: name("\u202f"), uti: "public.png", content: 900, assetDate: TAKEN });
    await begin(library);
    const bytes = expectedFiles(library)[0]?.bytes();
    if (bytes === undefined) throw new Error("no file");
    put(name(" "), bytes);
    const args = ["--folder-structure", "none", "--keep-unicode-in-filenames"];
    // The extension is that of the type, as always: on disk it is the name of today but for the blank.
    put(name(" ").replace(".png", ".PNG"), bytes);
    expect((await sync(...args)).code).toBe(0);
    expect(fetched()).toBe(0);
    expect(await home.files()).toHaveLength(2);
    const again = await sync(...args);
    expect(again.stderr).toContain("Nothing new");
  });

  test("is fetched when what stands there is another one", async () => {
    const library = new PhotoLibrary({ seed: 1 });
    library.addAsset({ filename: name("\u202f"), uti: "public.png", content: 900, assetDate: TAKEN });
    await begin(library);
    put(name(" ").replace(".png", ".PNG"), new Uint8Array(500));
    expect((await sync("--folder-structure", "none", "--keep-unicode-in-filenames")).code).toBe(0);
    expect(fetched()).toBe(1);
    expect(await home.files()).toHaveLength(2);
  });
});

test("a copy of a photo with another date is a file with that date, though fetched once", async () => {
  const library = new PhotoLibrary({ seed: 1 });
  const first = library.addAsset({ filename: "A.JPG", content: 900, assetDate: TAKEN });
  library.duplicate(first, { assetDate: TAKEN + 3 * 86_400_000 });
  await begin(library);
  expect((await sync()).code).toBe(0);
  expect(fetched()).toBe(1);
  for (const [path, taken] of [
    ["2024/05/01/A.JPG", TAKEN],
    ["2024/05/04/A.JPG", TAKEN + 3 * 86_400_000],
  ] as const) {
    expect(statSync(join(home.photos, path)).mtimeMs).toBe(taken);
  }
});

test("names do not depend on how the transfers go: threads, failures and order change no path", async () => {
  const library = () =>
    createLibrary({ seed: 12, assets: 80, bytes: { min: 800, max: 803 }, equalNames: 40, duplicates: 10, albums: 4 });
  const trees: Array<Map<string, string>> = [];
  for (const threads of ["1", "8", "64"]) {
    await begin(library());
    // Some files fail at first, with eight threads until the cleanup pass.
    double.photos.cdnFaults.inject({
      kind: "status",
      status: 503,
      match: ({ checksum, earlier }) => checksum.charCodeAt(5) % 7 === 0 && earlier < (threads === "8" ? 4 : 1),
      times: Number.POSITIVE_INFINITY,
    });
    const result = await sync(
      "--threads",
      threads,
      "--folder-structure",
      "none",
      "--folder-structure-albums",
      "{album}",
    );
    expect(result.code).toBe(0);
    trees.push(await checksums(home.photos));
    if (threads !== "64") {
      await double.stop();
      home.remove();
    }
  }
  expect(trees[1]).toEqual(trees[0] as Map<string, string>);
  expect(trees[2]).toEqual(trees[0] as Map<string, string>);
}, 30_000);
