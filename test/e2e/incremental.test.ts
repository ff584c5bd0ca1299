/** After the first run only what has changed is asked for; whatever changes, disk and library agree afterwards. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/runtime/ports.ts";
import { type AddedAsset, answers, type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { checksums, fasterClock, Home, type KeiResult, runInProcess } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const JPEG = "public.jpeg";
const LISTS = /records\/query:assets$/;

let double: Double;
let home: Home;
let library: PhotoLibrary;
let empty: string;

afterEach(async () => {
  await double.stop();
  home.remove();
});

interface Report {
  readonly stats: {
    readonly assets_seen: number;
    readonly full_enumeration_reason?: string;
    readonly sync_token_blocked_reason?: string;
    readonly enumeration_errors: number;
  };
}

async function sync(...args: readonly string[]): Promise<KeiResult & { readonly stats: Report["stats"] }> {
  const path = join(home.root, "report.json");
  double.log.clear();
  const result = await home.fast(["sync", "-d", home.photos, "--report-json", path, ...args]);
  expect(result.stderr).not.toContain("does not add up");
  return { ...result, stats: (JSON.parse(readFileSync(path, "utf8")) as Report).stats };
}

const photo = (name: string, more: Parameters<PhotoLibrary["addAsset"]>[0] = {}): AddedAsset =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN, ...more });

/** A library with photos A and B in no album, C in the album Rome; after a first run. */
async function begin(...args: readonly string[]) {
  library = new PhotoLibrary({ seed: 3 });
  const [a, b, c] = [photo("A"), photo("B"), photo("C")];
  const rome = library.createAlbum({ name: "Rome" });
  library.addToAlbum(c, rome);
  empty = library.createAlbum({ name: "Empty" });
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
  const first = await sync(...args);
  expect([first.code, first.stats.full_enumeration_reason]).toEqual([0, "no_stored_token"]);
  return { a, b, c, rome };
}

/** A run that lists nothing. */
async function expectIncremental(...args: readonly string[]) {
  const result = await sync(...args);
  expect([result.code, result.stats.full_enumeration_reason]).toEqual([0, undefined]);
  expect(double.log.all.map(({ operation }) => operation).filter((operation) => LISTS.test(operation))).toEqual([]);
  return result;
}

/** And the one after it has nothing to do. */
async function expectQuiet(...args: readonly string[]): Promise<void> {
  await sync(...args);
  expect(double.log.all.map(({ operation }) => operation)).toEqual(["private/changes/database"]);
}

const files = (): Promise<string[]> => home.files();
const BEFORE = ["2024/05/01/A.JPG", "2024/05/01/B.JPG", "Rome/C.JPG"];

