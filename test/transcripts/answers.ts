import type { Step } from "./transcript.ts";

/** Everyday questions, asked before the first run and after it. */
export const ANSWERS: readonly Step[] = [
  { args: ["status", "--json"], note: "Nothing has been done yet." },
  { args: ["why", "IMG_0001.HEIC"] },
  { args: ["manifest"] },
  { args: ["why"], note: "What can't be understood is refused." },
  { args: ["why", "IMG_0001.HEIC", "IMG_0002.PNG"] },
  { args: ["manifest", "--format", "xml"] },
  { args: ["-d", "photos", "status"] },
  { args: ["login", "get-code"] },
  { args: ["login", "submit-code", "123456"] },
  { args: ["sync", "-d", "photos", "--filename-exclude", "*.PNG"] },
  { args: ["status", "--downloaded"] },
  { args: ["status", "--json"] },
  { args: ["why", "IMG_0001.HEIC"] },
  { args: ["why", "photos/2024/06/01/IMG_0003.JPG"], note: "By the path of a file, as typed where kei was started." },
  { args: ["why", "IMG_0002.PNG"], env: { KEI_FILENAME_EXCLUDE: "*.PNG" } },
  { args: ["why", "IMG_000?.*"] },
  { args: ["why", "IMG_O003.JPG"] },
  { args: ["why", "IMG_0002.PNG", "--json"] },
  { args: ["manifest", "--format", "csv"] },
  { args: ["manifest"] },
];
