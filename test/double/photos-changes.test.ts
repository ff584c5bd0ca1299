import { describe, expect, test } from "bun:test";
import { createLibrary, PhotoLibrary } from "../icloud/photos/index.ts";
import { changeTag, continuationMarker, parseMarker, parseZoneToken, zoneToken } from "../icloud/photos/token.ts";
import {
  type Bench,
  bench,
  listBody,
  ofType,
  START,
  type WireEntry,
  type ZoneAnswer,
  zoneID,
} from "./photos-support.ts";

const DAY = 86_400_000;

async function changes(double: Bench, syncToken?: string, rest: Record<string, unknown> = {}): Promise<ZoneAnswer> {
  const entry = { zoneID, ...(syncToken === undefined ? {} : { syncToken }), ...rest };
  const answer = (await double.json("changes/zone", { zones: [entry] })).zones[0];
  if (answer === undefined) throw new Error("no zone in the answer");
  return answer;
}

/** Follows the feed to its end. */
async function follow(double: Bench, from?: string): Promise<{ records: WireEntry[]; token: string; pages: number }> {
  const records: WireEntry[] = [];
  let token = from;
  for (let pages = 1; ; pages += 1) {
    const page = await changes(double, token);
    records.push(...page.records);
    token = page.syncToken;
    if (!page.moreComing) return { records, token, pages };
  }
}

const kinds = (records: readonly WireEntry[]): string[] => records.map((record) => record.recordType ?? "gone");

describe("sync tokens", () => {
  test("33 bytes: 01, the sequence, 7f and seven ff, 16 bytes of the zone", () => {
    const constant = Uint8Array.from({ length: 16 }, (_, index) => index);
    expect(zoneToken(1001, constant)).toBe("AQAAAAAAAAPpf/////////8AAQIDBAUGBwgJCgsMDQ4P");
    expect(zoneToken(1007, constant)).toBe("AQAAAAAAAAPvf/////////8AAQIDBAUGBwgJCgsMDQ4P");
    expect(parseZoneToken(zoneToken(2 ** 40, constant), constant)).toEqual({
      ok: true,
      sequence: 2 ** 40,
      step: undefined,
    });
    expect(changeTag(199_061)).toBe("49lh");
  });

  test("a continuation marker has the recorded form and leads on", () => {
    const marker = continuationMarker(100, "51AB8F7F-CF1F-40CD-9A85-4A0B17453FF4");
    const recorded = Buffer.from("EgYZYs4rPu8aKAokNTFBQjhGN0YtQ0YxRi00MENELTlBODUtNEEwQjE3NDUzRkY0EAE=", "base64");
    const ours = Buffer.from(marker, "base64");
    expect(ours.subarray(8)).toEqual(recorded.subarray(8));
    expect(ours.subarray(0, 2)).toEqual(recorded.subarray(0, 2));
    expect(parseMarker(marker)).toBe(100);
  });

  test("queries, counts, readiness and lookups carry the token that the change feed takes", async () => {
    const library = createLibrary({ seed: 1, assets: 3 });
    const double = bench(library);
    const tokens = [
      (await double.json("records/query", listBody(0))).syncToken,
      (await double.json("records/query", { query: { recordType: "CheckIndexingState" }, zoneID })).syncToken,
      (await double.json("records/lookup", { records: [], zoneID })).syncToken,
    ];
    expect(new Set(tokens)).toEqual(new Set([library.primary.token]));
    expect(await changes(double, tokens[0])).toMatchObject({
      records: [],
      moreComing: false,
      syncToken: tokens[0],
    } as never);
  });

  const refused: ReadonlyArray<readonly [string, (library: PhotoLibrary) => string, string]> = [
    ["garbage", () => "garbage!", "Unknown sync continuation type"],
    ["base64 of something else", () => "AAAA", "Unknown sync continuation type"],
    ["a truncated token", (library) => library.primary.token.slice(0, 40), "Invalid continuation format"],
    [
      "another zone's token",
      (library) => zoneToken(1, new Uint8Array(16).fill(library.zones.length)),
      "Invalid continuation format",
    ],
    [
      "a sequence of the future",
      (library) => zoneToken(10 ** 9, library.primary.tokenConstant),
      "Unknown sync continuation type",
    ],
  ];
  for (const [name, token, reason] of refused) {
    test(`${name} is refused inside a 200`, async () => {
      const library = createLibrary({ seed: 1, assets: 3 });
      const answer = await changes(bench(library), token(library));
      expect(answer).toMatchObject({ serverErrorCode: "BAD_REQUEST", reason });
      expect(answer.syncToken).toBeUndefined();
    });
  }

  test("a database token is of another kind and refused for a zone", async () => {
    const double = bench(createLibrary({ seed: 1, assets: 3 }));
    const { syncToken } = await double.json("changes/database", {});
    expect(await changes(double, syncToken)).toMatchObject({ serverErrorCode: "BAD_REQUEST" });
  });

  test("an empty token counts as caught up", async () => {
    const double = bench(createLibrary({ seed: 1, assets: 3 }));
    expect(await changes(double, "")).toMatchObject({ records: [], moreComing: false } as never);
  });

  test("tokens can be made to expire", async () => {
    const library = createLibrary({ seed: 1, assets: 3 });
    const double = bench(library);
    const old = library.primary.token;
    library.addAsset();
    double.dataFaults.expireTokens(library.primary.sequence);
    expect(await changes(double, old)).toMatchObject({ serverErrorCode: "BAD_REQUEST" });
    expect((await changes(double, library.primary.token)).serverErrorCode).toBeUndefined();
  });

  test("an unknown zone is an error of its entry, beside the answer of a good one", async () => {
    const library = createLibrary({ seed: 1, assets: 1 });
    const answer = await bench(library).json("changes/zone", {
      zones: [{ zoneID: { zoneName: "SharedSync" } }, { zoneID, syncToken: library.primary.token }],
    });
    expect(answer.zones).toHaveLength(2);
    expect(answer.zones[0]).toMatchObject({ serverErrorCode: "ZONE_NOT_FOUND" });
    expect(answer.zones[1]?.moreComing).toBe(false);
  });
});

