import { temporaryEnding } from "../checks.ts";
import type { Setting } from "../types.ts";

/** How files are fetched. */
export const TRANSFER = {
  threads: {
    type: { kind: "integer", min: 1, max: 64 },
    flag: "threads",
    env: "KEI_THREADS",
    key: "download.threads",
    default: 10,
    help: "Files fetched at the same time",
    hint: "N",
    on: "sync",
  },
  perTransfer: {
    type: { kind: "integer", min: 0, max: 100 },
    flag: "max-retries",
    env: "KEI_MAX_RETRIES",
    key: "download.retry.per_transfer",
    default: 3,
    help: "Retries within one transfer",
    hint: "N",
    on: "sync",
  },
  perAsset: {
    type: { kind: "integer", min: 0, max: 1_000_000 },
    flag: "max-download-attempts",
    env: "KEI_MAX_DOWNLOAD_ATTEMPTS",
    key: "download.retry.per_asset",
    default: 10,
    help: "Runs in which a file may fail before it is given up; 0: never",
    hint: "N",
    on: "sync",
  },
  bandwidthLimit: {
    type: { kind: "rate" },
    flag: "bandwidth-limit",
    env: "KEI_BANDWIDTH_LIMIT",
    key: "download.bandwidth_limit",
    help: "Bytes per second for all transfers together, e.g. 5M or 500KiB",
    hint: "RATE",
    on: "sync",
  },
  tempSuffix: {
    type: { kind: "text" },
    flag: "temp-suffix",
    env: "KEI_TEMP_SUFFIX",
    key: "download.temp_suffix",
    default: ".kei-tmp",
    help: "Ending of unfinished files",
    hint: "SUFFIX",
    on: "sync",
    check: temporaryEnding,
  },
} as const satisfies Record<string, Setting>;
