/** What a finished sign-in hands to the photos room. Facts: auth.md 4.8. */
export interface SignedInAccount {
  /** `dsInfo.dsid`, decimal string; undefined when Apple left it out. */
  readonly dsid: string | undefined;
  /** Stable client id of this installation and account. */
  readonly clientId: string;
  /** `webservices.ckdatabasews.url` without a trailing slash, e.g. `https://p61-ckdatabasews.icloud.com:443`. */
  readonly ckdatabaseUrl: string;
  readonly domain: "com" | "cn";
}
