import { describe, expect, test } from "bun:test";
import { createLibrary, PhotoLibrary } from "../icloud/photos/index.ts";
import {
  type Bench,
  bench,
  listBody,
  ofType,
  QUERY,
  type Reply,
  resourceOf,
  START,
  type WireEntry,
  zoneID,
} from "./photos-support.ts";

const DEFAULT_LIST = "CPLAssetAndMasterByAssetDateWithoutHiddenOrDeleted";

const small = (assets: number, rest: Partial<Parameters<typeof createLibrary>[0]> = {}): PhotoLibrary =>
  createLibrary({ seed: assets, assets, bytes: 300, derivatives: false, mix: { jpeg: 1 }, ...rest });

/** Walks a list as clients do: by distinct pairs, until an empty page. */
async function walk(double: Bench, recordType = DEFAULT_LIST, extra: Record<string, string> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let rank = 0; ; ) {
    const page = await double.json("records/query", listBody(rank, recordType, extra));
    const masters = new Set(ofType(page.records, "CPLMaster").map((record) => record.recordName)).size;
    const assets = ofType(page.records, "CPLAsset").map((record) => record.recordName);
    if (assets.length === 0) return ids;
    ids.push(...assets.filter((id) => !ids.includes(id)));
    rank += Math.max(1, Math.min(masters, assets.length));
  }
}

const dates = (page: Reply): unknown[] =>
  ofType(page.records, "CPLAsset").map((asset) => asset.fields["assetDate"]?.value);

