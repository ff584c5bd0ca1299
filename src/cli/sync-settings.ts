import { mediaOf, renditionsOf, threadsOf } from "../config/derive.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { parseRecent } from "../library/recent.ts";
import type { SyncSettings } from "../sync/types.ts";
import { type Account, accountOf, type CommandContext } from "./context.ts";

/** The download folder that the settings name. Throws `Failure` (exit 1) when they name none. */
export function directoryOf({ settings }: CommandContext): string {
  if (settings.directory !== undefined) return settings.directory;
  throw new Failure("--directory is required", {
    exit: EXIT.failure,
    remedy:
      "Say where the photos go with --download-dir PATH (-d), KEI_DOWNLOAD_DIR or [download].directory in the configuration.",
  });
}

/** What the settings ask of one sync run. Throws `Failure` (exit 1) when account or folder are missing. */
export function syncSettingsOf(context: CommandContext): SyncSettings & Pick<Account, "password"> {
  const { settings, resolved } = context;
  const account = accountOf(context);
  return {
    ...account,
    directory: directoryOf(context),
    albums: settings.albums,
    albumsAsked: resolved.origins.albums !== "default",
    smartFolders: settings.smartFolders,
    libraries: settings.libraries,
    unfiled: settings.unfiled,
    media: mediaOf(settings),
    skipCreatedBefore: settings.skipCreatedBefore,
    skipCreatedAfter: settings.skipCreatedAfter,
    recent: settings.recent === undefined ? undefined : parseRecent(settings.recent),
    recentScope: settings.recentScope,
    filenameExclude: settings.filenameExclude,
    folderStructure: settings.folderStructure,
    folderStructureAlbums: settings.folderStructureAlbums,
    folderStructureSmartFolders: settings.folderStructureSmartFolders,
    renditions: renditionsOf(resolved),
    albumCopies: settings.albumCopies,
    keepUnicode: settings.keepUnicode,
    livePhotoMovNaming: settings.livePhotoMovNaming,
    fileMatchPolicy: settings.fileMatchPolicy,
    threads: threadsOf(resolved),
    perTransfer: settings.perTransfer,
    perAsset: settings.perAsset,
    tempSuffix: settings.tempSuffix,
    bandwidthLimit: settings.bandwidthLimit,
    retryFailed: settings.retryFailed,
    dryRun: settings.dryRun || settings.onlyPrintFilenames,
    watching: false,
    force: settings.force,
  };
}
