/** A library that changes in every way between runs, some of them with faults: afterwards all three agree. */
import { Database } from "bun:sqlite";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type AddedAsset, expectedFiles, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { createRng } from "../icloud/photos/random.ts";
import { checksums, Home } from "./kei.ts";

export interface Life {
  readonly edits: number;
  readonly runs: number;
  /** Runs after the first that listed everything, and why. */
  readonly lists: readonly string[];
  /** What did not agree after a clean run, with the edits before it. */
  readonly disagreements: readonly string[];
}

const TAKEN = Date.parse("2024-05-01T10:00:00Z");

/** The same seed makes the same life. A run comes after each one to three edits. */
export async function life(options: { readonly seed: number; readonly edits: number }): Promise<Life> {
  const rng = createRng(`life/${options.seed}`);
  const library = new PhotoLibrary({ seed: options.seed });
  const owner = new Owner(library, rng);
  for (let start = 0; start < 12; start += 1) owner.addPhoto();
  for (let start = 0; start < 3; start += 1) owner.createAlbum();
  const double = await startDouble({ library });
  const home = new Home(double);
  const lists: string[] = [];
  const disagreements: string[] = [];
  let runs = 0;
  const run = async (): Promise<number> => {
    runs += 1;
    const report = join(home.root, "report.json");
    const result = await home.fast(["sync", "-d", home.photos, "--report-json", report]);
    const { stats } = (await Bun.file(report).json()) as { stats: { full_enumeration_reason?: string } };
    if (runs > 1 && stats.full_enumeration_reason !== undefined) lists.push(stats.full_enumeration_reason);
    if (result.stderr.includes("does not add up")) disagreements.push("the sum does not close");
    return result.code;
  };
  try {
    await home.signIn(double);
    await run();
    for (let edits = 0; edits < options.edits; ) {
      const done: string[] = [];
      for (let more = rng.int(1, 3); more > 0; more -= 1, edits += 1) done.push(owner.edit());
      const fault = rng.chance(0.15)
        ? double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY })
        : undefined;
      const faulty = await run();
      if (fault !== undefined) {
        fault.remove();
        if (faulty !== 0) await run();
      } else if (faulty !== 0) {
        disagreements.push(`exit ${faulty} after ${done.join(", ")}`);
      }
      const wrong = await compare(home, library);
      if (wrong.length > 0) {
        disagreements.push(`${wrong.join("; ")} after ${done.join(", ")}`);
        break;
      }
    }
    return { edits: options.edits, runs, lists, disagreements };
  } finally {
    await double.stop();
    home.remove();
  }
}

/** Each photo that is there has a proven file at every place it belongs to, and no row waits. */
async function compare(home: Home, library: PhotoLibrary): Promise<readonly string[]> {
  const name = readdirSync(home.data).find((file) => file.endsWith(".db")) ?? "";
  const db = new Database(join(home.data, name), { readonly: true });
  try {
    const onDisk = await checksums(home.photos);
    const wrong: string[] = [];
    const open = db
      .query<{ open: number }, []>("SELECT count(*) AS open FROM files WHERE status <> 'downloaded'")
      .get();
    if (open?.open !== 0) wrong.push(`${open?.open} rows are open`);
    const at = db.query<{ path: string }, [string, string, string]>(
      "SELECT path FROM placements WHERE asset = ? AND pass = ? AND checksum = ? AND status = 'present'",
    );
    for (const file of expectedFiles(library)) {
      const passes = file.albums.length === 0 ? ["unfiled"] : file.albums.map((album) => `album:${album}`);
      for (const pass of passes) {
        const row = at.get(file.assetId, pass, file.checksum);
        if (row === null) wrong.push(`${file.filename} has no place in ${pass}`);
        else if (onDisk.get(row.path) !== file.checksum) wrong.push(`${row.path} is not ${file.filename}`);
      }
    }
    return wrong;
  } finally {
    db.close();
  }
}

/** Does to a library what people do. */
class Owner {
  #serial = 0;
  readonly #photos: AddedAsset[] = [];
  readonly #albums: string[] = [];
  readonly #trashed = new Set<AddedAsset>();