describe("change feeds", () => {
  test("history starts with an empty page and then tells every record once, in the order of its last write", async () => {
    const library = createLibrary({ seed: 1, assets: 150 });
    const double = bench(library);
    const first = await changes(double);
    expect([first.records.length, first.moreComing]).toEqual([0, true]);
    const { records, token, pages } = await follow(double);
    expect(pages).toBeGreaterThan(2);
    expect(token).toBe(library.primary.token);
    const sequences = records.map((record) => Number.parseInt(record.recordChangeTag, 36));
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(new Set(records.map((record) => record.recordName)).size).toBe(records.length);
    expect(ofType(records, "CPLAsset")).toHaveLength(150);
  });

  test("the same token gives the same answer again", async () => {
    const library = createLibrary({ seed: 1, assets: 5 });
    const double = bench(library);
    const token = library.primary.token;
    library.addAsset();
    const strip = (answer: ZoneAnswer) => [kinds(answer.records), answer.syncToken, answer.moreComing];
    expect(strip(await changes(double, token))).toEqual(strip(await changes(double, token)));
  });

  test("limits are honoured, and a page holds 200 records at most", async () => {
    const library = createLibrary({ seed: 1, assets: 150 });
    const double = bench(library);
    const start = zoneToken(0, library.primary.tokenConstant);
    expect((await changes(double, start, { resultsLimit: 7 })).records).toHaveLength(7);
    expect((await changes(double, start, { resultsLimit: 999 })).records).toHaveLength(200);
  });

  test("empty pages with more to come can be put before a delta", async () => {
    const library = createLibrary({ seed: 1, assets: 5 });
    const double = bench(library, { emptyDeltaPages: 3 });
    const token = library.primary.token;
    library.addAsset();
    const { records, pages } = await follow(double, token);
    expect(pages).toBe(4);
    expect(kinds(records)).toEqual(["CPLMaster", "CPLAsset", "CPLLibraryInfo"]);
    const quiet = await changes(double, library.primary.token);
    expect([quiet.moreComing, quiet.syncToken]).toEqual([false, library.primary.token]);
  });

  /** What each act leaves in the feed: cloudkit.md 4.5. */
  async function feedOf(
    act: (library: PhotoLibrary, asset: ReturnType<PhotoLibrary["addAsset"]>) => void,
  ): Promise<WireEntry[]> {
    const library = new PhotoLibrary({ now: () => START });
    const asset = library.addAsset();
    const album = library.createAlbum({ id: "ALBUM", name: "Album" });
    const token = library.primary.token;
    const double = bench(library);
    act(library, asset);
    expect(library.primary.get(album)).toBeDefined();
    return (await follow(double, token)).records;
  }

  test("a new photo: master, asset, library info", async () => {
    expect(kinds(await feedOf((library) => library.addAsset({ content: 99 })))).toEqual([
      "CPLMaster",
      "CPLAsset",
      "CPLLibraryInfo",
    ]);
  });

  test("favourite, hide and edit: the asset alone, with the library info", async () => {
    const edit = { resJPEGFull: { uti: "public.jpeg", content: 500 } };
    expect(kinds(await feedOf((library, asset) => library.favourite(asset)))).toEqual(["CPLAsset", "CPLLibraryInfo"]);
    expect(kinds(await feedOf((library, asset) => library.hide(asset)))).toEqual(["CPLAsset", "CPLLibraryInfo"]);
    const [edited] = await feedOf((library, asset) => library.edit(asset, edit));
    expect(edited?.fields["adjustmentType"]?.value).toBe("com.apple.photo");
    expect(edited?.fields["resJPEGFullRes"]?.type).toBe("ASSETID");
    const [reverted] = await feedOf((library, asset) => {
      library.edit(asset, edit);
      library.revertEdit(asset);
    });
    expect(reverted?.fields["adjustmentType"]).toBeUndefined();
    expect(reverted?.fields["resJPEGFullRes"]).toBeUndefined();
  });

  test("soft delete flags asset and master, restore clears the asset, with 0 or nothing", async () => {
    const deleted = await feedOf((library, asset) => library.softDelete(asset));
    expect(kinds(deleted)).toEqual(["CPLAsset", "CPLMaster", "CPLLibraryInfo"]);
    expect(deleted[0]?.fields["dateExpunged"]?.value).toBe(START + 30 * DAY);
    expect(deleted[1]?.expirationTime).toBe((START + 40 * DAY) / 1000);
    for (const [from, off] of [
      ["device", undefined],
      ["web", 0],
    ] as const) {
      const restored = await feedOf((library, asset) => {
        library.softDelete(asset);
        library.restore(asset, from);
      });
      const asset = ofType(restored, "CPLAsset")[0];
      expect(asset?.fields["isDeleted"]?.value).toBe(off);
      expect(asset?.fields["dateExpunged"]).toBeUndefined();
      expect(asset?.expirationTime).toBeUndefined();
    }
  });

  test("the master stays unflagged while another asset uses it", async () => {
    const records = await feedOf((library, asset) => {
      library.duplicate(asset);
      library.softDelete(asset);
    });
    expect(ofType(records, "CPLMaster")[0]?.fields["isDeleted"]).toBeUndefined();
  });

  test("album membership: a relation and the album, photos untouched; a tombstone when it ends", async () => {
    const added = await feedOf((library, asset) => library.addToAlbum(asset, "ALBUM"));
    expect(kinds(added)).toEqual(["CPLContainerRelation", "CPLAlbum"]);
    const removed = await feedOf((library, asset) => {
      library.addToAlbum(asset, "ALBUM");
      library.removeFromAlbum(asset, "ALBUM");
    });
    expect(kinds(removed)).toEqual(["gone", "CPLAlbum"]);
    expect(removed[0]?.recordName).toEndWith("-IN-ALBUM");
  });

  test("albums are renamed, moved and deleted with their record", async () => {
    const [renamed] = await feedOf((library) => library.renameAlbum("ALBUM", "Other"));
    expect(renamed?.fields["albumNameEnc"]?.value).toBe(btoa("Other"));
    const [deleted] = await feedOf((library) => library.deleteAlbum("ALBUM"));
    expect(deleted?.fields["isDeleted"]?.value).toBe(1);
  });

  test("noise moves the token and means nothing", async () => {
    expect(kinds(await feedOf((library) => library.addNoise(library.primary, 2)))).toEqual([
      "CPLFaceCrop",
      "CPLPerson",
    ]);
  });

  test("a move into the shared library is a pair there and a deletion here, with one master name", async () => {
    const library = new PhotoLibrary();
    const asset = library.addAsset();
    const shared = library.addSharedLibrary("owner");
    const double = bench(library);
    const token = library.primary.token;
    const sharedToken = shared.token;
    const moved = library.moveToShared(asset, shared);
    expect(moved.masterName).toBe(asset.masterName);
    expect(kinds((await follow(double, token)).records)).toEqual(["CPLAsset", "CPLMaster", "CPLLibraryInfo"]);
    const entry = { zoneID: { zoneName: shared.name }, syncToken: sharedToken };
    const there = (await double.json("changes/zone", { zones: [entry] })).zones[0]?.records ?? [];
    expect(kinds(there)).toEqual(["CPLMaster", "CPLAsset", "CPLSharedLibraryQuota", "CPLLibraryInfo"]);
    expect(there[1]?.fields["trashReason"]?.value).toBe(0);

    const back = library.moveToPersonal(moved);
    expect(library.primary.asset(back.id).data.isDeleted).toBeUndefined();
    expect(shared.asset(moved.id).data).toMatchObject({
      isDeleted: 1,
      isExpunged: 1,
      trashReason: 0,
      deletedBy: library.user,
    });
  });

  test("a sparse record has no master and no resources", async () => {
    const records = await feedOf((library) => {
      const shared = library.addSharedLibrary("owner");
      const there = library.addAsset({ zone: shared.name });
      library.addSparse({ zone: shared, record: there.id });
    });
    expect(records[0]?.fields["isSparsePrivateRecord"]?.value).toBe(1);
    expect(records[0]?.fields["linkedShareZoneOwner"]?.type).toBe("REFERENCE");
    expect(records[0]?.fields["masterRef"]).toBeUndefined();
  });
});

