import { normalize } from "node:path";
import { parseSelectors, SelectorError, type SelectorKind } from "../library/selectors.ts";
import { parseTemplate, type TemplateCategory, TemplateError } from "../library/template.ts";
import type { Setting, ValueOf } from "./types.ts";

/** A check that passes on what a library function has to say against a value. */
function reasonOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError || error instanceof SelectorError) return error.message;
    throw error;
  }
}

const template = (category: TemplateCategory) => (value: string) => {
  if (value.startsWith("/")) return `"${value}" must not begin with a slash: it is a folder below the download folder`;
  if (value.split("/").includes("..")) return `"${value}" must not hold "..": it would lead out of the download folder`;
  return reasonOf(() => parseTemplate(value, category));
};
const selectors = (kind: SelectorKind) => (values: readonly string[]) => reasonOf(() => parseSelectors(kind, values));

/** Folders that no backup belongs into (cli.md 2.8). */
const SYSTEM_FOLDERS = new Set("/ /bin /sbin /usr /etc /dev /proc /sys /boot /lib /lib64 /var /root".split(" "));

function notASystemFolder(path: string): string | undefined {
  const plain = path.startsWith("/") ? normalize(path).replace(/(?<=.)\/+$/, "") : path;
  return SYSTEM_FOLDERS.has(plain) ? `${path} is a system folder; choose one of your own` : undefined;
}

/**
 * Every setting of kei. Flags, environment variables, TOML keys, validation and help are derived from this table and
 * exist nowhere else.
 */
