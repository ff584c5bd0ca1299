/** The account host: is the web session alive, and what it takes to get a new one. Facts: auth.md 4. */
import type { AppleResponse } from "../http.ts";
import { type AccountData, domainOf, readAccountData } from "./account-data.ts";
import { disguisedRejection, faultOf, isOverload, isSuccess, saysExpired } from "./answer.ts";
import { type Calls, callSetup } from "./calls.ts";
import type { AuthError } from "./errors.ts";
import { disguised, notUnderstood, refused, sessionExpired, termsPending, wrongDomain } from "./failures.ts";
import { Overloaded } from "./handshake.ts";
import { isObject } from "./json.ts";

/** What the account host said. `refused` carries the failure to report when nothing else is left to try. */
export type LoginAnswer =
  | { readonly kind: "data"; readonly data: AccountData }
  | { readonly kind: "misdirected" | "refused"; readonly status: number; readonly failure: AuthError };

/** Asks whether the cookies still make a session. Throws `Overloaded`: then nothing else may be asked either. */
export async function validate(calls: Calls, freshConnection: boolean): Promise<LoginAnswer> {
  return judge(await callSetup(calls, { path: "/validate", body: null, freshConnection }), calls);
}

/** Exchanges the session token for cookies. Only with a session token. Throws as `validate` does. */
export async function accountLogin(calls: Calls, freshConnection: boolean): Promise<LoginAnswer> {
  const { account_country, session_token, trust_token } = calls.session.record;
  const answer = await callSetup(calls, {
    path: "/accountLogin",
    body: {
      accountCountryCode: account_country ?? "",
      dsWebAuthToken: session_token ?? "",
      extended_login: true,
      trustToken: trust_token ?? "",
    },
    freshConnection,
  });
  return judge(answer, calls);
}

function judge(answer: AppleResponse, calls: Calls): LoginAnswer {
  const { domain } = calls.endpoints;
  const { status } = answer;
  const isExpired = saysExpired(answer);
  if (isOverload(answer) && !isExpired) throw new Overloaded(answer);
  if (answer.status === 421) {
    // Two causes look alike: a session that is over, and a connection to the wrong partition (auth.md 4.6).
    calls.logger.debug("misdirected", { reason: faultOf(answer)?.message });
    return { kind: "misdirected", status, failure: sessionExpired(answer) };
  }
  if (isExpired) return { kind: "refused", status, failure: sessionExpired(answer) };
  const disguise = disguisedRejection(answer);
  if (disguise !== undefined) return { kind: "refused", status, failure: disguised(disguise) };
  if (!isSuccess(answer)) return { kind: "refused", status, failure: refused("login-rejected", answer, domain) };
  if (!isObject(answer.json)) return { kind: "refused", status, failure: notUnderstood("the account login", answer) };
  if (faultOf(answer) !== undefined)
    return { kind: "refused", status, failure: refused("login-rejected", answer, domain) };
  return { kind: "data", data: readAccountData(answer.json) };
}

/** Faults that a new sign-in by password can't mend: there is no point in asking for one. */
const HOPELESS: ReadonlySet<string | undefined> = new Set(["ZONE_NOT_FOUND", "AUTHENTICATION_FAILED", "ACCESS_DENIED"]);

/** True when the password is worth trying after this failure. */
export function isMendable(failure: AuthError): boolean {
  return failure.kind !== "protocol-error" && !HOPELESS.has(failure.code);
}

/** The first checks of auth.md 4.3, due before anything else is done with the data. */
export function assertUsable(data: AccountData, calls: Calls): void {
  const { domain } = calls.endpoints;
  if (data.domainToUse !== undefined && domainOf(data.domainToUse) !== domain)
    throw wrongDomain(domainOf(data.domainToUse));
  if (data.termsUpdateNeeded) throw termsPending(domain);
}
