/**
 * A scripted Apple for the sign-in tests: counts calls, keeps their exact headers and bodies, and answers what a test
 * lines up, else what the real one says to a two-factor account. It proves no password; the double does that.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSignIn } from "../../src/icloud/auth/index.ts";
import type { Credentials, SignIn } from "../../src/icloud/auth/types.ts";
import { SAVE_EVERY_MS } from "../../src/icloud/client.ts";
import type { Domain } from "../../src/icloud/endpoints.ts";
import { accountFiles } from "../../src/library/account.ts";
import type { AppleFetch } from "../../src/runtime/network.ts";
import type { Clock, LogFields, Logger } from "../../src/runtime/ports.ts";
import vectors from "../fixtures/auth-vectors.json" with { type: "json" };

export type Step =
  | "VALIDATE"
  | "LOGIN"
  | "INIT"
  | "COMPLETE"
  | "REPAIR"
  | "OPTIONS"
  | "PUSH"
  | "CODE"
  | "SMS"
  | "SMSCODE"
  | "TRUST";

const STEPS: Readonly<Record<string, Step>> = {
  "POST /setup/ws/1/validate": "VALIDATE",
  "POST /setup/ws/1/accountLogin": "LOGIN",
  "POST /appleauth/auth/signin/init": "INIT",
  "POST /appleauth/auth/signin/complete": "COMPLETE",
  "POST /appleauth/auth/repair/complete": "REPAIR",
  "GET /appleauth/auth": "OPTIONS",
  "PUT /appleauth/auth/verify/trusteddevice/securitycode": "PUSH",
  "POST /appleauth/auth/verify/trusteddevice/securitycode": "CODE",
  "PUT /appleauth/auth/verify/phone": "SMS",
  "POST /appleauth/auth/verify/phone/securitycode": "SMSCODE",
  "GET /appleauth/auth/2sv/trust": "TRUST",
};

export interface Call {
  readonly step: Step;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly freshConnection: boolean;
}

export interface Scripted {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** The connection dies instead. */
  readonly dies?: boolean;
}

type Answer = Scripted | ((call: Call) => Scripted);

export const USER = "alex.test@example.com";
export const PASSWORD = "Correct-Horse-42";
export const CODE_OK = "123456";
export const CK_URL = "https://p12-ckdatabasews.icloud.com:443";

export const SESSION_COOKIES = [
  'X-APPLE-WEBAUTH-USER="v=1:s=1:d=10000000001";Path=/;Domain=.icloud.com;Secure;HttpOnly',
  'X-APPLE-WEBAUTH-TOKEN="v=2:t=EQ==FAKE~~";Path=/;Domain=.icloud.com;Secure;HttpOnly',
];

export const TRUSTED = {
  dsInfo: { dsid: "10000000001", hsaVersion: 2, hasICloudQualifyingDevice: true, isWebAccessAllowed: true },
  hsaTrustedBrowser: true,
  hsaChallengeRequired: false,
  webservices: { ckdatabasews: { url: CK_URL, pcsRequired: true } },
};
export const UNTRUSTED = { ...TRUSTED, hsaTrustedBrowser: false, hsaChallengeRequired: true };
export const WRONG_CODE: Scripted = {
  status: 400,
  headers: { "X-Apple-I-Ercd": "-21669" },
  body: { service_errors: [{ code: "-21669", title: "t", message: "m" }], hasError: true },
};
export const WRONG_PASSWORD: Scripted = {
  status: 401,
  headers: { "X-Apple-I-Rscd": "401" },
  body: { serviceErrors: [{ code: "-20101", message: "fake", suppressDismissal: false }] },
};

export class FakeApple {
  readonly calls: Call[] = [];
  readonly #script = new Map<Step, Answer[]>();
  #token = 0;

  /** Lines up answers for a step; when they are used up, the usual ones follow. */
  on(step: Step, ...answers: Answer[]): this {
    this.#script.set(step, [...(this.#script.get(step) ?? []), ...answers]);
    return this;
  }

  /** The same answer for ever. */
  always(step: Step, answer: Answer): this {
    return this.on(step, ...Array.from({ length: 50 }, () => answer));
  }

  get sequence(): string {
    return this.calls.map((call) => call.step).join(" ");
  }

  of(step: Step): Call[] {
    return this.calls.filter((call) => call.step === step);
  }

  only(step: Step): Call {
    const [call, ...more] = this.of(step);
    if (call === undefined || more.length > 0) throw new Error(`${more.length + (call ? 1 : 0)} calls of ${step}`);
    return call;
  }

  clear(): void {
    this.calls.length = 0;
    this.#script.clear();
  }

  readonly fetch: AppleFetch = async (address, init) => {
    const url = new URL(address);
    const step = STEPS[`${init.method ?? "GET"} ${url.pathname}`];
    if (step === undefined) throw new Error(`unexpected ${init.method} ${address}`);
    const text = typeof init.body === "string" ? init.body : "";
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    const call: Call = {
      step,
      url,
      headers: new Headers(init.headers),
      text,
      body: (parsed ?? {}) as Record<string, unknown>,
      freshConnection: init.keepalive === false,
    };
    this.calls.push(call);
    await Promise.resolve();
    const scripted = this.#script.get(step)?.shift();
    const answer =
      scripted === undefined ? this.#usual(call) : typeof scripted === "function" ? scripted(call) : scripted;
    if (answer.dies === true)
      throw Object.assign(new Error("The socket connection was closed"), { code: "ECONNRESET" });
    const headers = new Headers({ "content-type": "text/html", ...answer.headers });
    for (const cookie of answer.cookies ?? []) headers.append("set-cookie", cookie);
    const status = answer.status ?? 200;
    const body =
      typeof answer.body === "string" ? answer.body : answer.body === undefined ? "" : JSON.stringify(answer.body);
    return new Response(status === 204 ? null : body, { status, headers });
  };

