/** The mixed sample library of the demo and the end-to-end tests: something of everything, small files. */

import { KINDS, type Kind, type KindOptions } from "./kinds.ts";
import { PhotoLibrary } from "./library.ts";
import { createRng, type Rng, type Seed } from "./random.ts";
import type { AddedAsset, AssetSpec } from "./spec.ts";
import type { Zone } from "./zone.ts";

export interface SampleOptions {
  /** Names that are missing, broken or forbidden on some file system. Default true. */
  readonly oddNames?: boolean;
  /** `none`: no shared library at all. Default `owner`. */
  readonly shared?: "owner" | "participant" | "none";
}

const DAY = 86_400_000;
const NEWEST = Date.UTC(2024, 5, 1, 12);

/** About 110 photos in three libraries' worth of trouble. The same seed makes the same files. */
export function mixedSampleLibrary(seed: Seed = 1, options: SampleOptions = {}): PhotoLibrary {
  const library = new PhotoLibrary({ seed, now: () => NEWEST + DAY });
  const maker = new SampleMaker(library, createRng(`sample/${seed}`));
  const photos = plainPhotos(maker);
  times(maker);
  equalNames(maker);
  if (options.oddNames !== false) oddNames(maker);
  const special = marks(maker, library);
  const shared = options.shared === "none" ? undefined : sharedPhotos(maker, library, options.shared ?? "owner");
  albums(library, [...photos, ...special], shared);
  library.addNoise(library.primary, 3);
  // After the libraries: clients that give up at the first zone that is none still find them.
  library.addDecoys();
  return library;
}

class SampleMaker {
  serial = 0;
  readonly options: KindOptions;
  constructor(
    readonly library: PhotoLibrary,
    readonly rng: Rng,
  ) {
    this.options = { rng, derivatives: true, bytes: () => rng.int(900, 6_000) };
  }

  /** A photo of a kind, some hours older than the one before. */
  add(kind: Kind, spec: AssetSpec = {}): AddedAsset {
    this.serial += 1;
    const taken = NEWEST - this.serial * 0.7 * DAY - this.rng.int(0, 3_600_000);
    return this.library.addAsset({
      assetDate: taken,
      addedDate: taken + 5_000,
      timeZoneOffset: 7_200,
      ...KINDS[kind](this.options, this.serial),
      ...spec,
    });
  }
}

function plainPhotos(maker: SampleMaker): AddedAsset[] {
  const wanted: ReadonlyArray<readonly [Kind, number]> = [
    ["jpeg", 8],
    ["heic", 8],
    ["png", 2],
    ["gif", 1],
    ["tiff", 1],
    ["webp", 1],
    ["dng", 1],
    ["live_heic", 8],
    ["live_jpeg", 3],
    ["raw_alternative", 2],
    ["raw_original", 2],
    ["edited_heic", 2],
    ["edited_jpeg", 2],
    ["edited_live", 1],
    ["edited_video", 1],
    ["mov", 4],
    ["mp4", 2],
    ["slomo", 1],
    ["timelapse", 1],
    ["panorama", 1],
    ["marked_screenshot", 1],
  ];
  const place = { lat: 48.8584, lon: 2.2945, alt: 35 };
  return wanted.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => maker.add(kind, index % 2 === 0 ? { location: place } : {})),
  );
}

/** Capture times at the edges of days, years, clocks and the epoch. */
function times(maker: SampleMaker): void {
  const edges: ReadonlyArray<readonly [number, number | null]> = [
    [Date.UTC(2023, 11, 31, 23, 30), 3_600],
    [Date.UTC(2024, 0, 1, 0, 30), -28_800],
    [Date.UTC(2024, 2, 10, 9, 59, 59), -28_800],
    [Date.UTC(2024, 2, 10, 10, 0, 1), -25_200],
    [Date.UTC(2023, 9, 29, 0, 30), 7_200],
    [Date.UTC(2023, 9, 29, 1, 30), 3_600],
    [Date.UTC(2022, 5, 15, 11), 50_400],
    [Date.UTC(2022, 5, 15, 11), -43_200],
    [Date.UTC(2022, 5, 15, 18, 45), 20_700],
    [Date.UTC(2021, 1, 3, 4, 5, 6, 789), null],
    [Date.UTC(1969, 6, 20, 20, 17, 40), -18_000],
    [Date.UTC(1950, 0, 1, 12), 0],
  ];
  for (const [assetDate, timeZoneOffset] of edges) maker.add("jpeg", { assetDate, timeZoneOffset });
}

