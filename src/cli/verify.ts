import { SETTING_NAMES, settingOf } from "../config/settings.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { parseSubset } from "../library/subset.ts";
import type { CheckListener, CompletenessResult, VerifyOptions, VerifyResult } from "../sync/check-types.ts";
import { completenessLines, resultLines } from "../ui/checks.ts";
import { formatBytes, formatCount, plural } from "../ui/format.ts";
import type { DisplayOptions } from "../ui/progress.ts";
import { wrap } from "../ui/wrap.ts";
import { catalogueOf, databaseOf, jsonAnswer, noCatalogue } from "./catalogue.ts";
import { checkListener } from "./check-listener.ts";
import { type CommandContext, portsOf } from "./context.ts";
import { displayOptions, withProgress } from "./display.ts";
import { Listing } from "./listing.ts";
import { directoryOf, syncSettingsOf } from "./sync-settings.ts";
import { UsageError } from "./usage-error.ts";

interface Findings {
  readonly here: VerifyResult;
  /** What iCloud has; undefined when it was not asked. */
  readonly cloud: CompletenessResult | undefined;
}

/** `kei verify`: whether what is saved is there, byte by byte if wished, and whether it is all that iCloud has. */
export async function verify(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal, clock } = context;
  const { checksums, complete, json } = settings;
  if (!complete) refuseUnused(context);
  const part = settings.subset === undefined ? undefined : parseSubset(settings.subset, clock.now());
  const database = databaseOf(context);
  if (!database.exists && !complete) return noCatalogue(database.path, "verify", context);
  const listing = new Listing("verify", json ? undefined : (line) => terminal.out(`${line}\n`));
  const of = part === undefined ? "" : ` (part ${part.number} of ${part.of})`;
  const shown = displayOptions(context);
  const { listener, end } = checkListener(
    context,
    listing,
    checksums,
    (files) => `Verifying ${formatCount(files)} downloaded assets${of}...`,
    shown,
  );
  const options = { checksums, part };
  const found = await (complete
    ? withCloud(context, options, listener, shown)
    : alone(context, options, listener)
  ).finally(end);
  if (found === undefined) return noCatalogue(database.path, "verify", context);
  const { here, cloud } = found;
  if (json) {
    const shown = { subset: part ?? null, checksums, ...figures(found), ...listing.json() };
    terminal.out(jsonAnswer("verify", database, shown));
  } else {
    const lines = [
      ...resultsOf(here, checksums, cloud === undefined ? here.waiting : 0),
      ...(cloud === undefined ? [] : ["", ...completenessLines(cloud, damagedIn(here))]),
    ];
    const width = terminal.outIsTerminal ? terminal.columns() : Number.POSITIVE_INFINITY;
    for (const line of lines.flatMap((one) => wrap(one, width, "  "))) terminal.out(`${line}\n`);
  }
  return verdict(found);
}

/** Stopped before the end, it says nothing; else everything has to be there. */
function verdict({ here, cloud }: Findings): ExitCode {
  if (here.stopped || cloud?.stopped === true) {
    throw new Failure("Stopped before everything was looked at", { exit: EXIT.forced });
  }
  const { missing, truncated, corrupted, unreadable, noPath } = here;
  const gone = missing + noPath;
  const bad = truncated + corrupted + unreadable;
  if (gone + bad > 0) {
    throw new Failure(
      `Verification failed: ${formatCount(gone)} missing, ${formatCount(bad)} corrupted or unreadable`,
      {
        exit: EXIT.failure,
        remedy: remedyOf(here),
      },
    );
  }
  if (cloud !== undefined && !cloud.complete) {
    throw new Failure("Not everything that is selected in iCloud is here", {
      exit: EXIT.failure,
      remedy: "Run `kei sync`, then verify again.",
    });
  }
  return EXIT.ok;
}

function remedyOf({ missing, truncated, corrupted, noPath }: VerifyResult): string {
  if (corrupted > 0)
    return "Move a damaged file away, then `kei reconcile` and `kei sync` fetch it again if it is still selected in iCloud.";
  if (missing + truncated + noPath > 0)
    return "`kei reconcile` marks them, and the next `kei sync` fetches again what is still selected in iCloud.";
  return "Check the disk and the permissions of the download folder.";
}

async function alone(
  context: CommandContext,
  options: VerifyOptions,
  listener: CheckListener,
): Promise<Findings | undefined> {
  const { verify: act } = await context.sync();
  const here = await act(
    { ...catalogueOf(context), directory: directoryOf(context) },
    options,
    listener,
    portsOf(context),
  );
  return here === undefined ? undefined : { here, cloud: undefined };
}

async function withCloud(
  given: CommandContext,
  options: VerifyOptions,
  listener: CheckListener,
  shown: DisplayOptions,
): Promise<Findings> {
  const { verifyComplete } = await given.sync();
  return withProgress(
    given,
    (display, context) =>
      verifyComplete(syncSettingsOf(context), options, listener, { ...portsOf(context), onProgress: display.show }),
    shown,
  );
}

/** What only matters to the question about iCloud must not be passed over in silence. */
function refuseUnused({ resolved }: CommandContext): void {
  for (const name of SETTING_NAMES) {
    const { on, flag } = settingOf(name);
    if ((on === "library" || on === "selection" || on === "account") && resolved.origins[name] === "flag")
      throw new UsageError(`--${flag} matters only when iCloud is asked`, "Add --complete, or leave it out.");
  }
}

function damagedIn({ missing, truncated, corrupted, unreadable, noPath }: VerifyResult): number {
  return missing + truncated + corrupted + unreadable + noPath;
}

/** `waiting`: files that are not saved, where nothing else tells of them. */
function resultsOf(here: VerifyResult, checksums: boolean, waiting: number): string[] {
  const some = (count: number) => (count > 0 ? count : undefined);
  const lines = resultLines([
    ["Verified", here.verified],
    ["Missing", here.missing + here.noPath],
    ["Corrupted", checksums ? here.corrupted + here.unreadable : undefined],
    ["Truncated", some(here.truncated)],
    ["Unreadable", checksums ? undefined : some(here.unreadable)],
    ["Unverifiable", some(here.unverifiable)],
  ]);
  const notes = [
    ...(here.unverifiable > 0
      ? ["Unverifiable: they are there, but Apple gave no checksum of theirs that can be computed."]
      : []),
    ...(waiting > 0 ? [`${plural(waiting, "more file")} not saved; \`kei status\` says why.`] : []),
    ...(checksums ? [`${formatBytes(here.bytesRead)} were read.`] : []),
  ];
  return notes.length === 0 ? lines : [...lines, "", ...notes];
}

function figures({ here, cloud }: Findings) {
  const { verified, missing, truncated, corrupted, unreadable, noPath, unverifiable, waiting, bytesRead } = here;
  return {
    verified,
    missing,
    truncated,
    corrupted,
    unreadable,
    no_path: noPath,
    unverifiable,
    waiting,
    bytes_read: bytesRead,
    stopped: here.stopped || cloud?.stopped === true,
    icloud:
      cloud === undefined
        ? null
        : {
            listed: cloud.listed,
            left_out: cloud.leftOut,
            not_saved: cloud.notSaved,
            not_saved_bytes: cloud.bytes,
            issues: cloud.issues,
            unlisted: cloud.unlisted,
            complete: cloud.complete && damagedIn(here) === 0,
          },
  };
}
