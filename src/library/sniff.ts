/** What a body's beginning tells about it (engine.md 3.4). Pure; a handful of bytes is enough. */

/** How many leading bytes the checks below want to see. */
export const SNIFF_BYTES = 512;

/** Content types that announce an error page instead of media, whatever the status says. */
export function isErrorContentType(contentType: string | null): boolean {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return type === "text/html" || type === "application/json" || type.endsWith("+json");
}

const ERROR_STARTS = ["<!doctype", "<html", '{"error"', '{"errors"', '{"message"', '{"code"'];

/** Whether a body begins like an HTML page or a JSON error object. `<?xml` is legal: edit sidecars are XML. */
export function looksLikeErrorPage(head: Uint8Array): boolean {
  const start = Buffer.from(head.subarray(0, SNIFF_BYTES)).toString("latin1").trimStart().toLowerCase();
  return ERROR_STARTS.some((sign) => start.startsWith(sign));
}

type Sign = (head: Buffer) => boolean;

const startsWith =
  (...bytes: readonly number[]): Sign =>
  (head) =>
    bytes.every((byte, index) => head[index] === byte);
const at =
  (offset: number, ...words: readonly string[]): Sign =>
  (head) =>
    words.includes(head.toString("latin1", offset, offset + 4));

const isTiff: Sign = (head) => at(0, "II*\0", "MM\0*")(head);
const isBaseMedia = at(4, "ftyp");
const isJpeg = startsWith(0xff, 0xd8);

const SIGNS: Readonly<Record<string, Sign>> = {
  jpg: isJpeg,
  jpeg: isJpeg,
  png: startsWith(0x89, 0x50, 0x4e, 0x47),
  heic: isBaseMedia,
  heif: isBaseMedia,
  avif: isBaseMedia,
  mp4: isBaseMedia,
  m4v: isBaseMedia,
  // Classic QuickTime films begin with other atoms and are just as good.
  mov: at(4, "ftyp", "wide", "mdat", "moov", "free", "skip", "pnot"),
  gif: at(0, "GIF8"),
  tif: isTiff,
  tiff: isTiff,
  dng: isTiff,
  webp: (head) => at(0, "RIFF")(head) && at(8, "WEBP")(head),
};

/**
 * Undefined when the first bytes agree with the extension (or the extension is not known), else one line that says
 * what does not fit. A mismatch is a warning only: the file is kept.
 */
export function contentMismatch(filename: string, head: Uint8Array): string | undefined {
  const extension = /\.([^.]+)$/.exec(filename)?.[1]?.toLowerCase();
  const sign = extension === undefined ? undefined : SIGNS[extension];
  if (sign === undefined || sign(Buffer.from(head))) return undefined;
  return `the content does not look like a .${extension} file`;
}
