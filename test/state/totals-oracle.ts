import type { AssetId } from "../../src/library/asset.ts";
import type { PlacementRow, RenditionRow, State, Totals } from "../../src/state/types.ts";
import { PRIMARY } from "./support.ts";

export const EMPTY_TOTALS: Totals = {
  assets: 0,
  onDisk: 0,
  leftOut: {},
  waiting: 0,
  failed: 0,
  exhausted: 0,
  broken: {},
  kept: {},
  files: { downloaded: 0, pending: 0, failed: 0 },
  savedFiles: 0,
  bytes: 0,
  issues: {},
};

/** The totals of a small library worked out row by row, as plainly as can be. */
export function expectedTotals(state: State, ids: readonly AssetId[], cap: number): Totals {
  const totals = {
    ...EMPTY_TOTALS,
    leftOut: {} as Record<string, number>,
    broken: {} as Record<string, number>,
    kept: {} as Record<string, number>,
    files: { ...EMPTY_TOTALS.files },
  };
  for (const id of ids) {
    const asset = state.asset(PRIMARY, id);
    if (asset === undefined) continue;
    const files = state.renditionsOf(PRIMARY, id);
    for (const file of files)
      if (file.status === "downloaded") {
        totals.savedFiles += 1;
        totals.bytes += file.size;
      }
    if (asset.rule === "gone" || asset.rule === "unlisted") {
      const places = state.placementsOf(PRIMARY, id);
      if (places.some(({ status }) => status === "present" || status === "historical"))
        totals.kept[asset.rule] = (totals.kept[asset.rule] ?? 0) + 1;
      continue;
    }
    totals.assets += 1;
    if (asset.disposition !== "wanted") {
      const rules = asset.disposition === "broken" ? totals.broken : totals.leftOut;
      rules[asset.rule ?? ""] = (rules[asset.rule ?? ""] ?? 0) + 1;
      continue;
    }
    const states = files.map((file) => stateOf(file, state.placementsOf(PRIMARY, id)));
    for (const one of states) totals.files[one] += 1;
    const failed = files.filter((file) => file.status === "failed");
    if (failed.some((file) => cap > 0 && file.attempts >= cap)) totals.exhausted += 1;
    else if (states.includes("failed")) totals.failed += 1;
    else if (states.includes("pending") || files.length === 0) totals.waiting += 1;
    else totals.onDisk += 1;
  }
  return totals;
}

/** Assets on disk that own none of their files, counted one by one. */
export function expectedShared(state: State, ids: readonly AssetId[]): number {
  return ids.filter((id) => {
    const files = state.renditionsOf(PRIMARY, id);
    const places = state.placementsOf(PRIMARY, id).filter((place) => place.status !== "historical");
    return (
      state.asset(PRIMARY, id)?.disposition === "wanted" &&
      files.every((file) => file.status === "downloaded") &&
      places.length > 0 &&
      places.every((place) => place.status === "present" && !place.owner)
    );
  }).length;
}

function stateOf(file: RenditionRow, places: readonly PlacementRow[]): "downloaded" | "pending" | "failed" {
  if (file.status !== "downloaded") return file.status;
  const mine = places.filter((place) => place.rendition === file.rendition);
  if (mine.some((place) => place.status === "failed")) return "failed";
  return mine.some((place) => place.status === "pending") ? "pending" : "downloaded";
}
