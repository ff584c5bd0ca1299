import { EXIT, type ExitCode } from "../library/failure.ts";
import { accountOf, type CommandContext, portsOf } from "./context.ts";
import { UsageError } from "./parse.ts";

/** `kei login`: signs in, asking for the code where there is a terminal. */
export async function login(context: CommandContext): Promise<ExitCode> {
  const { signIn } = await context.sync();
  const account = accountOf(context);
  const ports = portsOf(context);
  // A person asks for it: a password that Apple has refused before may be the right one by now (DECISIONS 18).
  const password = { ...account.password, interactive: account.password.interactive || ports.prompts !== undefined };
  const how = await signIn({ ...account, password }, ports);
  context.terminal.out(
    how === "already" ? "You are signed in already.\n" : "Signed in; this machine is trusted now.\n",
  );
  return EXIT.ok;
}

/** `kei login get-code`: has Apple send a code. */
export async function getCode(context: CommandContext): Promise<ExitCode> {
  const { requestCode } = await context.sync();
  const result = await requestCode(accountOf(context), portsOf(context));
  context.terminal.out(
    result === "already"
      ? "You are signed in already; no code is needed.\n"
      : "Apple has sent a code to your trusted devices. Hand it in with `kei login submit-code CODE`.\n",
  );
  return EXIT.ok;
}

/** `kei login submit-code CODE`: hands in the code of an earlier `get-code`. */
export async function submitCode(context: CommandContext): Promise<ExitCode> {
  const code = (context.positionals[0] ?? "").replaceAll(/\D/g, "");
  if (code.length !== 6) throw new UsageError("The code must have 6 digits", "Write `kei login submit-code 123456`.");
  const { submitCode: submit } = await context.sync();
  context.log.keepSecret(code);
  const result = await submit(accountOf(context), code, portsOf(context));
  context.terminal.out(
    result === "already"
      ? "You are signed in already; no code was needed.\n"
      : "The code was accepted; this machine is trusted now.\n",
  );
  return EXIT.ok;
}
