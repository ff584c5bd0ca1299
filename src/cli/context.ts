import { dirname } from "node:path";
import { passwordSource } from "../config/password.ts";
import type { Environment } from "../config/paths.ts";
import type { Resolved } from "../config/resolve.ts";
import type { Settings } from "../config/settings.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { Clock, Random } from "../runtime/ports.ts";
import type { Terminal } from "../runtime/process.ts";
import type { AccountSettings, Ports, Prompts, SyncApi } from "../sync/types.ts";
import type { Log } from "../ui/logger.ts";

/** What a command is given. */
export interface CommandContext {
  readonly settings: Settings;
  readonly resolved: Resolved;
  readonly positionals: readonly string[];
  readonly env: Environment;
  readonly terminal: Terminal;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when a stop was asked for. */
  readonly stop: AbortSignal;
  /** Aborts when the time to stop in order is over. */
  readonly cancel: AbortSignal;
  /** What is done even when a second signal ends the process: short, never throwing. Returned: the way to take it back. */
  readonly lastAct: (act: () => void) => () => void;
  /** Loaded when a command needs it. */
  readonly sync: () => Promise<SyncApi>;
}

/** The Apple ID that the settings name. Throws `Failure` (exit 1) when they name none. */
export function usernameOf({ settings }: CommandContext): string {
  if (settings.username !== undefined) return settings.username;
  throw new Failure("--username is required", {
    exit: EXIT.failure,
    remedy: "Give the Apple ID with -u EMAIL, the variable ICLOUD_USERNAME or [auth].username in the configuration.",
  });
}

/** The account that the settings name. Throws `Failure` (exit 1) when they name none. */
export function accountOf(context: CommandContext): AccountSettings {
  const { settings, resolved, terminal, log } = context;
  const username = usernameOf(context);
  const prompts = promptsOf(context);
  return {
    username,
    domain: settings.domain,
    dataDir: dataDirOf(context),
    password: passwordSource({
      settings,
      origins: resolved.origins,
      logger: log,
      ask:
        prompts === undefined
          ? undefined
          : (question) => terminal.readLine(question, { hidden: true, signal: context.stop }),
      keepSecret: log.keepSecret,
    }),
  };
}

/** Whether a person looks on who wants short lines and moving progress (cli.md 8.1). */
export function isFriendly({
  settings,
  terminal,
  env,
}: Pick<CommandContext, "settings" | "terminal" | "env">): boolean {
  const wanted = settings.friendly && !settings.verbose;
  return wanted && terminal.errIsTerminal && env["TERM"] !== "dumb" && env["INVOCATION_ID"] === undefined;
}

/** The folder of kei's own files: beside the configuration unless told otherwise. */
export function dataDirOf({ settings, resolved }: CommandContext): string {
  return settings.dataDir ?? dirname(resolved.file.path);
}

/** What `sync/` is given to act with; nobody follows what it does unless the caller adds them. */
export function portsOf(context: CommandContext): Ports {
  const { clock, random, log, stop, cancel } = context;
  return {
    clock,
    random,
    logger: log,
    stop,
    cancel,
    prompts: promptsOf(context),
    onProgress: () => undefined,
    onPlanned: () => undefined,
    onStage: () => undefined,
    onEnd: async () => undefined,
  };
}

/** A person can be asked only where there is a terminal to answer at. */
function promptsOf({ terminal }: CommandContext): Prompts | undefined {
  if (!terminal.inIsTerminal || !terminal.errIsTerminal) return undefined;
  return { code: (question, signal) => terminal.readLine(`${question} `, { hidden: false, signal }) };
}
