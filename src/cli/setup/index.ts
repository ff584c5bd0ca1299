import { checkTogether } from "../../config/derive.ts";
import { type ConfigFile, findConfigFile } from "../../config/paths.ts";
import { type Flags, type Resolved, resolveSettings } from "../../config/resolve.ts";
import { SETTING_NAMES, settingOf } from "../../config/settings.ts";
import { renderToml } from "../../config/toml.ts";
import { EXIT, type ExitCode, Failure } from "../../library/failure.ts";
import { PromptInterrupted, type Terminal } from "../../runtime/process.ts";
import { escapeControls } from "../../ui/format.ts";
import type { Log } from "../../ui/logger.ts";
import { wrap } from "../../ui/wrap.ts";
import type { CommandContext } from "../context.ts";
import { askChoice, askYesNo, type Person } from "./ask.ts";
import { fileText, settingsOfFile, writeConfiguration } from "./file-text.ts";
import { type FolderFacts, lookAtFolder, makeFolder, suggestedFolder } from "./folder.ts";
import { same } from "./keep.ts";
import { nextSteps } from "./next-steps.ts";
import { preview } from "./preview.ts";
import { askSettings, type Values, type World } from "./questions.ts";
import { offerSignIn, sentence } from "./sign-in.ts";
import { askStart } from "./start.ts";

/**
 * `kei config setup`: makes the configuration in a conversation. Nothing is written before the last yes; Ctrl+C ends it at
 * any question.
 */
export async function setup(given: CommandContext): Promise<ExitCode> {
  const { terminal, stop, log, settings, resolved } = given;
  if (!terminal.inIsTerminal || !terminal.errIsTerminal) {
    throw new Failure("`kei config setup` asks questions, and there is no terminal to answer at", {
      exit: EXIT.failure,
      remedy: "Write `kei sync -u you@example.com -d FOLDER` instead: it remembers both.",
    });
  }
  // A broken file is what this command mends; variables are not.
  await resolveSettings({}, { ...resolved.file, exists: false }, given.env, given.cwd);
  // What is only of interest in a log would get between the questions.
  const quiet: Log = log.level === "debug" ? log : { ...log, info: () => undefined };
  const context = { ...given, log: quiet, terminal: wrapping(terminal) };
  const person = personAt(context);
  const file =
    settings.output === undefined ? resolved.file : findConfigFile(settings.output, context.env, context.cwd);
  const progress = { written: false };
  try {
    return await converse(context, person, file, progress);
  } catch (error) {
    const ended = error instanceof PromptInterrupted || stop.aborted;
    if (ended && !progress.written) person.say("\nEnded; no configuration was written.");
    throw error;
  }
}

function personAt({ terminal, stop }: CommandContext): Person {
  return {
    say: (text) => {
      for (const line of wrap(text, widthOf(terminal))) terminal.err(`${escapeControls(line)}\n`);
    },
    show: (line) => terminal.err(`${escapeControls(line)}\n`),
    ask: (question) => terminal.readLine(question, { hidden: false, signal: stop }),
  };
}

function widthOf({ columns }: Terminal): number {
  return Math.min(80, columns());
}

/** A terminal whose questions are broken into lines, too. */
function wrapping(terminal: Terminal): Terminal {
  return {
    ...terminal,
    readLine: (question, options) => {
      const blank = /\s*$/.exec(question)?.[0] ?? "";
      // Room for the answer, at least for a code or a word.
      const lines = wrap(question.trimEnd(), widthOf(terminal) - 10);
      for (const line of lines.slice(0, -1)) terminal.err(`${line}\n`);
      return terminal.readLine(`${lines.at(-1) ?? ""}${blank.slice(0, 1)}`, options);
    },
  };
}

const WELCOME = `kei saves your iCloud photos to a folder of yours, and only ever reads from iCloud. A few questions, and it is set up.
Enter takes what stands in [brackets]. Ctrl+C ends this at any time; nothing is written before the end.`;

