/** A CloudKit record as it arrives (cloudkit.md 1.5): untrusted, every member may be missing. */
export interface WireRecord {
  readonly recordName: string | undefined;
  readonly recordType: string | null;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly changeTag: string | undefined;
  readonly deleted: boolean;
  /** Set when Apple answers an error instead of the record. */
  readonly errorCode: string | undefined;
  readonly reason: string | undefined;
}

/** Reads the envelope of a record; anything that is not an object becomes a record without a name. */
export function readRecord(value: unknown): WireRecord {
  const record = isObject(value) ? value : {};
  return {
    recordName: asText(record["recordName"]),
    recordType: asText(record["recordType"]) ?? null,
    fields: isObject(record["fields"]) ? record["fields"] : {},
    changeTag: asText(record["recordChangeTag"]),
    deleted: record["deleted"] === true,
    errorCode: asText(record["serverErrorCode"]),
    reason: asText(record["reason"]) ?? asText(record["serverErrorMessage"]),
  };
}

/** The value of a field; absent, null and `{value: null}` all mean not set. */
export function fieldValue(record: WireRecord, name: string): unknown {
  const field = record.fields[name];
  if (!isObject(field)) return undefined;
  return field["value"] ?? undefined;
}

/** The declared type of a field, when it is declared. */
export function fieldType(record: WireRecord, name: string): string | undefined {
  const field = record.fields[name];
  return isObject(field) ? asText(field["type"]) : undefined;
}

export function textField(record: WireRecord, name: string): string | undefined {
  return asText(fieldValue(record, name));
}

export function numberField(record: WireRecord, name: string): number | undefined {
  const value = fieldValue(record, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Apple writes off as absent, null or 0, and on as 1 or true. */
export function truthyField(record: WireRecord, name: string): boolean {
  const value = fieldValue(record, name);
  return value === true || (typeof value === "number" && value !== 0);
}

/** Name of the record that a REFERENCE points to. */
export function referenceField(record: WireRecord, name: string): string | undefined {
  const value = fieldValue(record, name);
  return isObject(value) ? asText(value["recordName"]) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
