/**
 * Child process: saves files 1, 2, 3, ... in the folder argv[2] as a sync does (row, temporary file, final file, row,
 * token), prints the number of each that is done, and never ends by itself.
 */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openState } from "../../src/state/index.ts";
import { checksum, keyOf, optionsFor, PRIMARY, planned } from "./support.ts";

/** Files between two tokens. */
const TOKEN_EVERY = 7;

const folder = process.argv[2] ?? "";
const state = await openState(optionsFor(join(folder, "a.db")));
state.promoteOrphanRuns();
const run = state.beginRun(Date.now());
for (let number = Number(state.zoneToken(PRIMARY) ?? 0) + 1; ; number += 1) {
  const id = `file-${number}`;
  const temp = join(folder, `.${id}.kei-tmp`);
  if (state.rendition(keyOf(id))?.status !== "downloaded") {
    state.transaction(() => {
      const key = planned(state, id, {}, run);
      state.claimTemp({ ...key, path: temp, checksum: checksum(id), size: 1000, run, createdAt: 1 });
    });
    writeFileSync(temp, id);
    renameSync(temp, join(folder, id));
    state.transaction(() => {
      state.putDownloaded(keyOf(id), { proof: "provider", at: 1 });
      state.placementPresent(keyOf(id), "unfiled", { localSize: 1000, localMtime: 1, method: "download" });
      state.releaseTemp(temp);
    });
  }
  if (number % TOKEN_EVERY === 0) state.setZoneToken(PRIMARY, String(number));
  process.stdout.write(`${number}\n`);
}
