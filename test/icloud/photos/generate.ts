/** Libraries of any size from a seed. */
import { KINDS, type Kind, REAL_MIX } from "./kinds.ts";
import { PhotoLibrary } from "./library.ts";
import { createRng, type Rng, type Seed } from "./random.ts";
import type { AddedAsset, AssetSpec } from "./spec.ts";

export interface GenerateOptions {
  readonly seed?: Seed;
  /** Photos in the personal library, hidden and deleted ones included. */
  readonly assets: number;
  /** Size of originals; derivatives are smaller. Default 2,000 to 12,000. */
  readonly bytes?: number | { readonly min: number; readonly max: number };
  /** Relative shares of the kinds; default as in real libraries. `{ jpeg: 1 }` makes JPEGs only. */
  readonly mix?: Readonly<Partial<Record<Kind, number>>>;
  /** Exact numbers, made before the mix fills the rest. */
  readonly counts?: Readonly<Partial<Record<Kind, number>>>;
  /** Medium, thumb and small files beside each original. Default true. */
  readonly derivatives?: boolean;
  /** Numbers of photos with this property; default none. */
  readonly favorites?: number;
  readonly hidden?: number;
  readonly deleted?: number;
  /** Second assets on the master of another one. */
  readonly duplicates?: number;
  /** Photos that bear the name of another one. */
  readonly equalNames?: number;
  /** Groups of five frames taken in the same second. */
  readonly bursts?: number;
  /** Share of photos with a place. Default 0.55. */
  readonly located?: number;
  /** Albums that the photos are spread over; or exact: how many, how many members each, nested or not. */
  readonly albums?: number | { readonly count: number; readonly members: number; readonly nested?: boolean };
  /** A shared library with so many photos. */
  readonly shared?: { readonly role: "owner" | "participant"; readonly assets: number };
  /** Zones that are no libraries. Default false. */
  readonly decoys?: boolean;
  /** Capture time of the newest photo, ms. */
  readonly newest?: number;
  /** Mean distance between two photos, ms. */
  readonly every?: number;
}

const HOUR = 3_600_000;
const OFFSETS: readonly number[] = [0, 3_600, 7_200, 7_200, 7_200, -14_400, -25_200, 19_800, 28_800];
const BURST_FRAMES = 5;

export function createLibrary(options: GenerateOptions): PhotoLibrary {
  const rng = createRng(`generate/${options.seed ?? 1}`);
  const newest = options.newest ?? Date.UTC(2024, 5, 1, 12);
  const library = new PhotoLibrary({ seed: options.seed ?? 1, now: () => newest + 24 * HOUR });
  if (options.decoys === true) library.addDecoys();
  const assets = fill(library, rng, options, options.assets, "PrimarySync", newest);
  spreadAlbums(library, rng, options.albums, assets);
  if (options.shared !== undefined) {
    const zone = library.addSharedLibrary(options.shared.role);
    fill(library, rng, { ...noMarks(options) }, options.shared.assets, zone.name, newest);
  }
  return library;
}

const noMarks = (options: GenerateOptions): GenerateOptions => ({
  ...options,
  counts: {},
  favorites: 0,
  hidden: 0,
  deleted: 0,
  duplicates: 0,
  equalNames: 0,
  bursts: 0,
});

function fill(
  library: PhotoLibrary,
  rng: Rng,
  options: GenerateOptions,
  total: number,
  zone: string,
  newest: number,
): AddedAsset[] {
  const every = options.every ?? 3 * HOUR;
  const bytes = sizeOf(options, rng);
  const kindOptions = { rng, bytes, derivatives: options.derivatives ?? true };
  const kinds = kindsFor(rng, options, total);
  const marks = marksFor(options, total);
  const added: AddedAsset[] = [];
  let taken = newest;
  let previousName: AssetSpec["filename"];
  for (let serial = 0; serial < total; serial += 1) {
    const mark = marks[serial] ?? "";
    const frame = mark.startsWith("burst:") ? Number(mark.split(":")[2]) : 0;
    if (frame === 0) taken -= Math.round(every * (0.2 + 1.6 * rng.next()));
    const common: AssetSpec = {
      zone,
      assetDate: frame === 0 ? taken : taken + frame * 100,
      addedDate: taken + rng.int(1_000, 90_000),
      timeZoneOffset: rng.pick(OFFSETS),
      favorite: mark === "favorite",
      hidden: mark === "hidden",
      ...(mark === "deleted" ? { deletedAt: newest } : {}),
      ...(rng.chance(options.located ?? 0.55)
        ? { location: { lat: rng.next() * 140 - 70, lon: rng.next() * 360 - 180, alt: rng.int(0, 2_000) } }
        : {}),
    };
    const donor = added.at(-1);
    if (mark === "duplicate" && donor !== undefined) {
      added.push(library.duplicate(donor, { ...common, assetDate: taken }));
      continue;
    }
    const made: AssetSpec = KINDS[kinds[serial] ?? "jpeg"](kindOptions, serial);
    const filename = mark === "equal-name" && previousName !== undefined ? previousName : made.filename;
    const burst = mark.startsWith("burst:") ? { burst: { id: `burst-${mark.split(":")[1]}`, key: frame === 0 } } : {};
    added.push(library.addAsset({ ...made, ...common, ...burst, ...(filename === undefined ? {} : { filename }) }));
    previousName = made.filename;
  }
  return added;
}

