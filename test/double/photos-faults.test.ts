import { describe, expect, test } from "bun:test";
import { createLibrary, PhotoLibrary, spoils } from "../icloud/photos/index.ts";
import type { Spoil } from "../icloud/photos/records.ts";
import { type Bench, bench, listBody, ofType, type WireEntry, zoneID } from "./photos-support.ts";

const small = (assets: number): PhotoLibrary =>
  createLibrary({ seed: assets, assets, bytes: 300, derivatives: false, mix: { jpeg: 1 } });

const page = async (double: Bench, rank: number) => double.json("records/query", listBody(rank));

const assetNames = (records: readonly WireEntry[]): string[] =>
  ofType(records, "CPLAsset").map((asset) => asset.recordName);

describe("faulty pages", () => {
  test("a hole is a run of empty ranks that the count still holds", async () => {
    const double = bench(small(250));
    double.dataFaults.addHole({ at: 100, ranks: 200 });
    expect((await page(double, 0)).records).toHaveLength(200);
    for (const rank of [100, 200]) {
      const empty = await page(double, rank);
      expect(empty.records).toEqual([]);
      expect(empty.continuationMarker).toBeString();
    }
    expect((await page(double, 300)).records).toHaveLength(200);
    expect((await page(double, 400)).continuationMarker).toBeUndefined();
    const count = await double.json("records/query", {
      query: {
        recordType: "HyperionIndexCountLookup",
        filterBy: {
          fieldName: "indexCountID",
          comparator: "IN",
          fieldValue: { type: "STRING_LIST", value: ["CPLAssetByAssetDateWithoutHiddenOrDeleted"] },
        },
      },
      zoneID,
    });
    expect(count.records[0]?.fields["itemCount"]?.value).toBe(450);
  });

  test("the pages of a hole can lack their marker", async () => {
    const double = bench(small(150));
    double.dataFaults.addHole({ at: 100, ranks: 100, marker: false });
    expect((await page(double, 100)).continuationMarker).toBeUndefined();
    expect((await page(double, 200)).records).toHaveLength(100);
  });

  test("a row can come again on the next page, and nothing is lost by it", async () => {
    const double = bench(small(150));
    double.dataFaults.repeatRow({ at: 99 });
    const first = assetNames((await page(double, 0)).records);
    const second = assetNames((await page(double, 100)).records);
    expect(second[0]).toBe(first.at(-1) ?? "");
    expect(new Set([...first, ...second]).size).toBe(150);
  });

  test("a master can come a page late or never, an asset can be missing beside its master", async () => {
    const library = small(150);
    const double = bench(library);
    const [late, never, lone] = assetNames((await page(double, 0)).records);
    const masterOf = (id: string | undefined) => library.primary.asset(id ?? "").data.masterName ?? "";
    double.dataFaults.lateMasters.set(late ?? "", "next-page");
    double.dataFaults.lateMasters.set(never ?? "", "never");
    double.dataFaults.loneMasters.add(lone ?? "");
    const first = (await page(double, 0)).records.map((record) => record.recordName);
    expect(first).toContain(late ?? "");
    expect(first).not.toContain(masterOf(late));
    expect(first).toContain(never ?? "");
    expect(first).not.toContain(masterOf(never));
    expect(first).not.toContain(lone ?? "");
    expect(first).toContain(masterOf(lone));
    const second = (await page(double, 100)).records.map((record) => record.recordName);
    expect(second).toContain(masterOf(late));
    expect(second).not.toContain(masterOf(never));
  });

  test("records with an error code take the place of records", async () => {
    const double = bench(small(3));
    const [name] = assetNames((await page(double, 0)).records);
    double.dataFaults.failRecord(name ?? "", { code: "RETRY_LATER", times: 1 });
    const failed = (await page(double, 0)).records.find((record) => record.recordName === name);
    expect(failed).toEqual({ recordName: name ?? "", serverErrorCode: "RETRY_LATER", reason: "RETRY_LATER" } as never);
    expect(assetNames((await page(double, 0)).records)).toHaveLength(3);
  });

  test("counts can be wrong in every way", async () => {
    const double = bench(small(3));
    const id = "CPLAssetByAddedDate";
    const filterBy = { fieldName: "indexCountID", comparator: "IN", fieldValue: { type: "STRING_LIST", value: [id] } };
    const ask = async () =>
      (await double.json("records/query", { query: { recordType: "HyperionIndexCountLookup", filterBy }, zoneID }))
        .records;
    double.dataFaults.setCount(id, 99);
    expect((await ask())[0]?.fields["itemCount"]).toEqual({ value: 99, type: "INT64" });
    double.dataFaults.setCount(id, "text");
    expect((await ask())[0]?.fields["itemCount"]?.value).toBe("many");
    double.dataFaults.setCount(id, "missing");
    expect((await ask())[0]?.fields).toEqual({});
    double.dataFaults.setCount(id, "no-record");
    expect(await ask()).toEqual([]);
    double.dataFaults.clear();
    expect((await ask())[0]?.fields["itemCount"]?.value).toBe(3);
  });
});

