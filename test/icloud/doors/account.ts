/** The account behind the doors: what its owner has set, and which sessions, tokens and codes are good. */
import { randomBytes } from "node:crypto";
import type { SessionGate } from "../contract.ts";
import type { Protocol, SrpExchange } from "./srp-server.ts";

export interface Phone {
  readonly id: number;
  readonly lastTwoDigits: string;
  readonly nonFTEU?: boolean;
  /** Apple calls it instead of texting. */
  readonly voice?: boolean;
  /** It got too many messages, and gets none for now. */
  readonly blocked?: boolean;
}

/** Switches of an account; a test may change any of them while the double runs. */
export interface AccountSwitches {
  /** Two-factor, none, or the legacy two-step verification. */
  kind: "hsa2" | "none" | "2sa";
  protocol: Protocol;
  iterations: number;
  /** A trusted device that shows codes. */
  qualifyingDevice: boolean;
  phones: Phone[];
  /** Names of security keys; any make codes impossible. */
  securityKeys: string[];
  /** Apple wants the account repaired: `signin/complete` says 412; `refuse` keeps saying no. */
  repair: "no" | "once" | "refuse";
  termsPending: boolean;
  advancedDataProtection: boolean;
  webAccess: boolean;
  locked: boolean;
  /** The account lives in the other region. */
  otherRegion: boolean;
  photosEnabled: boolean;
  /** A code is shown as soon as the password was right, as Apple did until 2026. */
  pushOnComplete: boolean;
  /** Right codes are answered with 409 and `valid: true`, as Apple does for many accounts since 2026. */
  conflictOnRightCode: boolean;
  /** `signin/complete` answers 409 although the trust token is good. */
  conflictOnTrusted: boolean;
  /** Codes that are sent, to devices and phones together, before Apple sends no more for some hours. */
  codeLimit: number;
  /** `accountLogin` refuses the account's data until a code was handed in. */
  refuseBeforeCode: boolean;
  /** Sign-ins allowed before Apple throttles. */
  signInLimit: number;
  /** CloudKit tokens older than so many rotations are refused. */
  tokenMemory: number;
}

/** One run through idmsa, from `signin/init` on. */
export interface Attempt {
  readonly sessionId: string;
  scnt: string;
  readonly exchange: SrpExchange;
  readonly echo: string;
  /** Apple's cookie that ties the attempt together. */
  readonly cookie: string;
  state: "challenged" | "password-ok" | "code-ok";
  sms: { readonly phone: Phone; readonly mode: "sms" | "voice"; readonly code: string } | undefined;
}

interface WebSession {
  readonly trusted: boolean;
}

const WRONG_CODES = 5;
const WRONG_PASSWORDS = 8;

export class DoubleAccount {
  readonly username: string;
  password: string;
  readonly dsid: string;
  readonly switches: AccountSwitches;
  readonly attempts = new Map<string, Attempt>();
  /** Session tokens that accountLogin takes. */
  readonly sessionTokens = new Map<string, WebSession>();
  readonly trustTokens = new Set<string>();
  /** The code on the trusted devices; undefined until one was pushed. */
  deviceCode: string | undefined;
  readonly #firstCode: number;
  pushes = 0;
  /** Messages to phones. */
  texts = 0;
  signIns = 0;
  wrongPasswords = 0;
  wrongCodes = 0;
  #webTokens = new Map<string, number>();
  #rotation = 0;
  #sessionGood = false;

  constructor(username: string, password: string, firstCode: string, switches: Partial<AccountSwitches>) {
    this.username = username;
    this.password = password;
    this.dsid = "10000000001";
    this.#firstCode = Number(firstCode);
    this.switches = {
      kind: "hsa2",
      protocol: "s2k",
      iterations: 20_064,
      qualifyingDevice: true,
      phones: [{ id: 1, lastTwoDigits: "07" }],
      securityKeys: [],
      repair: "no",
      termsPending: false,
      advancedDataProtection: false,
      webAccess: true,
      locked: false,
      otherRegion: false,
      photosEnabled: true,
      pushOnComplete: false,
      conflictOnRightCode: false,
      conflictOnTrusted: false,
      codeLimit: 20,
      refuseBeforeCode: false,
      signInLimit: 10,
      tokenMemory: 200,
      ...switches,
    };
  }

