/** `idmsa.apple.com`: SRP, two-factor codes, trust (auth.md 1 to 3), as strict as Apple about who asks and how. */
import { type Context, Hono } from "hono";
import { type Attempt, type DoubleAccount, type Phone, parseCookies, secret } from "./account.ts";
import { SrpExchange } from "./srp-server.ts";

const WIDGET_KEY = "d39ba9916b7251055b22c7f910e2ea796ee65e98b2ddecea8f5dde8d9d1a815d";
const OAUTH: Readonly<Record<string, string>> = {
  "x-apple-oauth-client-id": WIDGET_KEY,
  "x-apple-oauth-client-type": "firstPartyAuth",
  "x-apple-oauth-require-grant-code": "true",
  "x-apple-oauth-response-mode": "web_message",
  "x-apple-oauth-response-type": "code",
  "x-apple-widget-key": WIDGET_KEY,
};

export interface IdmsaSite {
  readonly account: DoubleAccount;
  /** `https://idmsa.apple.com` */
  readonly root: string;
  /** `https://www.icloud.com` */
  readonly home: string;
  /** `apple.com` */
  readonly cookieDomain: string;
}

type Json = Record<string, unknown>;

const json = (body: unknown, status: number, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body, undefined, 2), {
    status,
    headers: {
      "content-type": "application/json;charset=UTF-8",
      "x-apple-i-request-id": crypto.randomUUID(),
      "x-apple-i-rscd": String(status),
      ...headers,
    },
  });
const serviceError = (status: number, code: string, message: string): Response =>
  json({ serviceErrors: [{ code, message, suppressDismissal: false }], hasError: true }, status, {
    "x-apple-i-ercd": code,
  });

/** Sign-in requests come from the sign-in frame, everything after from the page that holds it (auth.md 1.4). */
function refuseHeaders(c: Context, site: IdmsaSite, from: "frame" | "page"): Response | undefined {
  for (const [name, value] of Object.entries(OAUTH)) {
    if (c.req.header(name) !== value) return json({ error: `bad ${name}` }, 400);
  }
  if (c.req.header("x-apple-oauth-redirect-uri") !== site.home) return json({ error: "bad redirect uri" }, 400);
  if ((c.req.header("x-apple-oauth-state") ?? "") === "") return json({ error: "no state" }, 400);
  const origin = from === "frame" ? site.root : site.home;
  if (c.req.header("origin") !== origin || c.req.header("referer") !== `${origin}/`)
    return json({ error: "bad origin" }, 403);
  if ((c.req.header("user-agent") ?? "").includes("Mozilla/5.0") === false)
    return json({ error: "unknown browser" }, 403);
  return undefined;
}

