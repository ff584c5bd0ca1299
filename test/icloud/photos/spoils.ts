/** Ways in which records arrive broken (cloudkit.md 9.14 row 11), for `library.spoil(zone, recordName, ...)`. */
import type { Field, ResourcePrefix, Spoil, WireRecord } from "./records.ts";

function setField(name: string, field: Field | null | undefined): Spoil {
  return (record) => {
    const fields = { ...record.fields };
    if (field === undefined) delete fields[name];
    else fields[name] = field;
    return { ...record, fields };
  };
}

/** Changes the ASSETID value of a resource, where the record has it. */
function changeResource(prefix: ResourcePrefix, change: (value: Record<string, unknown>) => void): Spoil {
  return (record) => {
    const field = record.fields?.[`${prefix}Res`];
    if (field === undefined || field === null || typeof field.value !== "object" || field.value === null) return record;
    const value: Record<string, unknown> = { ...field.value };
    change(value);
    return { ...record, fields: { ...record.fields, [`${prefix}Res`]: { ...field, value: value as never } } };
  };
}

const downloadUrl = (prefix: ResourcePrefix, rewrite: (url: string) => string): Spoil =>
  changeResource(prefix, (value) => {
    if (typeof value["downloadURL"] === "string") value["downloadURL"] = rewrite(value["downloadURL"]);
  });

const mapFields =
  (change: (field: Field) => Field | null): Spoil =>
  (record): WireRecord => {
    const fields = Object.entries(record.fields ?? {}).map(([name, field]) => [name, field ? change(field) : field]);
    return { ...record, fields: Object.fromEntries(fields) };
  };

export const spoils = {
  filenameAsString: (name: string): Spoil => setField("filenameEnc", { value: name, type: "STRING" }),
  /** Padding cut off. */
  filenameBrokenBase64: setField("filenameEnc", { value: "SU1HXzAwMDEuSlB", type: "ENCRYPTED_BYTES" }),
  /** Valid base64, invalid UTF-8. */
  filenameNotUtf8: setField("filenameEnc", { value: "abcdefgh", type: "ENCRYPTED_BYTES" }),
  filenameEmpty: setField("filenameEnc", { value: "", type: "ENCRYPTED_BYTES" }),
  filenameAbsent: setField("filenameEnc", undefined),
  itemTypeAbsent: setField("itemType", undefined),
  itemTypeWithoutValue: setField("itemType", { type: "STRING" }),
  noDownloadUrl: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      delete value["downloadURL"];
    }),
  noSize: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      delete value["size"];
    }),
  noChecksum: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      delete value["fileChecksum"];
    }),
  /** A checksum of another kind: nothing can be proven with it. */
  otherChecksumKind: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      const bytes = Buffer.from(String(value["fileChecksum"]), "base64");
      bytes[0] = 4;
      value["fileChecksum"] = bytes.toString("base64");
    }),
  /** Well-formed, but of other bytes. */
  wrongChecksum: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      const bytes = Buffer.from(String(value["fileChecksum"]), "base64");
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      value["fileChecksum"] = bytes.toString("base64");
    }),
  wrongSize: (by: number, prefix: ResourcePrefix = "resOriginal"): Spoil =>
    changeResource(prefix, (value) => {
      value["size"] = Number(value["size"]) + by;
    }),
  noFileType: (prefix: ResourcePrefix = "resOriginal"): Spoil => setField(`${prefix}FileType`, undefined),
  nullResource: (prefix: ResourcePrefix = "resOriginal"): Spoil => setField(`${prefix}Res`, null),
  foreignHost: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    downloadUrl(prefix, (url) => url.replace(/^https:\/\/[^/]+/, "https://example.org")),
  httpUrl: (prefix: ResourcePrefix = "resOriginal"): Spoil =>
    downloadUrl(prefix, (url) => url.replace(/^https:/, "http:")),
  assetDateAbsent: setField("assetDate", undefined),
  assetDate: (value: number): Spoil => setField("assetDate", { value, type: "TIMESTAMP" }),
  timeZoneOffset: (value: number): Spoil => setField("timeZoneOffset", { value, type: "INT64" }),
  noMasterRef: setField("masterRef", undefined),
  field: setField,
  /** Every field is there, none has a value. */
  nullFields: mapFields(() => null),
  fieldsWithoutValue: mapFields((field) => (field.type === undefined ? {} : { type: field.type })),
  /** Values without their `type`, as web clients write them. */
  withoutTypes: mapFields((field) => (field.value === undefined ? {} : { value: field.value })),
  deletedFlag: ((record) => ({ ...record, deleted: true })) satisfies Spoil,
  withoutFields: ((record) => ({ ...record, fields: null })) satisfies Spoil,
} as const;
