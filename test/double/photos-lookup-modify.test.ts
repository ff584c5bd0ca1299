import { describe, expect, test } from "bun:test";
import { createLibrary, PhotoLibrary } from "../icloud/photos/index.ts";
import { bench, QUERY, type Reply, resourceOf, START, zoneID } from "./photos-support.ts";

const names = (list: readonly string[]) => list.map((recordName) => ({ recordName }));

describe("records/lookup", () => {
  test("finds records by name in any order and gives fresh URLs each time", async () => {
    const library = new PhotoLibrary();
    const asset = library.addAsset();
    const double = bench(library);
    const ask = async () =>
      (await double.json("records/lookup", { records: names([asset.id, asset.masterName]), zoneID })).records;
    const first = await ask();
    expect(first.map((record) => record.recordType)).toEqual(["CPLAsset", "CPLMaster"]);
    double.now += 60_000;
    const second = await ask();
    expect(resourceOf(second[1]).downloadURL).not.toBe(resourceOf(first[1]).downloadURL);
    expect(resourceOf(second[1]).downloadURL).toContain(`&e=${(double.now + 3_600_000) / 1000}&`);
  });

  test("what is not there is told as set: NOT_FOUND, UNKNOWN_ITEM, or not at all; so is what was purged", async () => {
    const library = new PhotoLibrary();
    const asset = library.addAsset();
    library.purge(asset);
    const double = bench(library);
    const ask = () => double.json("records/lookup", { records: names(["no-such-name", asset.id]), zoneID });
    expect((await ask()).records.map((record) => record.serverErrorCode)).toEqual(["NOT_FOUND", "NOT_FOUND"]);
    double.settings.unknownName = "UNKNOWN_ITEM";
    expect((await ask()).records.map((record) => record.serverErrorCode)).toEqual(["UNKNOWN_ITEM", "UNKNOWN_ITEM"]);
    double.settings.unknownName = "omit";
    expect((await ask()).records).toEqual([]);
  });

  test("takes 200 names at most, each once", async () => {
    const double = bench(new PhotoLibrary());
    const many = Array.from({ length: 201 }, (_, index) => `name-${index}`);
    const status = async (list: readonly string[]) =>
      (await double.call("records/lookup", { records: names(list), zoneID })).status;
    expect(await status(many.slice(1))).toBe(200);
    expect(await status(many)).toBe(400);
    expect(await status(["twice", "twice"])).toBe(400);
  });
});

