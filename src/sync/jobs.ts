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
  /** Places that wait for it. */
  readonly followers: Job[];
  /** Absolute path at which it stands by now, though its row is not committed yet. */
  published: string | undefined;
}

/**
 * The contents on their way, until the catalogue knows them: a second place for bytes that are already being fetched
 * waits for them instead of fetching them again. Holds at most the queue, the workers' jobs and one batch of commits.
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
      this.#leaders.set(job.resource.checksum, { followers: [], published: undefined });
      return job;
    }
    if (leader.published !== undefined) return { ...job, from: leader.published };
    leader.followers.push(job);
    return undefined;
  }

  /** The content of `job` stands at its place now; returns the jobs that waited for it. */
  published(job: Job): readonly Job[] {
    const leader = this.#leaders.get(job.resource.checksum);
    if (leader === undefined) return [];
    leader.published = job.finalPath;
    return leader.followers.splice(0);
  }

  /** `job` has failed, or the catalogue knows its content: returns the jobs that still wait. */
  forget(job: Job): readonly Job[] {
    const followers = this.#leaders.get(job.resource.checksum)?.followers ?? [];
    this.#leaders.delete(job.resource.checksum);
    return followers;
  }
}
