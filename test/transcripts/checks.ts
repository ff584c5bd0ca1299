import { rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Stage, Step } from "./transcript.ts";

/** The download folder of `-d photos`. */
const photos = ({ home }: Stage): string => join(home.root, "photos");

async function first(stage: Stage): Promise<string> {
  const [file] = await stage.home.files();
  return join(photos(stage), file ?? "none");
}

/** Looking after what is saved. `kei doctor` is not here: what it says differs from machine to machine. */
export const CHECKS: readonly Step[] = [
  { args: ["verify"], exit: 0, note: "Nothing has been saved yet." },
  { args: ["reconcile"], exit: 0 },
  { args: ["reset", "state"], exit: 0 },
  { args: ["reset", "session"], exit: 0 },
  {
    args: ["sync", "-d", "photos"],
    exit: 0,
    before: ({ home, double }) => home.signIn(double),
  },
  { args: ["verify"], exit: 0 },
  { args: ["verify", "--checksums", "--subset", "2/3"], exit: 0 },
  { args: ["verify", "--complete"], exit: 0 },
  {
    args: ["verify"],
    exit: 1,
    note: "A file was deleted by hand.",
    before: async (stage) => rmSync(await first(stage)),
  },
  { args: ["reconcile", "--dry-run"], exit: 0 },
  { args: ["reconcile"], exit: 0 },
  { args: ["verify"], exit: 0 },
  { args: ["verify", "--complete"], exit: 1 },
  { args: ["sync"], exit: 0 },
  { args: ["reset", "sync-token"], exit: 1 },
  { args: ["reset", "sync-token", "--yes"], exit: 0 },
  { args: ["reset", "state", "--yes"], exit: 0 },
  { args: ["sync"], exit: 0 },
  {
    args: ["verify", "--checksums"],
    exit: 1,
    note: "A file was cut short.",
    before: async (stage) => truncateSync(await first(stage), 100),
  },
  { args: ["verify", "--json"], exit: 1 },
  { args: ["reconcile", "--json"], exit: 0 },
  { args: ["sync"], exit: 0, note: "A good copy comes beside it; a name that is taken is left alone." },
  { args: ["verify", "--subset", "4/3"], exit: 64 },
  { args: ["verify", "--album", "Rome"], exit: 64 },
  { args: ["reset", "session", "--yes"], exit: 0 },
  {
    args: ["reconcile"],
    exit: 1,
    note: "The disk is not mounted.",
    before: (stage) => rmSync(photos(stage), { recursive: true }),
  },
  { args: ["verify"], exit: 1 },
];
