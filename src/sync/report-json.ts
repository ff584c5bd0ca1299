import type { SyncReport, SyncSettings } from "./types.ts";

/** Version of the report's form; readers must accept fields they don't know (cli.md 6.1). */
const FORM = "3";

/** All counters of `skipped`, so that a reader finds each of them always. */
const SKIPS = [
  "by_state",
  "on_disk",
  "by_media_type",
  "by_date_range",
  "by_live_photo",
  "by_filename",
  "by_excluded_album",
  "by_recent",
  "by_rendition",
  "ampm_variant",
  "retry_exhausted",
  "retry_only",
] as const;

/** The report of one run as JSON text. No secret is in it. `now` in ms since the epoch. */
export function reportJson(report: SyncReport, settings: SyncSettings, version: string, now: number): string {
  const skipped: Record<string, number> = Object.fromEntries(SKIPS.map((rule) => [rule, 0]));
  const document = {
    version: FORM,
    kei_version: version,
    timestamp: new Date(now).toISOString(),
    status: report.outcome,
    options: {
      username: settings.username,
      download_dir: settings.directory,
      folder_structure: settings.folderStructure,
      folder_structure_albums: settings.folderStructureAlbums,
      folder_structure_smart_folders: settings.folderStructureSmartFolders,
      albums: settings.albums,
      smart_folders: settings.smartFolders,
      unfiled: settings.unfiled,
      library: settings.libraries.join(","),
      media: settings.media,
      skip_photos: !settings.media.includes("photo"),
      skip_videos: !settings.media.includes("video"),
      recent:
        settings.recent === undefined
          ? null
          : "days" in settings.recent
            ? `${settings.recent.days}d`
            : settings.recent.count,
      skip_created_before: settings.skipCreatedBefore ?? null,
      skip_created_after: settings.skipCreatedAfter ?? null,
      filename_exclude: settings.filenameExclude,
      size: settings.renditions.resolutions.join(",") || "none",
      edited: settings.renditions.edited,
      alternative: settings.renditions.alternative,
      live_photo_mode: settings.renditions.livePhotoMode,
      live_photo_size: settings.renditions.liveResolution,
      raw_policy: settings.renditions.rawPolicy,
      file_match_policy: settings.fileMatchPolicy,
      threads: settings.threads,
      per_transfer: settings.perTransfer,
      per_asset: settings.perAsset,
      dry_run: settings.dryRun,
      retry_failed: settings.retryFailed,
    },
    stats: {
      assets_seen: report.assetsSeen,
      downloaded: report.downloaded,
      failed: report.failed,
      linked: report.linked,
      adopted: report.adopted,
      exhausted: report.exhausted,
      waiting: report.waiting,
      ...(report.expected === undefined ? {} : { api_total_at_start: report.expected }),
      skipped: { ...skipped, ...report.skipped, duplicates: report.duplicates },
      bytes_downloaded: report.bytesDownloaded,
      disk_bytes_written: report.bytesWritten,
      exif_failures: 0,
      state_write_failures: 0,
      issues: report.issues,
      enumeration_errors: report.enumerationErrors.length,
      pagination_shortfall_warnings: report.shortfall.lists,
      pagination_shortfall_assets: report.shortfall.photos,
      enumeration_incomplete: report.enumerationErrors.length > 0,
      sync_token_blocked: report.tokenHeld !== undefined,
      ...(report.tokenHeld === undefined ? {} : { sync_token_blocked_reason: report.tokenHeld }),
      ...(report.fullReason === undefined ? {} : { full_enumeration_reason: report.fullReason }),
      elapsed_secs: Math.round(report.elapsedMs) / 1000,
      interrupted: report.outcome === "interrupted",
      rate_limited: report.rateLimited,
    },
    ...(report.failedFiles.length === 0
      ? {}
      : {
          failed_assets: report.failedFiles.map(({ id, rendition, name, error }) => ({
            id,
            version_size: rendition,
            name,
            error_message: error ?? null,
          })),
        }),
    ...(report.failedUnnamed === 0 ? {} : { failed_assets_truncated: report.failedUnnamed }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
