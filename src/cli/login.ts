import { EXIT, type ExitCode } from "../library/failure.ts";
import type { CodeByText } from "../sync/types.ts";
import { escapeControls } from "../ui/format.ts";
import { type Account, accountOf, type CommandContext, portsOf } from "./context.ts";
import { UsageError } from "./usage-error.ts";

/** `kei login`: signs in, asking for the code where there is a terminal. */
export async function login(context: CommandContext): Promise<ExitCode> {
  const { signIn } = await context.sync();
  const account = accountOf(context);
  const how = await signIn(account, portsOf(context), byTextOf(context));
  context.terminal.out(
    how === "already" ? "You are signed in already.\n" : "Signed in; this machine is trusted now.\n",
  );
  tellUnsaved(account, context);
  return EXIT.ok;
}

/** `kei login get-code`: has Apple send a code. */
export async function getCode(context: CommandContext): Promise<ExitCode> {
  const { requestCode } = await context.sync();
  const account = accountOf(context);
  const result = await requestCode(account, portsOf(context), byTextOf(context));
  context.terminal.out(
    result === "already"
      ? "You are signed in already; no code is needed.\n"
      : `Apple has sent a code to ${result === "sent" ? "your trusted devices" : escapeControls(result.textedTo)}. ` +
          "Hand it in with `kei login submit-code CODE`.\n",
  );
  tellUnsaved(account, context);
  return EXIT.ok;
}

/** `kei login phones`: the phones that a code can be sent to. */
export async function phones(context: CommandContext): Promise<ExitCode> {
  const { listPhones } = await context.sync();
  const found = await listPhones(accountOf(context), portsOf(context));
  const lines =
    found === "already"
      ? ["You are signed in already; no code is needed, and Apple shows the phones only when one is."]
      : found.length === 0
        ? ["Apple names no phone that a code could be sent to."]
        : found.map(
            ({ number, display, isCalled }) =>
              `${number}  ${escapeControls(display)}  ${isCalled ? "by a call" : "by text message"}`,
          );
  context.terminal.out(`${lines.join("\n")}\n`);
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

/** `--sms`, or `--phone` alone. */
function byTextOf({ settings: { sms, phone } }: CommandContext): CodeByText | undefined {
  return sms || phone !== undefined ? { phone } : undefined;
}

/** `--save-password` stores what Apple has accepted, and nothing else. */
export function tellUnsaved({ password }: Pick<Account, "password">, { log }: CommandContext): void {
  if (!password.isUnsaved) return;
  log.warn("Apple did not ask for the password, so it was not stored; `kei password set` stores it");
}
