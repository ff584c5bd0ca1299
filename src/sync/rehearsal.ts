import type { Job } from "./jobs.ts";

/** Paths that a dry run shows. */
const SHOWN = 200;

/** Takes the place of the workers in a dry run: what would be done is counted, nothing is. */
export class Rehearsal {
  #files = 0;
  #bytes = 0;
  readonly #sample: string[] = [];

  /** Counts a job as done. */
  note(job: Job): boolean {
    this.#files += 1;
    if (!job.shared) this.#bytes += job.resource.size;
    if (this.#sample.length < SHOWN) this.#sample.push(job.path);
    return true;
  }

  get planned(): { readonly files: number; readonly bytes: number; readonly sample: readonly string[] } {
    return { files: this.#files, bytes: this.#bytes, sample: this.#sample };
  }
}
