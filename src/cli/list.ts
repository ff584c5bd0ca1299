import { EXIT, type ExitCode } from "../library/failure.ts";
import { escapeControls, formatCount } from "../ui/format.ts";
import { accountOf, type CommandContext, portsOf } from "./context.ts";

/** `kei list libraries`: one library a line, with the word that selects it. */
export async function libraries(context: CommandContext): Promise<ExitCode> {
  const { listLibraries } = await context.sync();
  const lines = await listLibraries(accountOf(context), portsOf(context), asked(context));
  for (const { zone, selector, kind, count } of lines) {
    context.terminal.out(`${zone}  --library ${selector}  ${kind}  ${counted(count)}\n`);
  }
  return EXIT.ok;
}

/** `kei list albums`: the albums of each library, folders before their albums. */
export async function albums(context: CommandContext): Promise<ExitCode> {
  const { listAlbums } = await context.sync();
  const listed = await listAlbums(accountOf(context), portsOf(context), asked(context));
  for (const { library, albums: lines, unsupported } of listed) {
    context.terminal.out(`Library: ${library}\n`);
    for (const { path, count } of lines) context.terminal.out(`  ${escapeControls(path)}  (${counted(count)})\n`);
    if (lines.length === 0) context.terminal.out("  no albums\n");
    for (const name of unsupported) context.terminal.out(`  not available: ${escapeControls(name)}\n`);
  }
  return EXIT.ok;
}

/** What is asked for here and now; what a sync saves by its configuration is another question. */
function asked({ settings, resolved }: CommandContext): readonly string[] | undefined {
  return resolved.origins.libraries === "flag" ? settings.libraries : undefined;
}

function counted(count: number | undefined): string {
  return count === undefined ? "not counted" : `${formatCount(count)} photos`;
}
