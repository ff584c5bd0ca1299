import { crc32, deflateSync } from "node:zlib";

/**
 * How files of each kind begin, so that content sniffing agrees. JPEG, PNG and GIF are complete one-pixel pictures with
 * the rest of the body after their end; HEIC, MOV and MP4 are well-formed boxes around it.
 */
export function fileHead(uti: string, size: number): Uint8Array {
  const make = HEADS[uti];
  return make === undefined ? new Uint8Array(0) : make(size);
}

type HeadMaker = (size: number) => Uint8Array;

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const JPEG = Buffer.concat([
  hex("ffd8 ffe0 0010 4a464946 00 0101 00 0001 0001 00 00"),
  hex("ffdb 0043 00"),
  Buffer.alloc(64, 1),
  hex("ffc0 000b 08 0001 0001 01 01 11 00"),
  hex("ffc4 0014 00 01000000000000000000000000000000 00"),
  hex("ffc4 0014 10 01000000000000000000000000000000 00"),
  hex("ffda 0008 01 01 00 00 3f 00 3f ffd9"),
]);

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)) >>> 0, 8 + data.length);
  return out;
}

const PNG = Buffer.concat([
  hex("89504e47 0d0a1a0a"),
  chunk("IHDR", hex("00000001 00000001 08 00 00 00 00")),
  chunk("IDAT", deflateSync(Buffer.of(0, 0x7f))),
  chunk("IEND", new Uint8Array(0)),
]);

const GIF = hex("474946383961 0100 0100 80 00 00 000000 ffffff 2c 0000 0000 0100 0100 00 02 02 44 01 00 3b");

/** `ftyp` and an `mdat` box that takes all that follows. */
function boxes(brand: string, ...compatible: readonly string[]): HeadMaker {
  return (size) => {
    const names = [brand, "\0\0\0\0", ...compatible].join("");
    const out = Buffer.alloc(8 + names.length + 8);
    out.writeUInt32BE(8 + names.length, 0);
    out.write(`ftyp${names}`, 4, "latin1");
    out.writeUInt32BE(Math.max(8, size - 8 - names.length), 8 + names.length);
    out.write("mdat", 12 + names.length, "latin1");
    return out;
  };
}

const fixed =
  (bytes: Uint8Array): HeadMaker =>
  () =>
    bytes;

/** A TIFF directory without entries, right after the header. */
const TIFF = fixed(hex("49492a00 08000000 0000 00000000"));

const riff: HeadMaker = (size) => {
  const out = Buffer.from("RIFF\0\0\0\0WEBPVP8 \0\0\0\0", "latin1");
  out.writeUInt32LE(Math.max(12, size - 8), 4);
  out.writeUInt32LE(Math.max(0, size - 20), 16);
  return out;
};

const HEADS: Readonly<Record<string, HeadMaker>> = {
  "public.jpeg": fixed(JPEG),
  "public.png": fixed(PNG),
  "com.compuserve.gif": fixed(GIF),
  "public.heic": boxes("heic", "mif1", "heic"),
  "public.heif": boxes("mif1", "mif1"),
  "public.avif": boxes("avif", "mif1"),
  "com.apple.quicktime-movie": boxes("qt  ", "qt  "),
  "public.mpeg-4": boxes("mp42", "isom", "mp42"),
  "com.apple.m4v-video": boxes("M4V ", "isom"),
  "public.3gpp": boxes("3gp4", "isom"),
  "com.canon.cr3-raw-image": boxes("crx ", "isom"),
  "public.tiff": TIFF,
  "com.adobe.raw-image": TIFF,
  "com.canon.cr2-raw-image": fixed(hex("49492a00 10000000 43520200 00000000 0000 00000000")),
  "com.sony.arw-raw-image": TIFF,
  "com.nikon.raw-image": TIFF,
  "com.nikon.nrw-raw-image": TIFF,
  "com.fuji.raw-image": fixed(Buffer.from("FUJIFILMCCD-RAW 0201", "latin1")),
  "org.webmproject.webp": riff,
  "com.microsoft.bmp": fixed(Buffer.from("BM", "latin1")),
  "com.apple.xmp": fixed(Buffer.from('<?xml version="1.0"?>', "latin1")),
};