describe("changes/database", () => {
  test("lists every zone at first, then those that changed, with a new token each time", async () => {
    const library = createLibrary({ seed: 1, assets: 2, shared: { role: "owner", assets: 1 }, decoys: true });
    const double = bench(library);
    const all = await double.json("changes/database", {});
    expect(all.zones).toHaveLength(6);
    expect(all.zones.filter((zone) => zone.deleted === true)).toHaveLength(1);
    library.addNoise();
    const changed = await double.json("changes/database", { syncToken: all.syncToken });
    expect(changed.zones.map((zone) => zone.zoneID["zoneName"])).toEqual(["PrimarySync"]);
    expect(changed.zones[0]?.syncToken).toBe(library.primary.token);
    const quiet = await double.json("changes/database", { syncToken: changed.syncToken });
    expect(quiet.zones).toEqual([]);
    double.settings.databaseZonesCarryTokens = false;
    const bare = await double.json("changes/database", { syncToken: all.syncToken });
    expect(bare.zones[0]?.syncToken).toBeUndefined();
  });

  test("long zone lists come in pages", async () => {
    const library = createLibrary({ seed: 1, assets: 1, decoys: true });
    const double = bench(library, { zonesPerPage: 2 });
    for (const operation of ["zones/list", "changes/database"]) {
      const names: unknown[] = [];
      let body: Record<string, string> = {};
      for (let more = true; more; ) {
        const page = await double.json(operation, body);
        names.push(...page.zones.map((zone) => zone.zoneID["zoneName"]));
        body = { syncToken: page.syncToken };
        more = page.moreComing;
      }
      expect(names).toEqual(library.zones.map((zone) => zone.name));
    }
  });
});
