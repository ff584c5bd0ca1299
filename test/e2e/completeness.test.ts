/** "Done" and exit 0 mean that everything is on disk; what is not is told, and costs no other file. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LoggedRequest } from "../icloud/contract.ts";
import {
  answers,
  createLibrary,
  type Double,
  expectedFiles,
  type PhotoLibrary,
  spoils,
  startDouble,
} from "../icloud/index.ts";
import { checksums, Home, type KeiResult, until } from "../support/kei.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const plain = { mix: { jpeg: 1 }, derivatives: false } as const;

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

async function expectWhole(): Promise<void> {
  const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
  expect(new Set((await checksums(home.photos)).values())).toEqual(wanted);
}

describe("photos with the same content", () => {
  test("are all on disk, also where a commit comes before the next job", async () => {
    await begin(createLibrary({ seed: 3, assets: 600, bytes: 1_500, duplicates: 300, ...plain }));
    const result = await home.sync("--album", "none", "--threads", "64");
    expect(result.code).toBe(0);
    expect(await home.files()).toHaveLength(expectedFiles(double.library).length);
    expect(double.log.count("cdn")).toBe(new Set(expectedFiles(double.library).map((file) => file.checksum)).size);
  }, 30_000);

  test("come back although the photo that brought the file has left iCloud", async () => {
    const library = createLibrary({ seed: 7, assets: 0, bytes: 1_500 });
    const first = library.addAsset({ filename: "IMG_1.JPG", content: 1_500 });
    const second = library.duplicate(first, { assetDate: Date.parse("2024-05-05") });
    await begin(library);
    const args = ["--album", "none", "--folder-structure", "none", "--file-match-policy", "name-id7"];
    expect((await sync(...args)).code).toBe(0);
    const files = await home.files();
    const db = new Database(join(home.data, readdirSync(home.data).find((name) => name.endsWith(".db")) ?? ""));
    const owner = db.query<{ asset: string }, []>("SELECT asset FROM placements WHERE owner = 1").get()?.asset;
    db.close();
    library.softDelete(owner === first.id ? first : second);
    for (const file of files) rmSync(join(home.photos, file));
    writeFileSync(join(home.photos, "other.txt"), "x");
    expect((await sync(...args)).code).toBe(0);
    expect((await home.files()).filter((file) => file !== "other.txt")).toHaveLength(1);
    rmSync(join(home.photos, "other.txt"));
    await expectWhole();
  });
});

test("files that Apple's media servers refuse for good cost no other file", async () => {
  await begin(createLibrary({ seed: 4, assets: 60, bytes: 1_500, ...plain }));
  const wanted = expectedFiles(double.library);
  const refused = new Set([5, 20, 40].map((index) => wanted[index]?.checksum));
  double.photos.cdnFaults.inject({
    kind: "status",
    status: 403,
    match: (request) => refused.has(request.checksum),
    times: ALWAYS,
  });
  expect((await sync("--album", "none", "--threads", "1")).code).toBe(2);
  expect(await home.files()).toHaveLength(wanted.length - 3);
});

test("a list that Apple refuses ends the run at once, whatever other lists are still asked for", async () => {
  const library = createLibrary({ seed: 5, assets: 4, bytes: 1_500, ...plain });
  const [a, b] = [library.createAlbum("A"), library.createAlbum("B")];
  await begin(library);
  const lists = (album: string) => (request: LoggedRequest) =>
    request.operation.includes("records/query") && JSON.stringify(request.body).includes(album);
  const silent = double.faults.inject({ match: lists(b), times: ALWAYS, cut: "hang" });
  double.faults.inject({
    match: lists(a),
    times: ALWAYS,
    respond: async () => {
      await until("the other list is asked for", () => silent.hits > 0);
      return answers.code("BAD_REQUEST")();
    },
  });
  expect((await home.sync()).code).toBe(1);
}, 8_000);

test("a refused sync token at the end costs only the token", async () => {
  await begin(createLibrary({ seed: 5, assets: 5, bytes: 1_500, ...plain }));
  double.faults.inject({
    match: /changes\/zone/,
    times: ALWAYS,
    respond: () =>
      Response.json({ serverErrorCode: "BAD_REQUEST", reason: "Unknown sync continuation type" }, { status: 400 }),
  });
  expect((await sync("--album", "none")).code).toBe(0);
  await expectWhole();
});

test("a Live Photo whose still can't be had is not called saved", async () => {
  const library = createLibrary({ seed: 6, assets: 0, bytes: 1_500 });
  const asset = library.addAsset({
    uti: "public.heic",
    filename: "IMG_1.HEIC",
    content: 1_500,
    motion: { content: 1_200, uti: "com.apple.quicktime-movie" },
  });
  library.spoil(asset.zone, asset.masterName, spoils.noDownloadUrl("resOriginal"));
  await begin(library);
  const result = await sync("--album", "none");
  expect(result.code).toBe(2);
  expect(await home.files()).toHaveLength(1);
});

test("a photo in two albums that fails once is at both places in the end", async () => {
  await begin(createLibrary({ seed: 7, assets: 3, bytes: 1_500, ...plain, albums: { count: 2, members: 3 } }));
  const target = expectedFiles(double.library)[0]?.checksum;
  double.photos.cdnFaults.inject({
    kind: "status",
    status: 404,
    match: (request) => request.checksum === target,
    times: 1,
  });
  expect((await sync()).code).toBe(0);
  expect(await home.files()).toHaveLength(6);
});

test("a photo that fails at two albums and heals at both is not reported as failed", async () => {
  const library = createLibrary({ seed: 9, assets: 0, bytes: 1_500 });
  const [a, b] = [library.createAlbum("A"), library.createAlbum("B")];
  const first = library.addAsset({ filename: "X.JPG", content: 1_500, assetDate: Date.UTC(2024, 5, 2) });
  library.addToAlbum(first, a);
  library.addToAlbum(first, b);
  for (let index = 0; index < 120; index += 1) {
    const assetDate = Date.UTC(2024, 5, 1) - index * 1_000;
    library.addToAlbum(library.addAsset({ filename: `F${index}.JPG`, content: 6_000, key: `k${index}`, assetDate }), a);
  }
  await begin(library);
  const target = expectedFiles(library).find((file) => file.assetId === first.id)?.checksum;
  double.photos.cdnFaults.inject({
    kind: "status",
    status: 404,
    match: (request) => request.checksum === target,
    times: 2,
  });
  const path = join(home.root, "report.json");
  const result = await sync("--threads", "1", "--report-json", path);
  expect(result.code).toBe(0);
  expect(await home.files()).toHaveLength(122);
  expect(JSON.parse(await readFile(path, "utf8")).stats.failed).toBe(0);
});

test("a database that can't be listed is told when its libraries were asked for", async () => {
  await begin(
    createLibrary({ seed: 8, assets: 3, bytes: 1_500, ...plain, shared: { role: "participant", assets: 3 } }),
  );
  double.faults.inject({
    match: /shared\/zones\/list/,
    times: ALWAYS,
    respond: () => Response.json({ serverErrorCode: "INTERNAL_ERROR" }, { status: 500 }),
  });
  expect((await sync("--library", "all", "--album", "none")).code).toBe(2);
  expect((await sync("--album", "none")).code).toBe(0);
});

describe("albums that Apple does not tell whole", () => {
  /** Three photos in album A, three in none. */
  async function beginWithAlbum(): Promise<string> {
    const library = createLibrary({ seed: 7, assets: 0, bytes: 1_500 });
    const album = library.createAlbum("A");
    for (const key of ["IN1", "IN2", "IN3"])
      library.addToAlbum(library.addAsset({ filename: `${key}.JPG`, content: 1_500, key }), album);
    for (const key of ["OUT1", "OUT2", "OUT3"]) library.addAsset({ filename: `${key}.JPG`, content: 1_500, key });
    await begin(library);
    return album;
  }

  type Answered = { records: Array<{ recordName: string; recordType?: string; [more: string]: unknown }> };

  const spoilAlbum = (album: string, times: number) =>
    double.faults.inject({
      match: (request) => JSON.stringify(request.body ?? {}).includes("CPLAlbumByPositionLive"),
      times,
      transform: async (response) => {
        const body = (await response.json()) as Answered;
        const records = body.records.map((record) =>
          record.recordName === album ? { recordName: album, serverErrorCode: "TRY_AGAIN_LATER" } : record,
        );
        return Response.json({ ...body, records }, { headers: response.headers });
      },
    });

  const isIn = (file: string) => file.startsWith("A/IN");

  test("a passing error on an album's record is waited out, and no photo of it lands elsewhere", async () => {
    spoilAlbum(await beginWithAlbum(), 1);
    expect((await sync()).code).toBe(0);
    expect((await home.files()).filter(isIn)).toHaveLength(3);
    expect(await home.files()).toHaveLength(6);
  });

  test("while it lasts, photos that may be in it are left for the next run", async () => {
    spoilAlbum(await beginWithAlbum(), 20);
    expect((await sync()).code).toBe(2);
    expect(await home.files()).toHaveLength(0);
    double.faults.clear();
    expect((await sync()).code).toBe(0);
    expect((await home.files()).filter(isIn)).toHaveLength(3);
  });

  test("one broken record in an album keeps no photo outside it from being saved", async () => {
    await beginWithAlbum();
    double.faults.inject({
      match: (request) => JSON.stringify(request.body ?? {}).includes("CPLContainerRelationLiveByAssetDate"),
      times: ALWAYS,
      transform: async (response) => {
        const body = (await response.json()) as Answered;
        const at = body.records.findIndex((record) => record.recordType === "CPLMaster");
        const records = body.records.map((record, index) =>
          index === at ? { recordName: record.recordName, serverErrorCode: "NOT_FOUND", reason: "gone" } : record,
        );
        return Response.json({ ...body, records }, { headers: response.headers });
      },
    });
    expect((await sync()).code).toBe(2);
    const files = await home.files();
    expect(files.filter((file) => /OUT\d\.JPG$/.test(file))).toHaveLength(3);
    expect(files.filter(isIn)).toHaveLength(2);
    expect(files).toHaveLength(5);
  });
});

