/** What `scripts/soak` runs: a storm over 2,000 photos, or a hundred kills. Ends with 1 when a promise was broken. */
import { parseArgs } from "node:util";
import { kills, storm } from "../test/support/storm.ts";
import { say } from "./steps.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    assets: { type: "string", default: "2000" },
    kills: { type: "string", default: "100" },
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
  } else {
    say("Usage: ./scripts/soak storm|kills [--seed N] [--rounds N] [--assets N] [--kills N]");
    process.exit(64);
  }
}
process.exit(broken ? 1 : 0);
