import { type Environment, findConfigFile } from "../config/paths.ts";
import { resolveSettings } from "../config/resolve.ts";
import { passwordlessEnvironment } from "../config/secrets.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import type { Keyring } from "../runtime/keyring.ts";
import type { Clock, Random } from "../runtime/ports.ts";
import { COMMIT, PromptInterrupted, type Terminal, VERSION } from "../runtime/process.ts";
import type { SyncApi } from "../sync/types.ts";
import { escapeControls } from "../ui/format.ts";
import { createLog, type Log } from "../ui/logger.ts";
import { type CommandContext, isFriendly } from "./context.ts";
import { helpFor } from "./help.ts";
import { type Parsed, parseCommandLine } from "./parse.ts";
import { Stopper } from "./stopper.ts";

/** Everything the program takes from outside; tests replace it. */
export interface Outside {
  readonly env: Environment;
  readonly cwd: string;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  /** Calls back for every stop signal until the returned function is called. */
  readonly onStopSignals: (onSignal: (name: string) => void) => () => void;
  /** Calls back for an error that nobody caught, until the returned function is called. */
  readonly onCrash: (crashed: (error: unknown) => void) => () => void;
  /** Ends the process at once; for a second signal, for what does not end by itself, and after a crash. */
  readonly exitNow: (code: ExitCode) => void;
  readonly loadSync: () => Promise<SyncApi>;
  /** The system's store for secrets; absent: there is none. */
  readonly keyring?: () => Keyring | undefined;
}

/** Runs one command line and returns the exit code. Never throws: every failure ends as one line on stderr, also a crash. */
export async function main(argv: readonly string[], given: Outside): Promise<ExitCode> {
  const { terminal } = given;
  const lastActs = new Set<() => void>();
  const exitNow = (code: ExitCode): void => {
    for (const act of lastActs) act();
    given.exitNow(code);
  };
  const outside: Outside = { ...given, exitNow };
  const lastAct = (act: () => void): (() => void) => {
    lastActs.add(act);
    return () => lastActs.delete(act);
  };
  let log: Log | undefined;
  const uncrash = outside.onCrash((error) => exitNow(report(error, log, terminal)));
  try {
    const parsed = parseCommandLine(argv);
    if (parsed.version) {
      terminal.out(`kei ${VERSION} (${COMMIT})\n`);
      return EXIT.ok;
    }
    if (parsed.help || parsed.spec?.run === undefined) {
      const width = terminal.outIsTerminal ? Math.min(100, terminal.columns()) : 80;
      terminal.out(await helpFor(parsed.command, { color: hasColor(outside, terminal.outIsTerminal), width }));
      return parsed.help ? EXIT.ok : EXIT.usage;
    }
    const { resolved, problems } = await settingsFor(parsed, outside);
    log = createLog({
      level: resolved.settings.logLevel,
      write: (line) => terminal.err(`${line}\n`),
      clock: outside.clock,
      pretty: isFriendly({ settings: resolved.settings, terminal, env: outside.env }),
      color: hasColor(outside, terminal.errIsTerminal),
      columns: terminal.columns,
    });
    return await run(
      parsed,
      parsed.spec.run,
      { resolved, settings: resolved.settings, problems, lastAct },
      log,
      outside,
    );
  } catch (error) {
    return report(error, log, terminal);
  } finally {
    uncrash();
  }
}

/** Throws `Failure` for settings that can't be used, unless the command runs anyway. */
async function settingsFor(
  { config, flags, spec }: Parsed,
  { env, cwd }: Outside,
): Promise<Pick<CommandContext, "resolved" | "problems">> {
  if (spec?.anyway === true) return await (await import("../config/lenient.ts")).resolveAnyway(flags, config, env, cwd);
  return { resolved: await resolveSettings(flags, findConfigFile(config, env, cwd), env, cwd), problems: [] };
}

async function run(
  parsed: Parsed,
  command: NonNullable<NonNullable<Parsed["spec"]>["run"]>,
  given: Pick<CommandContext, "resolved" | "settings" | "problems" | "lastAct">,
  log: Log,
  outside: Outside,
): Promise<ExitCode> {
  const { clock, random, terminal, loadSync } = outside;
  if (given.resolved.origins.password === "flag") {
    log.warn("a password on the command line can be seen by other users of this machine");
  }
  const stopper = new Stopper(outside, log);
  try {
    return await command({
      ...given,
      positionals: parsed.positionals,
      env: passwordlessEnvironment(outside.env),
      cwd: outside.cwd,
      terminal,
      log,
      clock,
      random,
      stop: stopper.stop,
      cancel: stopper.cancel,
      keyring: outside.keyring,
      sync: loadSync,
    });
  } catch (error) {
    // A sync that was cut off by a stop keeps what it has and goes on next time; no other command has done its work.
    if (stopper.stop.aborted && !(error instanceof Failure) && !(error instanceof PromptInterrupted)) {
      log.debug("stopped", { while: String(error) });
      return parsed.command[0] === "sync" && !stopper.cancel.aborted ? EXIT.ok : EXIT.forced;
    }
    throw error;
  } finally {
    stopper.end();
  }
}

function report(error: unknown, log: Log | undefined, terminal: Terminal): ExitCode {
  if (error instanceof PromptInterrupted) return EXIT.forced;
  const say = (text: string) => {
    for (const line of (log?.mask(text) ?? text).split("\n")) terminal.err(`${escapeControls(line)}\n`);
  };
  say(`Error: ${inWords(error).replaceAll("\n", " ")}`);
  if (log?.level === "debug" && error instanceof Error) say(stackOf(error));
  return error instanceof Failure ? error.exit : EXIT.failure;
}

function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Failure)) {
    return `kei has met something it was not made for: ${message}. Please report it with a log of --log-level debug.`;
  }
  return `${message.replace(/\.$/, "")}${error.remedy === undefined ? "" : `. ${error.remedy}`}`;
}

/** The stacks of an error and what caused it; only for those who asked for debug logs. */
function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}

/** no-color.org: any non-empty NO_COLOR; FORCE_COLOR wins over the missing terminal only. */
function hasColor({ env }: Outside, isTerminal: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return false;
  const forced = env["FORCE_COLOR"] ?? "";
  return isTerminal || (forced !== "" && forced !== "0");
}
