import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import type { CheckListener, ReconcileResult } from "../sync/check-types.ts";
import { resultLines } from "../ui/checks.ts";
import { formatCount, plural } from "../ui/format.ts";
import { catalogueOf, databaseOf, jsonAnswer, noCatalogue } from "./catalogue.ts";
import { checkListener } from "./check-listener.ts";
import { type CommandContext, portsOf } from "./context.ts";
import { Listing } from "./listing.ts";
import { directoryOf } from "./sync-settings.ts";

/** `kei reconcile`: looks whether every saved file is still there, and has the next sync fetch what is not. */
export async function reconcile(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal } = context;
  const { dryRun, force, json } = settings;
  const database = databaseOf(context);
  if (!database.exists) return noCatalogue(database.path, "reconcile", context);
  const directory = directoryOf(context);
  const listing = new Listing("reconcile", json ? undefined : (line) => terminal.out(`${line}\n`));
  const remark = dryRun ? " (dry run: nothing is written)" : "";
  const { listener, end } = checkListener(
    context,
    listing,
    false,
    (files) => `Reconciling ${formatCount(files)} downloaded assets...${remark}`,
  );
  const result = await run(context, { dryRun, force }, directory, listener).finally(end);
  if (result === undefined) return noCatalogue(database.path, "reconcile", context);
  if (json) terminal.out(jsonAnswer("reconcile", database, { ...figures(result, dryRun), ...listing.json() }));
  else for (const line of lines(result, dryRun)) terminal.out(`${line}\n`);
  if (result.unreadable > 0) {
    throw new Failure(`${plural(result.unreadable, "file")} could not be looked at; nothing was changed about them`, {
      exit: EXIT.failure,
      remedy: "Check the disk and the permissions of the download folder.",
    });
  }
  return EXIT.ok;
}

async function run(
  context: CommandContext,
  options: { readonly dryRun: boolean; readonly force: boolean },
  directory: string,
  listener: CheckListener,
): Promise<ReconcileResult | undefined> {
  const { reconcile: act } = await context.sync();
  return await act({ ...catalogueOf(context), directory }, options, listener, portsOf(context));
}

function lines(result: ReconcileResult, dryRun: boolean): string[] {
  const { present, missing, truncated, unreadable, noPath, flipped, guarded } = result;
  const some = (count: number) => (count > 0 ? count : undefined);
  const rows = resultLines([
    ["Present", present],
    ["Missing", missing],
    ["Truncated", some(truncated)],
    ["Unreadable", some(unreadable)],
    ["No path", some(noPath)],
    ["Marked failed", dryRun ? undefined : flipped],
  ]);
  if (guarded)
    return [
      ...rows,
      "",
      "So much is missing that it looks like another disk: without --force nothing would be changed.",
    ];
  if (flipped > 0) return [...rows, "", "The next `kei sync` fetches again what is still selected in iCloud."];
  return rows;
}

function figures(result: ReconcileResult, dryRun: boolean) {
  const { present, missing, truncated, unreadable, noPath, flipped, guarded } = result;
  return {
    dry_run: dryRun,
    present,
    missing,
    truncated,
    unreadable,
    no_path: noPath,
    marked_failed: flipped,
    needs_force: guarded,
  };
}
