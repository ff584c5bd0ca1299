/** How long it takes from the start of the compiled program to its first output: `./scripts/bench start [RUNS]`. */
import { join } from "node:path";
import { ROOT, say } from "./steps.ts";

/** Time that a start may take, ms (issue 6). */
const WANTED_MS = 60;

const runs = Number(process.argv[2] ?? 20);
const program = join(ROOT, "dist", "kei");

for (const args of [["--version"], ["--help"], ["config", "show"]]) {
  // The first one brings the program into memory.
  await firstOutput(args);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await firstOutput(args));
  const [median, worst] = [quantile(times, 0.5), quantile(times, 1)];
  const verdict = median <= WANTED_MS ? "within" : "beyond";
  say(
    `kei ${args.join(" ").padEnd(12)} first output after ${median.toFixed(0)} ms (median of ${runs}), ${worst.toFixed(0)} ms at worst; ${verdict} ${WANTED_MS} ms`,
  );
}

/** Ms until the program has written something. */
async function firstOutput(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = Bun.spawn([program, ...args], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const { done } = await child.stdout.getReader().read();
  const elapsed = performance.now() - start;
  if (done || (await child.exited) !== 0) throw new Error(`${program} ${args.join(" ")} has failed`);
  return elapsed;
}

function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
