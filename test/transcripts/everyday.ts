import type { Step } from "./transcript.ts";

/** The commands of a normal life, in the order in which a person meets them. */
export const EVERYDAY: readonly Step[] = [
  { args: ["--version"] },
  { args: [] },
  { args: ["status"], note: "Nothing has been done yet." },
  { args: ["sync", "-d", "photos"], note: "Apple wants a code, and nobody is there to be asked." },
  { args: ["login", "get-code"] },
  { args: ["login", "submit-code", "000000"] },
  { args: ["login", "submit-code", "123 456"] },
  { args: ["login"] },
  { args: ["list", "libraries"] },
  { args: ["list", "albums"], before: ({ double }) => void double.library.createAlbum({ name: "Rome" }) },
  { args: ["sync", "-d", "photos", "--dry-run"] },
  { args: ["sync", "-d", "photos"] },
  { args: ["sync"] },
  { args: ["sync", "--retry-failed"] },
  { args: ["status"] },
];
