import { accountFiles } from "../library/account.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { openStateReadOnly, type RenditionStatus, type State, type Totals } from "../state/index.ts";
import { escapeControls, formatTime } from "../ui/format.ts";
import { failureLine, statusLines } from "../ui/status.ts";
import { type CommandContext, dataDirOf, usernameOf } from "./context.ts";

/** Runs that are shown. */
const RUNS = 5;
/** Most lines of one list. */
const LIST_LIMIT = 200;

/** `kei status`: how far the backup is. Reads only; needs neither password nor network. */
export async function status(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal, clock, log } = context;
  const username = usernameOf(context);
  const { domain } = settings;
  const path = accountFiles(dataDirOf(context), domain, username).database;
  const state = await openStateReadOnly({ path, domain, username, clock, logger: log });
  if (state === undefined) {
    terminal.out(`No state database found at ${path}\nRun \`kei sync\` once to make the first backup.\n`);
    return EXIT.ok;
  }
  try {
    const cap = settings.perAsset;
    const facts = {
      totals: state.totals(cap),
      runs: state.lastRuns(RUNS),
      failures: state.listFiles("failed", LIST_LIMIT),
      unfinished: state.unfinishedScans(),
    };
    const lines = [...statusLines(facts, cap), ...lists(state, facts.totals, context)];
    terminal.out(`${lines.map(escapeControls).join("\n")}\n`);
  } finally {
    state.close();
  }
  return EXIT.ok;
}

function lists(state: State, { files }: Totals, { settings }: CommandContext): string[] {
  return [
    ...(settings.showFailed ? list(state, "failed", files.failed, "Failed files:") : []),
    ...(settings.showPending ? list(state, "pending", files.pending, "Pending files:") : []),
    ...(settings.showDownloaded ? list(state, "downloaded", files.downloaded, "Saved files:") : []),
  ];
}

function list(state: State, kind: RenditionStatus, total: number, heading: string): string[] {
  if (total === 0) return [];
  const lines = state.listFiles(kind, LIST_LIMIT).map((file) => {
    const seen = file.seenAt === undefined ? "" : `, last seen: ${formatTime(file.seenAt)}`;
    const name = `${file.filename ?? "unnamed"} (${file.asset})`;
    if (kind === "downloaded") return `  ${name} -> ${file.path ?? "<MISSING local_path>"}`;
    if (kind === "failed") return `  ${failureLine(file)}${seen}`;
    return `  ${name} - attempts: ${file.attempts}${seen}`;
  });
  const more = total - lines.length;
  return ["", heading, ...lines, ...(more > 0 ? [`... and ${more} more (listing capped at ${LIST_LIMIT})`] : [])];
}
