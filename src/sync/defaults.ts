import type { Library, Photos } from "../icloud/photos/types.ts";
import { PRIMARY_ZONE } from "../library/asset.ts";
import { parseSelectors, resolveSmartFolders } from "../library/selectors.ts";
import type { State } from "../state/types.ts";
import { countOf } from "./count.ts";
import type { Tally } from "./tally.ts";
import type { SyncSettings } from "./types.ts";

const SAID = "defaults_said";

interface DefaultsDeps {
  readonly photos: Photos;
  readonly state: State;
  readonly settings: SyncSettings;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/**
 * On the very first run, finds out what the settings leave out that its owner may not know of (DECISIONS 9): other
 * libraries and hidden photos. Said once with counts, at the end of the run; a count that fails is no reason to stop.
 */
export async function lookWhatIsLeftOut(
  libraries: readonly Library[],
  selected: readonly Library[],
  { photos, state, settings, tally, signal }: DefaultsDeps,
): Promise<void> {
  if (state.meta(SAID) !== undefined) return;
  for (const library of libraries.filter((candidate) => !selected.includes(candidate))) {
    const count = await countOf(photos, library, { kind: "all" }, signal);
    tally.notice(
      `left out: ${photosOf(count)} in the library ${library.zone.slice(0, 19)}; --library all saves them, too`,
    );
  }
  const smart = resolveSmartFolders(parseSelectors("smart_folders", settings.smartFolders));
  if (smart.includes("Hidden")) return;
  for (const library of selected.filter((candidate) => candidate.zone === PRIMARY_ZONE)) {
    const count = await countOf(photos, library, { kind: "smart", folder: "Hidden" }, signal);
    if (count !== undefined && count > 0)
      tally.notice(`left out: ${photosOf(count)} that are hidden in Photos; --smart-folder Hidden saves them`);
  }
}

/** What only the walk itself could count: said with the rest, and then never again. */
export function tellWhatIsLeftOut(state: State, tally: Tally): void {
  if (state.meta(SAID) !== undefined) return;
  if (tally.edited > 0) {
    const [versions, originals] =
      tally.edited === 1 ? ["version", "its original is"] : ["versions", "their originals are"];
    tally.notice(
      `left out: the edited ${versions} of ${photosOf(tally.edited)}; ${originals} saved ([photos] edited = true adds the rest)`,
    );
  }
  state.setMeta(SAID, "1");
}

function photosOf(count: number | undefined): string {
  if (count === undefined) return "photos";
  return count === 1 ? "1 photo" : `${count} photos`;
}
