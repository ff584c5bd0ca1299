import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stage, Step } from "./transcript.ts";

/** Writes the configuration file that the next command finds. */
const file =
  (text: string) =>
  ({ home }: Stage): void => {
    mkdirSync(home.data, { recursive: true });
    writeFileSync(join(home.data, "config.toml"), text);
  };

const SHOW = ["config", "show", "--plain"];

/** A file that can't be used; what is said names its line. */
const refused = (text: string, ...says: readonly string[]): Step => ({
  args: SHOW,
  exit: 1,
  says: ["config.toml: line ", ...says],
  before: file(text),
});

/** What kei says of its settings, and of everything that can be wrong with them. */
export const CONFIGURATION: readonly Step[] = [
  { args: ["config"], exit: 64 },
  { args: ["config", "show"], exit: 0, note: "Nothing is configured yet." },
  {
    args: ["config", "show", "--skip-videos", "--size", "original", "--size", "adjusted", "--bandwidth-limit", "5M"],
    env: { KEI_MAX_RETRIES: "5" },
    exit: 0,
    says: ["# env KEI_MAX_RETRIES", "# flag --skip-videos", "# file, line 5", "# default"],
    note: "Each setting with the place it comes from; what several of them say together is worked out.",
    before: file('[auth]\nusername = "me@example.com"\n\n[download]\ndirectory = "~/Photos"\n'),
  },
  { args: SHOW, exit: 0, note: "As a file, and nothing else." },
  { args: ["config", "setup"], exit: 1, says: ["kei sync -u"], note: "A wizard needs someone to talk to." },
  { args: [...SHOW, "--config", "no/such/kei.toml"], exit: 1 },
  { args: [...SHOW, "--config", "kei.yaml"], exit: 1, says: [".toml"] },
  { ...refused("[download\nthreads = 3\n", "line 1, column 2"), note: "Broken in one way or the other." },
  refused("[download]\nthreads = 3\nthreads = 4\n", "line 3, column 1"),
  refused('[auth]\nusername = "me@example.com\n\n[download]\nthreads = 3\n', "line 2"),
  { ...refused("[download]\ntreads = 4\n", "unknown field", "threads"), note: "Understood, and wrong." },
  refused("[downlod]\nthreads = 4\n", "[download]"),
  refused('[download]\nthreads = "4"\n', "whole number"),
  refused('[filters]\nalbums = "Rome"\n', "list of texts"),
  refused('[download]\ndirectory = "/etc"\n', "system folder"),
  refused("[download.retry]\nmax_retries = 3\n", "per_transfer"),
  {
    args: SHOW,
    exit: 1,
    says: ["(line 2 of ", "; line 3 of "],
    note: "Fine each, but not together; the settings are shown before they are refused.",
    before: file('[filters]\nrecent = "5d"\nskip_created_before = "2020-01-01"\n'),
  },
  { args: SHOW, exit: 1, says: ["KEI_ALBUM?"], note: "Variables.", env: { KEI_ALBUMS: "Rome" }, before: file("") },
  { args: SHOW, exit: 1, says: ["KEI_THREADS"], env: { KEI_THREADS: "many" } },
  { args: ["completions", "powershell"], exit: 64 },
];