describe("lists of assets", () => {
  test("rank 0 is the newest, pages hold 100 pairs, masters come before assets", async () => {
    const double = bench(small(250));
    const page = await double.json("records/query", listBody(0));
    expect(page.records.map((record) => record.recordType)).toEqual([
      ...new Array<string>(100).fill("CPLMaster"),
      ...new Array<string>(100).fill("CPLAsset"),
    ]);
    const taken = dates(page) as number[];
    expect(taken).toEqual(taken.toSorted((a, b) => b - a));
    expect(await walk(double)).toHaveLength(250);
  });

  test("a marker comes while ranks remain, goes on where the page ended, and is missing on the last page", async () => {
    const double = bench(small(250));
    const first = await double.json("records/query", listBody(0));
    const second = await double.json("records/query", {
      ...listBody(0),
      continuationMarker: first.continuationMarker,
    });
    expect(dates(second)).toEqual(dates(await double.json("records/query", listBody(100))));
    const last = await double.json("records/query", listBody(200));
    expect(last.records).toHaveLength(100);
    expect(last.continuationMarker).toBeUndefined();
    const beyond = await double.json("records/query", listBody(250));
    expect([beyond.records, beyond.continuationMarker]).toEqual([[], undefined]);
  });

  test("more than 200 records are never served, fewer on request", async () => {
    const double = bench(small(250));
    const page = (limit: number) => double.json("records/query", { ...listBody(0), resultsLimit: limit });
    expect((await page(1000)).records).toHaveLength(200);
    expect((await page(21)).records).toHaveLength(20);
    expect((await page(1)).records).toHaveLength(1);
  });

  test("a page can be told to end inside a pair or a triple", async () => {
    const library = small(80);
    const album = library.createAlbum("All");
    for (const asset of [...library.primary.assets()]) {
      library.addToAlbum({ zone: library.primary, id: asset.name, masterName: "" }, album);
    }
    const double = bench(library);
    const members = listBody(0, "CPLContainerRelationLiveByAssetDate", { parentId: album });
    expect((await double.json("records/query", members)).records).toHaveLength(198);
    double.settings.cutTuples = true;
    const cut = (await double.json("records/query", members)).records;
    expect(cut).toHaveLength(200);
    expect(cut.slice(-2).map((record) => record.recordType)).toEqual(["CPLContainerRelation", "CPLMaster"]);
  });

  test("DESCENDING walks from the start rank towards rank 0", async () => {
    const double = bench(small(30));
    const body = JSON.parse(JSON.stringify(listBody(29)).replace("ASCENDING", "DESCENDING"));
    const down = await double.json("records/query", { ...body, resultsLimit: 20 });
    const up = await double.json("records/query", listBody(0));
    expect(dates(down)).toEqual(dates(up).slice(20).reverse());
  });

  test("hidden and deleted items are only in their own lists", async () => {
    const library = small(40, { hidden: 3, deleted: 4, favorites: 5 });
    const double = bench(library);
    expect(await walk(double)).toHaveLength(33);
    expect(await walk(double, "CPLAssetAndMasterByAddedDate")).toHaveLength(33);
    expect(await walk(double, "CPLAssetAndMasterHiddenByAssetDate")).toHaveLength(3);
    expect(await walk(double, "CPLAssetAndMasterDeletedByExpungedDate")).toHaveLength(4);
    expect(await walk(double, "CPLAssetAndMasterInSmartAlbumByAssetDate", { smartAlbum: "FAVORITE" })).toHaveLength(5);
  });

  test("smart folders show what they are named for", async () => {
    const counts = { live_heic: 3, mov: 2, screenshot: 4, panorama: 1, slomo: 2, timelapse: 1, jpeg: 5 } as const;
    const double = bench(createLibrary({ seed: 3, assets: 28, counts, mix: { jpeg: 1 }, bursts: 1 }));
    const members = async (smartAlbum: string) =>
      (await walk(double, "CPLAssetAndMasterInSmartAlbumByAssetDate", { smartAlbum })).length;
    expect(await members("LIVE")).toBe(3);
    expect(await members("VIDEO")).toBe(5);
    expect(await members("SCREENSHOT")).toBe(4);
    expect(await members("PANORAMA")).toBe(1);
    expect(await members("SLOMO")).toBe(2);
    expect(await members("TIMELAPSE")).toBe(1);
    expect(await walk(double, "CPLBurstStackAssetAndMasterByAssetDate")).toHaveLength(1);
  });

  test("two assets on one master share it on the page, unless it is to be repeated", async () => {
    const library = new PhotoLibrary();
    library.duplicate(library.addAsset());
    const double = bench(library);
    const types = async () => (await double.json("records/query", listBody(0))).records.map((r) => r.recordType);
    expect(await types()).toEqual(["CPLMaster", "CPLAsset", "CPLAsset"]);
    double.settings.repeatMasters = true;
    expect(await types()).toEqual(["CPLMaster", "CPLMaster", "CPLAsset", "CPLAsset"]);
  });

  test("other page orders hold the same records", async () => {
    const double = bench(small(20));
    const names = async (): Promise<string[]> =>
      (await double.json("records/query", listBody(0))).records.map((record) => record.recordName);
    const recorded = await names();
    const types = new Map<string, string[]>();
    for (const order of ["interleaved", "asset-first", "shuffled"] as const) {
      double.settings.order = order;
      const page = await double.json("records/query", listBody(0));
      types.set(
        order,
        page.records.slice(0, 4).map((record) => record.recordType ?? ""),
      );
      expect(new Set(page.records.map((record) => record.recordName))).toEqual(new Set(recorded));
    }
    expect(types.get("interleaved")).toEqual(["CPLMaster", "CPLAsset", "CPLMaster", "CPLAsset"]);
    expect(types.get("asset-first")).toEqual(["CPLAsset", "CPLMaster", "CPLAsset", "CPLMaster"]);
  });

  test("only the desired keys come, and without a list everything does", async () => {
    const double = bench(createLibrary({ seed: 1, assets: 1, counts: { live_heic: 1 } }));
    const some = await double.json("records/query", {
      ...listBody(0),
      desiredKeys: ["masterRef", "itemType", "nonsense"],
    });
    expect(some.records.map((record) => Object.keys(record.fields))).toEqual([["itemType"], ["masterRef"]]);
    const all = await double.json("records/query", listBody(0));
    expect(Object.keys(all.records[0]?.fields ?? {})).toContain("resOriginalFileSize");
    expect(Object.keys(all.records[0]?.fields ?? {})).toContain("importDate");
  });
});

describe("a library that changes while it is walked", () => {
  test("an item added at the top shifts all others by one", async () => {
    const library = small(250);
    const double = bench(library, {
      beforePage: ({ earlierPages }) => {
        if (earlierPages === 1) library.addAsset({ assetDate: START });
      },
    });
    const first = await double.json("records/query", listBody(0));
    const second = await double.json("records/query", listBody(100));
    expect(dates(second)[0]).toBe(dates(first).at(-1));
  });

  test("a removal hides one photo from a walk, and the change feed tells of it", async () => {
    const library = small(250);
    const before = library.primary.token;
    const newest = bench(library);
    const top = ofType((await newest.json("records/query", listBody(0))).records, "CPLAsset")[0];
    const double = bench(library, {
      beforePage: ({ earlierPages }) => {
        const id = top?.recordName ?? "";
        const masterName = library.primary.asset(id).data.masterName ?? "";
        if (earlierPages === 1) library.softDelete({ zone: library.primary, id, masterName });
      },
    });
    expect(await walk(double)).toHaveLength(249);
    const feed = await double.json("changes/zone", { zones: [{ zoneID, syncToken: before }] });
    expect(feed.zones[0]?.records.map((record) => record.recordName)).toContain(top?.recordName ?? "");
  });
});

