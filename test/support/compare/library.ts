/** A library in which everything happens that names and folders can depend on. */
import type { PhotoLibrary } from "../../icloud/index.ts";
import { createLibrary } from "../../icloud/index.ts";
import { KINDS, type Kind, type KindOptions } from "../../icloud/photos/kinds.ts";
import { createRng } from "../../icloud/photos/random.ts";
import type { AddedAsset, AssetSpec, ResourceSpec } from "../../icloud/photos/spec.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;
const NEWEST = Date.UTC(2024, 5, 1, 12);

/** So many photos at least, for one of each trouble and of each kind. */
export const LEAST_ASSETS = 120;

/**
 * `assets` photos (at least `LEAST_ASSETS`): all kinds in equal shares, duplicates, equal names, bursts, hidden and
 * deleted ones, albums; and among them one of each special case below. The same arguments make the same library.
 */
export function troubledLibrary(assets: number, seed = 1): PhotoLibrary {
  const special = new SpecialCases(seed, Math.floor(assets * 0.02));
  const generated = assets - special.count;
  const some = (share: number) => Math.max(1, Math.floor(generated * share));
  const library = createLibrary({
    seed,
    assets: generated,
    newest: NEWEST,
    mix: Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 1])),
    favorites: some(0.03),
    hidden: some(0.01),
    deleted: some(0.01),
    duplicates: some(0.02),
    bursts: some(0.005),
    albums: 5,
  });
  special.addTo(library);
  return library;
}

type Case = (library: PhotoLibrary) => void;

/** Photos of one day each, older than all generated ones, so that only the cases of one day meet. */
class SpecialCases {
  readonly #cases: Case[] = [];
  readonly #options: KindOptions;
  #day = 0;

  constructor(seed: number, pairs: number) {
    const rng = createRng(`special/${seed}`);
    this.#options = { rng, derivatives: true, bytes: () => rng.int(1_500, 6_000) };
    this.#clocks();
    this.#equalNames();
    this.#names();
    this.#types();
    this.#versions();
    this.#pairs(pairs);
  }

  get count(): number {
    return this.#cases.length;
  }

  addTo(library: PhotoLibrary): void {
    for (const add of this.#cases) add(library);
  }

  /** One photo, at noon of the current day unless the case says otherwise. */
  #photo(kind: Kind, spec: AssetSpec = {}): void {
    this.#case((library) => library.addAsset(this.#spec(kind, spec)));
  }

