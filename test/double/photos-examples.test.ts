import { describe, expect, test } from "bun:test";
import { PhotoLibrary } from "../icloud/photos/index.ts";
import { zoneToken } from "../icloud/photos/token.ts";
import { bench, listBody, ofType, QUERY, resourceOf, START, zoneID } from "./photos-support.ts";

/** The worked examples of cloudkit.md 9: one Live Photo, invented but self-consistent. */

const TAKEN = 1_714_557_600_000;
const USER = "_0123456789abcdef0123456789abcdef";
const ASSET = "AAAAAAAA-0001-4000-8000-000000000001";
const MASTER = "AVM2fnNIlg4JD5HanmbGwDfxcuD7";
const CONSTANT = Uint8Array.from({ length: 16 }, (_, index) => index);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function exampleLibrary(): PhotoLibrary {
  const library = new PhotoLibrary({ seed: 9, sequence: 999, tokenConstant: CONSTANT, user: USER, now: () => TAKEN });
  library.addAsset({
    id: ASSET,
    uti: "public.heic",
    filename: "IMG_0001.HEIC",
    content: text("fixture still 0001\n"),
    wrappingKey: new Uint8Array(16).fill(1),
    orientation: 6,
    motion: {
      uti: "com.apple.quicktime-movie",
      content: text("fixture motion 0001\n"),
      wrappingKey: new Uint8Array(16).fill(2),
      width: 1440,
      height: 1080,
    },
    masterResources: {
      resJPEGThumb: {
        uti: "public.jpeg",
        content: text("fixture thumb 0001\n"),
        wrappingKey: new Uint8Array(16).fill(4),
        width: 360,
        height: 480,
      },
    },
    assetDate: TAKEN,
    addedDate: TAKEN + 350,
    timeZoneOffset: 7200,
    location: { lat: 48.8584, lon: 2.2945, alt: 35, timestamp: new Date(TAKEN) },
    keywords: ["alpha", "beta"],
    title: "A title",
  });
  return library;
}

