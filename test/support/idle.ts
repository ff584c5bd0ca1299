/** A watch over a library that does not change, on a clock that does not wait: what it asks, and what it leaves behind. */

import { heapStats } from "bun:jsc";
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/runtime/ports.ts";
import { createLibrary, startDouble } from "../icloud/index.ts";
import { Home } from "./kei.ts";
import { Watching } from "./watching.ts";

export interface Idle {
  readonly cycles: number;
  readonly exit: number;
  /** Requests of other kinds than the one question, and cycles that asked more or less than once. */
  readonly strayRequests: readonly string[];
  readonly msPerCycle: number;
  /** On the watch's clock: that it did pause between its cycles. */
  readonly secondsPerCycle: number;
  /** After `WARM` cycles, in the middle, and at the end. */
  readonly samples: readonly Sample[];
  /** Rows of every table, by name, after `WARM` cycles and at the end. */
  readonly rows: readonly [Readonly<Record<string, number>>, Readonly<Record<string, number>>];
}

export interface Sample {
  readonly cycle: number;
  /** Bytes that are in use after a collection. */
  readonly heap: number;
  readonly rss: number;
  /** Open descriptors; undefined where the system does not tell. */
  readonly descriptors: number | undefined;
  /** Objects that live as long as somebody waits: timers, signals, promises, sockets. */
  readonly waiting: Readonly<Record<string, number>>;
}

/** Cycles before anything is measured: caches fill, code is compiled. */
export const WARM = 200;

const WAITING = [
  "Timeout",
  "Immediate",
  "AbortSignal",
  "AbortController",
  "Promise",
  "TLSSocket",
  "Statement",
  "Database",
];

/** What has grown between the first sample and the last, in words; `tolerance` is a share, for memory. */
export function growth({ samples, rows: [before, after] }: Idle, tolerance = 0.05): readonly string[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return ["nothing was measured"];
  const grown: string[] = [];
  const compare = (what: string, a: number, b: number, most: number): void => {
    if (b > most) grown.push(`${what}: ${a} to ${b}`);
  };
  compare("heap", first.heap, last.heap, first.heap * (1 + tolerance));
  compare("resident memory", first.rss, last.rss, first.rss * (1 + tolerance));
  // A handful comes and goes with the double's own connections.
  compare("descriptors", first.descriptors ?? 0, last.descriptors ?? 0, (first.descriptors ?? 0) + 4);
  for (const [name, count] of Object.entries(last.waiting)) {
    const was = first.waiting[name] ?? 0;
    compare(name, was, count, was + 20);
  }
  for (const [table, count] of Object.entries(after))
    compare(`rows of ${table}`, before[table] ?? 0, count, before[table] ?? 0);
  return grown;
}

export async function idle({
  cycles,
  assets = 30,
}: {
  readonly cycles: number;
  readonly assets?: number;
}): Promise<Idle> {
  const library = createLibrary({ seed: 5, assets, bytes: 1_000, mix: { jpeg: 1 }, derivatives: false, albums: 2 });
  const double = await startDouble({ library, photos: { pretty: false } });
  const home = new Home(double);
  try {
    await home.signIn(double);
    const first = await home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);
    // What came while the first run listed is settled by the second.
    await home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);
    if (first.code !== 0) throw new Error(first.stderr);
    double.log.clear();

    const stray: string[] = [];
    const samples: Sample[] = [];
    const rows: Array<Record<string, number>> = [];
    let pauses = 0;
    let startedAt = 0;
    const done = Promise.withResolvers<void>();
    /** The first piece of a pause comes right after a cycle. */
    const afterCycle = (): void => {
      if (double.log.all.length === 0) return;
      pauses += 1;
      const asked = double.log.all.map(({ operation }) => operation);
      if (asked.join() !== "private/changes/database") stray.push(`${pauses}: ${asked.join()}`);
      double.log.clear();
      if (pauses === WARM) startedAt = performance.now();
      if (pauses === WARM || pauses === cycles) rows.push(rowsOf(home));
      if (pauses === WARM || pauses === Math.trunc((WARM + cycles) / 2) || pauses === cycles)
        samples.push(sample(pauses));
      if (pauses === cycles) done.resolve();
    };
    const clock = leapingClock(afterCycle);
    const began = clock.monotonic();
    const watching = new Watching(home, ["--log-level", "error", "--watch-with-interval", "600"], clock);
    await Promise.race([done.promise, watching.result]);
    const msPerCycle = (performance.now() - startedAt) / (cycles - WARM);
    const secondsPerCycle = (clock.monotonic() - began) / 1000 / pauses;
    const { code } = await watching.stop("SIGTERM");
    return {
      cycles: pauses,
      exit: code,
      strayRequests: stray,
      msPerCycle,
      secondsPerCycle,
      samples,
      rows: [rows[0] ?? {}, rows[1] ?? {}],
    };
  } finally {
    await double.stop();
    home.remove();
  }
}

/** Real time, which leaps over every wait; `onLongWait` is told of those that are pieces of a pause. */
function leapingClock(onLongWait: () => void): Clock {
  let leapt = 0;
  return {
    now: () => Math.trunc(Date.now() + leapt),
    monotonic: () => performance.now() + leapt,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      if (ms === 30_000) onLongWait();
      leapt += ms;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}

function sample(cycle: number): Sample {
  for (let round = 0; round < 3; round += 1) Bun.gc(true);
  const { heapSize, objectTypeCounts } = heapStats();
  return {
    cycle,
    heap: heapSize,
    rss: process.memoryUsage.rss(),
    descriptors: descriptors(),
    waiting: Object.fromEntries(WAITING.map((name) => [name, objectTypeCounts[name] ?? 0])),
  };
}

function descriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined; // Not Linux.
  }
}

function rowsOf(home: Home): Record<string, number> {
  const name = readdirSync(home.data).find((file) => file.endsWith(".db")) ?? "";
  const db = new Database(join(home.data, name), { readonly: true });
  try {
    const tables = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return Object.fromEntries(
      tables.map((table) => [
        table.name,
        db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${table.name}`).get()?.count ?? -1,
      ]),
    );
  } finally {
    db.close();
  }
}