describe("counts", () => {
  const countBody = (ids: readonly string[]) => ({
    query: {
      recordType: "HyperionIndexCountLookup",
      filterBy: [{ fieldName: "indexCountID", comparator: "IN", fieldValue: { type: "STRING_LIST", value: ids } }],
    },
    zoneID,
  });
  const values = (reply: Reply): unknown[] =>
    reply.records.map((record: WireEntry) => record.fields["itemCount"]?.value);

  test("several index ids are counted in their order, through either operation", async () => {
    const double = bench(small(40, { hidden: 3, deleted: 4, favorites: 5 }));
    const ids = [
      "CPLAssetByAssetDateWithoutHiddenOrDeleted",
      "CPLAssetHiddenByAssetDate",
      "CPLAssetDeletedByExpungedDate",
      "CPLAssetInSmartAlbumByAssetDate:Favorite",
    ];
    expect(values(await double.json("records/query", countBody(ids)))).toEqual([33, 3, 4, 5]);
    const batch = await double.json("internal/records/query/batch", { batch: ids.map((id) => countBody([id])) });
    expect(batch.batch.flatMap(values)).toEqual([33, 3, 4, 5]);
  });

  test("an album's members of another zone are counted but not listed", async () => {
    const library = small(5);
    const shared = library.addSharedLibrary("owner");
    const album = library.createAlbum("Mixed");
    const [first] = [...library.primary.assets()];
    library.addToAlbum({ zone: library.primary, id: first?.name ?? "", masterName: "" }, album);
    library.addToAlbum(library.addAsset({ zone: shared.name }), album);
    const double = bench(library);
    const id = `CPLContainerRelationNotDeletedByAssetDate:${album}`;
    expect(values(await double.json("records/query", countBody([id])))).toEqual([2]);
    expect(await walk(double, "CPLContainerRelationLiveByAssetDate", { parentId: album })).toHaveLength(1);
  });

  test("an unknown index is refused", async () => {
    const response = await bench(small(1)).call("records/query", countBody(["CPLNoSuchIndex"]));
    expect(response.status).toBe(400);
  });
});

describe("albums", () => {
  test("more than 200 come in pages with markers", async () => {
    const library = small(1);
    for (let index = 0; index < 230; index += 1) library.createAlbum(`Album ${index}`);
    const double = bench(library);
    const body = { query: { recordType: "CPLAlbumByPositionLive" }, zoneID };
    const first = await double.json("records/query", body);
    expect(first.records).toHaveLength(200);
    const second = await double.json("records/query", { ...body, continuationMarker: first.continuationMarker });
    expect(second.records).toHaveLength(31);
    expect(second.continuationMarker).toBeUndefined();
  });

  test("deleted, smart and unknown albums are listed as such, equal names stay apart", async () => {
    const library = small(1);
    library.createAlbum("Twice");
    library.createAlbum("Twice");
    library.createAlbum({ name: "Smart", albumType: 6 });
    library.createAlbum({ name: null });
    library.deleteAlbum(library.createAlbum("Gone"));
    const top = await bench(library).json("records/query", { query: { recordType: "CPLAlbumByPositionLive" }, zoneID });
    const value = (name: string) => top.records.map((record) => record.fields[name]?.value);
    expect(value("albumType")).toEqual([3, 0, 0, 6, 0, 0]);
    expect(value("isDeleted")).toEqual([undefined, undefined, undefined, undefined, undefined, 1]);
    expect(value("albumNameEnc").filter((name) => name === undefined)).toHaveLength(2);
  });
});

