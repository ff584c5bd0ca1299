/** The tables of an account's database, and the steps that lead there from older ones. */

/** Marks a file as kei's: "kei1" in ASCII. A database with another id is somebody else's and is left alone. */
export const APPLICATION_ID = 0x6b656931;

/** Largest whole number that JavaScript keeps exactly; sizes beyond it are refused, not rounded. */
const EXACT = Number.MAX_SAFE_INTEGER;

/**
 * Step n leads from schema n to n + 1; `user_version` tells how many were taken. Never change one that was released:
 * add another.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owner (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    account TEXT NOT NULL,
    domain TEXT NOT NULL
  ) STRICT;

  CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    status TEXT NOT NULL CHECK (status IN ('running', 'complete', 'interrupted')),
    outcome TEXT CHECK (outcome IN ('success', 'partial_failure', 'interrupted', 'session_expired', 'failed')),
    full_reason TEXT,
    assets_seen INTEGER NOT NULL DEFAULT 0,
    downloaded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    enumeration_errors INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE scans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    library TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))
  ) STRICT;
  CREATE INDEX scans_open ON scans (library, started_at) WHERE ended = 0;

  CREATE TABLE assets (
    library TEXT NOT NULL,
    id TEXT NOT NULL,
    master_id TEXT NOT NULL,
    filename TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('photo', 'video', 'live-photo')),
    captured_at REAL NOT NULL,
    time_zone_offset REAL,
    added_at REAL,
    is_favorite INTEGER NOT NULL,
    is_hidden INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL,
    change_tag TEXT,
    disposition TEXT NOT NULL CHECK (disposition IN ('wanted', 'left-out', 'broken')),
    rule TEXT CHECK (disposition = 'wanted' OR rule IS NOT NULL),
    seen_scan INTEGER NOT NULL,
    PRIMARY KEY (library, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX assets_by_disposition ON assets (disposition, rule);

  CREATE TABLE issues (
    library TEXT NOT NULL,
    record_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT,
    seen_scan INTEGER NOT NULL,
    PRIMARY KEY (library, record_name, reason)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE files (
    library TEXT NOT NULL,
    asset TEXT NOT NULL,
    rendition TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'downloaded', 'failed')),
    checksum TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size BETWEEN 0 AND ${EXACT}),
    uti TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error TEXT,
    last_error_kind TEXT,
    dispatch_run INTEGER,
    proof TEXT CHECK (proof IN ('provider', 'size', 'adopted')),
    downloaded_at INTEGER,
    PRIMARY KEY (library, asset, rendition),
    FOREIGN KEY (library, asset) REFERENCES assets (library, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_open ON files (status, library) WHERE status <> 'downloaded';
  CREATE INDEX files_dispatched ON files (dispatch_run) WHERE dispatch_run IS NOT NULL;

  CREATE TABLE placements (
    id INTEGER PRIMARY KEY,
    library TEXT NOT NULL,
    asset TEXT NOT NULL,
    rendition TEXT NOT NULL,
    pass TEXT NOT NULL,
    path TEXT NOT NULL,
    path_key TEXT NOT NULL,
    owner INTEGER NOT NULL CHECK (owner IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('pending', 'present', 'failed', 'historical')),
    checksum TEXT NOT NULL,
    local_size INTEGER CHECK (local_size BETWEEN 0 AND ${EXACT}),
    local_mtime INTEGER,
    method TEXT CHECK (method IN ('download', 'reflink', 'hardlink', 'copy', 'adopted', 'shared')),
    last_error TEXT,
    last_error_kind TEXT,
    seen_scan INTEGER NOT NULL DEFAULT 0,
    UNIQUE (library, asset, rendition, pass),
    FOREIGN KEY (library, asset, rendition) REFERENCES files (library, asset, rendition) ON DELETE CASCADE
  ) STRICT;
  CREATE UNIQUE INDEX placements_own_path ON placements (path_key) WHERE owner = 1;
  CREATE INDEX placements_sharing_path ON placements (path_key) WHERE owner = 0;
  CREATE INDEX placements_open ON placements (library, asset, rendition, status)
    WHERE status <> 'present' AND status <> 'historical';
  CREATE INDEX placements_content ON placements (checksum);

  CREATE TABLE temp_claims (
    path TEXT PRIMARY KEY,
    library TEXT NOT NULL,
    asset TEXT NOT NULL,
    rendition TEXT NOT NULL,
    checksum TEXT NOT NULL,
    size INTEGER NOT NULL,
    run INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE albums (
    library TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    complete_generation INTEGER,
    PRIMARY KEY (library, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE album_names (library TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (library, name)) STRICT, WITHOUT ROWID;

  CREATE TABLE members (
    library TEXT NOT NULL,
    album TEXT NOT NULL,
    asset TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (library, asset, album)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX members_of_album ON members (library, album, generation);
  `,
  `
  CREATE TABLE relations (
    library TEXT NOT NULL,
    album TEXT NOT NULL,
    asset TEXT NOT NULL,
    PRIMARY KEY (library, album, asset)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX assets_by_master ON assets (library, master_id);
  CREATE INDEX members_by_asset ON members (album, asset);
  `,
];

/** Marks of the walk in progress; they vanish with the connection. */
export const TEMPORARY_MARKS = `
  CREATE TEMP TABLE met (walk TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (walk, id)) STRICT, WITHOUT ROWID;
  CREATE TEMP TABLE newest (
    marks TEXT NOT NULL,
    id TEXT NOT NULL,
    added_at REAL NOT NULL,
    PRIMARY KEY (marks, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TEMP TABLE second_tries (
    id INTEGER PRIMARY KEY,
    library TEXT NOT NULL,
    asset TEXT NOT NULL,
    rendition TEXT NOT NULL,
    pass TEXT NOT NULL,
    counted TEXT NOT NULL,
    UNIQUE (library, asset, rendition, pass)
  ) STRICT;
`;

/** The tables that hold what is known, in an order that satisfies their references. */
export const TABLES = [
  "metadata",
  "runs",
  "scans",
  "assets",
  "issues",
  "files",
  "placements",
  "temp_claims",
  "albums",
  "album_names",
  "members",
  "relations",
] as const;

/** The newest schema as temporary tables. */
export function temporarySchema(): string {
  return MIGRATIONS.join("\n")
    .replaceAll("CREATE TABLE", "CREATE TEMP TABLE")
    .replaceAll(/CREATE (UNIQUE )?INDEX /g, (_, unique: string | undefined) => `CREATE ${unique ?? ""}INDEX temp.`);
}
