import { type AlbumData, encoded, type RelationData } from "./records.ts";
import type { AddedAsset, AlbumSpec } from "./spec.ts";
import { PhotoStore } from "./store.ts";

export const ROOT_FOLDER = "----Root-Folder----";

export const relationName = (asset: string, album: string): string => `${asset}-IN-${album}`;

/** Albums and folders, all in PrimarySync, and what their owner does with them (cloudkit.md 3.7, 4.5). */
export class AlbumStore extends PhotoStore {
  createAlbum(spec: AlbumSpec | string): string {
    const wanted: AlbumSpec = typeof spec === "string" ? { name: spec } : spec;
    const stamp = this.stamp();
    this.ensureRoot();
    const id = wanted.id ?? this.rng.uuid();
    const data: AlbumData = {
      kind: "album",
      name: wanted.name === null ? undefined : encoded(wanted.name),
      albumType: wanted.albumType ?? 0,
      parentId: wanted.parent,
      position: wanted.position ?? 1024 * (1 + [...this.primary.albums()].length),
      sortType: 0,
      modificationDate: stamp.timestamp,
    };
    this.primary.create(id, data, stamp);
    return id;
  }

  createFolder(name: string, parent?: string): string {
    return this.createAlbum({ name, albumType: 3, ...(parent === undefined ? {} : { parent }) });
  }

  /** The sentinel that comes first in the list of albums (cloudkit.md 3.7). */
  ensureRoot(): void {
    if (this.primary.get(ROOT_FOLDER) !== undefined) return;
    const stamp = this.stamp();
    this.primary.create<AlbumData>(
      ROOT_FOLDER,
      {
        kind: "album",
        name: undefined,
        albumType: 3,
        parentId: undefined,
        position: 0,
        sortType: 0,
        modificationDate: stamp.timestamp,
      },
      stamp,
    );
  }

  renameAlbum(album: string, name: string): void {
    this.#changeAlbum(album, (data) => {
      data.name = encoded(name);
    });
  }

  moveAlbum(album: string, parent: string | undefined): void {
    this.#changeAlbum(album, (data) => {
      data.parentId = parent;
    });
  }

  /** `isDeleted`; with `purged`, a tombstone, and tombstones of its memberships. */
  deleteAlbum(album: string, purged = false): void {
    if (!purged) {
      this.#changeAlbum(album, (data) => {
        data.isDeleted = 1;
      });
      return;
    }
    const stamp = this.stamp();
    for (const relation of [...this.primary.relationsOf(album)]) this.primary.remove(relation.name, stamp);
    this.primary.remove(album, stamp);
  }

  /** A relation in PrimarySync, also for members that live in a shared zone, and the album's record. */
  addToAlbum(asset: AddedAsset, album: string): void {
    const stamp = this.stamp();
    const data: RelationData = {
      kind: "relation",
      itemId: asset.id,
      containerId: album,
      position: 1024 * (1 + this.primary.memberCount(album)),
      isKeyAsset: 0,
    };
    this.primary.create(relationName(asset.id, album), data, stamp);
    this.#changeAlbum(album);
  }

  removeFromAlbum(asset: AddedAsset, album: string): void {
    this.primary.remove(relationName(asset.id, album), this.stamp());
    this.#changeAlbum(album);
  }

  #changeAlbum(album: string, change?: (data: AlbumData) => void): void {
    const stamp = this.stamp();
    const record = this.primary.album(album);
    change?.(record.data);
    record.data.modificationDate = stamp.timestamp;
    this.primary.touch(record, stamp);
  }
}