describe("what changes in iCloud", () => {
  const changes: ReadonlyArray<
    readonly [
      what: string,
      change: (photos: Awaited<ReturnType<typeof begin>>) => void,
      after: readonly string[],
      fetched: number,
      then?: (photos: Awaited<ReturnType<typeof begin>>) => void,
    ]
  > = [
    ["a new photo", () => photo("D"), [...BEFORE, "2024/05/01/D.JPG"], 1],
    ["a new photo in an album", ({ rome }) => library.addToAlbum(photo("D"), rome), [...BEFORE, "Rome/D.JPG"], 1],
    [
      "a new album with a new and an old photo",
      ({ a }) => {
        const oslo = library.createAlbum({ name: "Oslo" });
        library.addToAlbum(photo("D"), oslo);
        library.addToAlbum(a, oslo);
      },
      [...BEFORE, "Oslo/A.JPG", "Oslo/D.JPG"],
      1,
    ],
    [
      "an old photo that comes into an album",
      ({ a, rome }) => library.addToAlbum(a, rome),
      [...BEFORE, "Rome/A.JPG"],
      0,
    ],
    [
      "a photo that leaves its album",
      ({ c, rome }) => library.removeFromAlbum(c, rome),
      [...BEFORE, "2024/05/01/C.JPG"],
      0,
    ],
    ["an album that is deleted", ({ rome }) => library.deleteAlbum(rome), [...BEFORE, "2024/05/01/C.JPG"], 0],
    [
      "an album that is gone for good",
      ({ rome }) => library.deleteAlbum(rome, true),
      [...BEFORE, "2024/05/01/C.JPG"],
      0,
    ],
    [
      "an empty album that gets a photo and is deleted",
      () => {
        library.addToAlbum(photo("D"), empty);
        library.deleteAlbum(empty);
      },
      [...BEFORE, "2024/05/01/D.JPG"],
      1,
    ],
    [
      "an album that is renamed, and gets a photo",
      ({ rome }) => {
        library.renameAlbum(rome, "Roma");
        library.addToAlbum(photo("D"), rome);
      },
      [...BEFORE, "Roma/D.JPG"],
      1,
    ],
    ["a favourite", ({ a }) => library.favourite(a), BEFORE, 0],
    ["a photo that is hidden", ({ a }) => library.hide(a), BEFORE, 0],
    ["a photo that is hidden through the web", ({ a }) => library.hide(a, true, "web"), BEFORE, 0],
    ["a photo that is deleted", ({ a }) => library.softDelete(a), BEFORE, 0],
    ["a photo that is deleted through the web", ({ a }) => library.softDelete(a, "web"), BEFORE, 0],
    ["a photo that is gone for good", ({ a }) => library.purge(a), BEFORE, 0],
    [
      "a photo that is deleted and recovered",
      ({ a }) => {
        library.softDelete(a);
        library.restore(a);
      },
      BEFORE,
      0,
    ],
    [
      "a photo that came into an album and into the trash at once, and is recovered",
      ({ a, rome }) => {
        library.addToAlbum(a, rome);
        library.softDelete(a);
      },
      [...BEFORE, "Rome/A.JPG"],
      0,
      ({ a }) => library.restore(a),
    ],
    [
      "another one on the same original",
      ({ a }) => library.duplicate(a, { assetDate: TAKEN + 86_400_000 }),
      [...BEFORE, "2024/05/02/A.JPG"],
      0,
    ],
    ["a title", ({ a }) => library.update(a, (data) => Object.assign(data, { title: "x" })), BEFORE, 0],
    [
      "an edit, whose versions are not selected",
      ({ a }) => library.edit(a, { resJPEGFull: { uti: JPEG, content: 700 } }),
      BEFORE,
      0,
    ],
    ["nothing that concerns photos", () => library.addNoise(library.primary, 4), BEFORE, 0],
  ];
  test.each(changes)("is found without a list: %s", async (what, change, after, fetched, ...[andThen]) => {
    const photos = await begin();
    change(photos);
    await expectIncremental();
    andThen?.(photos);
    if (andThen !== undefined) await expectIncremental();
    expect(double.log.count(/query:members/) > 0).toBe(what.startsWith("a new album"));
    expect(await files()).toEqual(after.toSorted((one, other) => (one < other ? -1 : 1)));
    expect(double.log.count("cdn")).toBe(fetched);
    await expectQuiet();
  });

  test("photos that come back are in their albums, also those that no list has shown before", async () => {
    const { c, rome } = await begin();
    const d = photo("D");
    library.addToAlbum(d, rome);
    library.softDelete(d);
    library.hide(c);
    photo("E");
    await sync();
    // Everything is listed: the album does not show what is out of sight.
    photo("F");
    double.photos.dataFaults.expireTokens(library.primary.sequence);
    expect((await sync()).stats.full_enumeration_reason).toBe("no_stored_token");
    double.photos.dataFaults.clear();
    library.restore(d);
    library.hide(c, false);
    await expectIncremental();
    expect(await files()).toEqual([
      ...["A", "B", "E", "F"].map((name) => `2024/05/01/${name}.JPG`),
      ...["C", "D"].map((name) => `Rome/${name}.JPG`),
    ]);
    await expectQuiet();
  });

  test("edited versions come when they are selected", async () => {
    const { a, b } = await begin("--size", "original", "--size", "adjusted");
    library.edit(a, { resJPEGFull: { uti: JPEG, content: 700 } });
    await expectIncremental("--size", "original", "--size", "adjusted");
    library.edit(b, { resJPEGFull: { uti: JPEG, content: 701 } });
    library.revertEdit(a);
    await expectIncremental("--size", "original", "--size", "adjusted");
    expect(await files()).toEqual([
      "2024/05/01/A.JPG",
      "2024/05/01/A_edited.JPG",
      "2024/05/01/B.JPG",
      "2024/05/01/B_edited.JPG",
      "Rome/C.JPG",
    ]);
  });

  test("smart folders are looked into when anything has changed", async () => {
    const { a } = await begin("--smart-folder", "Favorites", "--smart-folder", "Hidden");
    library.favourite(a);
    library.hide(photo("D"));
    const result = await sync("--smart-folder", "Favorites", "--smart-folder", "Hidden");
    expect([result.code, result.stats.full_enumeration_reason]).toEqual([0, undefined]);
    expect(await files()).toEqual([
      "2024/05/01/A.JPG",
      "2024/05/01/B.JPG",
      "Favorites/A.JPG",
      "Hidden/D.JPG",
      "Rome/C.JPG",
    ]);
  });

  test("a selected album that no longer has its name is told, and one that gets it is filled", async () => {
    const { rome } = await begin("--album", "Rome", "--unfiled=false");
    library.renameAlbum(rome, "Roma");
    const gone = await sync("--album", "Rome", "--unfiled=false");
    expect(gone.code).toBe(0);
    expect(gone.stderr).toContain('album "Rome" is no longer in iCloud');
    const other = library.createAlbum({ name: "Rome" });
    library.addToAlbum(photo("D"), other);
    expect((await sync("--album", "Rome", "--unfiled=false")).code).toBe(0);
    expect(await files()).toEqual(["Rome/C.JPG", "Rome/D.JPG"]);
  });

  test("a shared library is followed in its own database", async () => {
    library = new PhotoLibrary({ seed: 3 });
    photo("A");
    const shared = library.addSharedLibrary("participant");
    library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    await sync("--library", "all");
    library.addAsset({ filename: "T.JPG", content: 801, zone: shared.name, assetDate: TAKEN });
    await expectIncremental("--library", "all");
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/S.JPG", "2024/05/01/T.JPG"]);
    await sync("--library", "all");
    expect(double.log.all.map(({ operation }) => operation)).toEqual([
      "private/changes/database",
      "shared/changes/database",
    ]);
  });

  test.each([false, true])(
    "photos of a shared library come to the rest when their album is gone (for good: %p)",
    async (purged) => {
      library = new PhotoLibrary({ seed: 3 });
      photo("A");
      const shared = library.addSharedLibrary("owner");
      const s = library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
      const t = library.addAsset({ filename: "T.JPG", content: 801, zone: shared.name, assetDate: TAKEN });
      const [rome, oslo] = ["Rome", "Oslo"].map((name) => library.createAlbum({ name })) as [string, string];
      library.addToAlbum(s, rome);
      library.addToAlbum(t, oslo);
      double = await startDouble({ library });
      home = new Home(double);
      await home.signIn(double);
      await sync("--library", "all");
      expect(await files()).toEqual(["2024/05/01/A.JPG", "Oslo/T.JPG", "Rome/S.JPG"]);
      library.deleteAlbum(rome, purged);
      await sync("--library", "all");
      const after = ["2024/05/01/A.JPG", "2024/05/01/S.JPG", "Oslo/T.JPG", "Rome/S.JPG"];
      expect(await files()).toEqual(after);
      await sync("--library", "all");
      expect(await files()).toEqual(after);
      library.deleteAlbum(oslo, purged);
      double.photos.dataFaults.expireTokens(library.primary.sequence);
      await sync("--library", "all");
      expect(await files()).toEqual([
        "2024/05/01/A.JPG",
        "2024/05/01/S.JPG",
        "2024/05/01/T.JPG",
        "Oslo/T.JPG",
        "Rome/S.JPG",
      ]);
    },
  );

  test("a photo of a shared library comes into its album, also when only the own library is listed in full", async () => {
    library = new PhotoLibrary({ seed: 3 });
    photo("A");
    const shared = library.addSharedLibrary("owner");
    const s = library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
    const rome = library.createAlbum({ name: "Rome" });
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    await sync("--library", "all");
    library.addToAlbum(s, rome);
    double.photos.dataFaults.failZone("PrimarySync", { code: "BAD_REQUEST", times: 1 });
    expect((await sync("--library", "all")).code).toBe(0);
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/S.JPG", "Rome/S.JPG"]);
    await sync("--library", "all");
    expect(double.log.all.map(({ operation }) => operation)).toEqual([
      "private/changes/database",
      "shared/changes/database",
    ]);
  });

  test("an edited photo of a shared library gets its edited version in its album", async () => {
    library = new PhotoLibrary({ seed: 3 });
    photo("A");
    const shared = library.addSharedLibrary("owner");
    const s = library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
    library.addToAlbum(s, library.createAlbum({ name: "Rome" }));
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    const args = ["--library", "all", "--size", "original", "--size", "adjusted"];
    await sync(...args);
    library.edit(s, { resJPEGFull: { uti: JPEG, content: 700 } });
    await expectIncremental(...args);
    expect(await files()).toEqual(["2024/05/01/A.JPG", "Rome/S.JPG", "Rome/S_edited.JPG"]);
  });

  test("a photo of a shared library comes into its album, although the run that heard of it broke off", async () => {
    library = new PhotoLibrary({ seed: 3 });
    photo("A");
    const shared = library.addSharedLibrary("owner");
    const s = library.addAsset({ filename: "S.JPG", content: 800, zone: shared.name, assetDate: TAKEN });
    const rome = library.createAlbum({ name: "Rome" });
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    await sync("--library", "all");
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/S.JPG"]);
    library.addToAlbum(s, rome);
    // The own library is ready, and brought up to date; the shared one does not get a turn.
    const fault = double.faults.inject({
      match: /query:readiness$/,
      after: 1,
      times: Number.POSITIVE_INFINITY,
      respond: answers.status(500),
    });
    expect((await sync("--library", "all")).code).toBe(1);
    fault.remove();
    await sync("--library", "all");
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/S.JPG", "Rome/S.JPG"]);
    await sync("--library", "all");
    expect(double.log.all.map(({ operation }) => operation)).toEqual([
      "private/changes/database",
      "shared/changes/database",
    ]);
  });

  test("a photo that moves into the shared library keeps its file, and is not fetched again", async () => {
    library = new PhotoLibrary({ seed: 3 });
    const a = photo("A");
    const shared = library.addSharedLibrary("owner");
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    await sync("--library", "all");
    const moved = library.moveToShared(a, shared);
    expect((await sync("--library", "all")).code).toBe(0);
    expect(double.log.count("cdn")).toBe(0);
    library.moveToPersonal(moved);
    expect((await sync("--library", "all")).code).toBe(0);
    expect(double.log.count("cdn")).toBe(0);
    expect(await files()).toContain("2024/05/01/A.JPG");
  });
});

