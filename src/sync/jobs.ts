import type { Resource } from "../library/asset.ts";
import { isVerifiable } from "../library/checksum.ts";
import type { FileKey } from "../state/types.ts";

/** One file to be brought to one place. Its row, its placement and its claim are committed before it exists. */
export interface Job {
  readonly key: FileKey;
  /** Identity of the pass that wants it there. */
  readonly pass: string;
  /** Relative to the download folder, `/`-separated; and absolute. */
  readonly path: string;
  readonly finalPath: string;
  readonly tempPath: string;
  readonly resource: Resource;
  /** When the signed URL was received, ms. */
  readonly receivedAt: number;
  /** Capture instant, ms: the file's modification time. */
  readonly modifiedAt: number;
  /** Absolute path of a file on disk with the same proven content, to link or copy from. */
  readonly from: string | undefined;
}

/**
 * The transfers on their way, by content: a second place for bytes that are already being fetched waits for them
 * instead of fetching them again. Holds at most the queue and the workers' jobs, and what waits for those.
 */
export class InFlight {
  readonly #waiting = new Map<string, Job[]>();

  /** True when `job` now waits for a transfer of the same content; false when it is the one to run. */
  joinOrLead(job: Job): boolean {
    // What can't be proven can't be copied either: equal names of content are then no proof of equal content.
    if (!isVerifiable(job.resource.checksum)) return false;
    const followers = this.#waiting.get(job.resource.checksum);
    if (followers !== undefined) {
      followers.push(job);
      return true;
    }
    this.#waiting.set(job.resource.checksum, []);
    return false;
  }

  /** The jobs that waited for `job`, which has ended; the content is free again. */
  settle(job: Job): readonly Job[] {
    const followers = this.#waiting.get(job.resource.checksum) ?? [];
    this.#waiting.delete(job.resource.checksum);
    return followers;
  }
}
