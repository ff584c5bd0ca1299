/** How the commands that only look at the catalogue open it. */
import { type AccountFiles, accountFiles } from "../library/account.ts";
import { EXIT, type ExitCode } from "../library/failure.ts";
import { hasDatabase, openStateReadOnly, type State } from "../state/index.ts";
import type { CatalogueSettings } from "../sync/check-types.ts";
import { jsonText } from "../ui/format.ts";
import { noDatabaseJson } from "../ui/status-json.ts";
import { type CommandContext, dataDirOf, usernameOf } from "./context.ts";

/** What a person is advised when there is no catalogue yet. */
export const FIRST_RUN = "Run `kei sync` once to make the first backup.";

/** Where the account's files are. Throws `Failure` when the settings name no account. */
export function catalogueFiles(context: CommandContext): AccountFiles {
  return accountFiles(dataDirOf(context), context.settings.domain, usernameOf(context));
}

/**
 * Opens the account's catalogue for reading, also beside a running sync and on read-only media; undefined when there is
 * none. Needs neither password nor lock nor network. Throws `Failure` for one that can't be read.
 */
export function openCatalogue(context: CommandContext): Promise<State | undefined> {
  const { settings, clock, log } = context;
  return openStateReadOnly({
    path: catalogueFiles(context).database,
    domain: settings.domain,
    username: usernameOf(context),
    clock,
    logger: log,
  });
}

/** One JSON document, as these commands print it. */
export function document(answer: object): string {
  return `${jsonText(JSON.stringify(answer, undefined, 2))}\n`;
}

/** Whose catalogue it is, for the calls that look after it. Throws `Failure` when the settings name no account. */
export function catalogueOf(context: CommandContext): Omit<CatalogueSettings, "directory"> {
  return { username: usernameOf(context), domain: context.settings.domain, dataDir: dataDirOf(context) };
}

/** The account's database, and whether it is there. Throws `Failure` when that can't be told, or when it was lost. */
export function databaseOf(context: CommandContext): { readonly path: string; readonly exists: boolean } {
  const path = catalogueFiles(context).database;
  return { path, exists: hasDatabase(path) };
}

/** Says that there is no catalogue yet, which is no error (cli.md 5). */
export function noCatalogue(path: string, command: string, { terminal, settings }: CommandContext): ExitCode {
  const text = `No state database found at ${path}\n${FIRST_RUN}\n`;
  terminal.out(settings.json ? document(noDatabaseJson(command, path, FIRST_RUN)) : text);
  return EXIT.ok;
}

/** The answer of a command over a catalogue, its form and its command first. */
export function jsonAnswer(
  command: string,
  database: { readonly path: string; readonly exists: boolean },
  answer: object,
): string {
  return document({ schema: 1, command, found: database.exists, database: database.path, ...answer });
}
