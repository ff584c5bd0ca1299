import { existsSync } from "node:fs";
import { accountFiles } from "../library/account.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { databaseFiles } from "../state/index.ts";
import { plural } from "../ui/format.ts";
import { catalogueFiles, catalogueOf, databaseOf } from "./catalogue.ts";
import { type CommandContext, portsOf } from "./context.ts";

/** `kei reset state`: forgets what is saved, not the files. A piped `y` agrees, too (cli.md 5.8). */
export async function resetState(context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const path = catalogueFiles(context).database;
  if (databaseFiles(path).length === 0) return nothingThere(path, context);
  const question = `Delete the state database ${path}? The saved photos stay. [y/N] `;
  if (!(await agreed(context, question))) return cancelled(context);
  const { resetState: act } = await context.sync();
  for (const gone of await act(catalogueOf(context), portsOf(context))) terminal.out(`Deleted ${gone}\n`);
  terminal.out(
    "The photos are where they were. The next `kei sync` lists everything, recognises them by their content and fetches\nnothing twice.\n",
  );
  return EXIT.ok;
}

/** `kei reset sync-token`: the next sync lists everything anew. */
export async function resetSyncToken(context: CommandContext): Promise<ExitCode> {
  const { path, exists } = databaseOf(context);
  if (!exists) return nothingThere(path, context);
  const question = `Forget how far the changes in iCloud were followed, so that the next sync lists everything? [y/N] `;
  if (!(await agreedAtTerminal(context, "reset sync-token", question))) return cancelled(context);
  const { resetSyncTokens } = await context.sync();
  const zones = await resetSyncTokens(catalogueOf(context), portsOf(context));
  if (zones === undefined) return nothingThere(path, context);
  context.terminal.out(
    `Cleared sync tokens of ${plural(zones, "library", "libraries")}.\nThe next \`kei sync\` lists everything; what is saved is not fetched again.\n`,
  );
  return EXIT.ok;
}

/** `kei reset session`: the next sign-in needs password and code. */
export async function resetSession(context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const { dataDir, domain, username } = catalogueOf(context);
  const { session, cookies, cache } = accountFiles(dataDir, domain, username);
  if (![session, cookies, cache].some((path) => existsSync(path))) {
    terminal.out("There is no saved session.\n");
    return EXIT.ok;
  }
  const question = `Forget the session of ${username}? The next sign-in needs the password and a code. [y/N] `;
  if (!(await agreedAtTerminal(context, "reset session", question))) return cancelled(context);
  const { resetSession: act } = await context.sync();
  for (const gone of await act(catalogueOf(context), portsOf(context))) terminal.out(`Deleted ${gone}\n`);
  terminal.out("Sign in again with `kei login`.\n");
  return EXIT.ok;
}

/** Only `y` agrees. */
async function agreed({ settings, terminal, stop }: CommandContext, question: string): Promise<boolean> {
  if (settings.yes) return true;
  // From a pipe the answer is taken without being asked for; it should still be seen what it answers.
  if (!terminal.inIsTerminal) terminal.err(`${question}\n`);
  const answer = await terminal.readLine(question, { hidden: false, signal: stop });
  return answer.trim().toLowerCase() === "y";
}

/** Scripts have to say `--yes`. */
async function agreedAtTerminal(context: CommandContext, command: string, question: string): Promise<boolean> {
  if (!context.settings.yes && !context.terminal.inIsTerminal) {
    throw new Failure(`\`kei ${command}\` asks before it does anything, and there is no terminal to ask at`, {
      exit: EXIT.failure,
      remedy: `Add --yes: \`kei ${command} --yes\`.`,
    });
  }
  return await agreed(context, question);
}

function cancelled({ terminal }: CommandContext): ExitCode {
  terminal.out("Cancelled.\n");
  return EXIT.ok;
}

function nothingThere(path: string, { terminal }: CommandContext): ExitCode {
  terminal.out(`No state database found at ${path}\n`);
  return EXIT.ok;
}
