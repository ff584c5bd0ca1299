/** Apple's hosts and the constants every request carries (auth.md 1.1 to 1.4). One place to change when Apple does. */

export type Domain = "com" | "cn";

export interface Endpoints {
  readonly domain: Domain;
  /** The region whose service proves the password; as a rule the account's own. */
  readonly signInDomain: Domain;
  /** `https://idmsa.apple.com` */
  readonly authRoot: string;
  /** `https://idmsa.apple.com/appleauth/auth` */
  readonly auth: string;
  /** `https://www.icloud.com` */
  readonly home: string;
  /** `https://setup.icloud.com/setup/ws/1` */
  readonly setup: string;
}

const topLevel = (domain: Domain): string => (domain === "cn" ? "com.cn" : "com");

export function endpointsOf(domain: Domain, signInDomain: Domain = domain): Endpoints {
  const tld = topLevel(domain);
  const authRoot = `https://idmsa.apple.${topLevel(signInDomain)}`;
  return {
    domain,
    signInDomain,
    authRoot,
    auth: `${authRoot}/appleauth/auth`,
    home: `https://www.icloud.${tld}`,
    setup: `https://setup.icloud.${tld}/setup/ws/1`,
  };
}

/** Identifies the iCloud web page to the sign-in service. */
export const WIDGET_KEY = "d39ba9916b7251055b22c7f910e2ea796ee65e98b2ddecea8f5dde8d9d1a815d";

export const USER_AGENT =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";

export const CLIENT_BUILD = "2522Project44";
export const CLIENT_MASTERING = "2522B2";

/** Hosts that may carry the session: a URL that Apple hands out must be on one of them. */
export function isAppleHost(url: string, domain: Domain): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "https:") return false;
  const suffixes = domain === "cn" ? [".icloud.com.cn", ".apple.com.cn"] : [".icloud.com", ".apple.com"];
  return suffixes.some((suffix) => parsed.hostname.endsWith(suffix));
}
