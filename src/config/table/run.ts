import type { Setting } from "../types.ts";

/** What one run does, and what is said about it. */
export const RUN = {
  progressBar: {
    type: { kind: "boolean" },
    flag: "no-progress-bar",
    env: "KEI_NO_PROGRESS_BAR",
    key: "ui.progress_bar",
    default: true,
    inverted: true,
    help: "No moving progress line",
    on: "sync",
  },
  dryRun: {
    type: { kind: "boolean" },
    flag: "dry-run",
    default: false,
    help: "Say what would be saved, and write nothing at all",
    on: "sync",
  },
  force: {
    type: { kind: "boolean" },
    flag: "force",
    default: false,
    help: "Go on although the download folder is missing or empty and files were saved there before",
    on: "sync",
  },
  retryFailed: {
    type: { kind: "boolean" },
    flag: "retry-failed",
    default: false,
    help: "Only try again what failed before, also what was given up",
    on: "sync",
  },
  reportJson: {
    type: { kind: "path" },
    flag: "report-json",
    env: "KEI_REPORT_JSON",
    key: "report.json",
    help: "File that a report of each run is written to",
    hint: "PATH",
    on: "sync",
  },
  showFailed: {
    type: { kind: "boolean" },
    flag: "failed",
    default: false,
    help: "List the files that failed",
    on: "status",
  },
  showPending: {
    type: { kind: "boolean" },
    flag: "pending",
    default: false,
    help: "List the files that wait",
    on: "status",
  },
  showDownloaded: {
    type: { kind: "boolean" },
    flag: "downloaded",
    default: false,
    help: "List the files that are saved",
    on: "status",
  },
} as const satisfies Record<string, Setting>;
