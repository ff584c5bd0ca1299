import type { AlbumId } from "../../library/asset.ts";
import type { CloudKit } from "../cloudkit/client.ts";
import { isTransientCode } from "../cloudkit/errors.ts";
import { asText, numberField, truthyField, type WireRecord } from "../cloudkit/record.ts";
import { decodeText } from "./decode.ts";
import { recordsOf } from "./list.ts";
import { albumQuery } from "./queries.ts";
import type { Album, AlbumListing, Library } from "./types.ts";

/** Pages of one folder that are followed (cloudkit.md 3.7); at 200 albums each. */
const MOST_PAGES = 64;
const SENTINELS: ReadonlySet<string> = new Set(["----Root-Folder----", "----Project-Root-Folder----"]);

const USER_ALBUM = 0;
const FOLDER = 3;
const SMART_ALBUM = 6;

/** All albums of a library, those in folders too, however deep. Folders that contain each other are walked once. */
export async function listAlbums(cloudkit: CloudKit, library: Library, signal: AbortSignal): Promise<AlbumListing> {
  const albums: Album[] = [];
  let complete = true;
  const unsupported: Array<{ name: string; reason: string }> = [];
  const walked = new Set<string>();
  const folders: Array<{ readonly id: AlbumId | undefined; readonly path: readonly string[] }> = [
    { id: undefined, path: [] },
  ];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for await (const record of albumRecords(cloudkit, library, folder.id, signal)) {
      if (record === "cut-off" || isTransientCode(record.errorCode ?? "")) {
        complete = false;
        continue;
      }
      const id = record.recordName as AlbumId | undefined;
      if (id === undefined || SENTINELS.has(id) || walked.has(id)) continue;
      if (record.deleted || truthyField(record, "isDeleted")) continue;
      walked.add(id);
      const name = decodeText(record, "albumNameEnc") ?? id;
      const type = numberField(record, "albumType");
      if (type === USER_ALBUM) albums.push({ id, name, folders: folder.path });
      else if (type === FOLDER) folders.push({ id, path: [...folder.path, name] });
      else unsupported.push({ name, reason: type === SMART_ALBUM ? "smart album" : `album type ${type ?? "unknown"}` });
    }
  }
  return { albums, unsupported, complete };
}

/** The records of a folder; `cut-off` at the end when there are more than are followed. */
async function* albumRecords(
  cloudkit: CloudKit,
  library: Library,
  parent: AlbumId | undefined,
  signal: AbortSignal,
): AsyncGenerator<WireRecord | "cut-off", void, void> {
  let marker: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const json = await cloudkit.call(library.database, "records/query", albumQuery(library, parent, marker), signal);
    yield* recordsOf(json);
    marker = asText(json["continuationMarker"]);
    if (marker === undefined) return;
  }
  yield "cut-off";
}