export function createIdmsa(site: IdmsaSite): Hono {
  const app = new Hono();
  const { account } = site;
  const base = "/appleauth/auth";

  app.post(`${base}/signin/init`, async (c) => {
    const refused = refuseHeaders(c, site, "frame");
    if (refused !== undefined) return refused;
    account.signIns += 1;
    if (account.signIns > account.switches.signInLimit)
      return new Response("<html>Service Temporarily Unavailable</html>", {
        status: 503,
        headers: { "content-type": "text/html" },
      });
    const body = await readJson(c);
    if (body === undefined || !hasExactly(body, ["a", "accountName", "protocols"]))
      return json({ error: "bad body" }, 400);
    const { a, accountName, protocols } = body;
    if (
      typeof a !== "string" ||
      typeof accountName !== "string" ||
      !Array.isArray(protocols) ||
      !protocols.includes(account.switches.protocol)
    )
      return json({ error: "bad body" }, 400);
    const clientKey = Buffer.from(a, "base64");
    if (clientKey.length > 256 || clientKey.toString("base64") !== a) return json({ error: "bad a" }, 400);
    // An unknown name gets a challenge, too: nobody learns here which accounts exist.
    const known = accountName === account.accountName;
    const exchange = new SrpExchange(
      {
        name: accountName,
        password: known ? account.password : secret("nobody"),
        protocol: account.switches.protocol,
        iterations: account.switches.iterations,
      },
      clientKey,
    );
    const attempt: Attempt = {
      sessionId: secret("id"),
      scnt: secret("scnt"),
      exchange,
      echo: `d-123-${crypto.randomUUID()}:PRN`,
      cookie: secret("aasp"),
      state: "challenged",
      sms: undefined,
    };
    account.attempts.set(attempt.sessionId, attempt);
    const { iterations: iteration, protocol } = account.switches;
    return withCookies(
      json(
        {
          iteration,
          salt: exchange.salt.toString("base64"),
          protocol,
          b: exchange.B.toString("base64"),
          c: attempt.echo,
          version: 1,
        },
        200,
        {
          scnt: attempt.scnt,
          "x-apple-id-session-id": attempt.sessionId,
          // Recorded answers carry JSON under this type (auth.md 0.2).
          "content-type": "text/html;charset=UTF-8",
        },
      ),
      [
        `dslang=US-EN; Domain=${site.cookieDomain}; Path=/; Secure; HttpOnly`,
        `site=USA; Domain=${site.cookieDomain}; Path=/; Secure; HttpOnly`,
        `aasp=${attempt.cookie}; Domain=idmsa.${site.cookieDomain}; Path=/; Secure; HttpOnly`,
      ],
    );
  });

  app.post(`${base}/signin/complete`, async (c) => {
    const refused = refuseHeaders(c, site, "frame");
    if (refused !== undefined) return refused;
    if (c.req.query("isRememberMeEnabled") !== "true") return json({ error: "bad query" }, 400);
    const body = await readJson(c);
    const attempt = [...account.attempts.values()].findLast(
      (candidate) => candidate.echo === body?.["c"] && candidate.state === "challenged",
    );
    if (body === undefined || attempt === undefined) return json({ error: "unknown c" }, 400);
    const { accountName, m1, m2, rememberMe, trustTokens } = body;
    if (accountName !== account.accountName && typeof accountName !== "string") return json({ error: "bad body" }, 400);
    if (typeof m1 !== "string" || typeof m2 !== "string" || rememberMe !== true || !Array.isArray(trustTokens))
      return json({ error: "bad body" }, 400);
    if (account.lockedOut) return serviceError(403, "-20209", "This Apple ID has been locked for security reasons.");
    if (!attempt.exchange.accepts(Buffer.from(m1, "base64"), Buffer.from(m2, "base64"))) {
      account.attempts.delete(attempt.sessionId);
      account.wrongPasswords += 1;
      return serviceError(401, "-20101", "Your Apple ID or password was incorrect.");
    }
    account.wrongPasswords = 0;
    attempt.state = "password-ok";
    attempt.scnt = secret("scnt");
    const trusted =
      account.switches.kind === "none" || trustTokens.some((token) => account.trustTokens.has(String(token)));
    const headers = {
      scnt: attempt.scnt,
      "x-apple-id-session-id": attempt.sessionId,
      "x-apple-session-token": account.newSessionToken(trusted),
      "x-apple-id-account-country": "USA",
      "x-apple-twosv-trust-eligible": "true",
      "x-apple-auth-attributes": secret("attributes"),
      location: "/auth",
    };
    const cookies = [`acn01=${secret("acn")}; Domain=idmsa.${site.cookieDomain}; Path=/; Secure; HttpOnly`];
    if (account.switches.repair !== "no") return withCookies(json({ auth_type: "sa" }, 412, headers), cookies);
    if (account.switches.kind === "none") return withCookies(json({ auth_type: "sa" }, 412, headers), cookies);
    if (trusted && !account.switches.conflictOnTrusted)
      return withCookies(json({ authType: "hsa2" }, 200, headers), cookies);
    if (account.switches.pushOnComplete && !trusted) account.pushCode();
    return withCookies(json({ ...secondFactor(account), ...securityKeys(account) }, 409, headers), cookies);
  });

  app.post(`${base}/repair/complete`, async (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    if (JSON.stringify(await readJson(c)) !== "{}") return json({ error: "bad body" }, 400);
    if (account.switches.repair === "refuse") return json({ error: "repair needed" }, 500);
    account.switches.repair = "no";
    return new Response(null, {
      status: 200,
      headers: { "x-apple-session-token": account.newSessionToken(account.switches.kind === "none") },
    });
  });

  app.get(base, (c) => {
    const refused = refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    const boot = {
      direct: {
        authType: "hsa2",
        hasTrustedDevices: account.switches.qualifyingDevice,
        twoSV: { phoneNumberVerification: { trustedPhoneNumbers: phones(account) } },
      },
    };
    const page = `<html><script type="application/json" class="other">{"a":1}</script><script type="application/json" class="boot_args">${JSON.stringify(boot).replaceAll("<", "\\u003C")}</script></html>`;
    return new Response(page, { headers: { "content-type": "text/html;charset=UTF-8", scnt: refused.scnt } });
  });

  const codePath = `${base}/verify/trusteddevice/securitycode`;
  app.put(codePath, (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    if (!account.switches.qualifyingDevice) return json({ error: "no trusted device" }, 412);
    if (account.codesLocked)
      return json({ trustedDeviceCount: 1, securityCode: { ...flags(account), securityCodeLocked: true } }, 202);
    if (account.tooManyCodesSent)
      return json({ trustedDeviceCount: 1, securityCode: { ...flags(account), tooManyCodesSent: true } }, 202);
    account.pushCode();
    refused.sms = undefined;
    return json({ trustedDeviceCount: 1, ...secondFactor(account) }, 202, next(refused));
  });
  app.post(codePath, async (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    const body = await readJson(c);
    const code = (body?.["securityCode"] as Json | undefined)?.["code"];
    return checkCode(account, refused, code, account.deviceCode);
  });
  app.put(`${base}/verify/phone`, async (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    const body = await readJson(c);
    const phone = account.switches.phones.find((candidate) => candidate.id === phoneIn(body)?.["id"]);
    if (
      body === undefined ||
      phone === undefined ||
      !hasExactly(body, ["phoneNumber", "mode"]) ||
      !namesPhone(body, phone) ||
      (body["mode"] !== "sms" && body["mode"] !== "voice")
    )
      return json({ error: "bad phone" }, 412);
    const answer = { trustedPhoneNumbers: phones(account), trustedPhoneNumber: { id: phone.id } };
    if (account.codesLocked)
      return json({ ...answer, securityCode: { ...flags(account), securityCodeLocked: true } }, 423);
    if (phone.blocked === true)
      return serviceErrors(
        423,
        "-28248",
        "Verification codes can't be sent to this phone number at this time.",
        answer,
      );
    if (account.tooManyCodesSent)
      return json({ ...answer, securityCode: { ...flags(account), tooManyCodesSent: true } }, 423);
    refused.sms = { phone, mode: body["mode"], code: account.textCode() };
    return json({ ...answer, securityCode: flags(account) }, 200, next(refused));
  });
  app.post(`${base}/verify/phone/securitycode`, async (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    const body = await readJson(c);
    if (body === undefined || !hasExactly(body, ["phoneNumber", "securityCode", "mode"]))
      return json({ error: "bad body" }, 400);
    const { sms } = refused;
    // A code of the devices, or of another phone, is as wrong here as any (auth.md 3.5).
    const same = sms !== undefined && namesPhone(body, sms.phone) && body["mode"] === sms.mode;
    const code = (body["securityCode"] as Json | undefined)?.["code"];
    return checkCode(account, refused, code, same ? sms.code : undefined);
  });

  app.get(`${base}/2sv/trust`, (c) => {
    const refused = refuseHeaders(c, site, "page") ?? refuseAttempt(c, account);
    if (refused instanceof Response) return refused;
    if (refused.state !== "code-ok") return json({ error: "not verified" }, 404);
    return new Response(null, {
      status: 204,
      headers: {
        ...next(refused),
        "x-apple-session-token": account.newSessionToken(true),
        "x-apple-twosv-trust-token": account.newTrustToken(),
        "x-apple-id-account-country": "USA",
      },
    });
  });

  // Ways that Apple has closed (auth.md 1.2).
  app.post(`${base}/signin`, () => new Response("Service Temporarily Unavailable", { status: 503 }));
  app.post(`${base}/bridge/step/0`, () => json({}, 200));
  app.all(`${base}/verify/trusteddevice`, () => new Response(null, { status: 405 }));
  app.all("*", (c) => new Response(null, { status: c.req.path.startsWith(base) ? 405 : 404 }));
  return app;
}

