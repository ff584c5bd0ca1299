/** Just enough of Apple's binary property lists to write what photo records carry (cloudkit.md 5.4). */

export type PlistValue = string | number | Date | readonly PlistValue[] | { readonly [key: string]: PlistValue };

const REFERENCE_EPOCH_MS = Date.UTC(2001, 0, 1);

/** A property list with 1-byte offsets and references: at most 255 bytes of objects, which our dictionaries keep. */
export function encodePlist(value: PlistValue): Uint8Array {
  const objects: Buffer[] = [];
  const add = (item: PlistValue): number => {
    const index = objects.length;
    objects.push(Buffer.alloc(0));
    objects[index] = encodeObject(item, add);
    return index;
  };
  add(value);
  const offsets: number[] = [];
  let position = 8;
  for (const object of objects) {
    offsets.push(position);
    position += object.length;
  }
  const wide = position > 0xff;
  const table = Buffer.alloc(offsets.length * (wide ? 2 : 1));
  offsets.forEach((offset, index) => {
    if (wide) table.writeUInt16BE(offset, index * 2);
    else table.writeUInt8(offset, index);
  });
  const trailer = Buffer.alloc(32);
  trailer.writeUInt8(wide ? 2 : 1, 6);
  trailer.writeUInt8(1, 7);
  trailer.writeBigUInt64BE(BigInt(objects.length), 8);
  trailer.writeBigUInt64BE(BigInt(position), 24);
  return Buffer.concat([Buffer.from("bplist00", "latin1"), ...objects, table, trailer]);
}

function encodeObject(value: PlistValue, add: (item: PlistValue) => number): Buffer {
  if (typeof value === "string") {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII, control characters included.
    if (/^[\x00-\x7f]*$/.test(value)) return Buffer.concat([marker(0x50, value.length), Buffer.from(value, "latin1")]);
    return Buffer.concat([marker(0x60, value.length), Buffer.from(value, "utf16le").swap16()]);
  }
  if (typeof value === "number") {
    const real = Buffer.alloc(9);
    real.writeUInt8(0x23, 0);
    real.writeDoubleBE(value, 1);
    return real;
  }
  if (value instanceof Date) {
    const date = Buffer.alloc(9);
    date.writeUInt8(0x33, 0);
    date.writeDoubleBE((value.getTime() - REFERENCE_EPOCH_MS) / 1000, 1);
    return date;
  }
  if (isArray(value)) return Buffer.concat([marker(0xa0, value.length), Buffer.from(value.map(add))]);
  const entries = Object.entries(value);
  const keys = entries.map(([key]) => add(key));
  const values = entries.map(([, item]) => add(item));
  return Buffer.concat([marker(0xd0, entries.length), Buffer.from([...keys, ...values])]);
}

function isArray(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function marker(kind: number, length: number): Buffer {
  if (length < 15) return Buffer.of(kind | length);
  if (length > 0xff) return Buffer.of(kind | 15, 0x11, length >> 8, length & 0xff);
  return Buffer.of(kind | 15, 0x10, length);
}
