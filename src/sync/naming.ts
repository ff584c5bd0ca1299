import { parseDateBound } from "../library/date-bound.ts";
import type { Filters } from "../library/filters.ts";
import { compileGlob } from "../library/glob.ts";
import type { NamingSettings } from "../library/names.ts";
import type { SyncSettings } from "./types.ts";

/** The part of the settings that decides names and renditions. */
export function namingOf(settings: SyncSettings): NamingSettings {
  return {
    ...settings.renditions,
    windows: process.platform === "win32",
    keepUnicode: settings.keepUnicode,
    fileMatchPolicy: settings.fileMatchPolicy,
    livePhotoMovNaming: settings.livePhotoMovNaming,
  };
}

/** The part of the settings that leaves photos out, ready to be asked. */
export function filtersOf(settings: SyncSettings): Filters {
  const { recent, skipCreatedBefore, skipCreatedAfter } = settings;
  const days = recent !== undefined && "days" in recent ? `${recent.days}d` : undefined;
  return {
    media: new Set(settings.media),
    livePhotoMode: settings.renditions.livePhotoMode,
    createdBefore: [skipCreatedBefore, days].flatMap(boundOf),
    createdAfter: [skipCreatedAfter].flatMap(boundOf),
    filenameExclude: settings.filenameExclude.map(compileGlob),
  };
}

function boundOf(text: string | undefined) {
  return (text === undefined ? undefined : parseDateBound(text)) ?? [];
}