function equalNames(maker: SampleMaker): void {
  const day = Date.UTC(2024, 3, 2, 10);
  for (const index of [0, 1, 2]) {
    maker.add("jpeg", { filename: "IMG_0001.JPG", assetDate: day + index * 60_000, content: 1_500 + index });
  }
  // Equal in name, day and size, different in content.
  for (const index of [0, 1]) {
    maker.add("heic", { filename: "IMG_0002.HEIC", assetDate: day + index * 60_000, content: 2_000 });
  }
  // A still, a Live Photo and a film that share a stem.
  maker.add("jpeg", { filename: "IMG_0003.JPG", assetDate: day });
  maker.add("live_heic", { filename: "IMG_0003.HEIC", assetDate: day });
  maker.add("mov", { filename: "IMG_0003.MOV", assetDate: day });
  maker.add("jpeg", { filename: "img_0003.jpg", assetDate: day });
}

const ODD_NAMES: readonly AssetSpec["filename"][] = [
  'i/n v:a\0l*i?d\\p<a>t"h|.JPG',
  "🏖️ Sommer 2024 🍦.JPG",
  "Cafe\u0301 am Fluß.JPG",
  "Caf\u00e9 am Fluß.JPG",
  "通用名.JPG",
  "../../etc/passwd.JPG",
  ".hidden.JPG",
  "CON.JPG",
  "ends with a dot..JPG.",
  "no extension",
  `${"long ".repeat(60)}.JPG`,
  `${"ä".repeat(130)}.JPG`,
  "",
  null,
  { field: { value: "SU1HXzAwMDEuSlB", type: "ENCRYPTED_BYTES" } },
  { field: { value: "abcdefgh", type: "ENCRYPTED_BYTES" } },
  { field: { value: "IMG_STRING.JPG", type: "STRING" } },
  { field: { value: "abcdefgh", type: "STRING" } },
  { field: { value: "SU1HX25vX3R5cGUuSlBH" } },
];

function oddNames(maker: SampleMaker): void {
  for (const filename of ODD_NAMES) maker.add("jpeg", filename === undefined ? {} : { filename });
  // Screenshots of macOS: a narrow no-break space before AM and PM.
  for (const time of ["9.41.00\u202fAM", "9.41.00\u202fPM"]) {
    maker.add("screenshot", { filename: `Screenshot 2024-03-05 at ${time}.png` });
  }
}

function marks(maker: SampleMaker, library: PhotoLibrary): AddedAsset[] {
  const favourites = [maker.add("heic", { favorite: true, title: "A title", keywords: ["alpha", "beta"] })];
  favourites.push(maker.add("live_heic", { favorite: true, description: "What people type below a photo" }));
  maker.add("jpeg", { hidden: true });
  maker.add("mov", { hidden: true });
  maker.add("jpeg", { deletedAt: NEWEST });
  maker.add("live_heic", { deletedAt: NEWEST - 3 * DAY });
  const at = Date.UTC(2024, 4, 4, 14);
  const frames = [0, 1, 2, 3, 4].map((frame) =>
    maker.add("jpeg", { assetDate: at + frame * 100, burst: { id: "burst-1", key: frame === 2 } }),
  );
  const original = maker.add("live_heic");
  return [...favourites, ...frames, original, library.duplicate(original)];
}

function sharedPhotos(maker: SampleMaker, library: PhotoLibrary, role: "owner" | "participant"): AddedAsset[] {
  const zone: Zone = library.addSharedLibrary(role);
  const kinds: readonly Kind[] = ["heic", "jpeg", "live_heic", "mov", "edited_heic", "jpeg"];
  return kinds.map((kind, index) =>
    maker.add(kind, {
      zone: zone.name,
      ...(index % 2 === 0 ? {} : { contributor: "_0123456789abcdef0123456789abcdef" }),
    }),
  );
}

function albums(library: PhotoLibrary, photos: readonly AddedAsset[], shared: readonly AddedAsset[] | undefined): void {
  const put = (album: string, ...members: ReadonlyArray<AddedAsset | undefined>): void => {
    for (const member of members) if (member !== undefined) library.addToAlbum(member, album);
  };
  const holidays = library.createAlbum("Holidays");
  put(holidays, ...photos.slice(0, 10));
  // The same photos again: one file, three places.
  const best = library.createAlbum("Best");
  put(best, ...photos.slice(5, 9));
  const trips = library.createFolder("Trips");
  const italy = library.createFolder("Italy", trips);
  put(library.createAlbum({ name: "Rome", parent: italy }), ...photos.slice(7, 14));
  put(library.createAlbum({ name: "Best", parent: trips }), ...photos.slice(20, 24));
  put(library.createAlbum("Best"), ...photos.slice(24, 27));
  put(library.createAlbum("Familie/2024"), ...photos.slice(30, 34), ...(shared ?? []).slice(0, 2));
  put(library.createAlbum("Été à la plage"), ...photos.slice(34, 36));
  library.createAlbum("Empty");
  library.createAlbum({ name: "Rainy days", albumType: 6 });
  library.createAlbum({ name: "Slide show", albumType: 8 });
  const gone = library.createAlbum("Deleted album");
  put(gone, ...photos.slice(36, 38));
  library.deleteAlbum(gone);
}
