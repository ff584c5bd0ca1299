/** What is saved of an account's sign-in, for status screens: read without opening anything and without asking Apple. */
import type { AccountFiles } from "../../library/account.ts";
import type { Clock } from "../../runtime/ports.ts";
import { privateFile } from "../../runtime/private-file.ts";
import { openAttempts } from "./attempts.ts";
import { parseRecord } from "./session-record.ts";
import type { SessionFacts } from "./types.ts";

/** `isTrusted`: a code was handed in for this installation, so that Apple asks for none for a while. */
export type SavedSignIn = SessionFacts & { readonly isTrusted: boolean };

/** Reads the saved session and the notes about passwords. A damaged or missing file counts as none. */
export async function savedSignIn(
  files: Pick<AccountFiles, "session" | "attempts">,
  clock: Pick<Clock, "now">,
): Promise<SavedSignIn> {
  const record = parseRecord((await privateFile(files.session).read()) ?? "");
  const attempts = await openAttempts(privateFile(files.attempts, { readOnly: true }), clock);
  const trustedAt = Date.parse(record?.trusted_at ?? "");
  return {
    hasSession: record?.session_token !== undefined,
    isTrusted: record?.trust_token !== undefined,
    trustedAt: Number.isNaN(trustedAt) ? undefined : trustedAt,
    throttledUntil: attempts.throttledUntil(),
    passwordRefusedAt: attempts.lastRefusal,
  };
}
