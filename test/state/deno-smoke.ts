/** Run by Deno: the catalogue in a folder of its own (argv[0]), from an empty start to a second opening and a dry run. */
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { Failure } from "../../src/library/failure.ts";
import { acquireLock, openForDryRun, openState, openStateReadOnly, StateFailure } from "../../src/state/index.ts";
import { SqlError } from "../../src/state/sql-error.ts";
import { assetRow, FakeClock, keyOf, PRIMARY, planned, saved } from "./rows.ts";

const folder = argv[2] ?? "";
const clock = new FakeClock();
const quiet = () => undefined;
const options = {
  path: join(folder, "a.db"),
  domain: "com" as const,
  username: "jane@example.com",
  clock,
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
};
const lockOptions = { retries: 0, clock, signal: new AbortController().signal };

function must(what: string, is: boolean): void {
  if (!is) throw new Error(`not so: ${what}`);
}
async function thrown(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

must("nothing is read where nothing is", (await openStateReadOnly(options)) === undefined);
const lock = await acquireLock(join(folder, "a.lock"), lockOptions);
must(
  "the lock is exclusive",
  (await thrown(() => acquireLock(join(folder, "a.lock"), lockOptions))) instanceof Failure,
);
const state = await openState(options);
saved(state, "ä 😀");
planned(state, "b");
state.setZoneToken(PRIMARY, "token");
must("marks are kept", !state.metInWalk("w", "x") && state.metInWalk("w", "x"));
const clash = await thrown(() => state.transaction(() => planned(state, "c", { path: "2026/01/01/b.JPG" })));
must("a constraint is told by its code", clash instanceof SqlError && clash.result === 19);
must("a failed transaction leaves nothing", state.asset(PRIMARY, keyOf("c").asset) === undefined);
state.putAsset(assetRow("d", { disposition: "left-out", rule: "hidden" }));
const reader = await openStateReadOnly(options);
must("a reader sees it", reader?.totals(10).assets === 3);
const refused = await thrown(() => reader?.setMeta("a", "b"));
must("a reader can't write", refused instanceof StateFailure && refused.kind === "read-only");
reader?.close();
state.close();
const dry = await openForDryRun(options);
must("a dry run knows it", dry.rendition(keyOf("ä 😀"))?.status === "downloaded");
dry.close();
const again = await openState(options);
must("all is kept", again.zoneToken(PRIMARY) === "token" && again.totals(10).onDisk === 1);
again.close();
const other = await thrown(() => openState({ ...options, username: "john@example.com" }));
must("another account is refused", other instanceof StateFailure && other.kind === "refused");
lock.release();
(await acquireLock(join(folder, "a.lock"), lockOptions)).release();
stdout.write("all as promised\n");
