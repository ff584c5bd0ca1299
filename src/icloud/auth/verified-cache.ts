/** Remembers for some minutes that Apple found the session good, so that a run right after another asks nothing. */
import type { SignedInAccount } from "../account.ts";
import type { Domain } from "../endpoints.ts";
import { isAppleHost } from "../endpoints.ts";
import { at, textAt } from "./json.ts";

/** How long a verified session is taken at its word, ms (auth.md 5.7). */
const VERIFIED_FOR_MS = 600_000;

/** What of the account data outlives the request: no names, no addresses. */
export type VerifiedAccount = Pick<SignedInAccount, "dsid" | "ckdatabaseUrl">;

/** Only for an account that needs no second factor any more. */
export function formatVerified(account: VerifiedAccount, now: number): string {
  const data = {
    validated_at: now / 1000,
    account_data: { dsid: account.dsid, ckdatabasews_url: account.ckdatabaseUrl },
  };
  return `${JSON.stringify(data)}\n`;
}

/**
 * The account, when it was verified within the last `VERIFIED_FOR_MS`, or whenever that was if `anyAge`; undefined when
 * stale, damaged or from the future.
 */
export function parseVerified(
  text: string,
  now: number,
  domain: Domain,
  { anyAge = false }: { readonly anyAge?: boolean } = {},
): VerifiedAccount | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const verifiedAt = at(value, "validated_at");
  const ckdatabaseUrl = textAt(value, "account_data", "ckdatabasews_url");
  if (typeof verifiedAt !== "number" || ckdatabaseUrl === undefined) return undefined;
  const age = now - verifiedAt * 1000;
  if (!(age >= 0 && (anyAge || age <= VERIFIED_FOR_MS)) || !isAppleHost(ckdatabaseUrl, domain)) return undefined;
  return { dsid: textAt(value, "account_data", "dsid"), ckdatabaseUrl };
}
