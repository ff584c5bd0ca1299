/** What the library knows about the bytes of a file. */
import { createHash } from "node:crypto";
import { type ExpectedFile, expectedFiles, type PhotoLibrary } from "../../icloud/index.ts";
import { folderOf, leafOf, type Tree } from "./trees.ts";

/** A file of the library; the same bytes may be several. */
export type Fact = Omit<ExpectedFile, "bytes">;

/** The library by content, and both trees. */
export class Facts {
  readonly #byContent = new Map<string, Fact[]>();
  readonly #contentsOf = new Map<string, Array<readonly [Fact, string]>>();
  readonly #assetsOf = new Map<string, Set<string>>();

  constructor(
    library: PhotoLibrary,
    readonly kei: Tree,
    readonly icloudpd: Tree,
  ) {
    for (const file of expectedFiles(library, { renditions: "all" })) {
      const sha256 = new Bun.CryptoHasher("sha256").update(file.bytes()).digest("hex");
      this.#byContent.set(sha256, [...this.about(sha256), file]);
      this.#contentsOf.set(file.assetId, [...(this.#contentsOf.get(file.assetId) ?? []), [file, sha256]]);
      this.#assetsOf.set(file.masterName, (this.#assetsOf.get(file.masterName) ?? new Set()).add(file.assetId));
    }
  }

  /** What these bytes are. */
  about(sha256: string): readonly Fact[] {
    return this.#byContent.get(sha256) ?? [];
  }

  /** Whether several photos stand on one original: "Duplicate" in Photos makes them. */
  isDuplicated({ masterName }: Fact): boolean {
    return (this.#assetsOf.get(masterName)?.size ?? 0) > 1;
  }

  /** Whether icloudpd has any photo of the same original. */
  icloudpdHasOriginalOf({ masterName }: Fact): boolean {
    const contents = [...(this.#assetsOf.get(masterName) ?? [])]
      .flatMap((asset) => this.#contentsOf.get(asset) ?? [])
      .map(([, sha256]) => sha256);
    return [...this.icloudpd.values()].some(({ sha256 }) => contents.includes(sha256));
  }

  /** How many photos were taken later. */
  takenLater({ assetDate = 0 }: Fact): number {
    return [...this.#contentsOf.values()].filter(([first]) => (first?.[0].assetDate ?? 0) > assetDate).length;
  }

  /** How many photos there are beside the first one of each original. */
  get duplicates(): number {
    return [...this.#assetsOf.values()].reduce((sum, assets) => sum + assets.size - 1, 0);
  }

  /** Another file of the same photo. */
  sibling({ assetId }: Fact, rendition: Fact["rendition"]): Fact | undefined {
    return this.#contentsOf.get(assetId)?.find(([file]) => file.rendition === rendition)?.[0];
  }

  /** Names that the stills of a photo have on kei's side. */
  keiStills({ assetId }: Fact, folder: string): readonly string[] {
    const contents = (this.#contentsOf.get(assetId) ?? [])
      .filter(([file]) => file.rendition !== undefined && !file.rendition.startsWith("live_"))
      .map(([, sha256]) => sha256);
    return [...this.kei]
      .filter(([path, file]) => folderOf(path) === folder && contents.includes(file.sha256))
      .map(([path]) => leafOf(path));
  }
}

/** The name that kei gives a photo whose own is of no use, without extension (files.md 1.8). */
export function keiFingerprint({ masterName }: Fact): string {
  return createHash("sha256").update(masterName).digest("hex").slice(0, 12);
}

/** icloudpd's, likewise. */
export function icloudpdFingerprint({ masterName }: Fact): string {
  return masterName.replaceAll(/[^A-Za-z0-9]/g, "_").slice(0, 12);
}
