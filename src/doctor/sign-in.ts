import { createSignIn } from "../icloud/auth/index.ts";
import { accountFiles } from "../library/account.ts";
import { EXIT, Failure } from "../library/failure.ts";
import type { Logger } from "../runtime/ports.ts";
import { silentLogger } from "../runtime/ports.ts";
import { isLocked } from "../state/index.ts";
import { withAccount } from "../sync/session.ts";
import { ago, ok, skipped, statOf, warning, wrong } from "./files.ts";
import type { Check, Patient } from "./types.ts";

const DAY_MS = 86_400_000;
/** Apple asks for a new code after one to two months, as people report (auth.md 5.5). */
const TRUST_DAYS = 30;

/** The saved session, as far as it can be judged without asking Apple. */
export async function session({ account, dataDir, ports }: Patient): Promise<Check> {
  const name = "session";
  if (account === undefined) return skipped(name, "no account is named");
  const { domain, username } = account;
  const complaints: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => complaints.push(message) };
  const { clock, random, stop } = ports;
  const signIn = await createSignIn({
    domain,
    username,
    files: accountFiles(dataDir, domain, username),
    clock,
    random,
    logger,
    signal: stop,
    readOnly: true,
  });
  const { hasSession, trustedAt, throttledUntil, passwordRefusedAt } = signIn.sessionFacts();
  await signIn.close();
  const now = clock.now();
  const [damage] = complaints;
  if (damage !== undefined) return wrong(name, damage, "Run `kei login`.");
  if (throttledUntil !== undefined)
    return warning(
      name,
      `Apple wants no sign-in by password before ${new Date(throttledUntil).toISOString()}`,
      "Wait until then.",
    );
  if (passwordRefusedAt !== undefined)
    return warning(
      name,
      `Apple refused the password ${ago(now - passwordRefusedAt)}`,
      "Correct the password, then run `kei login`.",
    );
  if (!hasSession) return warning(name, "there is no saved session", "Run `kei login`.");
  if (trustedAt === undefined) return ok(name, "a session is saved");
  const message = `a session is saved; Apple trusted this machine ${ago(now - trustedAt)}`;
  if (now - trustedAt > TRUST_DAYS * DAY_MS)
    return warning(name, message, "Apple asks for a new code after one to two months; `kei login` when it does.");
  return ok(name, message);
}

/** One request with the saved session. Never signs in by password, and asks nobody for a code. */
export async function liveSession({ account, live, dataDir, ports }: Patient): Promise<Check> {
  const name = "live_session";
  if (!live) return skipped(name, "add --live to ask Apple");
  if (account === undefined) return skipped(name, "no account is named");
  const { session: path, lock } = accountFiles(dataDir, account.domain, account.username);
  if (typeof (await statOf(path)) === "string")
    return warning(name, "there is no session to ask with", "Run `kei login`.");
  if (await isLocked(lock)) return skipped(name, "another kei is at work for this account");
  const needed = new Failure("the saved session is over", { exit: EXIT.signIn, remedy: "Run `kei login`." });
  try {
    return await withAccount(account, ports, {}, async ({ signIn }) => {
      await signIn.authenticate({ password: () => Promise.reject(needed), passwordInteractive: false });
      return ok(name, "Apple finds the saved session good");
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return wrong(name, error.message, error.remedy);
  }
}