describe("spoiled records", () => {
  async function spoiled(spoil: Spoil, on: "master" | "asset" = "master"): Promise<WireEntry> {
    const library = new PhotoLibrary();
    const asset = library.addAsset();
    const name = on === "master" ? asset.masterName : asset.id;
    library.spoil(library.primary, name, spoil);
    const record = (await page(bench(library), 0)).records.find((entry) => entry.recordName === name);
    if (record === undefined) throw new Error("the record is not on the page");
    return record;
  }
  const original = (record: WireEntry) => record.fields["resOriginalRes"]?.value as Record<string, unknown>;

  test("file names", async () => {
    const name = async (spoil: Spoil) => (await spoiled(spoil)).fields["filenameEnc"];
    expect(await name(spoils.filenameAsString("abcdefgh"))).toEqual({ value: "abcdefgh", type: "STRING" });
    expect((await name(spoils.filenameBrokenBase64))?.value).toHaveLength(15);
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from("abcdefgh", "base64"))).toThrow();
    expect((await name(spoils.filenameNotUtf8))?.value).toBe("abcdefgh");
    expect((await name(spoils.filenameEmpty))?.value).toBe("");
    expect(await name(spoils.filenameAbsent)).toBeUndefined();
  });

  test("types", async () => {
    expect((await spoiled(spoils.itemTypeAbsent)).fields["itemType"]).toBeUndefined();
    expect((await spoiled(spoils.itemTypeWithoutValue)).fields["itemType"]).toEqual({ type: "STRING" } as never);
    expect((await spoiled(spoils.noFileType())).fields["resOriginalFileType"]).toBeUndefined();
  });

  test("resources", async () => {
    expect(original(await spoiled(spoils.noDownloadUrl()))["downloadURL"]).toBeUndefined();
    expect(original(await spoiled(spoils.noSize()))["size"]).toBeUndefined();
    expect(original(await spoiled(spoils.noChecksum()))["fileChecksum"]).toBeUndefined();
    expect(original(await spoiled(spoils.otherChecksumKind()))["fileChecksum"]).toStartWith("B");
    expect(original(await spoiled(spoils.wrongSize(1)))["size"]).toBe(4097);
    expect(original(await spoiled(spoils.foreignHost()))["downloadURL"]).toStartWith("https://example.org/B/");
    expect(original(await spoiled(spoils.httpUrl()))["downloadURL"]).toStartWith("http://cvws.icloud-content.com/B/");
    expect((await spoiled(spoils.nullResource())).fields["resOriginalRes"]).toBeNull();
  });

  test("dates, references and whole records", async () => {
    expect((await spoiled(spoils.assetDateAbsent, "asset")).fields["assetDate"]).toBeUndefined();
    expect((await spoiled(spoils.assetDate(-1e12), "asset")).fields["assetDate"]?.value).toBe(-1e12);
    expect((await spoiled(spoils.noMasterRef, "asset")).fields["masterRef"]).toBeUndefined();
    expect(Object.values((await spoiled(spoils.nullFields)).fields)).toSatisfy((values) =>
      values.every((v) => v === null),
    );
    expect((await spoiled(spoils.withoutTypes)).fields["itemType"]).toEqual({ value: "public.jpeg" });
    expect((await spoiled(spoils.deletedFlag, "asset")).deleted).toBe(true);
    expect((await spoiled(spoils.withoutFields)).fields).toBeNull();
  });

  test("the library itself keeps what it knows", async () => {
    const library = new PhotoLibrary();
    const asset = library.addAsset({ filename: "IMG_7.JPG", assetDate: null });
    library.spoil(library.primary, asset.masterName, spoils.filenameAbsent);
    const double = bench(library);
    expect((await page(double, 0)).records[1]?.fields["assetDate"]).toBeNull();
    expect(library.primary.master(asset.masterName)?.data.filename?.value).toBe(btoa("IMG_7.JPG"));
  });
});