describe("what is refused", () => {
  const double = bench(small(3));
  const url = "https://p61-ckdatabasews.icloud.com/database/1/com.apple.photos.cloud/production/private";
  const status = async (path: string, init: RequestInit = {}, host = url): Promise<number> =>
    (
      await double.cloudkit.request(`${host}/${path}`, {
        method: "POST",
        headers: { cookie: "a=b", "content-type": "text/plain" },
        body: JSON.stringify({ query: { recordType: "CheckIndexingState" }, zoneID }),
        ...init,
      })
    ).status;

  test("unknown operations are 404, other methods than POST 405", async () => {
    expect(await status(`records/query?${QUERY}`)).toBe(200);
    expect(await status(`records/nothing?${QUERY}`)).toBe(404);
    expect(await status(`records/changes?${QUERY}`)).toBe(404);
    expect(await status(`records/query?${QUERY}`, { method: "GET", body: null })).toBe(405);
  });

  test("missing cookies are a 421 of the gateway, and so is another partition's host", async () => {
    const response = await double.cloudkit.request(`${url}/records/query?${QUERY}`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "{}",
    });
    expect(response.status).toBe(421);
    expect(await response.json()).toEqual({ reason: "Missing X-APPLE-WEBAUTH-USER cookie", error: 1 });
    const headers = { cookie: "a=b", "content-type": "text/plain", "x-kei-test-host": "p62-ckdatabasews.icloud.com" };
    expect(await status(`records/query?${QUERY}`, { headers })).toBe(421);
  });

  test("remapEnums is needed, in any spelling of true; content types are Apple's two", async () => {
    expect(await status("records/query?getCurrentSyncToken=true")).toBe(400);
    expect(await status("records/query?remapEnums=True")).toBe(200);
    expect(
      await status(`records/query?${QUERY}`, { headers: { cookie: "a=b", "content-type": "application/json" } }),
    ).toBe(200);
    expect(await status(`records/query?${QUERY}`, { headers: { cookie: "a=b", "content-type": "text/xml" } })).toBe(
      400,
    );
  });

  test("no syncToken comes without getCurrentSyncToken", async () => {
    const response = await double.call("records/query", listBody(0), "remapEnums=true");
    expect(Object.keys((await response.json()) as object)).toEqual(["records"]);
  });

  test("every answer brings a fresh cookie and Apple's headers", async () => {
    const cookies = new Set<string>();
    for (let call = 0; call < 3; call += 1) {
      const response = await double.call("records/query", listBody(0));
      cookies.add(response.headers.getSetCookie()[0] ?? "");
      expect(response.headers.get("content-type")).toBe("application/json; charset=UTF-8");
      expect(response.headers.get("x-apple-request-uuid")).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(cookies.size).toBe(3);
    expect([...cookies][0]).toMatch(/^X-APPLE-WEBAUTH-TOKEN="v=2:t=\d+";Path=\/;Domain=\.icloud\.com;Secure;HttpOnly$/);
  });

  const wrong: ReadonlyArray<readonly [string, string, unknown]> = [
    ["no JSON object", "records/query", []],
    ["no query", "records/query", { zoneID }],
    ["no zone", "records/query", { query: { recordType: "CheckIndexingState" } }],
    ["an unknown member", "records/query", { ...listBody(0), resultLimit: 200 }],
    ["a limit of 0", "records/query", { ...listBody(0), resultsLimit: 0 }],
    ["no startRank", "records/query", { query: { recordType: DEFAULT_LIST }, zoneID }],
    ["a negative rank", "records/query", listBody(-1)],
    ["a wrong filter type", "records/query", JSON.parse(JSON.stringify(listBody(0)).replace("INT64", "STRING"))],
    ["a wrong comparator", "records/query", JSON.parse(JSON.stringify(listBody(0)).replace("EQUALS", "IN"))],
    ["a direction that is none", "records/query", JSON.parse(JSON.stringify(listBody(0)).replace("ASCENDING", "UP"))],
    ["a filter that the list lacks", "records/query", listBody(0, DEFAULT_LIST, { smartAlbum: "FAVORITE" })],
    ["a masterRef filter", "records/query", listBody(0, DEFAULT_LIST, { masterRef: "x" })],
    [
      "no such smart folder",
      "records/query",
      listBody(0, "CPLAssetAndMasterInSmartAlbumByAssetDate", { smartAlbum: "SELFIES" }),
    ],
    ["an album list without its album", "records/query", listBody(0, "CPLContainerRelationLiveByAssetDate")],
    ["a marker that is none", "records/query", { ...listBody(0), continuationMarker: "bm9wZQ==" }],
    ["desiredKeys that are no list", "records/query", { ...listBody(0), desiredKeys: "resOriginalRes" }],
    ["an empty batch entry", "internal/records/query/batch", { batch: [{}] }],
    ["no zones", "changes/zone", { zones: [] }],
    ["a database token that is none", "changes/database", { syncToken: "x" }],
  ];
  for (const [name, operation, body] of wrong) {
    test(`a body with ${name} is a BAD_REQUEST`, async () => {
      const response = await double.call(operation, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ serverErrorCode: "BAD_REQUEST" });
    });
  }

  test("unknown zones and decoys are ZONE_NOT_FOUND, or a 502 on request", async () => {
    const library = small(1);
    library.addDecoys();
    const decoys = bench(library);
    const ask = (zoneName: string) =>
      decoys.call("records/query", { query: { recordType: "CheckIndexingState" }, zoneID: { zoneName } });
    for (const zone of [
      ...library.zones.filter((candidate) => candidate !== library.primary),
      { name: "SharedSync" },
    ]) {
      const response = await ask(zone.name);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ serverErrorCode: "ZONE_NOT_FOUND" });
    }
    decoys.settings.decoyAnswer = 502;
    expect((await ask(library.zones.find((zone) => zone.role === "decoy")?.name ?? "")).status).toBe(502);
  });
});

