/** The manifest as JSON and CSV (cli.md 5.11, docs/answers.md). What is absent is null, or an empty cell. */
import type { ManifestRow } from "../state/answers.ts";
import { escapeControls, jsonText } from "./format.ts";
import { time } from "./status-json.ts";

/** The columns in their order; new ones come at the end. */
export interface ManifestEntry {
  readonly library: string;
  readonly asset_id: string;
  readonly version: string;
  readonly filename: string | null;
  /** The first of `paths`. */
  readonly local_path: string | null;
  /** Apple's, base64. */
  readonly checksum: string;
  /** In Apple's form, of the file on disk as kei left it. */
  readonly local_checksum: string | null;
  /** In Apple's form, of the bytes that were received. */
  readonly download_checksum: string | null;
  readonly size_bytes: number;
  readonly created_at: string | null;
  readonly added_at: string | null;
  readonly downloaded_at: string | null;
  readonly last_seen_at: string | null;
  readonly media_type: string;
  readonly status: string;
  readonly albums: readonly string[];
  readonly paths: readonly string[];
}

const COLUMNS = [
  "library",
  "asset_id",
  "version",
  "filename",
  "local_path",
  "checksum",
  "local_checksum",
  "download_checksum",
  "size_bytes",
  "created_at",
  "added_at",
  "downloaded_at",
  "last_seen_at",
  "media_type",
  "status",
  "albums",
  "paths",
] as const satisfies ReadonlyArray<keyof ManifestEntry>;

export function manifestEntry(row: ManifestRow): ManifestEntry {
  const { proof, checksum, size, localSize, paths } = row;
  // Only a file of the very size can have this checksum: one that metadata was written into has another.
  const isProven = (proof === "provider" || proof === "adopted") && localSize === size;
  return {
    library: row.library,
    asset_id: row.asset,
    version: row.rendition,
    filename: row.filename ?? null,
    local_path: paths[0] ?? null,
    checksum,
    local_checksum: isProven ? checksum : null,
    download_checksum: proof === "provider" ? checksum : null,
    size_bytes: size,
    created_at: time(row.capturedAt),
    added_at: time(row.addedAt),
    downloaded_at: time(row.downloadedAt),
    last_seen_at: time(row.seenAt),
    media_type: row.kind,
    status: row.status,
    albums: row.albums,
    paths,
  };
}

/** A JSON array, one file a line, in pieces. */
export function* jsonManifest(rows: Iterable<ManifestRow>): Generator<string> {
  let before = "[\n  ";
  for (const row of rows) {
    yield before + jsonText(JSON.stringify(manifestEntry(row)));
    before = ",\n  ";
  }
  yield before.startsWith("[") ? "[]\n" : "\n]\n";
}

/**
 * RFC 4180, in pieces: a header, CRLF, quotes where needed; lists are JSON arrays in one cell. `shown`: on a terminal,
 * where control characters must not be obeyed.
 */
export function* csvManifest(rows: Iterable<ManifestRow>, shown: boolean): Generator<string> {
  yield `${COLUMNS.join(",")}\r\n`;
  for (const row of rows) {
    const entry = manifestEntry(row);
    yield `${COLUMNS.map((column) => cell(entry[column], shown)).join(",")}\r\n`;
  }
}

function cell(value: ManifestEntry[keyof ManifestEntry], shown: boolean): string {
  const plain = value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const text = shown ? escapeControls(plain) : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
