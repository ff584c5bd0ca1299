/** What accountLogin and validate say about an account. Pure. Facts: auth.md 4.2 to 4.4, 7.6. */
import { type Domain, isAppleHost } from "../endpoints.ts";
import { at, isTrue, textAt } from "./json.ts";

export interface AccountData {
  readonly dsid: string | undefined;
  /** 2: two-factor; 1: the older two-step verification; 0: neither. */
  readonly hsaVersion: number;
  readonly hsaChallengeRequired: boolean;
  readonly hsaTrustedBrowser: boolean;
  /** A device that can show codes. False, which Apple has to say: only phone numbers can receive them. */
  readonly hasICloudQualifyingDevice: boolean;
  /** Advanced Data Protection is on. */
  readonly isDataProtected: boolean;
  readonly isWebAccessOff: boolean;
  readonly termsUpdateNeeded: boolean;
  /** The realm the account lives in, when Apple says that it is not this one. */
  readonly domainToUse: string | undefined;
  readonly ckdatabaseUrl: string | undefined;
}

/** Absent means false, 0 or unknown, and that a code is shown as usual; unknown fields are ignored. */
export function readAccountData(json: unknown): AccountData {
  return {
    dsid: textAt(json, "dsInfo", "dsid"),
    hsaVersion: Number(textAt(json, "dsInfo", "hsaVersion") ?? 0) || 0,
    hsaChallengeRequired: isTrue(json, "hsaChallengeRequired"),
    hsaTrustedBrowser: isTrue(json, "hsaTrustedBrowser"),
    hasICloudQualifyingDevice: at(json, "dsInfo", "hasICloudQualifyingDevice") !== false,
    isDataProtected: isTrue(json, "iCDPEnabled") || isTrue(json, "dsInfo", "iCDPEnabled"),
    isWebAccessOff: at(json, "dsInfo", "isWebAccessAllowed") === false,
    termsUpdateNeeded: isTrue(json, "termsUpdateNeeded"),
    domainToUse: textAt(json, "domainToUse"),
    ckdatabaseUrl: textAt(json, "webservices", "ckdatabasews", "url")?.replace(/\/+$/, ""),
  };
}

type HsaFields = Pick<AccountData, "hsaVersion" | "hsaChallengeRequired" | "hsaTrustedBrowser">;

/** True when Apple wants a code before it serves the account, on devices and on phones alike (auth.md 4.4). */
export function requiresTwoFactor(data: HsaFields): boolean {
  return data.hsaVersion === 2 && isUntrusted(data);
}

/** True for an account that still uses two-step verification and has to pass it; not supported (DECISIONS 23). */
export function requiresTwoStep(data: HsaFields): boolean {
  return data.hsaVersion === 1 && isUntrusted(data);
}

function isUntrusted(data: HsaFields): boolean {
  return data.hsaChallengeRequired || !data.hsaTrustedBrowser;
}

/** The realm that `domainToUse` stands for. */
export function domainOf(domainToUse: string): Domain {
  return domainToUse.toLowerCase().includes(".cn") ? "cn" : "com";
}

/** The address of the photos service when Apple gave one on a host of its own. */
export function photosRoot(data: AccountData, domain: Domain): string | undefined {
  const { ckdatabaseUrl } = data;
  return ckdatabaseUrl !== undefined && isAppleHost(ckdatabaseUrl, domain) ? ckdatabaseUrl : undefined;
}