  #case(add: (library: PhotoLibrary) => unknown): void {
    const day = this.#day;
    const serial = this.#cases.length;
    this.#cases.push((library) => {
      this.#now = Date.UTC(2015, 0, 1, 12) + day * DAY - serial * MINUTE;
      add(library);
    });
  }
  #now = 0;

  #spec(kind: Kind, spec: AssetSpec): AssetSpec {
    const assetDate = this.#now;
    const made = KINDS[kind](this.#options, this.#cases.length);
    const taken = typeof spec.assetDate === "number" ? spec.assetDate : assetDate;
    return { ...made, assetDate, addedDate: taken + 5_000, timeZoneOffset: 0, ...spec };
  }

  #nextDay(): void {
    this.#day += 1;
  }

  /** Capture times at the edges of days, years, clocks and the epoch. */
  #clocks(): void {
    const edges: ReadonlyArray<readonly [number, number | null]> = [
      [Date.UTC(2013, 11, 31, 23, 30), 3_600],
      [Date.UTC(2014, 0, 1, 0, 30), -28_800],
      [Date.UTC(2014, 2, 10, 9, 59, 59), -28_800],
      [Date.UTC(2013, 9, 29, 0, 30), 7_200],
      [Date.UTC(2012, 5, 15, 11), 50_400],
      [Date.UTC(2012, 5, 15, 11), -43_200],
      [Date.UTC(2012, 5, 15, 18, 45), 20_700],
      [Date.UTC(2011, 0, 3, 4, 5, 6, 789), null],
      [Date.UTC(1969, 6, 20, 20, 17, 40), -18_000],
      [Date.UTC(1950, 0, 1, 12), 0],
    ];
    edges.forEach(([assetDate, timeZoneOffset], index) => {
      this.#photo("jpeg", { filename: `CLOCK_${index}.JPG`, assetDate, timeZoneOffset });
    });
  }

  #equalNames(): void {
    // Three of different sizes.
    this.#nextDay();
    for (const size of [1_500, 1_501, 1_502]) this.#photo("jpeg", { filename: "SIZES.JPG", content: size });
    // Taken in one order, added in the other.
    this.#nextDay();
    for (const [index, size] of [2_500, 2_501].entries())
      this.#photo("jpeg", { filename: "ORDER.JPG", content: size, addedDate: NEWEST + index * DAY });
    // Two of one size.
    this.#nextDay();
    for (const _ of [1, 2]) this.#photo("heic", { filename: "TWINS.HEIC", content: 2_000 });
    // The same bytes twice, as duplicates are made; once on the same day, once on another.
    this.#nextDay();
    let first: AddedAsset | undefined;
    this.#case((library) => {
      first = library.addAsset(this.#spec("live_heic", { filename: "COPIED.HEIC" }));
    });
    this.#case((library) => first && library.duplicate(first, { addedDate: this.#now }));
    this.#case((library) => first && library.duplicate(first, { assetDate: this.#now + 3 * DAY }));
    // Duplicates with an edit each.
    this.#nextDay();
    const edit = () => ({ resJPEGFull: { uti: "public.jpeg", content: this.#options.bytes() } });
    this.#case((library) => {
      first = library.addAsset(this.#spec("edited_jpeg", { filename: "TWO_EDITS.JPG" }));
    });
    this.#case((library) => first && library.duplicate(first, { assetResources: edit() }));
    // A still, a Live Photo, a film and another spelling that share a stem.
    this.#nextDay();
    this.#photo("jpeg", { filename: "STEM.JPG" });
    this.#photo("live_heic", { filename: "STEM.HEIC" });
    this.#photo("mov", { filename: "STEM.MOV" });
    this.#photo("jpeg", { filename: "stem.jpg" });
    // Live Photos of one name: their videos have to part, too.
    this.#nextDay();
    for (const size of [3_000, 3_001]) this.#photo("live_heic", { filename: "LIVE.HEIC", content: size });
    this.#nextDay();
    for (const _ of [1, 2]) this.#photo("live_jpeg", { filename: "LIVE_TWINS.JPG", content: 3_000 });
    // A film that has the name of a Live Photo's video.
    this.#nextDay();
    this.#photo("live_jpeg", { filename: "FILM.JPG" });
    this.#photo("mov", { filename: "FILM.MOV" });
    this.#nextDay();
    this.#photo("mov", { filename: "FILM.MOV" });
    this.#photo("live_jpeg", { filename: "FILM.JPG" });
    // Names that look like marks.
    this.#nextDay();
    this.#photo("jpeg", { filename: "MARK-original.JPG", content: 1_700 });
    this.#photo("jpeg", { filename: "MARK.JPG", content: 1_700 });
    this.#photo("jpeg", { filename: "MARK-medium.JPG" });
  }

  #names(): void {
    this.#nextDay();
    const names = [
      'f/o\\r:b*i?d"d<e>n|.JPG',
      "bell\u0007.JPG",
      "🏖️ Sommer 🍦.JPG",
      "Cafe\u0301.JPG",
      "Caf\u00e9.JPG",
      "通用名.JPG",
      ".hidden.JPG",
      "CON.JPG",
      "two..dots.JPG",
      "dot at the end.JPG.",
      "  blanks  .JPG",
      "no extension",
      "lower.jpeg",
      `${"long ".repeat(60)}.JPG`,
      `${"ä".repeat(130)}.JPG`,
    ];
    for (const filename of names) this.#photo("jpeg", { filename });
    this.#photo("live_heic", { filename: "通用.HEIC" });
    this.#photo("gif", { filename: "loop" });
    this.#photo("gif", { filename: "loop.gif" });
    this.#photo("mp4", { filename: "clip.mp4" });
    this.#photo("webp", { filename: "picture.webp" });
    this.#photo("heic", { filename: "really a HEIC.jpg" });
    this.#photo("live_heic", { filename: "really a live HEIC.jpg" });
    this.#photo("jpeg", { filename: { field: { value: "STRING.JPG", type: "STRING" } } });
    this.#nextDay();
    this.#photo("jpeg", { filename: "" });
    this.#photo("jpeg", { filename: null });
    this.#nextDay();
    // Screenshots of macOS, before and after the blank changed.
    for (const blank of [" ", "\u202f"])
      this.#photo("screenshot", { filename: `Screenshot 2024-03-05 at 9.41.00${blank}AM.png` });
  }

  #types(): void {
    this.#nextDay();
    const types = [
      "public.heif",
      "com.canon.cr3-raw-image",
      "com.canon.crw-raw-image",
      "com.sony.arw-raw-image",
      "com.fuji.raw-image",
      "com.panasonic.rw2-raw-image",
      "com.nikon.raw-image",
      "com.nikon.nrw-raw-image",
      "com.pentax.raw-image",
      "com.olympus.raw-image",
      "com.olympus.or-raw-image",
    ];
    for (const uti of types) this.#photo("dng", { uti, filename: `${uti.split(".")[1]}_${uti.length}.xyz` });
  }

  #versions(): void {
    this.#nextDay();
    const bytes = (uti: string): ResourceSpec => ({ uti, content: this.#options.bytes() });
    // RAW pairs: both halves of one type, three versions at once, a Live Photo with another half.
    this.#photo("jpeg", { filename: "BOTH_JPEG.JPG", alternative: bytes("public.jpeg") });
    this.#photo("edited_jpeg", { filename: "ALL.JPG", alternative: bytes("com.adobe.raw-image") });
    this.#photo("dng", {
      filename: "THREE.DNG",
      alternative: bytes("public.jpeg"),
      assetResources: { resJPEGFull: bytes("public.jpeg") },
    });
    this.#photo("live_heic", { filename: "LIVE_ALT.HEIC", alternative: bytes("public.jpeg") });
    // Edited under names that are not plain.
    this.#photo("edited_heic", { filename: "Édité.HEIC" });
    this.#photo("edited_jpeg", { filename: "IMG_edited.JPG" });
    // An edit in the way of another photo.
    this.#photo("edited_heic", {
      filename: "WAY.HEIC",
      assetResources: { resJPEGFull: bytes("public.jpeg") },
    });
    this.#photo("jpeg", { filename: "WAY.JPG" });
    // Sizes that are missing.
    this.#photo("jpeg", { filename: "ONLY_ORIGINAL.JPG", masterResources: {} });
    this.#photo("live_heic", { filename: "ONLY_MOTION.HEIC", masterResources: {} });
    this.#photo("mov", { filename: "ONLY_FILM.MOV", masterResources: {} });
  }

  /** Two photos of one kind and name on one day, for so many kinds. */
  #pairs(count: number): void {
    const kinds = Object.keys(KINDS) as Kind[];
    for (let index = 0; index < count; index += 1) {
      this.#nextDay();
      const kind = kinds[index % kinds.length] ?? "jpeg";
      const { filename = null } = KINDS[kind](this.#options, index);
      for (const _ of [1, 2]) this.#photo(kind, { filename });
    }
  }
}
