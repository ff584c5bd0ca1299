/**
 * What `scripts/soak` runs: a storm over 2,000 photos, a hundred kills, 2,000 edits of a library between runs, 2,000
 * runs without anything to do, or a full pass over 100,000 photos and the idle run after it. Ends with 1 when a promise was broken.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { growth, idle } from "../test/support/idle.ts";
import { large } from "../test/support/large.ts";
import { life } from "../test/support/life.ts";
import { kills, storm } from "../test/support/storm.ts";
import { ROOT, say } from "./steps.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    /** 2,000 for a storm, 100,000 for a large library, unless told otherwise. */
    assets: { type: "string" },
    bytes: { type: "string", default: "1000" },
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
    const { log, ...result } = await storm({ seed, assets: Number(values.assets ?? 2_000) });
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
  } else if (what === "large") {
    const binary = join(ROOT, "dist/kei");
    const command = existsSync(binary) ? [binary] : [process.execPath, join(ROOT, "src/main.ts")];
    const result = await large({ assets: Number(values.assets ?? 100_000), bytes: Number(values.bytes), command, say });
    const asked = JSON.stringify(result.idle.requests);
    judge(
      "large",
      result,
      result.files === result.assets && asked === '{"private/changes/database":1}' && result.share < 0.01,
    );
  } else if (what === "idle") {
    const result = await idle({ cycles: Number(values.cycles) });
    const grown = growth(result);
    judge("idle", { ...result, grown }, result.exit === 0 && grown.length + result.strayRequests.length === 0);
  } else {
    say(
      "Usage: ./scripts/soak storm|kills|life|idle|large [--seed N] [--rounds N] [--assets N] [--kills N] [--edits N] [--cycles N]",
    );
    process.exit(64);
  }
}
process.exit(broken ? 1 : 0);
