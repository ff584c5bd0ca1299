/** Rows and steps for tests of the catalogue; runs on any runtime. */
import type { AppleChecksum, AssetId, MasterId, Rendition, ZoneName } from "../../src/library/asset.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import type { AssetRow, FileKey, PlacementRow, State } from "../../src/state/types.ts";

/** A clock that only moves when somebody sleeps on it or sets it. */
export class FakeClock implements Clock {
  time = Date.UTC(2026, 0, 1);
  readonly slept: number[] = [];
  onSleep: (ms: number) => Promise<void> | void = () => undefined;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.time += ms;
    await this.onSleep(ms);
    signal?.throwIfAborted();
  }
}

export const PRIMARY = "PrimarySync" as ZoneName;
export const SHARED = "SharedSync-00000000-1111-2222-3333-444444444444" as ZoneName;

export function assetId(name: string): AssetId {
  return name as AssetId;
}

/** A checksum of the right shape; the same `seed` gives the same content. */
export function checksum(seed: string): AppleChecksum {
  return `checksum-of-${seed}` as AppleChecksum;
}

export function keyOf(id: string, rendition: Rendition = "original", library: ZoneName = PRIMARY): FileKey {
  return { library, asset: assetId(id), rendition };
}

export function assetRow(id: string, more: Partial<AssetRow> = {}): AssetRow {
  return {
    library: PRIMARY,
    id: assetId(id),
    masterId: `master-${id}` as MasterId,
    filename: `${id}.JPG`,
    kind: "photo",
    capturedAt: 1_700_000_000_000,
    timeZoneOffset: 7200,
    addedAt: 1_700_000_100_000,
    isFavorite: false,
    isHidden: false,
    isDeleted: false,
    changeTag: "1a",
    disposition: "wanted",
    rule: undefined,
    seenScan: 1,
    ...more,
  };
}

export function fileRow(id: string, content = id, rendition: Rendition = "original", library: ZoneName = PRIMARY) {
  return { ...keyOf(id, rendition, library), checksum: checksum(content), size: 1000, uti: "public.jpeg" };
}

export function placementRow(id: string, more: Partial<PlacementRow> = {}): PlacementRow {
  const path = more.path ?? `2026/01/01/${id}.JPG`;
  return {
    ...keyOf(id),
    pass: "unfiled",
    path,
    pathKey: path.toLowerCase(),
    owner: true,
    status: "pending",
    checksum: checksum(id),
    localSize: undefined,
    localMtime: undefined,
    method: undefined,
    ...more,
  };
}

/** An asset with one file that is planned for one place in run `run`. */
export function planned(state: State, id: string, more: Partial<PlacementRow> = {}, run = 1): FileKey {
  state.putAsset(assetRow(id));
  state.putPending(fileRow(id), run);
  state.putPlacement(placementRow(id, more));
  return keyOf(id);
}

/** The same, brought to its place. */
export function saved(state: State, id: string, more: Partial<PlacementRow> = {}): FileKey {
  const key = planned(state, id, more);
  state.putDownloaded(key, { proof: "provider", at: 1_700_000_000 });
  state.placementPresent(key, more.pass ?? "unfiled", {
    localSize: 1000,
    localMtime: 1_700_000_000_000,
    method: "download",
  });
  return key;
}