async function converse(
  context: CommandContext,
  person: Person,
  file: ConfigFile,
  progress: { written: boolean },
): Promise<ExitCode> {
  const { env } = context;
  person.say(WELCOME);
  const start = await askStart(person, file, context);
  if (start === undefined) {
    person.say("Nothing was changed.");
    return EXIT.ok;
  }
  const world: World = {
    suggestion: await suggestedFolder(env),
    lookAt: (folder) => lookAtFolder(folder, env, context.cwd),
  };
  const agreed = await agree(context, person, file, start, world);
  if (agreed === undefined) {
    person.say("No configuration was written.");
    return EXIT.ok;
  }
  const { folder } = agreed;
  await makeFolder(folder);
  const copy = await writeConfiguration(file.path, agreed.text, file.exists);
  progress.written = true;
  person.say(`Written: ${file.path}${copy === undefined ? "" : `; the earlier one is ${copy}`}`);
  const done = { ...file, exists: true };
  await tellWhatCountsBefore(agreed.values, context, done, person);
  const code = (await askYesNo(person, "Begin with the first sync now?", true))
    ? await firstSync(context, done)
    : EXIT.ok;
  person.say("\nFrom now on:");
  for (const line of nextSteps(agreed.values, done, env)) person.show(line);
  return code;
}

/** An environment variable that says otherwise would make the answers look as if they were forgotten. */
async function tellWhatCountsBefore(
  values: Values,
  context: CommandContext,
  file: ConfigFile,
  person: Person,
): Promise<void> {
  const { origins, settings } = (await contextWith({}, context, file)).resolved;
  for (const name of SETTING_NAMES) {
    if (origins[name] !== "env" || values[name] === undefined || same(values[name], settings[name])) continue;
    person.say(`The variable ${settingOf(name).env} of your environment counts before this file.`);
  }
}

interface Agreed {
  readonly values: Values;
  readonly folder: FolderFacts;
  readonly text: string;
}

/** Asks, signs in and shows, until the person says yes to it or stops. */
async function agree(
  context: CommandContext,
  person: Person,
  file: ConfigFile,
  { values: known, before }: { readonly values: Values; readonly before: Values },
  world: World,
): Promise<Agreed | undefined> {
  let values = known;
  for (;;) {
    values = await askSettings(person, values, world);
    const draft = await contextWith(values, context, { ...file, exists: false });
    const contradiction = contradictionIn(draft.resolved, context.clock.now());
    if (contradiction !== undefined) {
      person.say(`That does not go together: ${contradiction}. Please answer once more.`);
      continue;
    }
    const folder = await world.lookAt(String(values.directory));
    person.say("\nYour account at Apple");
    const signedIn = await offerSignIn(draft, person);
    if (signedIn === "back") continue;
    if (signedIn === "yes") await offerPreview(draft, person, folder);
    person.say(`\nThis will be written to ${file.path}:\n`);
    const settings = settingsOfFile(values, before);
    const plain = settings.map(({ key, value }) => ({ key, value }));
    for (const line of renderToml(plain).trimEnd().split("\n")) person.show(`  ${line}`.trimEnd());
    person.say("");
    const chosen = await askChoice(person, "Is it right?", [
      { label: "Yes, write it", value: "write" },
      { label: "No, let me change the answers", value: "change" },
      { label: "Stop, and write nothing", value: "stop" },
    ]);
    if (chosen === "stop") return undefined;
    if (chosen === "write") return { values, folder, text: fileText(settings) };
  }
}

function contradictionIn(resolved: Resolved, now: number): string | undefined {
  try {
    checkTogether(resolved, now);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

async function offerPreview(draft: CommandContext, person: Person, folder: FolderFacts): Promise<void> {
  person.say("kei can count now what there is to save. In a large library that takes some minutes.");
  if (!(await askYesNo(person, "Count?", true))) return;
  try {
    await preview(draft, person, folder);
  } catch (error) {
    if (!(error instanceof Failure) || draft.stop.aborted) throw error;
    person.say(`It could not be counted. ${sentence(error)}`);
  }
}

/** A context in which these settings count; a password that was given in the environment or by flag still does. */
async function contextWith(values: Values, context: CommandContext, file: ConfigFile): Promise<CommandContext> {
  const { password } = context.settings;
  const found = await resolveSettings(values as Flags, file, context.env, context.cwd);
  const resolved: Resolved = {
    ...found,
    settings: { ...found.settings, password },
    origins: { ...found.origins, password: context.resolved.origins.password },
  };
  return { ...context, resolved, settings: resolved.settings };
}

/** One run, whatever the file says about many: who wants to see it work wants to see it end. */
async function firstSync(context: CommandContext, file: ConfigFile): Promise<ExitCode> {
  const { sync } = await import("../sync.ts");
  const ready = await contextWith({}, context, file);
  const settings = { ...ready.settings, noWatch: true };
  return sync({ ...ready, settings, resolved: { ...ready.resolved, settings } });
}
