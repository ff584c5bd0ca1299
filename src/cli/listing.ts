import type { FileIssue } from "../sync/check-types.ts";
import { issueLine } from "../ui/checks.ts";
import { escapeControls } from "../ui/format.ts";

/** Most lines of one list for people (cli.md 5). */
const LINES = 200;
/** Most files named in an answer for programs. */
const NAMED = 10_000;

/** Takes in what is wrong with files, file by file: as lines on stdout, or for the JSON answer. */
export class Listing {
  #count = 0;
  readonly #named: FileIssue[] = [];

  /** `write` is given whole lines; undefined where the answer is JSON. */
  constructor(
    readonly command: "verify" | "reconcile",
    readonly write: ((line: string) => void) | undefined,
  ) {}

  get count(): number {
    return this.#count;
  }

  add(issue: FileIssue): void {
    this.#count += 1;
    if (this.write === undefined) {
      if (this.#named.length < NAMED) this.#named.push(issue);
    } else if (this.#count <= LINES) {
      this.write(escapeControls(issueLine(issue, this.command)));
    }
  }

  /** The tail of a list that was cut, and the blank line behind a list. */
  end(): void {
    if (this.#count > LINES) this.write?.(`... and ${this.#count - LINES} more (listing capped at ${LINES})`);
    if (this.#count > 0) this.write?.("");
  }

  /** Fields of the JSON answer. */
  json(): { readonly issues: readonly object[]; readonly issues_omitted: number } {
    return {
      issues: this.#named.map((issue) => ({
        kind: issue.kind.replace("-", "_"),
        path: issue.path ?? null,
        library: issue.library,
        asset_id: issue.asset,
        version: issue.rendition,
        downloaded_at: issue.downloadedAt === undefined ? null : new Date(issue.downloadedAt).toISOString(),
        detail: issue.detail ?? null,
      })),
      issues_omitted: this.#count - this.#named.length,
    };
  }
}
