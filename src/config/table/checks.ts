import { subset } from "../checks.ts";
import type { Setting } from "../types.ts";

/** How closely the commands that look after the backup look. */
export const CHECKS = {
  checksums: {
    type: { kind: "boolean" },
    flag: "checksums",
    default: false,
    help: "Read every byte and compare it with Apple's checksum",
    on: "verify",
  },
  subset: {
    type: { kind: "text" },
    flag: "subset",
    help: "Look at one of N equal parts of the files, always the same ones: 1/30, 2/30, ...; today/30 takes the next one each day",
    hint: "K/N",
    on: "verify",
    check: subset,
  },
  complete: {
    type: { kind: "boolean" },
    flag: "complete",
    default: false,
    help: "Ask iCloud as well whether everything that is selected is here; takes the flags of the selection, too",
    on: "verify",
  },
  live: {
    type: { kind: "boolean" },
    flag: "live",
    default: false,
    help: "Also ask Apple whether the saved session is good",
    on: "doctor",
  },
} as const satisfies Record<string, Setting>;
