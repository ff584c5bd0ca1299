import type { Setting } from "../types.ts";

/** How the configuration itself is shown and made. */
export const CONFIGURING = {
  plain: {
    type: { kind: "boolean" },
    flag: "plain",
    default: false,
    help: "Only what the file has to say, without defaults and remarks",
    on: "show",
  },
  output: {
    type: { kind: "path" },
    flag: "output",
    short: "o",
    help: "Configuration file to write (default: the one that kei reads)",
    hint: "PATH",
    on: "setup",
  },
} as const satisfies Record<string, Setting>;
