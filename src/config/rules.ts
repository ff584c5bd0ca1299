/** Which settings stand behind a rule that leaves photos out, so that a person can be told what to change. */
import type { MediaKind } from "../library/asset.ts";
import type { Resolved } from "./resolve.ts";
import { type SettingName, settingOf } from "./settings.ts";

/** A setting, as a person finds it. */
export interface Lever {
  /** `--recent`, or `[filters] media` for what only the file can say. */
  readonly spelled: string;
  /** In the file; undefined for what is said for one run only. */
  readonly key: string | undefined;
  /** What it says now; undefined when nobody has said anything. */
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
  return {
    spelled: flag === undefined ? keyText(key ?? name) : `--${flag}`,
    key,
    value: value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value),
    origin: origins[name],
  };
}

/** `filters.media` as people know it from the file: `[filters] media`. */
function keyText(key: string): string {
  const dot = key.indexOf(".");
  return dot < 0 ? key : `[${key.slice(0, dot)}] ${key.slice(dot + 1)}`;
}