describe("records/modify", () => {
  const update = (recordName: string, recordChangeTag: string, fields: Record<string, unknown>) => ({
    operationType: "update",
    record: { recordType: "CPLAsset", recordName, recordChangeTag, fields },
  });
  const body = (operations: readonly unknown[], rest: Record<string, unknown> = {}) => ({
    atomic: true,
    desiredKeys: ["isDeleted", "isFavorite", "isHidden"],
    operations,
    zoneID,
    ...rest,
  });

  function setUp() {
    const library = new PhotoLibrary({ now: () => START });
    const assets = [library.addAsset({ content: 10 }), library.addAsset({ content: 11 })] as const;
    const tag = (index: 0 | 1) => library.primary.asset(assets[index].id).sequence.toString(36);
    return { library, assets, tag, double: bench(library) };
  }

  test("sets and clears flags when the tag is current, and gives the new tag", async () => {
    const { library, assets, tag, double } = setUp();
    const set = (field: string, value: 0 | 1) =>
      double.json("records/modify", body([update(assets[0].id, tag(0), { [field]: { value } })]));
    const favourite = await set("isFavorite", 1);
    expect(favourite.records[0]).toMatchObject({
      recordChangeTag: tag(0),
      fields: { isFavorite: { value: 1 } },
    } as never);
    expect(favourite.records[0]?.zoneID).toBeUndefined();
    await set("isHidden", 1);
    await set("isDeleted", 1);
    expect(library.primary.asset(assets[0].id).data).toMatchObject({ isFavorite: 1, isHidden: 1, isDeleted: 1 });
    const restored = await set("isDeleted", 0);
    expect(restored.records[0]?.fields["isDeleted"]?.value).toBe(0);
    expect(restored.records[0]?.expirationTime).toBeUndefined();
  });

  test("a stale tag is a conflict and changes nothing; in an atomic call it takes the others along", async () => {
    const { library, assets, tag, double } = setUp();
    const operations = [
      update(assets[0].id, tag(0), { isDeleted: { value: 1 } }),
      update(assets[1].id, "stale", { isDeleted: { value: 1 } }),
    ];
    const atomic = await double.json("records/modify", body(operations));
    expect(atomic.records.map((record) => record.serverErrorCode)).toEqual(["ATOMIC_ERROR", "CONFLICT"]);
    expect(library.primary.asset(assets[0].id).data.isDeleted).toBeUndefined();
    const loose = await double.json("records/modify", body(operations, { atomic: false }));
    expect(loose.records.map((record) => record.serverErrorCode)).toEqual([undefined, "CONFLICT"]);
    expect(library.primary.asset(assets[0].id).data.isDeleted).toBe(1);
    double.settings.conflictStatus = 409;
    expect((await double.call("records/modify", body(operations), QUERY)).status).toBe(409);
    double.settings.checkTags = false;
    expect((await double.call("records/modify", body(operations), QUERY)).status).toBe(200);
  });

  test("memberships can be removed; masters, purges and other fields cannot be written", async () => {
    const { library, assets, tag, double } = setUp();
    const album = library.createAlbum("Album");
    library.addToAlbum(assets[0], album);
    const remove = (recordName: string) => body([{ operationType: "forceDelete", record: { recordName } }]);
    const removed = (await (
      await double.call("records/modify", remove(`${assets[0].id}-IN-${album}`))
    ).json()) as Reply;
    expect(removed.records[0]?.deleted).toBe(true);
    expect([...library.primary.relationsOf(album)]).toEqual([]);
    const refused = [
      remove(assets[0].id),
      body([
        { operationType: "update", record: { recordType: "CPLMaster", recordName: assets[0].masterName, fields: {} } },
      ]),
      body([update(assets[0].id, tag(0), { assetDate: { value: 1 } })]),
      body([update(assets[0].id, tag(0), { isDeleted: { value: true } })]),
      body([]),
    ];
    for (const wrong of refused) expect((await double.call("records/modify", wrong)).status).toBe(400);
  });
});

describe("wrong data on demand", () => {
  test("readiness can be unfinished, odd or missing", async () => {
    const double = bench(createLibrary({ seed: 1, assets: 1 }));
    const ask = async () =>
      (await double.json("records/query", { query: { recordType: "CheckIndexingState" }, zoneID })).records[0]?.fields;
    double.dataFaults.setReadiness({ state: "RUNNING", progress: 42 });
    expect(await ask()).toEqual({
      progress: { value: 42, type: "INT64" },
      state: { value: "RUNNING", type: "STRING" },
    });
    double.dataFaults.setReadiness({ state: undefined });
    expect(await ask()).toEqual({});
    double.dataFaults.setReadiness({ state: "FINISHED", noRecord: true });
    expect(await ask()).toBeUndefined();
  });

  test("a zone or a record can fail so many times, with a code and a wait", async () => {
    const library = new PhotoLibrary();
    const asset = library.addAsset();
    const double = bench(library);
    const token = library.primary.token;
    double.dataFaults.failZone("PrimarySync", { code: "RETRY_LATER", retryAfter: 30, times: 1 });
    const feed = async () => (await double.json("changes/zone", { zones: [{ zoneID, syncToken: token }] })).zones[0];
    expect(await feed()).toMatchObject({ serverErrorCode: "RETRY_LATER", retryAfter: 30 } as never);
    expect((await feed())?.serverErrorCode).toBeUndefined();
    double.dataFaults.failRecord(asset.masterName, { code: "ACCESS_DENIED", reason: "no", times: 1 });
    const lookup = async () =>
      (await double.json("records/lookup", { records: names([asset.id, asset.masterName]), zoneID })).records;
    expect((await lookup())[1]).toEqual({
      recordName: asset.masterName,
      serverErrorCode: "ACCESS_DENIED",
      reason: "no",
    } as never);
    expect((await lookup())[1]?.serverErrorCode).toBeUndefined();
  });
});
