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

/** What kei says of its settings, and of everything that can be wrong with them. */
export const CONFIGURATION: readonly Step[] = [
  { args: ["config"] },
  { args: ["config", "show"], note: "Nothing is configured yet." },
  {
    args: ["config", "show", "--skip-videos", "--size", "original", "--size", "adjusted", "--bandwidth-limit", "5M"],
    env: { KEI_MAX_RETRIES: "5" },
    note: "Each setting with the place it comes from; what several of them say together is worked out.",
    before: file('[auth]\nusername = "me@example.com"\n\n[download]\ndirectory = "~/Photos"\n'),
  },
  { args: SHOW, note: "As a file, and nothing else." },
  { args: ["config", "setup"], note: "A wizard needs someone to talk to." },
  { args: [...SHOW, "--config", "no/such/kei.toml"] },
  { args: [...SHOW, "--config", "kei.yaml"] },
  { args: SHOW, note: "Broken in one way or the other.", before: file("[download\nthreads = 3\n") },
  { args: SHOW, before: file("[download]\nthreads = 3\nthreads = 4\n") },
  { args: SHOW, before: file('[auth]\nusername = "me@example.com\n\n[download]\nthreads = 3\n') },
  { args: SHOW, note: "Understood, and wrong.", before: file("[download]\ntreads = 4\n") },
  { args: SHOW, before: file("[downlod]\nthreads = 4\n") },
  { args: SHOW, before: file('[auth]\npassword = "x-very-secret"\n') },
  { args: SHOW, before: file("[watch]\ninterval = 59\n") },
  { args: SHOW, before: file('[download]\nthreads = "4"\n') },
  { args: SHOW, before: file('[filters]\nalbums = "Rome"\n') },
  { args: SHOW, before: file('[auth]\nusername = ""\n') },
  { args: SHOW, before: file('[download]\ndirectory = "/etc"\n') },
  { args: SHOW, before: file("[download.retry]\nmax_retries = 3\n") },
  {
    args: SHOW,
    note: "Fine each, but not together; the settings are shown before they are refused.",
    before: file('[filters]\nrecent = "5d"\nskip_created_before = "2020-01-01"\n'),
  },
  { args: SHOW, note: "Variables.", env: { KEI_ALBUMS: "Rome" }, before: file("") },
  { args: SHOW, env: { KEI_THREADS: "many" } },
  { args: ["completions", "powershell"] },
];