function sizeOf(options: GenerateOptions, rng: Rng): () => number {
  const bytes = options.bytes ?? { min: 2_000, max: 12_000 };
  if (typeof bytes === "number") return () => bytes;
  return () => rng.int(bytes.min, bytes.max);
}

function kindsFor(rng: Rng, options: GenerateOptions, total: number): Kind[] {
  const kinds: Kind[] = [];
  for (const [kind, count] of entries(options.counts ?? {})) {
    for (let index = 0; index < count && kinds.length < total; index += 1) kinds.push(kind);
  }
  const shares = entries(options.mix ?? REAL_MIX);
  const sum = shares.reduce((all, [, share]) => all + share, 0);
  while (kinds.length < total) {
    kinds.push(drawn(shares, rng.next() * sum));
  }
  return kinds;
}

function drawn(shares: ReadonlyArray<readonly [Kind, number]>, at: number): Kind {
  let rest = at;
  for (const [kind, share] of shares) {
    if (rest < share) return kind;
    rest -= share;
  }
  return "jpeg";
}

const entries = (record: Readonly<Partial<Record<Kind, number>>>): ReadonlyArray<readonly [Kind, number]> =>
  Object.entries(record) as Array<[Kind, number]>;

/** One mark at most for each photo, spread evenly from the second one on; bursts take their frames in a row. */
function marksFor(options: GenerateOptions, total: number): string[] {
  const marks = new Array<string>(total).fill("");
  let at = 1;
  for (let group = 0; group < (options.bursts ?? 0); group += 1) {
    for (let frame = 0; frame < BURST_FRAMES; frame += 1, at += 1) marks[at] = `burst:${group}:${frame}`;
  }
  const wanted = [
    ...new Array<string>(options.favorites ?? 0).fill("favorite"),
    ...new Array<string>(options.hidden ?? 0).fill("hidden"),
    ...new Array<string>(options.deleted ?? 0).fill("deleted"),
    ...new Array<string>(options.duplicates ?? 0).fill("duplicate"),
    ...new Array<string>(options.equalNames ?? 0).fill("equal-name"),
  ];
  const marked = wanted.length + BURST_FRAMES * (options.bursts ?? 0);
  if (marked > 0 && marked + 1 > total) throw new Error(`${total} assets are too few for what is asked of them`);
  const step = (total - at) / Math.max(1, wanted.length);
  wanted.forEach((mark, index) => {
    marks[Math.floor(at + index * step)] = mark;
  });
  return marks;
}

function spreadAlbums(library: PhotoLibrary, rng: Rng, albums: GenerateOptions["albums"], assets: AddedAsset[]): void {
  if (albums === undefined || albums === 0) return;
  const live = assets.filter((asset) => {
    const data = asset.zone.asset(asset.id).data;
    return data.isDeleted !== 1 && data.isHidden === 0;
  });
  const plan =
    typeof albums === "number"
      ? { count: albums, members: Math.ceil(live.length / (2 * albums)), nested: true }
      : albums;
  const folder = plan.nested === true ? library.createFolder("Folder") : undefined;
  for (let index = 0; index < plan.count; index += 1) {
    const parent = folder !== undefined && index % 3 === 0 ? { parent: folder } : {};
    const album = library.createAlbum({ name: `Album ${index + 1}`, ...parent });
    const start = live.length === 0 ? 0 : rng.int(0, live.length - 1);
    for (let member = 0; member < Math.min(plan.members, live.length); member += 1) {
      const asset = live[(start + member) % live.length];
      if (asset !== undefined) library.addToAlbum(asset, album);
    }
  }
}
