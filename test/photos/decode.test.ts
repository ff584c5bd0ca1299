import { describe, expect, test } from "bun:test";
import { readRecord } from "../../src/icloud/cloudkit/record.ts";
import { decodeAsset, decodeText } from "../../src/icloud/photos/decode.ts";
import type { Asset } from "../../src/library/asset.ts";
import { asset, master, number, resource, text, ZONE } from "./fixtures.ts";

function decode(assetFields: Record<string, unknown> = {}, masterFields: Record<string, unknown> = {}): Asset {
  const decoded = decodeAsset(ZONE, asset("A", "M", assetFields), master("M", masterFields));
  if ("reason" in decoded) throw new Error(decoded.reason);
  return decoded;
}

describe("an asset", () => {
  test("is known by its own record, not by its original's", () => {
    const decoded = decode();
    expect(decoded.id).toBe("A" as Asset["id"]);
    expect(decoded.masterId).toBe("M" as Asset["masterId"]);
    expect(decoded.filename).toBe("M.HEIC");
    expect(decoded.kind).toBe("photo");
  });

  test("with a moving half is a Live Photo", () => {
    const live = decode(
      {},
      {
        resOriginalVidComplRes: resource("AaIksHAVbXpXa79IkhcgbgaXbWM6"),
        resOriginalVidComplFileType: text("com.apple.quicktime-movie"),
      },
    );
    expect(live.kind).toBe("live-photo");
    expect(live.renditions.live_original?.uti).toBe("com.apple.quicktime-movie");
  });

  test("takes edited files from its own record before the original's", () => {
    const edited = decode({
      resJPEGFullRes: resource("AX79vLDTfB0bhiDs64K/YBPr+ezH"),
      resJPEGFullFileType: text("public.jpeg"),
    });
    expect(edited.renditions.adjusted?.uti).toBe("public.jpeg");
  });

  test("never takes an edited motion from the original's record", () => {
    const decoded = decode(
      {},
      { resVidFullRes: resource("AX79vLDTfB0bhiDs64K/YBPr+ezH"), resVidFullFileType: text("public.mpeg-4") },
    );
    expect(decoded.renditions.live_adjusted).toBeUndefined();
  });

  test.each([
    ["no date", { assetDate: undefined }],
    ["null as date", { assetDate: null }],
    ["a null value as date", { assetDate: { value: null } }],
    ["text as date", { assetDate: { value: "2024" } }],
    ["a date beyond the calendar", { assetDate: { value: 9e15 } }],
  ])("with %s is an issue, not a file under 1970", (_, fields) => {
    expect(decodeAsset(ZONE, asset("A", "M", fields), master("M"))).toEqual({
      recordName: "A",
      reason: "no-capture-date",
    });
  });

  test("from before 1970 is as good as any", () => {
    expect(decode({ assetDate: { value: -2e12 } }).capturedAt).toBe(-2e12);
  });

  test.each([
    [7_200, 7_200],
    [-25_200, -25_200],
    [86_400, undefined],
    [1.5, undefined],
    ["x", undefined],
  ])("time zone %p counts as %p", (given, wanted) => {
    expect(decode({ timeZoneOffset: number(given) }).timeZoneOffset).toBe(wanted);
  });

  test.each([1, true])("isDeleted %p means trashed, and so does isExpunged", (value) => {
    expect(decode({ isDeleted: number(value) }).isDeleted).toBe(true);
    expect(decode({ isExpunged: number(value) }).isDeleted).toBe(true);
  });

  test.each([0, null, undefined])("isDeleted %p means alive", (value) => {
    expect(decode({ isDeleted: value === undefined ? undefined : number(value) }).isDeleted).toBe(false);
  });
});

describe("a file of an asset that can't be used is a defect", () => {
  test.each([
    ["no address", { downloadURL: undefined }, "no-download-url"],
    ["no checksum", { fileChecksum: undefined }, "no-checksum"],
    ["no size", { size: undefined }, "no-size"],
    ["no bytes", { size: 0 }, "no-size"],
    ["text as size", { size: "19" }, "no-size"],
    ["plain http", { downloadURL: "http://cvws.icloud-content.com/B/x" }, "foreign-url"],
    ["another host", { downloadURL: "https://icloud-content.com.evil.example/B/x" }, "foreign-url"],
    ["a login in its address", { downloadURL: "https://u:p@cvws.icloud-content.com/B/x" }, "foreign-url"],
  ])("with %s", (_, change, reason) => {
    const decoded = decode({}, { resOriginalRes: resource("AVM2fnNIlg4JD5HanmbGwDfxcuD7", change) });
    expect(decoded.renditions.original).toBeUndefined();
    expect(decoded.defects).toEqual([{ rendition: "original", reason }]);
  });

  test("without a file type", () => {
    expect(decode({}, { resOriginalFileType: undefined }).defects).toEqual([
      { rendition: "original", reason: "no-file-type" },
    ]);
  });
});

describe("an encoded text", () => {
  const named = (field: unknown) =>
    decodeText(readRecord({ recordName: "M", fields: { filenameEnc: field } }), "filenameEnc");
  test.each([
    ["base64 of UTF-8", { value: "SU1HXzAwMDEuSEVJQw==", type: "ENCRYPTED_BYTES" }, "IMG_0001.HEIC"],
    ["base64 without a type", { value: "SU1HXzAwMDEuSEVJQw==" }, "IMG_0001.HEIC"],
    ["a plain string that looks like base64", { value: "abcdefgh", type: "STRING" }, "abcdefgh"],
    ["base64 of something that is no UTF-8", { value: "abcdefgh", type: "ENCRYPTED_BYTES" }, undefined],
    ["cut padding", { value: "SU1HXzAwMDEuSEVJQw", type: "ENCRYPTED_BYTES" }, undefined],
    ["an empty value", { value: "", type: "STRING" }, undefined],
    ["null", null, undefined],
    ["a null value", { value: null }, undefined],
    ["another type", { value: "SU1H", type: "REFERENCE" }, undefined],
    [
      "a decomposed letter, kept as it is",
      { value: Buffer.from("e\u0301").toString("base64"), type: "ENCRYPTED_BYTES" },
      "e\u0301",
    ],
  ])("%s", (_, field, wanted) => {
    expect(named(field)).toBe(wanted as string);
  });
});
