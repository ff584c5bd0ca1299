/**
 * How long kei takes to answer about a large catalogue, as a whole process: `./scripts/bench status [--photos N]
 * [--rounds N]`. Only measures.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { accountFiles } from "../src/library/account.ts";
import { makeCatalogue } from "../test/support/catalogue.ts";
import { ROOT, say } from "./steps.ts";

const { values } = parseArgs({
  options: { photos: { type: "string", default: "100000" }, rounds: { type: "string", default: "10" } },
});

const QUESTIONS: ReadonlyArray<readonly string[]> = [
  ["--version"],
  ["status"],
  ["status", "--json"],
  ["status", "--failed", "--downloaded"],
  ["why", "IMG_0001.HEIC"],
  ["why", "no such name.jpg"],
  ["manifest"],
];

const USER = "alex.test@example.com";
const home = mkdtempSync(join(tmpdir(), "kei-bench-"));
const command = existsSync(join(ROOT, "dist/kei"))
  ? [join(ROOT, "dist/kei")]
  : [process.execPath, join(ROOT, "src/main.ts")];

interface Asked {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** One process from start to end. */
async function ask(args: readonly string[]): Promise<Asked> {
  const start = performance.now();
  const child = Bun.spawn([...command, ...args], {
    env: { PATH: process.env["PATH"], HOME: home, XDG_CONFIG_HOME: join(home, "config"), ICLOUD_USERNAME: USER },
    stdout: "pipe",
    stderr: "ignore",
  });
  for await (const _ of child.stdout) {
    // Taken and thrown away, as by a pipe.
  }
  await child.exited;
  const ms = performance.now() - start;
  const usage = child.resourceUsage();
  return { ms, cpuMs: Number(usage?.cpuTime.total ?? 0) / 1000, peakMiB: (usage?.maxRSS ?? 0) / 1024 / 1024 };
}

const ms = (value = 0): string => value.toFixed(0).padStart(5);

try {
  const data = join(home, "config", "kei");
  mkdirSync(data, { recursive: true });
  await makeCatalogue(accountFiles(data, "com", USER).database, USER, Number(values.photos));
  say(`${values.photos} photos, ${command.length === 1 ? "dist/kei" : "kei from source"}, ${values.rounds} rounds:`);
  for (const args of QUESTIONS) {
    const rounds: Asked[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await ask(args));
    const walls = rounds.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const [least, median, most] = [0, Math.floor(walls.length / 2), walls.length - 1].map((at) => ms(walls[at]));
    const cpu = ms(Math.min(...rounds.map(({ cpuMs }) => cpuMs)));
    const peak = Math.max(...rounds.map(({ peakMiB }) => peakMiB)).toFixed(0);
    say(`kei ${args.join(" ").padEnd(30)} ${median} ms (${least} to ${most}), ${cpu} ms cpu, ${peak} MiB`);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
