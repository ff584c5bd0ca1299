import { every } from "../runtime/clock.ts";
import { MovingLine } from "../ui/moving-line.ts";
import { type DisplayOptions, ProgressDisplay } from "../ui/progress.ts";
import { type CommandContext, isFriendly } from "./context.ts";

/** How progress is shown to the person who looks on: by one moving line, or now and then by a line of the log. */
export function displayOptions(context: CommandContext): DisplayOptions {
  const { settings, terminal, clock, log } = context;
  return {
    clock,
    moving: new MovingLine(terminal.err),
    live: isFriendly(context) && settings.progressBar,
    columns: terminal.columns,
    say: (line) => log.info(line),
    every,
  };
}

/**
 * Shows progress while `act` runs, in the context that it is given: there, what is logged passes above the moving line and
 * a question takes its place. Nothing of it stays, also when the process is ended at once.
 */
export async function withProgress<T>(
  given: CommandContext,
  act: (display: ProgressDisplay, context: CommandContext) => Promise<T>,
  options: DisplayOptions = displayOptions(given),
): Promise<T> {
  const { terminal, log } = given;
  const display = new ProgressDisplay(options);
  const readLine: CommandContext["terminal"]["readLine"] = (question, how) => {
    display.end();
    return terminal.readLine(question, how);
  };
  const takeBack = given.lastAct(() => display.end());
  log.through(display.line);
  try {
    return await act(display, { ...given, terminal: { ...terminal, readLine } });
  } finally {
    display.end();
    log.through(undefined);
    takeBack();
  }
}
