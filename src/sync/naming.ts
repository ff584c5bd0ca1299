import { DEFAULT_RENDITIONS } from "../library/choose.ts";
import type { NamingSettings } from "../library/names.ts";
import type { SyncSettings } from "./types.ts";

/** The part of the settings that decides names and renditions. */
export function namingOf(settings: SyncSettings): NamingSettings {
  return {
    ...DEFAULT_RENDITIONS,
    windows: process.platform === "win32",
    keepUnicode: settings.keepUnicode,
    fileMatchPolicy: settings.fileMatchPolicy,
    livePhotoMovNaming: settings.livePhotoMovNaming,
  };
}