describe("days later", () => {
  const daysLater = async (): Promise<KeiResult> => {
    double.log.clear();
    const clock = fasterClock(50);
    const later: Clock = { ...clock, now: () => clock.now() + 3 * 86_400_000 };
    return runInProcess(["sync", "-d", home.photos], { env: home.env, cwd: home.root, clock: later });
  };

  test("one question is enough: the session is believed until Apple refuses it", async () => {
    await begin();
    await sync();
    expect((await daysLater()).code).toBe(0);
    expect(double.log.all.map(({ operation }) => operation)).toEqual(["private/changes/database"]);
  });

  test("a session that Apple has ended is renewed, and the question asked again", async () => {
    await begin();
    await sync();
    double.account.expireCookies();
    photo("D");
    const result = await daysLater();
    expect([result.code, (await files()).includes("2024/05/01/D.JPG")]).toEqual([0, true]);
  });
});

describe("everything is listed again", () => {
  const reasons: ReadonlyArray<readonly [string, readonly string[], string]> = [
    ["when other photos are selected", ["--skip-videos"], "enum_config_hash_drift"],
    ["when other albums are selected", ["--album", "none"], "enum_config_hash_drift"],
    ["when folders get other names", ["--folder-structure", "%Y"], "download_config_hash_drift"],
    ["when other files are selected", ["--size", "original", "--size", "adjusted"], "download_config_hash_drift"],
  ];
  test.each(reasons)("%s", async (_when, args, reason) => {
    await begin();
    const result = await sync(...args);
    expect([result.code, result.stats.full_enumeration_reason]).toEqual([0, reason]);
    expect(double.log.count("cdn")).toBe(0);
    await expectQuiet(...args);
  });

  test("when Apple no longer takes the token; and then no more", async () => {
    await begin();
    photo("D");
    double.photos.dataFaults.expireTokens(library.primary.sequence);
    const result = await sync();
    expect([result.code, result.stats.full_enumeration_reason]).toEqual([0, "no_stored_token"]);
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/B.JPG", "2024/05/01/D.JPG", "Rome/C.JPG"]);
    await expectQuiet();
  });

  test("an album that is gone by then has no members: they come to the rest", async () => {
    const { rome } = await begin();
    library.deleteAlbum(rome);
    double.photos.dataFaults.expireTokens(library.primary.sequence);
    expect((await sync()).stats.full_enumeration_reason).toBe("no_stored_token");
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/B.JPG", "2024/05/01/C.JPG", "Rome/C.JPG"]);
    await expectQuiet();
  });

  test("when a file has vanished from the disk, or was cut short", async () => {
    await begin();
    rmSync(join(home.photos, "2024/05/01/A.JPG"));
    const vanished = await sync();
    expect([vanished.code, vanished.stats.full_enumeration_reason]).toEqual([0, "pending_rows"]);
    expect(await files()).toEqual(BEFORE);
    writeFileSync(join(home.photos, "Rome/C.JPG"), "x");
    const short = await sync();
    expect([short.code, short.stats.full_enumeration_reason]).toEqual([0, "pending_rows"]);
    expect(await files()).toHaveLength(4);
    await expectQuiet();
  });

  test("when files have failed", async () => {
    await begin();
    photo("D");
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    expect((await sync()).code).toBe(2);
    fault.remove();
    const again = await sync();
    expect([again.code, again.stats.full_enumeration_reason]).toEqual([0, "retry_failed_rows"]);
    await expectQuiet();
  });

  test("when a photo was taken away while everything was listed: another may have been passed over", async () => {
    library = new PhotoLibrary({ seed: 3 });
    const added = Array.from({ length: 150 }, (_, index) =>
      photo(`P${index}`, { content: 500 + index, assetDate: TAKEN - index * 1000 }),
    );
    double = await startDouble({ library });
    home = new Home(double);
    await home.signIn(double);
    let taken = false;
    double.photos.settings.beforePage = ({ list, startRank }) => {
      const first = added[0];
      if (list.kind !== "all" || startRank === 0 || taken || first === undefined) return;
      taken = true;
      library.softDelete(first);
    };
    const first = await sync("--album", "none");
    expect(taken).toBe(true);
    expect(first.stats.sync_token_blocked_reason).toBe("producer_enumeration_incomplete");
    const second = await sync("--album", "none");
    expect(second.stats.full_enumeration_reason).toBe("no_stored_token");
    expect(await files()).toHaveLength(150);
  });
});