  constructor(
    readonly library: PhotoLibrary,
    readonly rng: ReturnType<typeof createRng>,
  ) {}

  addPhoto(): AddedAsset {
    this.#serial += 1;
    const live = this.rng.chance(0.3);
    const asset = this.library.addAsset({
      filename: `IMG_${this.rng.int(1, 40)}.${live ? "HEIC" : "JPG"}`,
      content: 700 + this.#serial * 3,
      assetDate: TAKEN + this.rng.int(0, 5) * 86_400_000,
      ...(live
        ? { uti: "public.heic", motion: { uti: "com.apple.quicktime-movie", content: 701 + this.#serial * 3 } }
        : {}),
    });
    this.#photos.push(asset);
    return asset;
  }

  createAlbum(): string {
    const album = this.library.createAlbum({ name: `Album ${this.rng.int(1, 9)}` });
    this.#albums.push(album);
    return album;
  }

  /** One random edit; its name. */
  edit(): string {
    const edits: Readonly<Record<string, () => unknown>> = {
      "new photo": () => this.addPhoto(),
      "new photo in an album": () => this.#file(this.addPhoto()),
      "new album": () => this.#file(this.#photo(), this.createAlbum()),
      "into an album": () => this.#file(this.#photo()),
      "out of its albums": () => this.#unfile(this.#photo()),
      "renamed album": () => this.library.renameAlbum(this.#album(), `Album ${this.rng.int(10, 19)}`),
      "deleted album": () => this.library.deleteAlbum(this.#takeAlbum(), this.rng.chance(0.5)),
      favourite: () => this.library.favourite(this.#photo(), this.rng.chance(0.5)),
      hidden: () => this.library.hide(this.#photo(), this.rng.chance(0.6), this.rng.chance(0.5) ? "web" : "device"),
      trashed: () => this.#trash(),
      recovered: () => this.#recover(),
      purged: () => this.#purge(),
      duplicated: () => this.#photos.push(this.library.duplicate(this.#photo(), { assetDate: TAKEN })),
      edited: () =>
        this.library.edit(this.#photo(), { resJPEGFull: { uti: "public.jpeg", content: 600 + this.rng.int(0, 99) } }),
    };
    const names = Object.keys(edits);
    const name = names[this.rng.int(0, names.length - 1)] ?? "new photo";
    edits[name]?.();
    return name;
  }

  #photo(): AddedAsset {
    const there = this.#photos.filter((photo) => !this.#trashed.has(photo));
    return there[this.rng.int(0, Math.max(0, there.length - 1))] ?? this.addPhoto();
  }

  #album(): string {
    return this.#albums[this.rng.int(0, Math.max(0, this.#albums.length - 1))] ?? this.createAlbum();
  }

  #takeAlbum(): string {
    const album = this.#album();
    this.#albums.splice(this.#albums.indexOf(album), 1);
    return album;
  }

  #isIn(photo: AddedAsset, album: string): boolean {
    return [...this.library.primary.relationsOf(album)].some(({ data }) => data.itemId === photo.id);
  }

  #file(photo: AddedAsset, album: string = this.#album()): void {
    if (!this.#isIn(photo, album)) this.library.addToAlbum(photo, album);
  }

  #unfile(photo: AddedAsset): void {
    for (const album of this.#albums) if (this.#isIn(photo, album)) this.library.removeFromAlbum(photo, album);
  }

  #trash(): void {
    const photo = this.#photo();
    this.library.softDelete(photo, this.rng.chance(0.5) ? "web" : "device");
    this.#trashed.add(photo);
  }

  #recover(): void {
    const [photo] = this.#trashed;
    if (photo === undefined) return;
    this.library.restore(photo);
    this.#trashed.delete(photo);
  }

  #purge(): void {
    const [photo] = this.#trashed;
    if (photo === undefined) return;
    this.library.purge(photo);
    this.#trashed.delete(photo);
    this.#photos.splice(this.#photos.indexOf(photo), 1);
  }
}
