/**
 * What `scripts/soak` runs: a storm over 2,000 photos, a hundred kills, 2,000 edits of a library between runs, or 2,000
 * runs without anything to do. Ends with 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { growth, idle } from "../test/support/idle.ts";
import { life } from "../test/support/life.ts";
import { kills, storm } from "../test/support/storm.ts";
import { say } from "./steps.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    assets: { type: "string", default: "2000" },
    kills: { type: "string", default: "100" },
    edits: { type: "string", default: "2000" },
    cycles: { type: "string", default: "2000" },
    rounds: { type: "string", default: "1" },
  },
});
const [what] = positionals;
let broken = false;

function judge(name: string, result: object, kept: boolean): void {
  say(`${kept ? "kept" : "BROKEN"}  ${name}  ${JSON.stringify(result)}`);
  broken ||= !kept;
}

for (let round = 0; round < Number(values.rounds); round += 1) {
  const seed = Number(values.seed ?? 1) + round;
  if (what === "storm") {
    const { log, ...result } = await storm({ seed, assets: Number(values.assets) });
    const kept =
      result.wrongFiles.length + result.untold + result.missingAfterwards + result.orphans.length === 0 &&
      result.exits[1] === 0 &&
      result.transferred <= 1.3;
    judge(`storm ${seed}`, result, kept);
    if (!kept) say(log);
  } else if (what === "kills") {
    const result = await kills({ seed, kills: Number(values.kills) });
    const kept =
      result.exit === 0 &&
      result.sameTree &&
      result.missing + result.again + result.wrongFiles.length + result.orphans.length === 0;
    judge(`kills ${seed}`, result, kept);
  } else if (what === "life") {
    const result = await life({ seed, edits: Number(values.edits) });
    judge(`life ${seed}`, result, result.disagreements.length + result.lists.length === 0);
  } else if (what === "idle") {
    const result = await idle({ cycles: Number(values.cycles) });
    const grown = growth(result);
    judge("idle", { ...result, grown }, result.exit === 0 && grown.length + result.strayRequests.length === 0);
  } else {
    say(
      "Usage: ./scripts/soak storm|kills|life|idle [--seed N] [--rounds N] [--assets N] [--kills N] [--edits N] [--cycles N]",
    );
    process.exit(64);
  }
}
process.exit(broken ? 1 : 0);
