import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { leversBehind } from "../config/rules.ts";
import { accountKey } from "../library/account.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { nearestNames } from "../library/nearest.ts";
import { sumOf } from "../library/sum.ts";
import { privateFile } from "../runtime/private-file.ts";
import { readHealth } from "../serve/health.ts";
import type { Found, State } from "../state/index.ts";
import { noDatabaseJson } from "../ui/status-json.ts";
import { whyLines } from "../ui/why.ts";
import type { WhyFacts } from "../ui/why-facts.ts";
import { whyJson } from "../ui/why-json.ts";
import { catalogueFiles, document, FIRST_RUN, openCatalogue } from "./catalogue.ts";
import { type CommandContext, dataDirOf, usernameOf } from "./context.ts";

/** Photos that are looked into. */
const LIMIT = 200;
/** Names among which the nearest are looked for. */
const CANDIDATES = 2_000;

/** `kei why NAME-OR-ID`: where one photo is, or what keeps it away. Ends with 0 when something was found, else with 1. */
export async function why(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal, positionals } = context;
  const path = catalogueFiles(context).database;
  const state = await openCatalogue(context);
  if (state === undefined) {
    const text = `No state database found at ${path}\n${FIRST_RUN}`;
    terminal.out(settings.json ? document(noDatabaseJson("why", path, FIRST_RUN)) : `${text}\n`);
    return EXIT.failure;
  }
  try {
    const word = positionals[0] ?? "";
    const paths = await pathsMeant(word, context);
    const nextAt = await nextRun(context);
    const facts = state.snapshot(() => factsOf(word, paths, nextAt, state, context));
    const width = terminal.outIsTerminal ? terminal.columns() : Number.POSITIVE_INFINITY;
    terminal.out(settings.json ? document(whyJson(facts)) : `${whyLines(facts, width).join("\n")}\n`);
    return facts.assets.length > 0 || facts.records.length > 0 ? EXIT.ok : EXIT.failure;
  } finally {
    state.close();
  }
}

function factsOf(
  word: string,
  paths: readonly string[],
  nextAt: number | undefined,
  state: State,
  { settings, resolved, clock }: CommandContext,
): WhyFacts {
  const found = find(word, paths, state);
  const assets = (found?.assets ?? []).flatMap(({ library, id }) => {
    const story = state.story(library, id);
    if (story === undefined) return [];
    const { rule, kind } = story.asset;
    return [{ story, levers: rule === undefined ? [] : leversBehind(rule, kind, resolved) }];
  });
  const records = assets.length > 0 ? [] : state.issuesOf(word);
  const isMissing = assets.length === 0 && records.length === 0;
  return {
    word,
    fit: found?.fit,
    assets,
    more: found?.more ?? false,
    records,
    near: isMissing ? nearestNames(word, state.namesNear(word, CANDIDATES)) : [],
    cap: settings.perAsset,
    now: clock.now(),
    nextAt,
    asOf: state.lastWholeRun(),
    unusable: isMissing ? sumOf(state.totals(settings.perAsset).issues) : 0,
    unfinished: state.unfinishedScans(),
    libraries: settings.libraries,
  };
}

/** A path means one file, and wins over names; a name may be typed composed or decomposed. */
function find(word: string, paths: readonly string[], state: State): Found | undefined {
  const spellings = [...new Set([word, word.normalize("NFC"), word.normalize("NFD")])];
  const atPath = state.findPath(
    [...paths, ...spellings.filter((spelling) => spelling.includes("/"))].flatMap((path) => [
      path,
      path.normalize("NFC"),
      path.normalize("NFD"),
    ]),
    LIMIT,
  );
  if (atPath !== undefined) return atPath;
  for (const spelling of spellings) {
    const found = state.findWord(spelling.replace(/^\.\//, ""), LIMIT);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The word as a path below the download folder: as it is typed, from where kei was started, and with links followed. */
async function pathsMeant(word: string, { settings, cwd }: CommandContext): Promise<readonly string[]> {
  const { directory } = settings;
  if (directory === undefined || word === "") return [];
  const typed = resolve(cwd, word);
  const real = await Promise.all([typed, directory].map(followed));
  const [realTyped = typed, realDirectory = directory] = real;
  return [below(directory, typed), below(realDirectory, realTyped)].filter((path) => path !== undefined);
}

/** Where a path leads when links are followed; itself when nothing is there. */
async function followed(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    // A file that has vanished is asked about, too; whatever else is wrong with the path, it is only a word here.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return path;
  }
}

/** Relative to the folder, as the catalogue writes paths; undefined for what is not below it. */
function below(folder: string, path: string): string | undefined {
  const inside = relative(folder, path);
  const isOutside = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return inside === "" || isOutside ? undefined : inside.split(sep).join("/");
}

async function nextRun(context: CommandContext): Promise<number | undefined> {
  const { settings, clock } = context;
  const account = accountKey(settings.domain, usernameOf(context));
  const health = await readHealth(dataDirOf(context), account, (path) => privateFile(path).read());
  const next = health?.nextSyncAt;
  return next === undefined || next <= clock.now() ? undefined : next;
}
