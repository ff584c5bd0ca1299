import type { Setting } from "../types.ts";

/** How commands ask and answer. */
export const ANSWERS = {
  json: {
    type: { kind: "boolean" },
    flag: "json",
    default: false,
    help: "Answer in JSON, for programs; its `schema` says the form, and fields may be added to it",
    on: "json",
  },
  manifestFormat: {
    type: { kind: "choice", values: ["json", "csv"] },
    flag: "format",
    default: "json",
    help: "Form of the manifest",
    on: "manifest",
  },
  yes: {
    type: { kind: "boolean" },
    flag: "yes",
    short: "y",
    default: false,
    help: "Don't ask whether it is meant",
    on: "confirm",
  },
} as const satisfies Record<string, Setting>;