describe("shared libraries", () => {
  test("a participant finds it in the shared database, and must name its owner", async () => {
    const library = small(2, { shared: { role: "participant", assets: 3 } });
    const shared = library.zones.find((zone) => zone.isShared);
    const double = bench(library);
    expect((await double.json("zones/list", {})).zones).toHaveLength(1);
    const listed = (await double.json("zones/list", {}, "shared")).zones;
    expect(listed.map((zone) => zone.zoneID["zoneName"])).toEqual([shared?.name]);
    const ask = (zone: Record<string, string>, database: "private" | "shared") =>
      double.call("records/query", { ...listBody(0), zoneID: zone }, QUERY, database);
    const full = {
      zoneName: shared?.name ?? "",
      ownerRecordName: shared?.owner ?? "",
      zoneType: "REGULAR_CUSTOM_ZONE",
    };
    const answer = await ask(full, "shared");
    expect(((await answer.json()) as Reply).records).toHaveLength(6);
    expect((await ask({ zoneName: full.zoneName }, "shared")).status).toBe(404);
    expect((await ask({ ...full, ownerRecordName: "_defaultOwner" }, "shared")).status).toBe(404);
    expect((await ask(full, "private")).status).toBe(404);
  });

  test("it has no albums and, as a rule, only the Favorites folder", async () => {
    const library = small(2, { shared: { role: "owner", assets: 3 } });
    const zone = { zoneName: library.zones.find((candidate) => candidate.isShared)?.name ?? "" };
    const double = bench(library);
    const smart = (smartAlbum: string) =>
      double.call("records/query", {
        ...listBody(0, "CPLAssetAndMasterInSmartAlbumByAssetDate", { smartAlbum }),
        zoneID: zone,
      });
    expect((await smart("FAVORITE")).status).toBe(200);
    expect((await smart("VIDEO")).status).toBe(400);
    double.settings.sharedSmartAlbums = "all";
    expect((await smart("VIDEO")).status).toBe(200);
    const albums = await double.call("records/query", {
      query: { recordType: "CPLAlbumByPositionLive" },
      zoneID: zone,
    });
    expect(albums.status).toBe(400);
  });

  test("who added a photo is named on its records", async () => {
    const library = small(0, { shared: { role: "owner", assets: 1 } });
    const zone = library.zones.find((candidate) => candidate.isShared);
    const answer = await bench(library).json("records/query", { ...listBody(0), zoneID: { zoneName: zone?.name } });
    for (const record of answer.records) expect(record.fields["contributors"]?.type).toBe("REFERENCE_LIST");
    expect(resourceOf(answer.records[0]).downloadURL).toContain(`&ckz=${zone?.name}&`);
  });
});

describe("pace and packing", () => {
  test("Apple's pace is 2.5 s for a full page and 70 ms for a small answer", async () => {
    const waits: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      waits.push(ms);
    };
    const double = bench(small(100), { latency: 1, sleep });
    await double.json("records/query", listBody(0));
    await double.json("records/query", listBody(100));
    expect(waits).toEqual([2500, 70]);
  });

  test("answers are compact or gzipped on request", async () => {
    const double = bench(small(3), { pretty: false, gzip: true });
    const response = await double.cloudkit.request(
      `https://p61-ckdatabasews.icloud.com/database/1/com.apple.photos.cloud/production/private/records/query?${QUERY}`,
      {
        method: "POST",
        headers: { cookie: "a=b", "content-type": "text/plain", "accept-encoding": "gzip, deflate" },
        body: JSON.stringify(listBody(0)),
      },
    );
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const text = Buffer.from(Bun.gunzipSync(await response.arrayBuffer())).toString();
    expect(text).toStartWith('{"records":[{"recordName":');
  });
});
