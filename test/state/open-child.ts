/** Child process: opens the database at argv[3] as `status`, `dry-run` or `sync` does, and prints what it finds. */
import { Failure } from "../../src/library/failure.ts";
import { openForDryRun, openState, openStateReadOnly } from "../../src/state/index.ts";
import { optionsFor } from "./support.ts";

const [how, path] = process.argv.slice(2);
const open = how === "status" ? openStateReadOnly : how === "dry-run" ? openForDryRun : openState;
try {
  const state = await open(optionsFor(path ?? ""));
  process.stdout.write(`${state?.totals(10).onDisk ?? "none"} on disk\n`);
  state?.close();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stdout.write(`${error.message}\n`);
}
