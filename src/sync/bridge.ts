import type { Library, Photos, ZoneChange } from "../icloud/photos/types.ts";
import type { AssetId, MasterId } from "../library/asset.ts";

/** Changes that a bridge may hold before it is cheaper and safer to scan again. */
const MOST_CHANGES = 5_000;

export interface Bridge {
  /** Token after everything that happened while the library was being listed. */
  readonly token: string;
  /** Assets that changed during the walk and are alive: they are planned again from fresh records. */
  readonly changed: ReadonlyArray<{ readonly id: AssetId; readonly masterId: MasterId }>;
  /** False when not every change could be told: then the token must not be stored. */
  readonly complete: boolean;
}

/**
 * A list is not a snapshot: what is added or removed while it is walked shifts the rest. So the walk keeps the token
 * from before its first page, and this asks for everything that has changed since (cloudkit.md 3.9, DECISIONS 13).
 */
export async function bridgeChanges(
  photos: Photos,
  library: Library,
  firstToken: string,
  signal: AbortSignal,
): Promise<Bridge> {
  const changed = new Map<AssetId, MasterId>();
  let complete = true;
  const token = await photos.changesSince(
    library,
    firstToken,
    (changes) => {
      for (const change of changes) if (!take(change, changed)) complete = false;
      if (changed.size > MOST_CHANGES) complete = false;
    },
    signal,
  );
  return { token, changed: [...changed].map(([id, masterId]) => ({ id, masterId })), complete };
}

/** False when the change concerns an asset that can't be looked up from what the feed says. */
function take(change: ZoneChange, changed: Map<AssetId, MasterId>): boolean {
  // Who is in which album has changed: that decides places, and the feed does not tell it asset by asset.
  if (change.recordType === "CPLContainerRelation" || change.recordType === "CPLAlbum") return false;
  if (change.deleted) {
    changed.delete(change.recordName as AssetId);
    return true;
  }
  if (change.recordType !== "CPLAsset") return true;
  if (change.masterId === undefined) return false;
  if (changed.size <= MOST_CHANGES) changed.set(change.recordName as AssetId, change.masterId);
  return true;
}
