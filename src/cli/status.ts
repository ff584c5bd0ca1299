import { accountKey } from "../library/account.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { privateFile } from "../runtime/private-file.ts";
import { readHealth } from "../serve/health.ts";
import type { RenditionStatus, State } from "../state/index.ts";
import { breakUntil } from "../sync/apple-break.ts";
import { standingOf } from "../sync/standing.ts";
import { escapeControls, formatTime } from "../ui/format.ts";
import { failureLine, statusLines } from "../ui/status.ts";
import type { ListedFailure, StatusFacts } from "../ui/status-facts.ts";
import { noDatabaseJson, statusJson } from "../ui/status-json.ts";
import { catalogueFiles, document, FIRST_RUN, openCatalogue } from "./catalogue.ts";
import { type CommandContext, dataDirOf, usernameOf } from "./context.ts";

/** Runs that are shown. */
const RUNS = 5;
/** Most lines of one list. */
const LIST_LIMIT = 200;

/** `kei status`: how far the backup is. Reads only; needs neither password nor network. */
export async function status(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal } = context;
  const path = catalogueFiles(context).database;
  const state = await openCatalogue(context);
  if (state === undefined) {
    const text = `No state database found at ${path}\n${FIRST_RUN}`;
    terminal.out(settings.json ? document(noDatabaseJson("status", path, FIRST_RUN)) : `${text}\n`);
    return EXIT.ok;
  }
  try {
    const known = state.snapshot(() => readKnown(state, context));
    const facts = await withSurroundings(known, context);
    if (settings.json) {
      terminal.out(document(statusJson(facts, path, asked(state, context))));
      return EXIT.ok;
    }
    const width = terminal.outIsTerminal ? terminal.columns() : Number.POSITIVE_INFINITY;
    const lines = [...statusLines(facts, width), ...lists(state, facts.totals, context).map(escapeControls)];
    terminal.out(`${lines.join("\n")}\n`);
    return EXIT.ok;
  } finally {
    state.close();
  }
}

type Known = Omit<StatusFacts, "health" | "standing">;

/** What the catalogue says, all of it at one moment. */
function readKnown(state: State, { settings, clock }: CommandContext): Known {
  const now = clock.now();
  return {
    now,
    cap: settings.perAsset,
    totals: state.totals(settings.perAsset),
    shared: state.sharedAssets(),
    runs: state.lastRuns(RUNS),
    failures: state.listFiles("failed", LIST_LIMIT),
    failedKinds: state.failedKinds(settings.perAsset),
    unfinished: state.unfinishedScans().map((library) => ({ library, since: state.unfinishedScan(library) })),
    lastWholeRun: state.lastWholeRun(),
    breakUntil: breakUntil(state, now),
    directory: settings.directory,
  };
}

/** With what lies beside the catalogue: the notes of the last runs, the session, the download folder. */
async function withSurroundings(known: Known, context: CommandContext): Promise<StatusFacts> {
  const { settings, clock } = context;
  const account = accountKey(settings.domain, usernameOf(context));
  return {
    ...known,
    health: await readHealth(dataDirOf(context), account, (path) => privateFile(path).read()),
    standing: await standingOf(
      catalogueFiles(context),
      {
        directory: settings.directory,
        hasDownloads: known.totals.files.downloaded > 0,
        hasOpenRun: known.runs[0]?.status === "running",
      },
      clock,
    ),
  };
}

function asked(state: State, { settings }: CommandContext): Parameters<typeof statusJson>[2] {
  return {
    ...(settings.showPending ? { pending: state.listFiles("pending", LIST_LIMIT) } : {}),
    ...(settings.showDownloaded ? { downloaded: state.listFiles("downloaded", LIST_LIMIT) } : {}),
  };
}

function lists(state: State, { files }: StatusFacts["totals"], { settings }: CommandContext): string[] {
  return [
    ...(settings.showFailed ? list(state, "failed", files.failed, "Failed files:") : []),
    ...(settings.showPending ? list(state, "pending", files.pending, "Pending files:") : []),
    ...(settings.showDownloaded ? list(state, "downloaded", files.downloaded, "Saved files:") : []),
  ];
}

function list(state: State, kind: RenditionStatus, total: number, heading: string): string[] {
  if (total === 0) return [];
  const lines = state.listFiles(kind, LIST_LIMIT).map((file) => `  ${listLine(kind, file)}`);
  const more = total - lines.length;
  return ["", heading, ...lines, ...(more > 0 ? [`... and ${more} more (listing capped at ${LIST_LIMIT})`] : [])];
}

function listLine(kind: RenditionStatus, file: ListedFailure): string {
  const seen = file.seenAt === undefined ? "" : `, last seen: ${formatTime(file.seenAt)}`;
  const name = `${file.filename ?? "unnamed"} (${file.asset})`;
  if (kind === "downloaded") return `${name} -> ${file.path ?? "<MISSING local_path>"}`;
  if (kind === "failed") return `${failureLine(file)}${seen}`;
  return `${name} - attempts: ${file.attempts}${seen}`;
}