/** The attempt a request belongs to: named by session id and scnt, both as last issued. */
function refuseAttempt(c: Context, account: DoubleAccount): Response | Attempt {
  const attempt = account.attempts.get(c.req.header("x-apple-id-session-id") ?? "");
  if (attempt === undefined || attempt.state === "challenged") return json({ error: "unknown session" }, 401);
  if (c.req.header("scnt") !== attempt.scnt) return json({ error: "stale scnt" }, 403);
  const { aasp } = Object.fromEntries(parseCookies(c.req.header("cookie")));
  if (aasp !== undefined && aasp !== attempt.cookie) return json({ error: "foreign cookies" }, 403);
  return attempt;
}

function checkCode(account: DoubleAccount, attempt: Attempt, code: unknown, right: string | undefined): Response {
  if (typeof code !== "string" || !/^\d{6}$/.test(code)) return json({ error: "bad body" }, 400);
  if (account.codesLocked)
    return serviceErrors(400, "-22982", "Too many codes", {
      securityCode: { ...flags(account), securityCodeLocked: true },
    });
  if (code !== right) {
    account.wrongCodes += 1;
    if (account.codesLocked) return serviceErrors(400, "-22982", "Too many codes", {});
    return serviceErrors(400, "-21669", "Incorrect verification code", {});
  }
  account.wrongCodes = 0;
  account.deviceCode = undefined;
  attempt.state = "code-ok";
  const headers = {
    ...next(attempt),
    "x-apple-session-token": account.newSessionToken(false),
    "x-apple-id-account-country": "USA",
  };
  if (!account.switches.conflictOnRightCode) return new Response(null, { status: 204, headers });
  return json({ ...secondFactor(account), securityCode: { ...flags(account), code, valid: true } }, 409, {
    ...headers,
    "x-apple-edp": "true",
  });
}

