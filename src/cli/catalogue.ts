/** How the commands that only look at the catalogue open it. */
import { type AccountFiles, accountFiles } from "../library/account.ts";
import { openStateReadOnly, type State } from "../state/index.ts";
import { jsonText } from "../ui/format.ts";
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
