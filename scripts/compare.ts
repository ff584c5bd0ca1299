/** The comparison behind `scripts/compare`; runs inside `scripts/apple-net`. Ends with 1 when a difference is unexplained. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LEAST_ASSETS, troubledLibrary } from "../test/support/compare/library.ts";
import { DEFAULT_ROW, ROWS } from "../test/support/compare/rows.ts";
import { type Outcome, Pair, type TakenOver } from "../test/support/compare/run.ts";
import { linesOf, unexplained } from "../test/support/compare/table.ts";
import { keiCommand } from "../test/support/kei.ts";
import { say } from "./steps.ts";

const { values } = parseArgs({
  options: {
    assets: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    /** Only rows whose name contains this. */
    row: { type: "string" },
    /** Every row in this time zone; else the default row in two, the others in UTC. */
    zone: { type: "string" },
    /** One line of JSON in place of tables. */
    json: { type: "boolean", default: false },
  },
});

const assets = Number(values.assets);
if (!(assets >= LEAST_ASSETS)) throw new Error(`--assets must be at least ${LEAST_ASSETS}`);
const rows = ROWS.filter(({ name }) => values.row === undefined || name.includes(values.row));
const runs = rows.flatMap((row) => {
  if (values.zone !== undefined) return [{ row, zone: values.zone }];
  return (row === DEFAULT_ROW ? ["UTC", "America/Los_Angeles"] : ["UTC"]).map((zone) => ({ row, zone }));
});

const folder = mkdtempSync(join(tmpdir(), "kei-compare-"));
const outcomes: Outcome[] = [];
let takenOver: TakenOver | undefined;
try {
  const pair = await Pair.start(folder, troubledLibrary(assets, Number(values.seed)), keiCommand());
  for (const { row, zone } of runs) {
    const outcome = await pair.compare(row, zone);
    outcomes.push(outcome);
    if (!values.json) say(`${linesOf(outcome).join("\n")}\n`);
  }
  if (rows.includes(DEFAULT_ROW)) takenOver = await pair.takeOver(DEFAULT_ROW, values.zone ?? "UTC");
  await pair.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const open = outcomes.reduce((sum, outcome) => sum + unexplained(outcome).length, 0);
if (values.json) say(JSON.stringify({ outcomes, takenOver }));
else {
  if (takenOver !== undefined) say(`${told(takenOver)}\n`);
  say(`${runs.length} comparisons of ${assets} photos, ${open} differences without explanation`);
}
process.exit(open === 0 ? 0 : 1);

function told({ before, after, changed, fetched }: TakenOver): string {
  const again = `${fetched[0]} files were fetched, ${fetched[1]} by the next run`;
  return `kei in the folder of icloudpd: of ${before} files ${changed.length} changed; ${again}; ${after} files in the end`;
}
