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
  /** Another file with this content is on its way or on disk: worth a look before fetching. */
  readonly shared: boolean;
}

/** What is known of a content that is on its way. */
interface Leader {
  /** Absolute path of the job that brings it: who leads is told apart by that. */
  readonly finalPath: string;
  /** Places that wait for it. */
  readonly followers: Job[];
  /** It stands at `finalPath` by now, though its row is not committed yet. */
  published: boolean;
}

/**
 * The contents on their way, until the catalogue knows them: a second place for bytes that are already being fetched
 * waits for them instead of fetching them again. Holds at most the queue, the workers' jobs and one batch of commits.
 * Only the job that leads a content may end its entry, and whoever ends it gets all that waited.
 */
export class InFlight {
  readonly #leaders = new Map<string, Leader>();

  /**
   * Undefined when `job` now waits for a transfer of the same content; else the job to run, which knows where to copy
   * from if the content has just arrived.
   */
  joinOrLead(job: Job): Job | undefined {
    // What can't be proven can't be copied either: equal names of content are then no proof of equal content.
    if (!isVerifiable(job.resource.checksum)) return job;
    const leader = this.#leaders.get(job.resource.checksum);
    if (leader === undefined) {
      this.#leaders.set(job.resource.checksum, { finalPath: job.finalPath, followers: [], published: false });
      return job;
    }
    if (leader.published) return { ...job, from: leader.finalPath };
    leader.followers.push(job);
    return undefined;
  }

  /** The content of `job` stands at its place now, though not in the catalogue: the jobs that waited for it. */
  published(job: Job): readonly Job[] {
    const leader = this.#ledBy(job);
    if (leader === undefined) return [];
    leader.published = true;
    return leader.followers.splice(0);
  }

  /** `job` has failed, or the catalogue knows its content: the jobs that still wait, of which a published one has none. */
  forget(job: Job): readonly Job[] {
    const leader = this.#ledBy(job);
    if (leader === undefined) return [];
    this.#leaders.delete(job.resource.checksum);
    return leader.followers;
  }

  #ledBy(job: Job): Leader | undefined {
    const leader = this.#leaders.get(job.resource.checksum);
    return leader?.finalPath === job.finalPath ? leader : undefined;
  }
}
