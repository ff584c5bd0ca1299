import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stage, Step } from "./transcript.ts";

/** Puts a configuration of its own before a command. */
const toml =
  (text: string) =>
  ({ home }: Stage): void => {
    mkdirSync(home.data, { recursive: true });
    writeFileSync(join(home.data, "config.toml"), text);
  };
const file =
  (name: string, text: string) =>
  ({ home }: Stage): void =>
    writeFileSync(join(home.root, name), text);

const sync = (...args: readonly string[]): readonly string[] => ["sync", "-d", "photos", ...args];
const wrong = (...args: readonly string[]): Pick<Step, "args" | "exit"> => ({ args: sync(...args), exit: 64 });

/** What people get wrong, by the rows of the acceptance table (cli.md 9, as DECISIONS 1, 3, 5 and 20 change it). */
export const BAD_INPUT: readonly Step[] = [
  { note: "Row 1: flags, commands, ranges.", ...wrong("--thread", "4"), says: ["--threads"] },
  { args: ["snyc"], exit: 64, says: ["sync"] },
  { ...wrong("--threads", "0"), says: ["--threads", "1 to 64"] },
  { ...wrong("--threads", "65"), says: ["--threads", "1 to 64"] },
  { ...wrong("--threads", "x"), says: ["--threads", "1 to 64"] },
  { ...wrong("--size", "big"), says: ["--size", "original", "thumb"] },
  { ...wrong("--domain", "us"), says: ["--domain", "com, cn"] },
  { ...wrong("--max-retries", "101"), says: ["--max-retries", "0 to 100"] },
  { note: "Rows 2 to 6: watching.", ...wrong("--watch-with-interval", "59"), says: ["60 to 86400"] },
  { ...wrong("--watch-with-interval", "86401"), says: ["60 to 86400"] },
  {
    args: ["sync"],
    exit: 1,
    says: ["[watch] interval", "60 to 86400", "line 2"],
    before: toml("[watch]\ninterval = 59\n"),
  },
  {
    ...wrong("--watch-with-interval", "3600", "--dry-run"),
    says: ["--watch", "--dry-run"],
    before: toml(""),
  },
  { ...wrong("--watch-with-interval", "3600", "--only-print-filenames"), says: ["--only-print-filenames"] },
  { ...wrong("--watch-with-interval", "3600", "--retry-failed"), says: ["--retry-failed"] },
  { ...wrong("--retry-failed", "--dry-run"), says: ["--retry-failed", "--dry-run"] },
  { ...wrong("--reconcile-every-n-cycles", "0"), says: ["--reconcile-every-n-cycles"] },
  {
    note: "Rows 7 to 10: account and folder.",
    args: sync(),
    env: { ICLOUD_USERNAME: "" },
    exit: 1,
    says: ["--username is required", "ICLOUD_USERNAME", "[auth].username"],
  },
  { args: ["sync"], exit: 1, says: ["--directory is required", "--download-dir", "[download].directory"] },
  { ...wrong("-u", ""), says: ["must not be empty"] },
  { args: ["sync"], exit: 1, says: ["must not be empty", "line 2"], before: toml('[auth]\nusername = ""\n') },
  { args: ["sync", "-d", "/"], exit: 64, says: ["system folder"], before: toml("") },
  { args: ["sync", "-d", "/etc/"], exit: 64, says: ["system folder"] },
  { args: ["sync", "-d", "/root"], exit: 64, says: ["system folder"] },
  { args: ["sync", "-d", "a-file"], exit: 1, says: ["a-file"], before: file("a-file", "") },
  { args: ["sync", "-d", "a-file/below"], exit: 1, says: ["a-file/below"] },
  {
    note: "Rows 12 to 16: the configuration.",
    args: sync("--config", "/nowhere/kei.toml"),
    exit: 1,
    says: ["Could not read config file"],
  },
  { args: sync(), exit: 1, says: ["config.toml"], before: toml("[download\nthreads = 4\n") },
  {
    args: sync(),
    exit: 1,
    says: ["line 3", "unknown field", "[download] treads", "[download] threads"],
    before: toml("[download]\n\ntreads = 4\n"),
  },
  {
    args: sync(),
    exit: 1,
    says: ["`[auth] password`", "no longer supported", "kei password set"],
    before: toml('[auth]\npassword = "open-sesame"\n'),
  },
  {
    args: sync(),
    exit: 1,
    says: ["pick one"],
    before: toml('[auth]\npassword_file = "a"\npassword_command = "b"\n'),
  },
  { ...wrong("-p", "open-sesame", "--password-file", "a"), says: ["--password", "--password-file"], before: toml("") },
  {
    note: "Row 17: passwords that are none.",
    args: ["login", "--password-file", "empty"],
    env: { ICLOUD_PASSWORD: "" },
    exit: 3,
    says: ["No password"],
    before: file("empty", "\n"),
  },
  {
    args: ["login", "--password-command", "false"],
    env: { ICLOUD_PASSWORD: "" },
    exit: 3,
    says: ["No password", "exited with status"],
  },
  {
    args: ["login", "--password-command", "true"],
    env: { ICLOUD_PASSWORD: "" },
    exit: 3,
    says: ["No password"],
  },
  { args: ["login"], env: { ICLOUD_PASSWORD: "" }, exit: 3, says: ["No password"] },
  { note: "Rows 18 and 19: old and foreign spellings.", ...wrong("--directory", "a"), says: ["--download-dir"] },
  { ...wrong("--threads-num", "3"), says: ["--threads"] },
  { ...wrong("--exclude-album", "A"), says: ["--album '!NAME'"] },
  { args: ["get-code"], exit: 64, says: ["kei login get-code"] },
  { args: ["credential", "set"], exit: 64, says: ["kei password"] },
  { args: ["reset-state"], exit: 64, says: ["kei reset state"] },
  { args: ["setup"], exit: 64, says: ["kei config setup"] },
  { args: sync(), exit: 1, says: ["threads_num", "[download] threads"], before: toml("[download]\nthreads_num = 3\n") },
  { note: "Row 20: codes.", args: ["login", "submit-code", "12345"], exit: 64, says: ["6 digits"], before: toml("") },
  { args: ["login", "submit-code", "abc"], exit: 64, says: ["6 digits"] },
  { args: ["login", "submit-code"], exit: 64, says: ["CODE"] },
  {
    note: "Rows 21 and 22: albums and libraries.",
    args: sync("--album", "Typo"),
    exit: 1,
    says: ["Typo"],
    before: async ({ double, home }) => {
      double.library.createAlbum({ name: "Type" });
      await home.signIn(double);
    },
  },
  { args: sync("--album", "!Typo"), exit: 1, says: ["Typo"] },
  { ...wrong("--album", "A", "--album", "!A"), says: ["A"] },
  { ...wrong("--library", "none"), says: ["library"] },
  { args: sync("--library", "Nope"), exit: 1, says: ["Nope", "PrimarySync"] },
  { args: sync("--album", "none", "--unfiled=false"), exit: 0, says: ["no photo is selected"] },
  { note: "Rows 23 to 26: templates, dates, rates.", ...wrong("--folder-structure-smart-folders", "{album}") },
  { ...wrong("--folder-structure-albums", "{album}/{album}") },
  { ...wrong("--folder-structure", "{foo}"), says: ["{foo}"] },
  { ...wrong("--folder-structure", "../x"), says: [".."] },
  { ...wrong("--recent", "0"), says: ["--recent"] },
  { ...wrong("--recent=-1"), says: ["--recent"] },
  { ...wrong("--recent", "5w"), says: ["--recent"] },
  { args: sync("--recent", "5d", "--skip-created-before", "2024-01-01"), exit: 1, says: ["recent"] },
  { ...wrong("--skip-created-after", "yesterday"), says: ["--skip-created-after", "2024-12-31", "30d"] },
  { ...wrong("--bandwidth-limit=-5M"), says: ["--bandwidth-limit"] },
  { ...wrong("--bandwidth-limit", "5X"), says: ["--bandwidth-limit"] },
  { ...wrong("--bandwidth-limit", "0"), says: ["--bandwidth-limit"] },
  { ...wrong("--bandwidth-limit", "0.1"), says: ["--bandwidth-limit"] },
  { note: "Row 29: addresses.", ...wrong("--http-bind", "host"), says: ["--http-bind"] },
  {
    note: "Row 36: flags in front of other commands.",
    args: ["-d", "/photos", "status"],
    exit: 64,
    says: ["-d"],
  },
  { args: ["status"], env: { KEI_DOWNLOAD_DIR: "/photos" }, exit: 0 },
];
