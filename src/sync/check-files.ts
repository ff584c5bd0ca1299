import { setImmediate } from "node:timers/promises";
import type { ZoneName } from "../library/asset.ts";
import type { State } from "../state/types.ts";
import { lookAtFile } from "./disk.ts";

/** Places looked at between two chances for signals to be heard. */
const PAGE = 500;

/**
 * Looks whether every file that is said to be on disk still is (DECISIONS 14): one look each, no reading, nothing asked
 * of Apple. What has vanished is put back to pending. Returns the libraries of which files have vanished or were cut
 * short or replaced: these must be listed, since their signed addresses come with the lists. What can't be looked at is
 * not missing. Throws the signal's reason when a stop comes.
 */
export async function checkFiles(state: State, root: string, signal: AbortSignal): Promise<ReadonlySet<ZoneName>> {
  const damaged = new Set<ZoneName>();
  for (let after = 0; ; ) {
    const places = state.presentAfter(after, PAGE);
    const last = places.at(-1);
    if (last === undefined) return damaged;
    after = last.rowid;
    const vanished: typeof places = [];
    for (const place of places) {
      const found = lookAtFile(root, place.path);
      if (found.kind === "absent") vanished.push(place);
      const good = found.kind === "unreadable" || (found.kind === "file" && found.size >= (place.localSize ?? 0));
      if (!good) damaged.add(place.library);
    }
    if (vanished.length > 0) {
      state.transaction(() => {
        for (const place of vanished) state.markMissing(place, place.pass);
      });
    }
    await setImmediate();
    signal.throwIfAborted();
  }
}