describe("the token", () => {
  test("waits while Apple is silent about a photo that has changed; nothing is lost", async () => {
    await begin();
    const d = photo("D");
    double.photos.dataFaults.failRecord((name, operation) => name === d.id && operation === "records/lookup", {
      code: "ACCESS_DENIED",
    });
    const silent = await sync();
    expect(silent.stats.sync_token_blocked_reason).toBe("asset_delta_hydration_incomplete");
    double.photos.dataFaults.clear();
    await expectIncremental();
    expect(await files()).toContain("2024/05/01/D.JPG");
  });

  test("waits while Apple is silent about a photo whose album is gone; then it comes to the rest", async () => {
    const { c, rome } = await begin();
    library.deleteAlbum(rome);
    double.photos.dataFaults.failRecord((name, operation) => name === c.id && operation === "records/lookup", {
      code: "ACCESS_DENIED",
    });
    expect((await sync()).stats.sync_token_blocked_reason).toBe("asset_delta_hydration_incomplete");
    double.photos.dataFaults.clear();
    await expectIncremental();
    expect(await files()).toEqual(["2024/05/01/A.JPG", "2024/05/01/B.JPG", "2024/05/01/C.JPG", "Rome/C.JPG"]);
  });

  test("is kept when files fail: they are on record", async () => {
    await begin();
    const before = tokenOf();
    photo("D");
    double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    expect((await sync()).code).toBe(2);
    expect(tokenOf()).not.toBe(before);
  });

  test("is not moved by a dry run, which finds the same changes without a list", async () => {
    await begin();
    const before = tokenOf();
    photo("D");
    const dry = await sync("--dry-run");
    expect(dry.stdout).toBe(`${join(home.photos, "2024/05/01/D.JPG")}\n`);
    expect(tokenOf()).toBe(before);
    await expectIncremental();
    expect((await checksums(home.photos)).size).toBe(4);
  });

  const tokenOf = (): string | undefined => {
    const name = readdirSync(home.data).find((file) => file.endsWith(".db")) ?? "";
    const db = new Database(join(home.data, name), { readonly: true });
    const row = db
      .query<{ value: string }, []>("SELECT value FROM metadata WHERE key = 'sync_token:PrimarySync'")
      .get();
    db.close();
    return row?.value;
  };
});
