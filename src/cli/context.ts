import { dirname } from "node:path";
import { type CredentialStore, credentialStore } from "../config/credential-store.ts";
import { type Password, passwordSource } from "../config/password.ts";
import { choosePassword } from "../config/password-choice.ts";
import { passwordReaders, refuseCommandOnWindows } from "../config/password-readers.ts";
import type { Environment } from "../config/paths.ts";
import type { Resolved } from "../config/resolve.ts";
import type { Settings } from "../config/settings.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { Keyring } from "../runtime/keyring.ts";
import type { Clock, Random } from "../runtime/ports.ts";
import type { Terminal } from "../runtime/process.ts";
import type { AccountSettings, Ports, Prompts, SyncApi } from "../sync/types.ts";
import type { Log } from "../ui/logger.ts";

/** What a command is given. */
export interface CommandContext {
  readonly settings: Settings;
  readonly resolved: Resolved;
  /** What is wrong with the settings; only for a command that runs all the same. */
  readonly problems: readonly Failure[];
  readonly positionals: readonly string[];
  readonly env: Environment;
  /** The folder in which kei was started. */
  readonly cwd: string;
  readonly terminal: Terminal;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when a stop was asked for. */
  readonly stop: AbortSignal;
  /** Aborts when the time to stop in order is over. */
  readonly cancel: AbortSignal;
  /** What is done even when the process is ended at once: short, never throwing. Returned: the way to take it back. */
  readonly lastAct: (act: () => void) => () => void;
  /** The system's store for secrets, where there may be one. */
  readonly keyring: (() => Keyring | undefined) | undefined;
  /** Loaded when a command needs it. */
  readonly sync: () => Promise<SyncApi>;
}

/** The Apple ID that the settings name. Throws `Failure` (exit 1) when they name none. */
export function usernameOf({ settings }: CommandContext): string {
  if (settings.username !== undefined) return settings.username;
  throw new Failure("--username is required", {
    exit: EXIT.failure,
    remedy:
      "Give the Apple ID with -u EMAIL, the variable ICLOUD_USERNAME or [auth].username in the configuration; `kei config setup` asks for it.",
  });
}

/** An account, with all that can be done about its password. */
export type Account = Omit<AccountSettings, "password"> & { readonly password: Password };

/** The account that the settings name. Throws `Failure` when they name none, or its password in ways that exclude each other. */
export function accountOf(context: CommandContext): Account {
  const { settings, resolved, terminal, log, env, clock, stop } = context;
  const username = usernameOf(context);
  const choice = choosePassword(resolved);
  if (choice?.kind === "command") refuseCommandOnWindows(process.platform);
  return {
    username,
    domain: settings.domain,
    signInDomain: settings.signInDomain,
    dataDir: dataDirOf(context),
    password: passwordSource({
      ...passwordReaders({ env, clock, signal: stop, logger: log }),
      username,
      choice,
      store: credentialsOf(context),
      save: settings.savePassword,
      logger: log,
      ask:
        promptsOf(context) === undefined
          ? undefined
          : (question) => terminal.readLine(question, { hidden: true, signal: stop }),
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

/** Where the account's password is stored, or could be. */
export function credentialsOf(context: CommandContext): CredentialStore {
  const { settings, log, keyring } = context;
  return credentialStore({
    username: usernameOf(context),
    domain: settings.domain,
    dataDir: dataDirOf(context),
    keyFile: settings.secretKeyFile,
    keyring: keyring?.(),
    logger: log,
  });
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