describe("the examples of cloudkit.md 9", () => {
  test("9.1: readiness is one record and the zone's current token", async () => {
    const answer = await bench(exampleLibrary()).json("records/query", {
      query: { recordType: "CheckIndexingState" },
      zoneID,
    });
    expect(answer).toEqual({
      records: [
        {
          recordName: expect.stringMatching(/^_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          recordType: "CheckIndexingState",
          fields: { progress: { value: 100, type: "INT64" }, state: { value: "FINISHED", type: "STRING" } },
          pluginFields: {},
          recordChangeTag: "0",
          created: { timestamp: START, userRecordName: "_10", deviceID: "1" },
          modified: { timestamp: START, userRecordName: "_10", deviceID: "1" },
          deleted: false,
          zoneID: { zoneName: "PrimarySync", ownerRecordName: USER, zoneType: "REGULAR_CUSTOM_ZONE" },
        },
      ],
      syncToken: zoneToken(1002, CONSTANT),
    } as never);
  });

  test("9.2: zones are listed without any query string", async () => {
    const library = exampleLibrary();
    library.addSharedLibrary("owner", "11111111-2222-4333-8444-555555555555");
    library.addZone({ name: "CMM-22222222-3333-4444-8555-666666666666", database: "private", role: "decoy" });
    const response = await bench(library).call("zones/list", {}, "");
    const zone = (zoneName: string) => ({
      zoneID: { zoneName, ownerRecordName: USER, zoneType: "REGULAR_CUSTOM_ZONE" },
    });
    expect(await response.json()).toEqual({
      moreComing: false,
      syncToken: library.primary.token,
      zones: [
        zone("PrimarySync"),
        zone("SharedSync-11111111-2222-4333-8444-555555555555"),
        zone("CMM-22222222-3333-4444-8555-666666666666"),
      ],
    });
  });

  test("9.3: a count comes with filterBy as an object, in a batch", async () => {
    const entry = (filterBy: unknown) => ({
      resultsLimit: 1,
      query: { filterBy, recordType: "HyperionIndexCountLookup" },
      zoneWide: true,
      zoneID,
    });
    const filter = {
      fieldName: "indexCountID",
      fieldValue: { type: "STRING_LIST", value: ["CPLAssetByAssetDateWithoutHiddenOrDeleted"] },
      comparator: "IN",
    };
    const answer = await bench(exampleLibrary()).json("internal/records/query/batch", {
      batch: [entry(filter), entry([filter])],
    });
    expect(answer.batch).toHaveLength(2);
    for (const part of answer.batch) {
      expect(part.syncToken).toBe(zoneToken(1002, CONSTANT));
      expect(part.records).toMatchObject([
        {
          recordName: "CPLAssetByAssetDateWithoutHiddenOrDeleted",
          recordType: "IndexCountResult",
          fields: { itemCount: { value: 1, type: "INT64" } },
          recordChangeTag: "0",
        },
      ]);
    }
  });

  test("9.4: a Live Photo is a master and an asset with exactly the documented values", async () => {
    const answer = await bench(exampleLibrary()).json("records/query", { ...listBody(0), desiredKeys: KEYS });
    const [master, asset] = answer.records;
    expect(answer.continuationMarker).toBeUndefined();
    expect(master?.recordName).toBe(MASTER);
    expect(master?.recordChangeTag).toBe("rs");
    expect(asset?.recordChangeTag).toBe("rt");
    expect(resourceOf(master)).toMatchObject({
      fileChecksum: MASTER,
      size: 19,
      wrappingKey: "AQEBAQEBAQEBAQEBAQEBAQ==",
      referenceChecksum: "ATRcDpeYex9OG+OO4WeKXxBhwsMB",
    });
    expect(resourceOf(master).downloadURL).toStartWith(
      `https://cvws.icloud-content.com/B/AVM2fnNIlg4JD5HanmbGwDfxcuD7ATRcDpeYex9OG-OO4WeKXxBhwsMB/\${f}?o=Ao`,
    );
    expect(resourceOf(master).downloadURL).toContain(
      "&k=AQEBAQEBAQEBAQEBAQEBAQ&ckc=com.apple.photos.cloud&ckz=PrimarySync&y=1&p=61&s=",
    );
    expect(resourceOf(master, "resOriginalVidCompl")).toMatchObject({
      fileChecksum: "AaIksHAVbXpXa79IkhcgbgaXbWM6",
      size: 20,
      referenceChecksum: "AZGJSZ3ESTsqbiam+cJrP6/CCGlY",
    });
    expect(resourceOf(master, "resJPEGThumb").fileChecksum).toBe("AX79vLDTfB0bhiDs64K/YBPr+ezH");
    expect(master?.fields["filenameEnc"]).toEqual({ value: "SU1HXzAwMDEuSEVJQw==", type: "ENCRYPTED_BYTES" });
    expect(master?.fields["originalOrientation"]).toEqual({ value: 6, type: "INT64" });
    expect(new Set(Object.keys(master?.fields ?? {}))).toEqual(MASTER_FIELDS);

    const value = (name: string) => asset?.fields[name]?.value;
    expect(value("masterRef")).toEqual({
      recordName: MASTER,
      action: "DELETE_SELF",
      zoneID: { zoneName: "PrimarySync", ownerRecordName: USER, zoneType: "REGULAR_CUSTOM_ZONE" },
    });
    expect(value("assetDate")).toBe(TAKEN);
    expect(value("addedDate")).toBe(TAKEN + 350);
    expect(value("timeZoneOffset")).toBe(7200);
    expect(value("assetSubtypeV2")).toBe(2);
    expect(value("vidComplDurValue")).toBe(2_500_000_000);
    expect(value("vidComplDispScale")).toBe(1_000_000_000);
    expect(value("captionEnc")).toBe("QSB0aXRsZQ==");
    expect(value("keywordsEnc")).toBe("YnBsaXN0MDCiAQJVYWxwaGFUYmV0YQgLEQAAAAAAAAEBAAAAAAAAAAMAAAAAAAAAAAAAAAAAAAAW");
    expect(value("locationEnc")).toBe(
      "YnBsaXN0MDDYAQIDBAUGBwgJCgsMDQ4PEFNhbHRWY291cnNlV2hvcnpBY2NTbGF0U2xvblVzcGVlZFl0aW1lc3RhbXBXdmVydEFjYyNAQYAAAAAAACO/8AAAAAAAACNAFAAAAAAAACNASG3gDRtxdiNAAlsi0OVgQiMAAAAAAAAAADNBxfElEAAAACNAEAAAAAAAAAgZHSQsMDQ6RExVXmdweYKLAAAAAAAAAQEAAAAAAAAAEQAAAAAAAAAAAAAAAAAAAJQ=",
    );
  });

  test("9.5: an empty page has 85 bytes, printed as Apple prints", async () => {
    const response = await bench(new PhotoLibrary({ tokenConstant: CONSTANT, sequence: 1001 })).call(
      "records/query",
      listBody(0),
    );
    const body = await response.text();
    expect(body).toBe('{\n  "records" : [ ],\n  "syncToken" : "AQAAAAAAAAPpf/////////8AAQIDBAUGBwgJCgsMDQ4P"\n}');
    expect(body).toHaveLength(85);
  });

  test("9.6 and 9.7: the root comes first, folders hold albums, one rank of an album is three records", async () => {
    const library = exampleLibrary();
    const album = library.createAlbum({ id: "BBBBBBBB-0001-4000-8000-000000000001", name: "\u00c9t\u00e9 2024" });
    const folder = library.createAlbum({ id: "BBBBBBBB-0002-4000-8000-000000000002", name: "Folder", albumType: 3 });
    const inner = library.createAlbum({ name: "Inside", parent: folder });
    library.addToAlbum({ zone: library.primary, id: ASSET, masterName: MASTER }, album);
    const double = bench(library);
    const top = await double.json("records/query", { query: { recordType: "CPLAlbumByPositionLive" }, zoneID });
    expect(top.records.map((record) => record.recordName)).toEqual(["----Root-Folder----", album, folder]);
    expect(top.records[0]?.fields["albumType"]?.value).toBe(3);
    expect(top.records[0]?.fields["albumNameEnc"]).toBeUndefined();
    expect(top.records[1]?.fields["albumNameEnc"]).toEqual({ value: "w4l0w6kgMjAyNA==", type: "ENCRYPTED_BYTES" });
    const children = await double.json("records/query", {
      query: {
        recordType: "CPLAlbumByPositionLive",
        filterBy: [{ fieldName: "parentId", comparator: "EQUALS", fieldValue: { type: "STRING", value: folder } }],
      },
      zoneID,
    });
    expect(children.records.map((record) => record.recordName)).toEqual([inner]);
    expect(children.records[0]?.fields["parentId"]).toEqual({ value: folder, type: "STRING" });

    const members = await double.json(
      "records/query",
      listBody(0, "CPLContainerRelationLiveByAssetDate", { parentId: album }),
    );
    expect(members.records.map((record) => record.recordType)).toEqual([
      "CPLContainerRelation",
      "CPLMaster",
      "CPLAsset",
    ]);
    expect(members.records[0]?.recordName).toBe(`${ASSET}-IN-${album}`);
    expect(members.records[0]?.fields).toMatchObject({
      itemId: { value: ASSET, type: "STRING" },
      containerId: { value: album, type: "STRING" },
      isKeyAsset: { value: 0, type: "INT64" },
    });
  });

  test("9.8: nothing changed, then one favourite set through the web", async () => {
    const library = exampleLibrary();
    const double = bench(library);
    const before = await double.json("changes/database", {});
    const quiet = await double.json("changes/database", { syncToken: before.syncToken });
    expect(quiet.zones).toEqual([]);
    expect(quiet.syncToken).not.toBe(before.syncToken);
    const token = library.primary.token;
    library.favourite({ zone: library.primary, id: ASSET, masterName: MASTER }, true, "web");
    const answer = await double.json("changes/zone", { zones: [{ zoneID, syncToken: token, resultsLimit: 200 }] });
    const [zone] = answer.zones;
    expect(zone?.syncToken).toBe(zoneToken(1002 + 6, CONSTANT));
    expect(zone?.moreComing).toBe(false);
    expect(zone?.records.map((record) => [record.recordName, record.recordChangeTag])).toEqual([
      [ASSET, "rv"],
      ["PrimarySync-0000-LI", "rw"],
    ]);
    expect(zone?.records[0]?.fields["isFavorite"]).toEqual({ value: 1, type: "INT64" });
    expect(zone?.records[1]?.fields["photosCount"]).toEqual({ value: 1, type: "INT64" });
    expect(await double.json("changes/zone", { zones: [{ zoneID, syncToken: zone?.syncToken }] })).toMatchObject({
      zones: [{ records: [], moreComing: false, syncToken: zone?.syncToken }],
    } as never);
  });

  test("9.9: a soft delete carries the dates of the bin, a hard delete only a name", async () => {
    const library = exampleLibrary();
    const double = bench(library);
    const asset = { zone: library.primary, id: ASSET, masterName: MASTER };
    const album = library.createAlbum("Album");
    library.addToAlbum(asset, album);
    let token = library.primary.token;
    double.now = TAKEN;
    library.softDelete(asset);
    const deleted = (await double.json("changes/zone", { zones: [{ zoneID, syncToken: token }] })).zones[0];
    const record = deleted?.records.find((entry) => entry.recordName === ASSET);
    expect(record?.expirationTime).toBe(TAKEN / 1000 + 3_456_000);
    expect(record?.fields).toMatchObject({
      isDeleted: { value: 1, type: "INT64" },
      isExpunged: { value: 0, type: "INT64" },
      dateExpunged: { value: TAKEN + 2_592_000_000, type: "TIMESTAMP" },
      trashReason: { value: 1, type: "INT64" },
    });
    expect(ofType(deleted?.records ?? [], "CPLMaster")[0]?.fields["isDeleted"]?.value).toBe(1);

    token = library.primary.token;
    library.purge(asset);
    const purged = (await double.json("changes/zone", { zones: [{ zoneID, syncToken: token }] })).zones[0];
    const gone = purged?.records.filter((entry) => entry.deleted) ?? [];
    expect(gone.map((entry) => entry.recordName)).toEqual([`${ASSET}-IN-${album}`, ASSET, MASTER]);
    for (const entry of gone) {
      expect(entry.recordType).toBeNull();
      expect(entry.fields).toBeUndefined();
    }
  });

  test("9.10: a refused token is an error inside a 200", async () => {
    const double = bench(exampleLibrary());
    const answer = await double.json("changes/zone", { zones: [{ zoneID, syncToken: "Z2FyYmFnZQ==" }] });
    expect(answer.zones).toMatchObject([
      { zoneID: { zoneName: "PrimarySync" }, serverErrorCode: "BAD_REQUEST", reason: "Unknown sync continuation type" },
    ]);
    expect(answer.zones[0]?.records).toBeUndefined();
  });

  test("9.11: lookup tells found from not found", async () => {
    const unknown = "AAAAAAAA-0009-4000-8000-000000000009";
    const answer = await bench(exampleLibrary()).json("records/lookup", {
      records: [{ recordName: unknown }, { recordName: MASTER }],
      zoneID,
      desiredKeys: KEYS,
    });
    expect(answer.records[0]).toEqual({
      recordName: unknown,
      serverErrorCode: "NOT_FOUND",
      reason: "Record not found",
    } as never);
    expect(answer.records[1]?.recordName).toBe(MASTER);
    expect(resourceOf(answer.records[1]).downloadURL).toStartWith("https://cvws.icloud-content.com/B/");
  });

  test("9.12: masters cannot be queried", async () => {
    for (const recordType of ["CPLMaster", "CPLAsset", "NoSuchType"]) {
      const response = await bench(exampleLibrary()).call("records/query", { query: { recordType }, zoneID });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        uuid: expect.any(String),
        serverErrorCode: "BAD_REQUEST",
        reason: `Type is not marked indexable: ${recordType}`,
      });
    }
  });

  test("9.13: moving to Recently Deleted answers with the asset alone and moves the sequence by six", async () => {
    const library = exampleLibrary();
    const double = bench(library);
    double.now = 1_714_558_000_000;
    const before = library.primary.sequence;
    const response = await double.call(
      "records/modify",
      {
        atomic: true,
        desiredKeys: ["isDeleted"],
        operations: [
          {
            operationType: "update",
            record: {
              fields: { isDeleted: { value: 1 } },
              recordChangeTag: "rt",
              recordName: ASSET,
              recordType: "CPLAsset",
            },
          },
        ],
        zoneID,
      },
      QUERY,
    );
    expect(await response.json()).toEqual({
      records: [
        {
          recordName: ASSET,
          recordType: "CPLAsset",
          fields: { isDeleted: { value: 1, type: "INT64" } },
          pluginFields: {},
          recordChangeTag: (before + 1).toString(36),
          created: expect.any(Object),
          modified: { timestamp: 1_714_558_000_000, userRecordName: USER, deviceID: "2" },
          deleted: false,
          expirationTime: 1_718_014_000,
        },
      ],
      syncToken: zoneToken(before + 6, CONSTANT),
    });
  });
});

const KEYS = [
  ...["resOriginal", "resOriginalVidCompl", "resJPEGThumb", "resJPEGFull"].flatMap((prefix) =>
    ["Width", "Height", "FileType", "Fingerprint", "Res"].map((end) => `${prefix}${end}`),
  ),
  ...["itemType", "dataClassType", "filenameEnc", "originalOrientation", "masterRef", "assetDate", "addedDate"],
  ...["timeZoneOffset", "isFavorite", "isHidden", "orientation", "duration", "assetSubtype", "assetSubtypeV2"],
  ...["assetHDRType", "burstFlags", "adjustmentRenderType", "customRenderedValue", "vidComplDurValue"],
  ...["vidComplDurScale", "vidComplDispValue", "vidComplDispScale", "vidComplVisibilityState", "locationEnc"],
  ...["keywordsEnc", "captionEnc", "recordName", "recordType", "noSuchKey"],
];

const MASTER_FIELDS = new Set([
  ...["dataClassType", "filenameEnc", "itemType", "originalOrientation"],
  ...["resJPEGThumb", "resOriginal", "resOriginalVidCompl"].flatMap((prefix) =>
    ["FileType", "Fingerprint", "Height", "Res", "Width"].map((end) => `${prefix}${end}`),
  ),
]);
