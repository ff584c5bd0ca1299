/** Which settings stand behind a rule that leaves photos out, so that a person can be told what to change. */
import type { MediaKind } from "../library/asset.ts";
import type { Resolved } from "./resolve.ts";
import { type SettingName, settingOf } from "./settings.ts";

/** A setting, as a person finds it. */
export interface Lever {
  /** `--recent`; undefined for what only the file can say. */
  readonly flag: string | undefined;
  /** `filters.recent`; undefined for what is said for one run only. */
  readonly key: string | undefined;
  /** What it says now; undefined when it says nothing. */
  readonly value: string | undefined;
  readonly origin: Resolved["origins"][SettingName];
}

const BY_KIND: Readonly<Record<MediaKind, readonly SettingName[]>> = {
  photo: ["skipPhotos", "media"],
  video: ["skipVideos", "media"],
  "live-photo": ["media"],
};

const BEHIND: Readonly<Record<string, readonly SettingName[]>> = {
  by_live_photo: ["livePhotoMode"],
  by_date_range: ["skipCreatedBefore", "skipCreatedAfter", "recent"],
  by_filename: ["filenameExclude"],
  by_recent: ["recent"],
  by_excluded_album: ["albums"],
  by_rendition: ["sizes", "forceResolution"],
  hidden: ["smartFolders"],
  recently_deleted: ["smartFolders"],
  // Perhaps it is selected no more.
  unlisted: ["albums", "libraries", "unfiled"],
};

/**
 * The settings behind `rule` for a photo of this kind: those that say something, or when none does (the run that left it
 * out was told otherwise) all that could have. Empty for rules that no setting decides.
 */
export function leversBehind(rule: string, kind: MediaKind, resolved: Resolved): readonly Lever[] {
  const names =
    rule === "by_media_type" ? BY_KIND[kind] : ((Object.hasOwn(BEHIND, rule) ? BEHIND[rule] : undefined) ?? []);
  const said = names.filter((name) => resolved.origins[name] !== "default");
  return (said.length > 0 ? said : names).map((name) => lever(name, resolved));
}

function lever(name: SettingName, { settings, origins }: Resolved): Lever {
  const { flag, key } = settingOf(name);
  const value = settings[name];
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  return {
    flag: flag === undefined ? undefined : `--${flag}`,
    key,
    value: text === "" ? undefined : text,
    origin: origins[name],
  };
}
