import { createHash } from "node:crypto";
import type { SyncSettings } from "./types.ts";

/**
 * What the settings say about which photos are wanted, as a hash: when it changes, everything has to be listed again.
 * Of the texts, not of what they mean today: `30d` moves without a change of settings. A number in `recent` is not part
 * of it, since a run that it has cut short stores no token (engine.md 5.2, 5.7).
 */
export function selectionHash(settings: SyncSettings): string {
  const { recent } = settings;
  return hash([
    settings.albums.toSorted(),
    settings.albumsAsked,
    settings.smartFolders.toSorted(),
    settings.libraries.toSorted(),
    settings.unfiled,
    settings.media.toSorted(),
    settings.skipCreatedBefore ?? null,
    settings.skipCreatedAfter ?? null,
    recent !== undefined && "days" in recent ? recent.days : null,
    settings.filenameExclude.toSorted(),
  ]);
}

/** What the settings say about files, their names and folders, as a hash: when it changes, every place is looked at again. */
export function filesHash(settings: SyncSettings): string {
  const { renditions } = settings;
  return hash([
    settings.directory,
    settings.folderStructure,
    settings.folderStructureAlbums,
    settings.folderStructureSmartFolders,
    Object.entries(renditions).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    settings.keepUnicode,
    settings.livePhotoMovNaming,
    settings.fileMatchPolicy,
  ]);
}

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