describe("lists that end before their count", () => {
  test("are not believed: nothing is called saved, and failed work is not forgotten", async () => {
    await begin(createLibrary({ seed: 8, assets: 20, bytes: 1_500, ...plain }));
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS, skip: 10 });
    expect((await sync("--album", "none")).code).toBe(2);
    fault.remove();
    double.photos.dataFaults.addHole({ at: 0, ranks: 1_000, marker: false });
    for (let run = 0; run < 2; run += 1) {
      const empty = await sync("--album", "none");
      expect(empty.code).toBe(2);
      expect(empty.stderr).toContain("more photos than it listed");
    }
    double.photos.dataFaults.clear();
    expect((await sync("--album", "none")).code).toBe(0);
    await expectWhole();
  });

  test("are believed when they miss a few, and the same few each time: some libraries are counted wrongly", async () => {
    await begin(createLibrary({ seed: 8, assets: 120, bytes: 1_500, ...plain }));
    double.photos.dataFaults.setCount("CPLAssetByAssetDateWithoutHiddenOrDeleted", 123);
    expect((await sync("--album", "none")).code).toBe(2);
    expect((await sync("--album", "none")).code).toBe(0);
    await expectWhole();
    // And now its changes are enough.
    expect((await sync("--album", "none")).stderr).toContain("nothing has changed");
  });
});

test("a count that fails costs nothing, and one that is told to wait for an hour does not hang the run", async () => {
  await begin(createLibrary({ seed: 8, assets: 3, bytes: 1_500, ...plain, shared: { role: "owner", assets: 2 } }));
  double.faults.inject({ match: /query\/batch/, respond: () => new Response("{}", { status: 500 }), times: ALWAYS });
  expect((await sync("--album", "none")).code).toBe(0);
  await expectWhole();
  double.faults.clear();
  const busy = () => new Response("{}", { status: 429, headers: { "Retry-After": "3600" } });
  double.faults.inject({ match: /query\/batch/, respond: busy });
  double.library.addAsset({ filename: "NEW.JPG" });
  const result = await sync("--album", "none", "--folder-structure", "%Y");
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("break");
});