export const SETTINGS = {
  username: {
    type: { kind: "text" },
    flag: "username",
    short: "u",
    env: "ICLOUD_USERNAME",
    key: "auth.username",
    help: "Apple ID of the account",
    hint: "EMAIL",
    on: "all",
  },
  password: {
    type: { kind: "text" },
    flag: "password",
    short: "p",
    env: "ICLOUD_PASSWORD",
    help: "Password; visible to other users of this machine, so prefer one of the other ways",
    hint: "PASSWORD",
    on: "account",
    secret: true,
  },
  passwordFile: {
    type: { kind: "path" },
    flag: "password-file",
    env: "KEI_PASSWORD_FILE",
    key: "auth.password_file",
    help: "File that holds the password",
    hint: "PATH",
    on: "account",
  },
  domain: {
    type: { kind: "choice", values: ["com", "cn"] },
    flag: "domain",
    env: "KEI_DOMAIN",
    key: "auth.domain",
    default: "com",
    help: "Region of the account; cn for accounts of mainland China",
    on: "all",
  },
  dataDir: {
    type: { kind: "path" },
    flag: "data-dir",
    env: "KEI_DATA_DIR",
    key: "data_dir",
    help: "Folder for kei's own files (default: beside the configuration file)",
    hint: "PATH",
    on: "all",
  },
  logLevel: {
    type: { kind: "choice", values: ["debug", "info", "warn", "error"] },
    flag: "log-level",
    env: "KEI_LOG_LEVEL",
    key: "log_level",
    default: "info",
    help: "How much is said while working",
    on: "all",
  },
  directory: {
    type: { kind: "path" },
    flag: "download-dir",
    short: "d",
    env: "KEI_DOWNLOAD_DIR",
    key: "download.directory",
    help: "Folder that the photos are saved to",
    hint: "PATH",
    on: "sync",
    check: notASystemFolder,
  },
  albums: {
    type: { kind: "list" },
    flag: "album",
    short: "a",
    env: "KEI_ALBUM",
    key: "filters.albums",
    default: ["all"],
    help: "Albums to save: all, none, NAME, !NAME to leave one out; repeatable",
    hint: "NAME",
    on: "sync",
    check: selectors("albums"),
  },
  libraries: {
    type: { kind: "list" },
    flag: "library",
    env: "KEI_LIBRARY",
    key: "filters.libraries",
    default: ["primary"],
    help: "Libraries to save: primary, shared, all, or a name; repeatable",
    hint: "NAME",
    on: "sync",
    check: selectors("libraries"),
  },
  unfiled: {
    type: { kind: "boolean" },
    flag: "unfiled",
    env: "KEI_UNFILED",
    key: "filters.unfiled",
    default: true,
    help: "Save photos that are in no album, too",
    on: "sync",
  },
  folderStructure: {
    type: { kind: "text" },
    flag: "folder-structure",
    env: "KEI_FOLDER_STRUCTURE",
    key: "download.folder_structure",
    default: "%Y/%m/%d",
    help: "Folders for photos that are in no album; none for a flat folder",
    hint: "TEMPLATE",
    on: "sync",
    check: template("unfiled"),
  },
  folderStructureAlbums: {
    type: { kind: "text" },
    flag: "folder-structure-albums",
    env: "KEI_FOLDER_STRUCTURE_ALBUMS",
    key: "download.folder_structure_albums",
    default: "{album}",
    help: "Folders for albums",
    hint: "TEMPLATE",
    on: "sync",
    check: template("albums"),
  },
  albumCopies: {
    type: { kind: "choice", values: ["link", "copy"] },
    flag: "album-copies",
    env: "KEI_ALBUM_COPIES",
    key: "download.album_copies",
    default: "link",
    help: "A photo in several albums: link costs no space where the disk can, copy gives each album bytes of its own",
    on: "sync",
  },
  keepUnicode: {
    type: { kind: "boolean" },
    flag: "keep-unicode-in-filenames",
    env: "KEI_KEEP_UNICODE_IN_FILENAMES",
    key: "photos.keep_unicode_in_filenames",
    default: false,
    help: "Keep characters beyond ASCII in file names",
    on: "sync",
  },
  livePhotoMovNaming: {
    type: { kind: "choice", values: ["suffix", "original"] },
    flag: "live-photo-mov-filename-policy",
    env: "KEI_LIVE_PHOTO_MOV_FILENAME_POLICY",
    key: "photos.live_photo_mov_filename_policy",
    default: "suffix",
    help: "Name of a Live Photo's video: suffix adds _HEVC to that of a HEIC, original does not",
    on: "sync",
  },
  fileMatchPolicy: {
    type: { kind: "choice", values: ["name-size-dedup-with-suffix", "name-id7"] },
    flag: "file-match-policy",
    env: "KEI_FILE_MATCH_POLICY",
    key: "photos.file_match_policy",
    default: "name-size-dedup-with-suffix",
    help: "How photos of one name are told apart: by size and id when needed, or always by a short id",
    on: "sync",
  },
  threads: {
    type: { kind: "integer", min: 1, max: 64 },
    flag: "threads",
    env: "KEI_THREADS",
    key: "download.threads",
    default: 10,
    help: "Files fetched at the same time",
    hint: "N",
    on: "sync",
  },
  perTransfer: {
    type: { kind: "integer", min: 0, max: 100 },
    flag: "max-retries",
    env: "KEI_MAX_RETRIES",
    key: "download.retry.per_transfer",
    default: 3,
    help: "Retries within one transfer",
    hint: "N",
    on: "sync",
  },
  perAsset: {
    type: { kind: "integer", min: 0, max: 1_000_000 },
    flag: "max-download-attempts",
    env: "KEI_MAX_DOWNLOAD_ATTEMPTS",
    key: "download.retry.per_asset",
    default: 10,
    help: "Runs in which a file may fail before it is given up; 0: never",
    hint: "N",
    on: "sync",
  },
  bandwidthLimit: {
    type: { kind: "rate" },
    flag: "bandwidth-limit",
    env: "KEI_BANDWIDTH_LIMIT",
    key: "download.bandwidth_limit",
    help: "Bytes per second for all transfers together, e.g. 5M or 500KiB",
    hint: "RATE",
    on: "sync",
  },
  tempSuffix: {
    type: { kind: "text" },
    flag: "temp-suffix",
    env: "KEI_TEMP_SUFFIX",
    key: "download.temp_suffix",
    default: ".kei-tmp",
    help: "Ending of unfinished files",
    hint: "SUFFIX",
    on: "sync",
    check: (value: string) =>
      /^\.[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value) && !/\.(jpe?g|heic|png|mov|mp4|gif|dng)$/i.test(value)
        ? undefined
        : "it must begin with a dot, hold letters, digits, dots and dashes only, and not look like a photo's",
  },
  progressBar: {
    type: { kind: "boolean" },
    flag: "no-progress-bar",
    env: "KEI_NO_PROGRESS_BAR",
    key: "ui.progress_bar",
    default: true,
    inverted: true,
    help: "No moving progress line",
    on: "sync",
  },
  dryRun: {
    type: { kind: "boolean" },
    flag: "dry-run",
    default: false,
    help: "Say what would be saved, and write nothing at all",
    on: "sync",
  },
  force: {
    type: { kind: "boolean" },
    flag: "force",
    default: false,
    help: "Go on although the download folder is missing or empty and files were saved there before",
    on: "sync",
  },
  retryFailed: {
    type: { kind: "boolean" },
    flag: "retry-failed",
    default: false,
    help: "Only try again what failed before, also what was given up",
    on: "sync",
  },
  reportJson: {
    type: { kind: "path" },
    flag: "report-json",
    env: "KEI_REPORT_JSON",
    key: "report.json",
    help: "File that a report of each run is written to",
    hint: "PATH",
    on: "sync",
  },
  showFailed: {
    type: { kind: "boolean" },
    flag: "failed",
    default: false,
    help: "List the files that failed",
    on: "status",
  },
  showPending: {
    type: { kind: "boolean" },
    flag: "pending",
    default: false,
    help: "List the files that wait",
    on: "status",
  },
  showDownloaded: {
    type: { kind: "boolean" },
    flag: "downloaded",
    default: false,
    help: "List the files that are saved",
    on: "status",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type Table = typeof SETTINGS;
/** Resolved values: a setting without a default may be undefined. */
export type Settings = {
  readonly [N in SettingName]: Table[N] extends { default: unknown }
    ? ValueOf<Table[N]["type"]>
    : ValueOf<Table[N]["type"]> | undefined;
};

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The setting's row as a plain `Setting`. */
export function settingOf(name: SettingName): Setting {
  return SETTINGS[name];
}
