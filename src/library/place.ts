import type { AssetId } from "./asset.ts";
import type { FileRole } from "./choose.ts";
import { addSuffix, cleanName } from "./clean.ts";

/** What is in the way at a path. */
export type Occupant =
  /** Another file of kei's, on disk or promised. `sameContent`: it holds or will hold the very same bytes. */
  | { readonly by: "other-asset"; readonly size: number; readonly sameContent: boolean; readonly otherLibrary: boolean }
  /** This very file, placed there by another pass. */
  | { readonly by: "this-file" }
  /** A file that no row knows. */
  | {
      readonly by: "stray-file";
      readonly size: number;
      readonly sameContent: boolean;
      /** Where it stands, if its name is another spelling of the one that was asked for. */
      readonly path?: string;
    }
  /** A folder, link or device. */
  | { readonly by: "not-a-file" };

export interface PlaceRequest {
  /** Relative folder, `/`-separated, empty for the root. */
  readonly folder: string;
  /** Planned leaf name. */
  readonly leaf: string;
  /** The leaf with this asset's own id in it, where the planned one is shared by all assets of one original. */
  readonly leafOfItsOwn?: string | undefined;
  readonly role: FileRole;
  readonly size: number;
  readonly assetId: AssetId;
  readonly policy: "name-size-dedup-with-suffix" | "name-id7";
}

export type Place =
  /** The path is free. */
  | { readonly how: "free"; readonly path: string }
  /** A file that no row knows proves to be this content: take it over. */
  | { readonly how: "adopt"; readonly path: string; readonly otherSpelling: boolean }
  /** A file of kei's serves this one, too. */
  | { readonly how: "share"; readonly path: string };

/**
 * The first place of a file that may use it (files.md 6.2): the planned name, then `-<bytes>` where only the size tells
 * two files apart, then `-<asset id>`, then that with ordinals. Stable: the same list in the same order gives the same
 * names.
 */
export function choosePlace(request: PlaceRequest, occupantOf: (path: string) => Occupant | undefined): Place {
  for (const leaf of candidates(request, occupantOf)) {
    const path = request.folder === "" ? leaf : `${request.folder}/${leaf}`;
    const occupant = occupantOf(path);
    if (occupant === undefined) return { how: "free", path };
    if (occupant.by === "stray-file" && occupant.sameContent) {
      const found = occupant.path ?? path;
      return { how: "adopt", path: found, otherSpelling: found !== path };
    }
    if (occupant.by === "this-file") return { how: "share", path };
    if (occupant.by === "other-asset" && occupant.sameContent && sharesName(request, occupant.otherLibrary)) {
      return { how: "share", path };
    }
  }
  throw new Error("unreachable: the ordinals never end");
}

/** Own photo in the personal and a shared library, or two assets of one original under id7: one file serves both rows. */
function sharesName({ policy }: PlaceRequest, otherLibrary: boolean): boolean {
  return otherLibrary || policy === "name-id7";
}

function* candidates(request: PlaceRequest, occupantOf: (path: string) => Occupant | undefined): Generator<string> {
  const { folder, leaf, leafOfItsOwn, role, size, assetId } = request;
  yield leaf;
  // Two edits of one original (files.md NM-13).
  if (leafOfItsOwn !== undefined && leafOfItsOwn !== leaf) yield leafOfItsOwn;
  const occupant = occupantOf(folder === "" ? leaf : `${folder}/${leaf}`);
  // The size tells two stills apart only if it differs; a video half goes by identity at once.
  const sameSize = occupant !== undefined && "size" in occupant && occupant.size === size && size > 0;
  const motion = role === "motion" || role === "edited-motion";
  if (!motion && !sameSize) yield addSuffix(leaf, `-${size}`);
  const identity = cleanName(assetId);
  yield addSuffix(leaf, `-${identity}`);
  for (let ordinal = 2; ; ordinal += 1) yield addSuffix(leaf, `-${identity}-${ordinal}`);
}
