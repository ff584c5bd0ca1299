/** A notification script that leaves in a folder what it is told. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Told {
  readonly event: string;
  readonly env: Readonly<Record<string, string>>;
  /** The report as it stood then. */
  readonly report: string;
}

export class Scribe {
  readonly script: string;
  readonly #folder: string;
  /** Flags of `kei sync` that have it run. */
  readonly flags: readonly string[];

  /** `more`: what the script does afterwards. */
  constructor(root: string, more = "") {
    this.script = join(root, "notify");
    this.#folder = join(root, "told");
    this.flags = ["--notification-script", this.script, "--report-json", join(root, "report.json")];
    mkdirSync(this.#folder);
    writeFileSync(
      this.script,
      `to="${this.#folder}/$$"; mkdir "$to.new"; env > "$to.new/env"
       cp "$KEI_REPORT_JSON" "$to.new/report" 2>/dev/null; mv "$to.new" "$to"; ${more}`,
    );
  }

  /** What it was told, the earliest first. */
  get told(): readonly Told[] {
    return readdirSync(this.#folder)
      .filter((name) => !name.endsWith(".new"))
      .map((name) => join(this.#folder, name))
      .map((folder) => ({ folder, at: statSync(join(folder, "env")).mtimeMs }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ folder }) => {
        const lines = readFileSync(join(folder, "env"), "utf8").split("\n");
        const env = Object.fromEntries(lines.map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]));
        const report = join(folder, "report");
        return {
          event: env["KEI_EVENT"] ?? "",
          env,
          report: existsSync(report) ? readFileSync(report, "utf8") : "",
        };
      });
  }

  /** The events by name, in alphabetical order: the first may be at its work still when the last begins. */
  get events(): readonly string[] {
    return this.told.map(({ event }) => event).toSorted((a, b) => (a < b ? -1 : 1));
  }

  forget(): void {
    rmSync(this.#folder, { recursive: true });
    mkdirSync(this.#folder);
  }
}
