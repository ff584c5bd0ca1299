/** One page of an asset list: which rows, in which shape, and whether more follow (cloudkit.md 3.3 to 3.5). */
import type { Call } from "./call.ts";
import { type ListKey, type Row, rowsOf } from "./lists.ts";
import { createRng } from "./random.ts";
import type { StoredRecord } from "./records.ts";
import type { Zone } from "./zone.ts";

export interface PageRequest {
  readonly zone: Zone;
  readonly list: ListKey;
  readonly startRank: number;
  readonly direction: "ASCENDING" | "DESCENDING";
  /** Records, already cut to 200. */
  readonly limit: number;
}

export interface Page {
  readonly records: readonly StoredRecord[];
  /** Rank after the page, while ranks remain. */
  readonly nextRank: number | undefined;
  readonly lastAsset: string;
}

type Slot = Row | undefined;

export function readPage(call: Call, request: PageRequest): Page {
  const { zone, list, startRank, direction } = request;
  const rows = slotsOf(call, zone, list);
  const perRank = list.kind === "album" ? 3 : 2;
  const whole = Math.floor(request.limit / perRank);
  const rest = request.limit - whole * perRank;
  const cut = rest > 0 && (call.settings.cutTuples || whole === 0) ? rest : 0;

  const wanted = slice(rows, startRank, whole, direction);
  const shown = wanted.filter((row) => row !== undefined);
  const key = `${zone.name}/${JSON.stringify(list)}`;
  const held = (call.memory.heldMasters.get(key) ?? []).flatMap((name) => zone.master(name) ?? []);
  call.memory.heldMasters.delete(key);
  const records = [...held, ...shape(call, zone, list, shown, key, startRank)];
  if (cut > 0) {
    const next = slice(rows, direction === "ASCENDING" ? startRank + whole : startRank - whole, 1, direction)[0];
    if (next !== undefined) records.push(...tuple(zone, next).slice(0, cut));
  }
  const after = direction === "ASCENDING" ? startRank + wanted.length : startRank - wanted.length;
  const remains = direction === "ASCENDING" ? after < rows.length : after >= 0 && rows.length > 0;
  const silent = shown.length === 0 && remains && call.faults.holes.some((hole) => !hole.marker);
  return {
    records,
    nextRank: remains && !silent ? after : undefined,
    lastAsset: shown.at(-1)?.asset.name ?? zone.name,
  };
}

/** The list's rows with the holes and repetitions that a test put in. */
function slotsOf(call: Call, zone: Zone, list: ListKey): readonly Slot[] {
  const rows = rowsOf(zone, list);
  const here = (fault: { readonly list: string; readonly zone: string }): boolean =>
    fault.list === list.kind && fault.zone === zone.name;
  const holes = call.faults.holes.filter(here);
  const repeats = call.faults.repeats.filter(here);
  if (holes.length === 0 && repeats.length === 0) return rows;
  const slots: Slot[] = [...rows];
  for (const { at } of repeats) if (at < slots.length) slots.splice(at + 1, 0, slots[at]);
  for (const { at, ranks } of holes) slots.splice(at, 0, ...new Array<Slot>(ranks).fill(undefined));
  return slots;
}

/** Ranks whose records have vanished; the index still counts them. */
export function vanishedRanks(call: Call, zone: Zone, list: ListKey): number {
  return call.faults.holes
    .filter((hole) => hole.list === list.kind && hole.zone === zone.name)
    .reduce((sum, hole) => sum + hole.ranks, 0);
}

function slice(
  rows: readonly Slot[],
  start: number,
  count: number,
  direction: "ASCENDING" | "DESCENDING",
): readonly Slot[] {
  if (direction === "ASCENDING") return rows.slice(start, start + count);
  const from = Math.min(start, rows.length - 1);
  return from < 0 ? [] : rows.slice(Math.max(0, from - count + 1), from + 1).reverse();
}

function masterOf(zone: Zone, row: Row): StoredRecord | undefined {
  const name = row.asset.data.masterName;
  return name === undefined ? undefined : zone.master(name);
}

function tuple(zone: Zone, row: Row): StoredRecord[] {
  const master = masterOf(zone, row);
  return [...(row.relation === undefined ? [] : [row.relation]), ...(master === undefined ? [] : [master]), row.asset];
}

function shape(
  call: Call,
  zone: Zone,
  list: ListKey,
  rows: readonly Row[],
  key: string,
  startRank: number,
): StoredRecord[] {
  const sent = new Set<StoredRecord>();
  const halves = rows.map((row) => {
    const master = pageMaster(call, zone, row, key, sent);
    const asset = call.faults.loneMasters.has(row.asset.name) ? undefined : row.asset;
    return { relation: row.relation, master, asset };
  });
  const present = (records: readonly (StoredRecord | undefined)[]): StoredRecord[] =>
    records.filter((record) => record !== undefined);
  switch (call.settings.order) {
    case "interleaved":
      return present(halves.flatMap((half) => [half.relation, half.master, half.asset]));
    case "asset-first":
      return present(halves.flatMap((half) => [half.asset, half.master, half.relation]));
    case "shuffled":
      return shuffle(present(halves.flatMap((half) => [half.relation, half.master, half.asset])), startRank);
    case "masters-first":
      // Relations are mixed in on album pages (cloudkit.md 3.4, 9.7).
      if (list.kind === "album") return present(halves.flatMap((half) => [half.relation, half.master, half.asset]));
      return present([...halves.map((half) => half.master), ...halves.map((half) => half.asset)]);
  }
}

function pageMaster(call: Call, zone: Zone, row: Row, key: string, sent: Set<StoredRecord>): StoredRecord | undefined {
  const master = masterOf(zone, row);
  if (master === undefined) return undefined;
  const late = call.faults.lateMasters.get(row.asset.name);
  if (late === "next-page") {
    call.memory.heldMasters.set(key, [...(call.memory.heldMasters.get(key) ?? []), master.name]);
  }
  if (late !== undefined) return undefined;
  if (sent.has(master) && !call.settings.repeatMasters) return undefined;
  sent.add(master);
  return master;
}

function shuffle(records: StoredRecord[], seed: number): StoredRecord[] {
  const rng = createRng(`shuffle/${seed}`);
  for (let index = records.length - 1; index > 0; index -= 1) {
    const other = rng.int(0, index);
    const a = records[index];
    const b = records[other];
    if (a === undefined || b === undefined) continue;
    records[index] = b;
    records[other] = a;
  }
  return records;
}
