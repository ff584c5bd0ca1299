import type { Job } from "./jobs.ts";

/** Takes the place of the workers in a dry run: what would be done is told and counted, nothing is. */
export class Rehearsal {
  #files = 0;
  #bytes = 0;
  readonly #tell: (path: string) => void;

  constructor(tell: (path: string) => void) {
    this.#tell = tell;
  }

  /** Counts a job as done. */
  note(job: Job): boolean {
    this.#files += 1;
    if (!job.shared) this.#bytes += job.resource.size;
    this.#tell(job.path);
    return true;
  }

  get planned(): { readonly files: number; readonly bytes: number } {
    return { files: this.#files, bytes: this.#bytes };
  }
}
