/** What several settings say together. */
import type { MediaKind } from "../library/asset.ts";
import type { RenditionSettings, Resolution } from "../library/choose.ts";
import { isEmptyRange, parseDateBound } from "../library/date-bound.ts";
import { EXIT, Failure } from "../library/failure.ts";
import { parseRecent } from "../library/recent.ts";
import { parseSelectors } from "../library/selectors.ts";
import { isSmartFolder } from "../library/smart-folders.ts";
import { whereSet } from "./origin.ts";
import type { Resolved } from "./resolve.ts";
import type { SettingName, Settings } from "./settings.ts";

/**
 * The files that the settings ask for. `--size` stands for three of them (cli.md 1.5.4, files.md RN-9): beside other
 * sizes, `adjusted` and `alternative` are files more; alone, they take the place of the original.
 */
export function renditionsOf({ settings, origins }: Resolved): RenditionSettings {
  const sizes = settings.sizes;
  const plain = sizes.filter(
    (size): size is Resolution => size !== "none" && size !== "adjusted" && size !== "alternative",
  );
  const versions = sizes.filter((size) => size === "adjusted" || size === "alternative");
  const alone = plain.length === 0 && !sizes.includes("none") ? versions[0] : undefined;
  const beside = alone === undefined ? versions : versions.slice(1);
  return {
    resolutions: alone === undefined ? plain : [alone],
    edited: settings.edited || beside.includes("adjusted"),
    alternative: settings.alternative || beside.includes("alternative"),
    editedNaming: settings.editedNaming,
    forceResolution: settings.forceResolution,
    rawPolicy: settings.rawPolicy,
    livePhotoMode: settings.livePhotoMode,
    // The video follows its still, unless it was asked for in a size of its own.
    liveResolution: alone === "adjusted" && origins.liveResolution === "default" ? "adjusted" : settings.liveResolution,
  };
}

const KIND_OF: Readonly<Record<string, MediaKind>> = { photos: "photo", videos: "video", "live-photos": "live-photo" };

/** The kinds that are wanted: those of the list, without those that a flag leaves out. */
export function mediaOf({ media, skipPhotos, skipVideos }: Settings): readonly MediaKind[] {
  const skipped = new Set<string>([...(skipPhotos ? ["photos"] : []), ...(skipVideos ? ["videos"] : [])]);
  return media.filter((kind) => !skipped.has(kind)).flatMap((kind) => KIND_OF[kind] ?? []);
}

/** Files fetched at the same time. A narrow line is shared badly: one at a time, unless told otherwise. */
export function threadsOf({ settings, origins }: Resolved): number {
  return settings.bandwidthLimit !== undefined && origins.threads === "default" ? 1 : settings.threads;
}

/**
 * Refuses what can't be meant together (cli.md 3.4) with a `Failure` (exit 1); returns what is only odd, to be told.
 * `now` in ms since the epoch.
 */
export function checkTogether(resolved: Resolved, now: number): readonly string[] {
  const { settings } = resolved;
  const refuse = refuser(resolved);
  const { resolutions, edited, alternative, livePhotoMode } = renditionsOf(resolved);
  if (resolutions.length === 0 && !edited && !alternative) {
    refuse(
      "With the size none nothing would be saved",
      "Ask for edited or alternative versions, too: --size adjusted.",
      ["sizes"],
    );
  }
  const kinds = mediaOf(settings);
  const onlyLive = kinds.length === 1 && kinds[0] === "live-photo";
  const bothSkipped = settings.skipPhotos && settings.skipVideos;
  if (kinds.length === 0) {
    refuse("No kind of photo is left to save", "Take fewer of them out.", ["media", "skipPhotos", "skipVideos"]);
  }
  if (onlyLive && (livePhotoMode === "skip" || (bothSkipped && livePhotoMode === "image-only"))) {
    refuse(
      `Nothing would be saved: only Live Photos are left, and their mode is ${livePhotoMode}`,
      "Change [filters] media or --live-photo-mode.",
      ["media", "skipPhotos", "skipVideos", "livePhotoMode"],
    );
  }
  const recent = settings.recent === undefined ? undefined : parseRecent(settings.recent);
  if (recent !== undefined && "days" in recent && settings.skipCreatedBefore !== undefined) {
    refuse("recent in days and skip_created_before are two beginnings of one range", "Give one of them.", [
      "recent",
      "skipCreatedBefore",
    ]);
  }
  if (settings.recentScope === "per-filter" && (recent === undefined || "days" in recent)) {
    refuse("recent_scope needs a number of photos in recent", "Write --recent 100, or leave --recent-scope away.", [
      "recentScope",
      "recent",
    ]);
  }
  return oddities(settings, now);
}

function oddities({ skipCreatedBefore, skipCreatedAfter, smartFolders }: Settings, now: number): readonly string[] {
  const odd: string[] = [];
  const before = skipCreatedBefore === undefined ? undefined : parseDateBound(skipCreatedBefore);
  const after = skipCreatedAfter === undefined ? undefined : parseDateBound(skipCreatedAfter);
  if (isEmptyRange(before, after, { now })) {
    odd.push(`no photo is taken after ${skipCreatedBefore} and before ${skipCreatedAfter}; nothing will match`);
  }
  for (const name of parseSelectors("smart_folders", smartFolders).exclude) {
    if (!isSmartFolder(name)) odd.push(`there is no smart folder "${name}" to leave out`);
  }
  return odd;
}

/** Refusals name the places where what contradicts itself was said. */
function refuser(resolved: Resolved): (message: string, remedy: string, names: readonly SettingName[]) => void {
  return (message, remedy, names) => {
    const places = names.flatMap((name) => whereSet(resolved, name) ?? []);
    const said = places.length === 0 ? "" : ` (${places.join("; ")})`;
    throw new Failure(`${message}${said}`, { exit: EXIT.failure, remedy });
  };
}
