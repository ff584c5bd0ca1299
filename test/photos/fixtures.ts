/** Records as Apple sends them, made for one test each. */

import { readRecord, type WireRecord } from "../../src/icloud/cloudkit/record.ts";
import type { AssetId, ZoneName } from "../../src/library/asset.ts";

export const ZONE = "PrimarySync" as ZoneName;

export const resource = (checksum: string, more: Record<string, unknown> = {}) => ({
  value: {
    fileChecksum: checksum,
    size: 19,
    wrappingKey: "AQEBAQEBAQEBAQEBAQEBAQ==",
    referenceChecksum: "ATRcDpeYex9OG+OO4WeKXxBhwsMB",
    downloadURL: `https://cvws.icloud-content.com/B/${checksum}/\${f}?o=1`,
    ...more,
  },
  type: "ASSETID",
});

export const text = (value: unknown) => ({ value, type: "STRING" });
export const number = (value: unknown) => ({ value, type: "INT64" });

export function master(name: string, fields: Record<string, unknown> = {}): WireRecord {
  return readRecord({
    recordName: name,
    recordType: "CPLMaster",
    fields: {
      itemType: text("public.heic"),
      filenameEnc: { value: Buffer.from(`${name}.HEIC`).toString("base64"), type: "ENCRYPTED_BYTES" },
      resOriginalRes: resource(`AVM2fnNIlg4JD5HanmbGwDfxcuD7`),
      resOriginalFileType: text("public.heic"),
      ...fields,
    },
    recordChangeTag: "1",
    deleted: false,
  });
}

export function asset(name: string, masterName: string, fields: Record<string, unknown> = {}): WireRecord {
  return readRecord({
    recordName: name,
    recordType: "CPLAsset",
    fields: {
      masterRef: { value: { recordName: masterName, action: "DELETE_SELF" }, type: "REFERENCE" },
      assetDate: { value: 1_714_557_600_000, type: "TIMESTAMP" },
      timeZoneOffset: number(7_200),
      ...fields,
    },
    recordChangeTag: "2",
    deleted: false,
  });
}

/** A walk's memory of what it has met. */
export function marks(): (id: AssetId) => boolean {
  const met = new Set<string>();
  return (id) => {
    const before = met.has(id);
    met.add(id);
    return before;
  };
}
