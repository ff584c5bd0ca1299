import { basename } from "node:path";
import type { MasterId, Resource } from "../library/asset.ts";
import { isVerifiable } from "../library/checksum.ts";
import type { ChosenFile } from "../library/choose.ts";
import { fileName } from "../library/names.ts";
import { pathKey } from "../library/pathkey.ts";
import { choosePlace, type Occupant, type Place } from "../library/place.ts";
import { renderFolder } from "../library/template.ts";
import { amPmSpellings } from "../library/unicode.ts";
import type { FileKey } from "../state/types.ts";
import type { DiskView } from "./disk.ts";
import type { AssetInPass } from "./file-plan.ts";
import type { PlannerDeps } from "./plan.ts";

/** The first place of a file in a pass, by its planned name and by what stands or is promised there (files.md 6.2). */
export function findPlace(deps: PlannerDeps, disk: DiskView, about: AssetInPass, file: ChosenFile): Place {
  return new Placing(deps, disk, about, file).find();
}

/** Whether the file at `path` is proven to be this content. */
export function holds(disk: DiskView, path: string, { checksum, size }: Resource): boolean {
  return isVerifiable(checksum) && disk.holds(path, checksum, size);
}

class Placing {
  constructor(
    readonly deps: PlannerDeps,
    readonly disk: DiskView,
    readonly about: AssetInPass,
    readonly file: ChosenFile,
  ) {}

  /** First placement of this file in this pass: the planned name, or the first free one after it (files.md 6.2). */
  find(): Place {
    const { naming } = this.deps;
    const { asset, pass, stillName } = this.about;
    const { file } = this;
    const folder = renderFolder(
      pass.template,
      {
        capturedAt: asset.capturedAt,
        timeZoneOffset: asset.timeZoneOffset,
        album: pass.album?.name ?? pass.smartFolder,
        library: asset.library,
      },
      { windows: naming.windows === true },
    );
    return choosePlace(
      {
        folder,
        leaf: this.#leafIn(folder),
        leafOfItsOwn:
          naming.fileMatchPolicy === "name-id7"
            ? fileName({ ...asset, masterId: asset.id as string as MasterId }, file, naming, stillName)
            : undefined,
        role: file.role,
        size: file.resource.size,
        assetId: asset.id,
        policy: naming.fileMatchPolicy,
      },
      (path) => this.#occupantOf(path),
    );
  }

  /** Planned name. A recorded name never changes: where the original has the plain one already, its edit gets a mark. */
  #leafIn(folder: string): string {
    const { naming, traits } = this.deps;
    const { file } = this;
    const { asset, placements, stillName } = this.about;
    const leaf = fileName(asset, file, naming, stillName);
    const isEdit = file.role === "edited" || file.role === "edited-motion";
    if (!isEdit || file.mark !== "") return leaf;
    const wanted = pathKey(inFolder(folder, leaf), traits);
    const taken = placements.some((place) => place.rendition !== file.rendition && place.pathKey === wanted);
    return taken ? fileName(asset, { ...file, mark: "_edited" }, naming, stillName) : leaf;
  }

  /** What stands at a path, or is promised it. */
  #occupantOf(path: string): Occupant | undefined {
    const { state, traits } = this.deps;
    const { file, about } = this;
    const key: FileKey = { library: about.asset.library, asset: about.asset.id, rendition: file.rendition };
    const owner = state.ownerOf(pathKey(path, traits));
    if (owner !== undefined) {
      const same = owner.checksum === file.resource.checksum && owner.status !== "historical";
      if (same && isSameFile(owner, key)) return { by: "this-file" };
      const size = state.rendition(owner)?.size ?? 0;
      return { by: "other-asset", size, sameContent: same, otherLibrary: owner.library !== key.library };
    }
    const found = this.disk.look(path);
    if (found.kind === "absent") return this.#otherSpelling(path);
    if (found.kind !== "file") return { by: "not-a-file" };
    return this.#stray(path, found.size);
  }

  #stray(path: string, size: number): Occupant {
    const { resource } = this.file;
    const sameContent = size === resource.size && holds(this.disk, path, resource);
    return { by: "stray-file", size, sameContent, path };
  }

  /** A screenshot that an earlier tool has saved with another blank before AM or PM (files.md 2.4). */
  #otherSpelling(path: string): Occupant | undefined {
    if (this.file.role === "motion" || this.file.role === "edited-motion") return undefined;
    for (const leaf of amPmSpellings(basename(path))) {
      const other = `${path.slice(0, path.length - basename(path).length)}${leaf}`;
      const found = this.disk.look(other);
      // What a row knows is another photo, told apart by its name.
      if (found.kind !== "file" || this.deps.state.ownerOf(pathKey(other, this.deps.traits)) !== undefined) continue;
      return this.#stray(other, found.size);
    }
    return undefined;
  }
}

function inFolder(folder: string, leaf: string): string {
  return folder === "" ? leaf : `${folder}/${leaf}`;
}

function isSameFile(a: FileKey, b: FileKey): boolean {
  return a.library === b.library && a.asset === b.asset && a.rendition === b.rendition;
}