/** Spelled as recorded on the code endpoint: with an underscore (auth.md 1.7). */
function serviceErrors(status: number, code: string, message: string, more: Json): Response {
  return json(
    { service_errors: [{ code, title: message, message, suppressDismissal: false }], hasError: true, ...more },
    status,
    { "x-apple-i-ercd": code },
  );
}

/** Every answer moves the attempt on; the client has to echo the newest value. */
function next(attempt: Attempt): Record<string, string> {
  attempt.scnt = secret("scnt");
  return { scnt: attempt.scnt, "x-apple-id-session-id": attempt.sessionId };
}

function flags(account: DoubleAccount): Json {
  return {
    length: 6,
    tooManyCodesSent: false,
    tooManyCodesValidated: false,
    securityCodeLocked: account.codesLocked,
    securityCodeCooldown: false,
  };
}

function phones(account: DoubleAccount): Json[] {
  return account.switches.phones.map(({ id, lastTwoDigits, nonFTEU, voice }) => ({
    id,
    numberWithDialCode: `+1 (•••) •••-••${lastTwoDigits}`,
    obfuscatedNumber: `(•••) •••-••${lastTwoDigits}`,
    lastTwoDigits,
    pushMode: voice === true ? "voice" : "sms",
    ...(nonFTEU === undefined ? {} : { nonFTEU }),
  }));
}

function phoneIn(body: Json | undefined): Json | undefined {
  const phone = body?.["phoneNumber"];
  return typeof phone === "object" && phone !== null ? (phone as Json) : undefined;
}

/** The phone as the list has it, with `nonFTEU` exactly when it stands there. */
function namesPhone(body: Json, { id, nonFTEU }: Phone): boolean {
  const named = phoneIn(body);
  return (
    named !== undefined &&
    hasExactly(named, nonFTEU === undefined ? ["id"] : ["id", "nonFTEU"]) &&
    named["id"] === id &&
    named["nonFTEU"] === nonFTEU
  );
}

function secondFactor(account: DoubleAccount): Json {
  return {
    authType: "hsa2",
    phoneNumberVerification: {
      trustedPhoneNumbers: phones(account),
      securityCode: flags(account),
      authenticationType: "hsa2",
      hsa2Account: true,
    },
    securityCode: flags(account),
  };
}

function securityKeys(account: DoubleAccount): Json {
  const { securityKeys: keyNames } = account.switches;
  return keyNames.length === 0
    ? {}
    : { fsaChallenge: { challenge: "x", keyHandles: ["h"], rpId: "apple.com" }, keyNames };
}

async function readJson(c: Context): Promise<Json | undefined> {
  try {
    const value: unknown = JSON.parse(await c.req.text());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined; // Not JSON: the caller refuses it.
  }
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

function hasExactly(body: Json, names: readonly string[]): boolean {
  return Object.keys(body).length === names.length && names.every((name) => Object.hasOwn(body, name));
}
