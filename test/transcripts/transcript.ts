/** Transcripts: what each command says and how it ends, word by word, as a page that people can read and review. */

import { systemClock } from "../../src/runtime/clock.ts";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Home, type KeiResult, keiCommand, runInProcess } from "../support/kei.ts";

/** One command of a transcript. */
export interface Step {
  /** The words after `kei`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the contract says: the exit code, and words that must be among those said. The page can be written anew; this not. */
  readonly exit: number;
  readonly says?: readonly string[];
  /** What a reader has to know; stands above the command. */
  readonly note?: string;
  /** Done before the command. */
  readonly before?: (stage: Stage) => void | Promise<void>;
}

/** What a transcript is played on. */
export interface Stage {
  readonly double: Double;
  readonly home: Home;
}

/** Six photos, two albums, an account that wants a code; the same every time. */
export async function openStage(): Promise<Stage & { readonly close: () => Promise<void> }> {
  const library = createLibrary({ seed: 3, assets: 6, bytes: 2_000 });
  const double = await startDouble({ library, account: { signInLimit: 50 } });
  // What is shown of the settings is what a person has who has set none. No step watches.
  const home = new Home(double, { KEI_HTTP_ENABLED: "" });
  return {
    double,
    home,
    close: async () => {
      await double.stop();
      home.remove();
    },
  };
}

/** Plays the steps one after the other. Returns the page, and where a step did not keep to the contract. */
export async function play(
  stage: Stage,
  steps: readonly Step[],
): Promise<{ readonly page: string; readonly broken: readonly string[] }> {
  const page: string[] = [];
  const broken: string[] = [];
  for (const step of steps) {
    await step.before?.(stage);
    const result = await run(stage.home, step);
    if (step.note !== undefined) page.push(`# ${step.note}`);
    const env = Object.entries(step.env ?? {}).map(([name, value]) => `${name}=${quoted(value)}`);
    const command = [...env, "kei", ...step.args.map(quoted)].join(" ");
    const missing = (step.says ?? []).filter((words) => !`${result.stdout}${result.stderr}`.includes(words));
    if (result.code !== step.exit) broken.push(`${command}: exit ${result.code}, not ${step.exit}`);
    if (missing.length > 0) broken.push(`${command}: does not say ${missing.join(", ")}`);
    page.push(`$ ${command}`);
    page.push(...block("", result.stdout), ...block("! ", result.stderr), `[exit ${result.code}]`, "");
  }
  return { page: steady(page.join("\n"), stage.home.root), broken };
}

/** As a program of its own when a binary is tested, else in this process, which is faster. */
function run(home: Home, { args, env = {} }: Step): Promise<KeiResult> {
  if (keiCommand().length === 1) return home.run(args, env);
  return runInProcess(args, { env: { ...home.env, ...env }, cwd: home.root, clock: systemClock });
}

function block(mark: string, text: string): string[] {
  return text === ""
    ? []
    : text
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => `  ${mark}${line}`.trimEnd());
}

function quoted(text: string): string {
  return /^[\w@%+=:,./!{}-]+$/.test(text) ? text : `'${text}'`;
}

/** What differs from run to run and from machine to machine is replaced by a word for it. */
function steady(page: string, home: string): string {
  return page
    .replaceAll(home, "/home/me")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?/g, "<time>")
    .replaceAll(/as of \d\d:\d\d/g, "as of <time>")
    .replaceAll(/since \d{4}-\d\d-\d\d/g, "since <day>")
    .replaceAll(/downloaded \d{4}-\d\d-\d\d/g, "downloaded <date>")
    .replaceAll(/\b[0-9a-f]{16}\.(db|lock|session|cookies|cache|credential)/g, "<account>.$1")
    .replaceAll(/kei \d+\.\d+\.\d+\S* \([^)]+\)/g, "kei <version>")
    .replaceAll(/version=\S+ commit=\S+/g, "version=<version>")
    .replaceAll(/checked in [^.,;]+/g, "checked in <duration>");
}