  /** Name as SRP has to spell it. */
  get accountName(): string {
    return this.username.trim().toLowerCase();
  }

  /** Shows a new code on the trusted devices; the one before is void. */
  pushCode(): string {
    this.deviceCode = this.#newCode();
    this.pushes += 1;
    return this.deviceCode;
  }

  /** A code for a phone; the one on the devices is void. */
  textCode(): string {
    const code = this.#newCode();
    this.texts += 1;
    this.deviceCode = undefined;
    return code;
  }

  #newCode(): string {
    return String((this.#firstCode + this.pushes + this.texts) % 1_000_000).padStart(6, "0");
  }

  /** What the last message to a phone said. */
  get textedCode(): string | undefined {
    return [...this.attempts.values()].findLast(({ sms }) => sms !== undefined)?.sms?.code;
  }

  get tooManyCodesSent(): boolean {
    return this.pushes + this.texts >= this.switches.codeLimit;
  }

  get codesLocked(): boolean {
    return this.wrongCodes >= WRONG_CODES;
  }

  get lockedOut(): boolean {
    return this.switches.locked || this.wrongPasswords >= WRONG_PASSWORDS;
  }

  newSessionToken(trusted: boolean): string {
    const token = secret("session");
    this.sessionTokens.set(token, { trusted });
    return token;
  }

  newTrustToken(): string {
    const token = `HSARMTKNSRVX${secret("trust")}SRVX`;
    this.trustTokens.add(token);
    return token;
  }

  /** The web session ends: cookies are no longer good, but the session token still is. */
  expireCookies(): void {
    this.#sessionGood = false;
    this.#webTokens = new Map();
  }

  /** Web session and session tokens end: only a sign-in with the password helps. */
  expireSession(): void {
    this.expireCookies();
    this.sessionTokens.clear();
  }

  /** The machine is no longer trusted: the next sign-in needs a code. */
  revokeTrust(): void {
    this.expireSession();
    this.trustTokens.clear();
  }

  /** A fresh web token; older ones stay good for a while. */
  newWebToken(): string {
    this.#sessionGood = true;
    this.#rotation += 1;
    const value = `"v=2:t=${Buffer.from(randomBytes(12)).toString("base64")}~~"`;
    this.#webTokens.set(value, this.#rotation);
    for (const [token, rotation] of this.#webTokens) {
      if (rotation > this.#rotation - this.switches.tokenMemory) break;
      this.#webTokens.delete(token);
    }
    return value;
  }

  get webUser(): string {
    return `"v=1:s=1:d=${this.dsid}"`;
  }

  /** Whether the cookies carry a good web session; else what Apple's gateway misses. */
  refuse(cookieHeader: string | undefined): string | undefined {
    const cookies = parseCookies(cookieHeader);
    const token = cookies.get("X-APPLE-WEBAUTH-TOKEN");
    if (token === undefined) return "Missing X-APPLE-WEBAUTH-TOKEN cookie";
    if (cookies.get("X-APPLE-WEBAUTH-USER") !== this.webUser) return "Missing X-APPLE-WEBAUTH-USER cookie";
    if (!this.#sessionGood || !this.#webTokens.has(token)) return "Invalid global session";
    return undefined;
  }

  gate(domain: string): SessionGate {
    return {
      refuse: (cookies) => this.refuse(cookies),
      rotate: () => `X-APPLE-WEBAUTH-TOKEN=${this.newWebToken()};Path=/;Domain=.${domain};Secure;HttpOnly`,
    };
  }
}

export function secret(label: string): string {
  return `${label}-${randomBytes(18).toString("base64url")}`;
}

export function parseCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (header ?? "").split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0) cookies.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  return cookies;
}
