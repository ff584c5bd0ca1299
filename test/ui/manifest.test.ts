/** The forms of the manifest: whatever a name holds, it comes out as it went in. */
import { describe, expect, test } from "bun:test";
import type { AppleChecksum, AssetId, ZoneName } from "../../src/library/asset.ts";
import type { ManifestRow } from "../../src/state/answers.ts";
import { csvManifest, jsonManifest, manifestEntry } from "../../src/ui/manifest.ts";

const row = (more: Partial<ManifestRow> = {}): ManifestRow => ({
  library: "PrimarySync" as ZoneName,
  asset: "A" as AssetId,
  rendition: "original",
  filename: "IMG_1.JPG",
  paths: ["2024/IMG_1.JPG", "Rome/IMG_1.JPG"],
  checksum: "AQ==" as AppleChecksum,
  size: 5,
  localSize: 5,
  proof: "provider",
  capturedAt: 0,
  addedAt: 1_000,
  downloadedAt: 2_000,
  seenAt: undefined,
  kind: "photo",
  status: "downloaded",
  albums: ["Rome"],
  ...more,
});
const json = (...rows: readonly ManifestRow[]): string => [...jsonManifest(rows)].join("");
const csv = (rows: readonly ManifestRow[], shown = false): string => [...csvManifest(rows, shown)].join("");

describe("as JSON", () => {
  test("is an array, one file a line; an empty one for no files", () => {
    expect(json()).toBe("[]\n");
    expect(
      json(row(), row())
        .split("\n")
        .map((line) => line.slice(0, 6)),
    ).toEqual(["[", '  {"li', '  {"li', "]", ""]);
    expect(JSON.parse(json(row()))).toEqual([manifestEntry(row())]);
  });

  test("keeps every character, and lets a terminal obey none", () => {
    const filename = 'a"\\\u0000\u001b\u009b\ud800\u{1F600}.JPG';
    const text = json(row({ filename }));
    expect(text.trimEnd()).not.toMatch(/[^\P{Cc}\n]/u);
    expect(JSON.parse(text)[0].filename).toBe(filename);
  });
});

describe("as CSV", () => {
  test("has a header, CRLF and quotes where they are needed", () => {
    const header = csv([]);
    expect(header).toEndWith(",status,albums,paths\r\n");
    const line = csv([row({ filename: 'a,"b"\n.JPG', addedAt: undefined })]).slice(header.length);
    expect(line).toBe(
      'PrimarySync,A,original,"a,""b""\n.JPG",2024/IMG_1.JPG,AQ==,AQ==,AQ==,5,1970-01-01T00:00:00.000Z,,1970-01-01T00:00:02.000Z,,photo,downloaded,"[""Rome""]","[""2024/IMG_1.JPG"",""Rome/IMG_1.JPG""]"\r\n',
    );
  });

  test("escapes control characters only for a terminal", () => {
    const rows = [row({ filename: "a\u001b[2J.JPG" })];
    expect(csv(rows)).toContain("a\u001b[2J.JPG");
    expect(csv(rows, true)).toContain("a\\x1b[2J.JPG");
  });
});

describe("checksums", () => {
  test("are told only for what they prove", () => {
    const of = (more: Partial<ManifestRow>) => {
      const { local_checksum, download_checksum } = manifestEntry(row(more));
      return [local_checksum, download_checksum];
    };
    expect(of({})).toEqual(["AQ==", "AQ=="]);
    expect(of({ proof: "adopted" })).toEqual(["AQ==", null]);
    expect(of({ proof: "size" })).toEqual([null, null]);
    expect(of({ proof: undefined, status: "pending", paths: [], localSize: undefined })).toEqual([null, null]);
    // Something was written into the file after it came.
    expect(of({ localSize: 9 })).toEqual([null, "AQ=="]);
  });

  test("and a date that no calendar has is null", () => {
    expect(manifestEntry(row({ capturedAt: 1e300 })).created_at).toBeNull();
    expect(manifestEntry(row({ capturedAt: -1.5 })).created_at).toBe("1969-12-31T23:59:59.999Z");
  });
});
