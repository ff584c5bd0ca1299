/** A large catalogue, made by SQL: many photos as runs would have left them. */

import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/ports.ts";
import { openConnection } from "../../src/state/open.ts";

/**
 * Makes a database of so many photos in `path`: a third of them Live Photos, one in fifty left out, one in 500 failed, half
 * of them in one of 100 albums. Record names are spread like Apple's.
 */
export async function makeCatalogue(path: string, username: string, photos: number): Promise<void> {
  const db = await openConnection({ path, domain: "com", username, clock: systemClock, logger: silentLogger });
  const began = 1_764_000_000_000;
  db.transaction(() => {
    db.exec(`
      CREATE TEMP TABLE n AS
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${photos}) SELECT i FROM n;
      INSERT INTO scans (library, started_at, ended) VALUES ('PrimarySync', ${began}, 1);
      INSERT INTO runs (started_at, completed_at, status, outcome, downloaded, failed, assets_seen)
        VALUES (${began}, ${began + 900_000}, 'complete', 'partial_failure', 100, 0, ${photos});
      INSERT INTO assets
        SELECT 'PrimarySync', substr(hex(randomblob(16)), 1, 8) || '-0000-4000-8000-' || printf('%012x', i),
          'A' || hex(randomblob(16)), 'IMG_' || printf('%04d', i % 9999) || iif(i % 7 = 0, '.MOV', '.HEIC'),
          iif(i % 7 = 0, 'video', iif(i % 3 = 0, 'live-photo', 'photo')), 1.5e12 + i * 2.0e6, 7200, 1.5e12 + i * 2.0e6,
          0, 0, 0, '1a', iif(i % 50 = 0, 'left-out', 'wanted'), iif(i % 50 = 0, 'by_media_type', NULL), 1 FROM n;
      INSERT INTO files
        SELECT library, id, 'original', iif(nr % 500 = 0, 'failed', 'downloaded'), 'AV' || hex(randomblob(13)),
          2000000 + nr, 'public.heic', nr % 500 = 0, iif(nr % 500 = 0, 'the server answers 500', NULL),
          iif(nr % 500 = 0, 'server', NULL), NULL, 'provider', ${began / 1000}
        FROM (SELECT *, row_number() OVER () AS nr FROM assets) WHERE disposition = 'wanted';
      INSERT INTO files
        SELECT library, id, 'live_original', 'downloaded', 'AV' || hex(randomblob(13)), 3000000,
          'com.apple.quicktime-movie', 0, NULL, NULL, NULL, 'provider', ${began / 1000}
        FROM assets WHERE disposition = 'wanted' AND kind = 'live-photo';
      INSERT INTO placements (library, asset, rendition, pass, path, path_key, owner, status, checksum, local_size,
          local_mtime, method, seen_scan)
        SELECT library, asset, rendition, 'unfiled', '2026/01/01/' || asset || '-' || rendition || '.HEIC',
          '2026/01/01/' || lower(asset || '-' || rendition) || '.heic', 1, iif(status = 'failed', 'pending', 'present'),
          checksum, size, ${began}, 'download', 1 FROM files;
      INSERT INTO albums SELECT 'PrimarySync', 'album-' || i, 'Album ' || i, 1, 1 FROM n WHERE i <= 100;
      INSERT INTO members
        SELECT library, 'album-' || (1 + abs(random()) % 100), id, 1 FROM assets WHERE abs(random()) % 2 = 0;`);
  });
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}
