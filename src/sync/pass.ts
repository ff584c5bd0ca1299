import type { Album, AssetList, Library } from "../icloud/photos/types.ts";
import type { SmartFolder } from "../library/smart-folders.ts";
import type { FolderTemplate } from "../library/template.ts";

/** One walk over one list of a library: an album, a smart folder, or what is in no album. */
export interface Pass {
  /** Identity in the catalogue: `album:<record name>`, `smart:<name>` or `unfiled`. Never the folder: albums get renamed. */
  readonly key: string;
  readonly library: Library;
  readonly list: AssetList;
  readonly album: Album | undefined;
  readonly smartFolder: SmartFolder | undefined;
  readonly template: FolderTemplate;
  /** For people. */
  readonly label: string;
  /**
   * `place`: every member gets its file here. `members`: walked only to learn who is a member (an album that is not
   * selected still keeps its photos out of the unfiled rest).
   */
  readonly purpose: "place" | "members";
  /** Leave out what is a member of any user album: the unfiled rest (files.md 4.4). */
  readonly onlyUnfiled: boolean;
}
