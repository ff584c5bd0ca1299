/** Does to a photo library what people do, by a seed. */
import type { AddedAsset, PhotoLibrary, Zone } from "../icloud/index.ts";
import type { createRng } from "../icloud/photos/random.ts";

export const TAKEN = Date.parse("2024-05-01T10:00:00Z");

export class Owner {
  #serial = 0;
  readonly #photos: AddedAsset[] = [];
  readonly #albums: string[] = [];
  readonly #folders: string[] = [];
  readonly #trashed = new Set<AddedAsset>();
  /** What a move has left in the trash of the library it came from. */
  readonly #movedAway: AddedAsset[] = [];
  readonly #shared: Zone;

  constructor(
    readonly library: PhotoLibrary,
    readonly rng: ReturnType<typeof createRng>,
    /** Photos of the shared library come into albums, too. */
    readonly mixes = false,
  ) {
    this.#shared = library.addSharedLibrary(rng.chance(0.5) ? "owner" : "participant");
  }

  addPhoto(zone: Zone = this.library.primary): AddedAsset {
    this.#serial += 1;
    const live = this.rng.chance(0.3);
    const asset = this.library.addAsset({
      zone: zone.name,
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
      "new photo in the shared library": () => this.addPhoto(this.#shared),
      "new photo in an album": () => this.#file(this.addPhoto()),
      "new album": () => this.#file(this.#own(), this.createAlbum()),
      "into an album": () => this.#file(this.#own()),
      "out of its albums": () => this.#unfile(this.#own()),
      "album into a folder": () => this.library.moveAlbum(this.#album(), this.#folder()),
      "renamed album": () => this.library.renameAlbum(this.#album(), `Album ${this.rng.int(10, 19)}`),
      "deleted album": () => this.library.deleteAlbum(this.#takeAlbum(), this.rng.chance(0.5)),
      favourite: () => this.library.favourite(this.#photo(), this.rng.chance(0.5)),
      hidden: () => this.library.hide(this.#photo(), this.rng.chance(0.6), this.rng.chance(0.5) ? "web" : "device"),
      trashed: () => this.#trash(),
      recovered: () => this.#recover(),
      purged: () => this.#purge(),
      "moved to the other library": () => this.#move(),
      "what was moved is purged": () => this.#purgeMoved(),
      duplicated: () => this.#photos.push(this.library.duplicate(this.#photo(), { assetDate: TAKEN })),
      edited: () =>
        this.library.edit(this.#photo(), { resJPEGFull: { uti: "public.jpeg", content: 600 + this.rng.int(0, 99) } }),
    };
    const names = Object.keys(edits);
    const name = names[this.rng.int(0, names.length - 1)] ?? "new photo";
    edits[name]?.();
    return name;
  }

  anyPhoto(): AddedAsset {
    return this.#photo();
  }

  #photo(isMeant: (photo: AddedAsset) => boolean = () => true): AddedAsset {
    const there = this.#photos.filter((photo) => !this.#trashed.has(photo) && isMeant(photo));
    return there[this.rng.int(0, Math.max(0, there.length - 1))] ?? this.addPhoto();
  }

  /** One of the account's own library, which alone has albums. */
  #own(): AddedAsset {
    return this.#photo(({ zone }) => this.mixes || zone === this.library.primary);
  }

  #folder(): string | undefined {
    if (this.rng.chance(0.3)) return undefined;
    this.#folders[0] ??= this.library.createFolder("Folder");
    return this.#folders[0];
  }

  #move(): void {
    const photo = this.#photo();
    const moved =
      photo.zone === this.#shared ? this.library.moveToPersonal(photo) : this.library.moveToShared(photo, this.#shared);
    this.#photos.splice(this.#photos.indexOf(photo), 1, moved);
    this.#movedAway.push(photo);
  }

  #purgeMoved(): void {
    const photo = this.#movedAway.shift();
    if (photo !== undefined) this.library.purge(photo);
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
