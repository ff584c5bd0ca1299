/** Real listings of Apple's, when their folder is named: every record is decoded or counted with a reason. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, readRecord, type WireRecord } from "../../src/icloud/cloudkit/record.ts";
import { Pairing } from "../../src/icloud/photos/pairing.ts";
import { appleChecksum, isVerifiable } from "../../src/library/checksum.ts";
import { marks, ZONE } from "./fixtures.ts";

const folder = process.env["KEI_RECORDINGS"];
const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.startsWith("listing_"));
if (folder === undefined)
  process.stderr.write("SKIPPED: recorded listings (KEI_RECORDINGS does not name their folder)\n");

/** The JSON answers of a recording that hold records. */
function pagesOf(name: string): WireRecord[][] {
  const recording: unknown = JSON.parse(readFileSync(join(folder ?? "", name), "utf8"));
  const exchanges: unknown[] = Array.isArray(recording) ? recording : [];
  const pages: WireRecord[][] = [];
  for (const exchange of exchanges) {
    const response = isObject(exchange) ? exchange["response"] : undefined;
    const json = isObject(response) ? response["body"] : undefined;
    if (isObject(json) && Array.isArray(json["records"])) pages.push(json["records"].map(readRecord));
  }
  return pages;
}

describe.if(folder !== undefined)("recorded listings", () => {
  test.each(names)("%s: no record is dropped without a counted reason", (name) => {
    const pairing = new Pairing(ZONE, marks());
    let assets = 0;
    let issues = 0;
    let duplicates = 0;
    let listed = 0;
    for (const page of pagesOf(name)) {
      listed += page.filter((record) => record.recordType === "CPLAsset").length;
      const paired = pairing.take(page);
      assets += paired.assets.length;
      issues += paired.issues.length;
      duplicates += paired.duplicates;
      for (const asset of paired.assets) {
        const original = asset.renditions.original;
        const defect = asset.defects.some((found) => found.rendition === "original");
        expect(original !== undefined || defect).toBe(true);
        for (const resource of Object.values(asset.renditions)) expect(isVerifiable(resource.checksum)).toBe(true);
        if (original !== undefined) expect(asset.masterId as string).toBe(original.checksum);
      }
    }
    const unpaired = pairing.leftovers().filter((issue) => issue.reason === "unpaired-asset").length;
    expect(assets + issues + duplicates + unpaired).toBe(listed);
    if (name !== "listing_albums.json") expect(assets).toBeGreaterThan(0);
  });

  test("original-85638.jpg has the checksum that Apple states for it", () => {
    const bytes = readFileSync(join(folder ?? "", "original-85638.jpg"));
    expect(appleChecksum(bytes) as string).toBe("AeYfMtlOMb3dM9bETic9fXkMpjMV");
    bytes[40_000] = (bytes[40_000] ?? 0) ^ 1;
    expect(appleChecksum(bytes) as string).not.toBe("AeYfMtlOMb3dM9bETic9fXkMpjMV");
  });
});

if (folder === undefined) test.skip("recorded listings (skipped: KEI_RECORDINGS is not set)", () => undefined);
