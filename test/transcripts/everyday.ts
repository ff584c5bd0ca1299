import type { Step } from "./transcript.ts";

/** The commands of a normal life, in the order in which a person meets them. */
export const EVERYDAY: readonly Step[] = [
  { args: ["--version"], exit: 0 },
  { args: [], exit: 64 },
  { args: ["status"], exit: 0, note: "Nothing has been done yet." },
  { args: ["sync", "-d", "photos"], exit: 3, note: "Apple wants a code, and nobody is there to be asked." },
  { args: ["login", "get-code"], exit: 0 },
  { args: ["login", "submit-code", "000000"], exit: 3 },
  { args: ["login", "submit-code", "123 456"], exit: 0 },
  { args: ["login"], exit: 0 },
  { args: ["list", "libraries"], exit: 0 },
  { args: ["list", "albums", "--library", "Nope"], exit: 1, says: ["Nope", "PrimarySync"] },
  { args: ["list", "albums"], exit: 0, before: ({ double }) => void double.library.createAlbum({ name: "Rome" }) },
  { args: ["sync", "-d", "photos", "--dry-run"], exit: 0 },
  { args: ["sync", "-d", "photos"], exit: 0 },
  { args: ["sync"], exit: 0 },
  { args: ["sync", "--retry-failed"], exit: 0 },
  { args: ["status"], exit: 0 },
];
