import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { csvManifest, jsonManifest } from "../ui/manifest.ts";
import { catalogueFiles, FIRST_RUN, openCatalogue } from "./catalogue.ts";
import type { CommandContext } from "./context.ts";

/** Characters that are written at once. */
const CHUNK = 64 * 1024;

/** `kei manifest`: every file there is, on stdout, written as fast as it is read. Throws `Failure` without a catalogue. */
export async function manifest(context: CommandContext): Promise<ExitCode> {
  const { settings, terminal, stop } = context;
  const state = await openCatalogue(context);
  if (state === undefined)
    throw new Failure(`No state database found at ${catalogueFiles(context).database}`, {
      exit: EXIT.failure,
      remedy: FIRST_RUN,
    });
  try {
    const rows = state.manifest();
    const pieces = settings.manifestFormat === "csv" ? csvManifest(rows, terminal.outIsTerminal) : jsonManifest(rows);
    let chunk = "";
    for (const piece of pieces) {
      chunk += piece;
      if (chunk.length < CHUNK) continue;
      terminal.out(chunk);
      chunk = "";
      await terminal.outTaken?.(stop);
    }
    terminal.out(chunk);
    return EXIT.ok;
  } finally {
    state.close();
  }
}
