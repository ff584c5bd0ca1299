import { choosePassword } from "../config/password-choice.ts";
import { EXIT, type ExitCode, Failure } from "../library/failure.ts";
import { type CommandContext, credentialsOf, usernameOf } from "./context.ts";

/** `kei password set`: stores the account's password, typed twice or piped in. */
export async function setPassword(context: CommandContext): Promise<ExitCode> {
  const { terminal, log, resolved, settings } = context;
  const username = usernameOf(context);
  const store = credentialsOf(context);
  const password = await newPassword(username, context);
  log.keepSecret(password);
  const backend = await store.set(password, { inFile: settings.encryptedFile });
  terminal.out(
    backend === "keyring"
      ? `The password of ${username} is stored in the system's keyring.\n`
      : `The password of ${username} is stored in an encrypted file, ${store.path}.\n`,
  );
  const choice = choosePassword(resolved);
  if (choice !== undefined) {
    const other = { direct: "ICLOUD_PASSWORD", command: "the password command", file: "the password file" }[
      choice.kind
    ];
    log.warn(`${other} is configured, too, and is used before the stored password`);
  }
  return EXIT.ok;
}

/** `kei password clear`: forgets it. Exit 1 when there was none. */
export async function clearPassword(context: CommandContext): Promise<ExitCode> {
  const username = usernameOf(context);
  if (!(await credentialsOf(context).clear())) {
    throw new Failure(`No stored credential for ${username}`, {
      exit: EXIT.failure,
      remedy: "Check the Apple ID, --domain and --data-dir.",
    });
  }
  context.terminal.out(`The stored password of ${username} is deleted.\n`);
  return EXIT.ok;
}

/** `kei password backend`: one word for what holds it. */
export async function passwordBackend(context: CommandContext): Promise<ExitCode> {
  usernameOf(context);
  context.terminal.out(`${await credentialsOf(context).backend()}\n`);
  return EXIT.ok;
}

/** Typed twice at a terminal, which has to show the questions; else one line of what is piped in. */
async function newPassword(username: string, { terminal, stop }: CommandContext): Promise<string> {
  const ask = (question: string) => terminal.readLine(question, { hidden: true, signal: stop });
  if (terminal.inIsTerminal && !terminal.errIsTerminal) {
    throw refused("The question can't be shown, because stderr is no terminal");
  }
  const password = await ask(`New password for ${username}: `);
  if (password === "") throw refused("The password is empty");
  if (terminal.inIsTerminal && (await ask("The same once more: ")) !== password) throw refused("The two differ");
  return password;
}

function refused(why: string): Failure {
  return new Failure(`${why}; nothing was stored`, {
    exit: EXIT.failure,
    remedy: "Run `kei password set` at a terminal, or `kei password set < FILE` with the password in the first line.",
  });
}
