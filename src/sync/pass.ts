import type { Album, AssetList, Library } from "../icloud/photos/types.ts";
import type { FolderTemplate } from "../library/template.ts";

/** One walk over one list of a library: an album, or what is in no album. */
export interface Pass {
  /** Identity in the catalogue: `album:<record name>` or `unfiled`. Never the rendered folder: albums get renamed. */
  readonly key: string;
  readonly library: Library;
  readonly list: AssetList;
  readonly album: Album | undefined;
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
