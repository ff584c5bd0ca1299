import type { Step } from "./transcript.ts";

/** Everyday questions, asked before the first run and after it. */
export const ANSWERS: readonly Step[] = [
  { args: ["status", "--json"], exit: 0, note: "Nothing has been done yet." },
  { args: ["why", "IMG_0001.HEIC"], exit: 1 },
  { args: ["manifest"], exit: 1 },
  { args: ["why"], exit: 64, note: "What can't be understood is refused." },
  { args: ["why", ""], exit: 64, says: ["must not be empty"] },
  { args: ["why", "IMG_0001.HEIC", "IMG_0002.PNG"], exit: 64 },
  { args: ["manifest", "--format", "xml"], exit: 64 },
  { args: ["-d", "photos", "status"], exit: 64 },
  { args: ["login", "get-code"], exit: 0 },
  { args: ["login", "submit-code", "123456"], exit: 0 },
  { args: ["sync", "-d", "photos", "--filename-exclude", "*.PNG"], exit: 0 },
  { args: ["status", "--downloaded"], exit: 0 },
  { args: ["status", "--json"], exit: 0 },
  { args: ["why", "IMG_0001.HEIC"], exit: 0 },
  {
    args: ["why", "photos/2024/06/01/IMG_0003.JPG"],
    exit: 0,
    note: "By the path of a file, as typed where kei was started.",
  },
  { args: ["why", "IMG_0002.PNG"], exit: 0, env: { KEI_FILENAME_EXCLUDE: "*.PNG" } },
  { args: ["why", "IMG_000?.*"], exit: 0 },
  { args: ["why", "IMG_O003.JPG"], exit: 1 },
  { args: ["why", "IMG_0002.PNG", "--json"], exit: 0 },
  { args: ["manifest", "--format", "csv"], exit: 0 },
  { args: ["manifest"], exit: 0 },
];
