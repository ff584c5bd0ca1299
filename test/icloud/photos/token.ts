/** Sequence tokens, database tokens and continuation markers, bit for bit as cloudkit.md 4.2 and 3.5 describe them. */

const ZONE_KIND = 0x01;
const DATABASE_KIND = 0x02;
const FILLER = Buffer.from("7fffffffffffffff", "hex");
const ZONE_LENGTH = 33;
/** A zone token with three more bytes: what a walk through history may hand out between pages. */
const WALK_LENGTH = 36;

/** The zone's token at a sequence: 44 base64 characters; with `step`, 48 (a resume point inside a walk). */
export function zoneToken(sequence: number, constant: Uint8Array, step?: number): string {
  const head = Buffer.alloc(9);
  head.writeUInt8(ZONE_KIND, 0);
  head.writeBigUInt64BE(BigInt(sequence), 1);
  const tail = step === undefined ? [] : [Buffer.of((step >> 16) & 0xff, (step >> 8) & 0xff, step & 0xff)];
  return Buffer.concat([head, FILLER, constant, ...tail]).toString("base64");
}

export type ParsedToken =
  | { readonly ok: true; readonly sequence: number; readonly step: number | undefined }
  | { readonly ok: false; readonly reason: "Unknown sync continuation type" | "Invalid continuation format" };

const UNKNOWN = { ok: false, reason: "Unknown sync continuation type" } as const;
const INVALID = { ok: false, reason: "Invalid continuation format" } as const;

/** Reads a token that a client sent for a zone whose constant is given (cloudkit.md 4.3). */
export function parseZoneToken(token: string, constant: Uint8Array): ParsedToken {
  const bytes = Buffer.from(token, "base64");
  if (bytes.length === 0 || bytes[0] !== ZONE_KIND || !/^[A-Za-z0-9+/]+=*$/.test(token)) return UNKNOWN;
  if (bytes.toString("base64") !== token) return INVALID;
  if (bytes.length !== ZONE_LENGTH && bytes.length !== WALK_LENGTH) return INVALID;
  if (!bytes.subarray(9, 17).equals(FILLER) || !bytes.subarray(17, 33).equals(constant)) return INVALID;
  const step = bytes.length === WALK_LENGTH ? bytes.readUIntBE(33, 3) : undefined;
  return { ok: true, sequence: Number(bytes.readBigUInt64BE(1)), step };
}

/** A database token: its own kind, and another text at every call although nothing changed. */
export function databaseToken(counter: number, call: number): string {
  const bytes = Buffer.alloc(25);
  bytes.writeUInt8(DATABASE_KIND, 0);
  bytes.writeBigUInt64BE(BigInt(counter), 1);
  bytes.writeBigUInt64BE(BigInt(call), 9);
  bytes.writeBigUInt64BE(0x6b6569646f75626cn, 17);
  return bytes.toString("base64");
}

/** The change counter inside a database token; undefined when it is none. */
export function parseDatabaseToken(token: string): number | undefined {
  const bytes = Buffer.from(token, "base64");
  if (bytes.length !== 25 || bytes[0] !== DATABASE_KIND || bytes.toString("base64") !== token) return undefined;
  return Number(bytes.readBigUInt64BE(1));
}

/** Recorded shape: field 2 holds six bytes, field 3 the record name of the last asset of the page. */
export function continuationMarker(nextRank: number, lastRecord: string): string {
  const rank = Buffer.alloc(6);
  rank.writeUIntBE(nextRank, 0, 6);
  const name = Buffer.from(lastRecord, "utf8");
  const inner = Buffer.concat([Buffer.of(0x0a, name.length), name, Buffer.of(0x10, 0x01)]);
  return Buffer.concat([Buffer.of(0x12, 6), rank, Buffer.of(0x1a, inner.length), inner]).toString("base64");
}

/** The rank at which a marker goes on; undefined when it is none of ours. */
export function parseMarker(marker: string): number | undefined {
  const bytes = Buffer.from(marker, "base64");
  if (bytes.length < 12 || bytes[0] !== 0x12 || bytes[1] !== 6 || bytes[8] !== 0x1a) return undefined;
  return bytes.readUIntBE(2, 6);
}

/** `recordChangeTag`: the sequence of the last write in base 36. */
export function changeTag(sequence: number): string {
  return sequence.toString(36);
}