  #usual(call: Call): Scripted {
    this.#token += 1;
    const attempt = { scnt: `scnt-${this.#token}`, "X-Apple-ID-Session-Id": "session-1" };
    const fresh = { ...attempt, "X-Apple-Session-Token": `token-${this.#token}`, "X-Apple-ID-Account-Country": "USA" };
    switch (call.step) {
      case "INIT":
        return { headers: attempt, body: initBody() };
      case "COMPLETE":
        return {
          status: 409,
          headers: fresh,
          body: { authType: "hsa2" },
          cookies: ["aasp=FAKE0123; Domain=idmsa.apple.com; Path=/; Secure; HttpOnly"],
        };
      case "REPAIR":
        return { headers: fresh };
      case "LOGIN": {
        const isTrusted = String(call.body["trustToken"]) !== "";
        return { body: isTrusted ? TRUSTED : UNTRUSTED, cookies: isTrusted ? SESSION_COOKIES : [] };
      }
      case "VALIDATE":
        return { status: 421, body: { success: false, error: "Missing X-APPLE-WEBAUTH-TOKEN cookie" } };
      case "PUSH":
        return { status: 202, headers: attempt, body: { trustedDeviceCount: 1, securityCode: { length: 6 } } };
      case "OPTIONS":
        return { headers: attempt, body: phonePage([{ id: 7, obfuscatedNumber: "(•••) •••-••07", pushMode: "sms" }]) };
      case "SMS":
        return { headers: attempt, body: {} };
      case "CODE":
      case "SMSCODE":
        return (call.body["securityCode"] as { code: string }).code === CODE_OK
          ? { status: 204, headers: fresh }
          : WRONG_CODE;
      case "TRUST":
        return { status: 204, headers: { ...fresh, "X-Apple-TwoSV-Trust-Token": "trust-1" } };
    }
  }
}

export function phonePage(phones: readonly unknown[]): string {
  const data = { direct: { twoSV: { phoneNumberVerification: { trustedPhoneNumbers: phones } } } };
  return `<script type="application/json" class="boot_args">${JSON.stringify(data)}</script>`;
}

/** An honest server's answer to INIT; the numbers of a vector, with few rounds to keep tests quick. */
export function initBody(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...vectors.srp[2]?.serverInitResponse, iteration: 10, ...changes };
}

/** A clock that jumps over every wait and remembers how long it was. */
export class FakeClock implements Clock {
  time = Date.parse("2026-11-24T12:00:00Z");
  readonly waits: number[] = [];
  now = () => this.time;
  monotonic = () => this.time;
  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await Promise.resolve();
    signal?.throwIfAborted();
    // The client's pause between two savings of its cookies is of no interest here.
    if (ms === SAVE_EVERY_MS) return;
    this.waits.push(ms);
    this.time += ms;
  };
}

export class LogBook implements Logger {
  readonly lines: string[] = [];
  #note = (level: string) => (message: string, fields?: LogFields) => {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  debug = this.#note("debug");
  info = this.#note("info");
  warn = this.#note("warn");
  error = this.#note("error");
  get warnings(): string[] {
    return this.lines.filter((line) => line.startsWith("warn"));
  }
}

/** One machine with kei on it: its files, its clock and a line to the fake. */
export class Machine {
  readonly dir = mkdtempSync(join(tmpdir(), "kei-auth-"));
  readonly clock = new FakeClock();
  readonly log = new LogBook();
  readonly stop = new AbortController();
  passwordsRead = 0;
  password = PASSWORD;

  constructor(
    readonly apple: FakeApple,
    readonly domain: Domain = "com",
    readonly username = USER,
  ) {}

  get files() {
    return accountFiles(this.dir, this.domain, this.username);
  }

  open(options: { readonly readOnly?: boolean } = {}): Promise<SignIn> {
    return createSignIn({
      domain: this.domain,
      username: this.username,
      files: this.files,
      clock: this.clock,
      random: () => 0,
      logger: this.log,
      signal: this.stop.signal,
      fetch: this.apple.fetch,
      ...options,
    });
  }

  /** Unattended. */
  credentials(changes: Partial<Credentials> = {}): Credentials {
    return {
      password: () => {
        this.passwordsRead += 1;
        return Promise.resolve(this.password);
      },
      passwordInteractive: false,
      ...changes,
    };
  }

  /** With a person who answers the prompts with these, one after the other. */
  person(...answers: readonly string[]): Credentials & { readonly questions: string[] } {
    const questions: string[] = [];
    const left = [...answers];
    return {
      ...this.credentials({ passwordInteractive: true }),
      questions,
      askCode: (question) => {
        questions.push(question);
        const answer = left.shift();
        return answer === undefined ? Promise.reject(new Error("asked once too often")) : Promise.resolve(answer);
      },
    };
  }

  /** What one process does: open, act, close. */
  async run<T>(act: (signIn: SignIn) => Promise<T>, options: { readonly readOnly?: boolean } = {}): Promise<T> {
    const signIn = await this.open(options);
    try {
      return await act(signIn);
    } finally {
      await signIn.close();
    }
  }

  /** A first sign-in with a code, after which the record of calls starts afresh. */
  async signedIn(): Promise<this> {
    await this.run((signIn) => signIn.authenticate(this.person(CODE_OK)));
    this.apple.clear();
    this.passwordsRead = 0;
    return this;
  }

  later(ms: number): this {
    this.clock.time += ms;
    return this;
  }
}

/** The error that an action ends with. */
export async function failureOf(act: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  try {
    await act;
  } catch (error) {
    if (error instanceof Error) return error as Record<string, unknown> & Error;
  }
  throw new Error("it should have failed");
}
