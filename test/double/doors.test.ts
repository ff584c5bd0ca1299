/** The double's doors are as strict as Apple: whoever asks the wrong way is refused. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecret, padded, passwordKey, prove, toNumber } from "../../src/icloud/auth/srp.ts";
import { SrpExchange } from "../icloud/doors/srp-server.ts";
import { type Double, startDouble } from "../icloud/index.ts";

const WIDGET = "d39ba9916b7251055b22c7f910e2ea796ee65e98b2ddecea8f5dde8d9d1a815d";
const HOME = "https://www.icloud.com";
const IDMSA = "https://idmsa.apple.com";

let double: Double;
beforeEach(async () => {
  double = await startDouble({ account: { iterations: 1_000, signInLimit: 50 } });
});
afterEach(() => double.stop());

const page = { origin: HOME, referer: `${HOME}/`, "user-agent": "Mozilla/5.0" };
const frame = { origin: IDMSA, referer: `${IDMSA}/`, "user-agent": "Mozilla/5.0" };
const oauth = {
  accept: "application/json, text/javascript",
  "content-type": "application/json",
  "x-apple-oauth-client-id": WIDGET,
  "x-apple-oauth-client-type": "firstPartyAuth",
  "x-apple-oauth-redirect-uri": HOME,
  "x-apple-oauth-require-grant-code": "true",
  "x-apple-oauth-response-mode": "web_message",
  "x-apple-oauth-response-type": "code",
  "x-apple-oauth-state": "auth-1",
  "x-apple-widget-key": WIDGET,
};

async function ask(host: string, method: string, path: string, headers: Record<string, string>, body?: unknown) {
  const response = await fetch(`${double.url}${path}`, {
    method,
    headers: { ...headers, "x-kei-test-host": host },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    redirect: "manual",
  });
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text);
  } catch {
    json = {}; // A page or nothing.
  }
  return { status: response.status, headers: response.headers, json };
}

const auth = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  ask("idmsa.apple.com", method, `/appleauth/auth${path}`, { ...oauth, ...headers }, body);
const setup = (path: string, body: unknown, headers: Record<string, string> = page) =>
  ask("setup.icloud.com", "POST", `/setup/ws/1${path}`, headers, body);

async function complete(change: Record<string, unknown> = {}, password = double.account.password) {
  const accountName = double.account.accountName;
  const secret = createSecret(randomBytes);
  const init = await auth("POST", "/signin/init", frame, {
    a: Buffer.from(padded(secret.A)).toString("base64"),
    accountName,
    protocols: ["s2k", "s2k_fo"],
  });
  const challenge = {
    protocol: "s2k" as const,
    salt: Buffer.from(String(init.json["salt"]), "base64"),
    iterations: Number(init.json["iteration"]),
    B: toNumber(Buffer.from(String(init.json["b"]), "base64")),
  };
  const proof = prove(accountName, await passwordKey(password, challenge), secret, challenge);
  const body = {
    accountName,
    c: init.json["c"],
    m1: Buffer.from(proof.m1).toString("base64"),
    m2: Buffer.from(proof.m2).toString("base64"),
    rememberMe: true,
    trustTokens: [],
    ...change,
  };
  return auth("POST", "/signin/complete?isRememberMeEnabled=true", frame, body);
}

/** Headers that name a sign-in attempt. */
const attempt = (answer: { readonly headers: Headers }) => ({
  ...page,
  scnt: answer.headers.get("scnt") ?? "",
  "x-apple-id-session-id": answer.headers.get("x-apple-id-session-id") ?? "",
});

test("the server's half of SRP agrees with all vectors", () => {
  const vectors = JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/auth-vectors.json"), "utf8"));
  for (const { input, wire, serverInitResponse } of vectors.srp) {
    const account = {
      name: input.accountName,
      password: input.password,
      protocol: input.protocol,
      iterations: input.iteration,
    };
    const exchange = new SrpExchange(
      account,
      Buffer.from(wire.a, "base64"),
      Buffer.from(input.bHex, "hex"),
      Buffer.from(input.saltHex, "hex"),
    );
    expect(exchange.B.toString("base64")).toBe(serverInitResponse.b);
    expect(exchange.accepts(Buffer.from(wire.m1, "base64"), Buffer.from(wire.m2, "base64"))).toBe(true);
    expect(exchange.accepts(Buffer.from(wire.m2, "base64"), Buffer.from(wire.m1, "base64"))).toBe(false);
  }
});

describe("signing in", () => {
  test("with the right proof asks for a code", async () => {
    const answer = await complete();
    expect(answer.status).toBe(409);
    expect(answer.headers.get("x-apple-session-token")).not.toBeNull();
    expect(answer.headers.getSetCookie().join()).toContain("acn01=");
  });

  test.each<[string, Record<string, unknown>, number]>([
    ["a wrong m2", { m2: Buffer.alloc(32).toString("base64") }, 401],
    ["an unknown c", { c: "d-000" }, 400],
    ["no rememberMe", { rememberMe: undefined }, 400],
    ["no list of trust tokens", { trustTokens: undefined }, 400],
  ])("with %s is refused", async (_, change, status) => {
    expect((await complete(change)).status).toBe(status);
  });

  test("with a wrong password is told -20101", async () => {
    const answer = await complete({}, "wrong");
    expect(answer.status).toBe(401);
    expect(JSON.stringify(answer.json)).toContain("-20101");
  });

  test.each<[string, Record<string, string>]>([
    ["the page's origin in place of the frame's", page],
    ["another widget key", { ...frame, "x-apple-widget-key": "0" }],
    ["no state", { ...frame, "x-apple-oauth-state": "" }],
    ["another redirect", { ...frame, "x-apple-oauth-redirect-uri": "https://evil.example" }],
  ])("with %s is refused", async (_, headers) => {
    const body = { a: Buffer.alloc(256, 7).toString("base64"), accountName: "x", protocols: ["s2k"] };
    expect((await auth("POST", "/signin/init", headers, body)).status).toBeGreaterThanOrEqual(400);
  });

  test("with one member more or less than Apple takes is refused", async () => {
    const body = { a: Buffer.alloc(256, 7).toString("base64"), accountName: "x", protocols: ["s2k"] };
    expect((await auth("POST", "/signin/init", frame, { ...body, extra: 1 })).status).toBe(400);
    expect((await auth("POST", "/signin/init", frame, { a: body.a, accountName: "x" })).status).toBe(400);
  });

  test("by the ways that Apple has closed is refused", async () => {
    expect((await auth("POST", "/signin", frame, { accountName: "x", password: "y" })).status).toBe(503);
    expect((await auth("PUT", "/verify/trusteddevice", page)).status).toBe(405);
    expect((await auth("GET", "/signin/init", frame)).status).toBe(405);
  });
});

describe("codes", () => {
  test("are good once, only after they were shown, and each new one voids the one before", async () => {
    const answer = await complete();
    const early = await auth("POST", "/verify/trusteddevice/securitycode", attempt(answer), {
      securityCode: { code: "123456" },
    });
    expect(early.status).toBe(400);
    expect(JSON.stringify(early.json)).toContain("-21669");
    const shown = await auth("PUT", "/verify/trusteddevice/securitycode", attempt(answer));
    expect(shown.status).toBe(202);
    const first = double.account.deviceCode ?? "";
    const again = await auth("PUT", "/verify/trusteddevice/securitycode", attempt(shown));
    const void_ = await auth("POST", "/verify/trusteddevice/securitycode", attempt(again), {
      securityCode: { code: first },
    });
    expect(void_.status).toBe(400);
    const right = await auth("POST", "/verify/trusteddevice/securitycode", attempt(again), {
      securityCode: { code: double.account.deviceCode },
    });
    expect(right.status).toBe(204);
    const trust = await auth("GET", "/2sv/trust", attempt(right));
    expect(trust.status).toBe(204);
    expect(trust.headers.get("x-apple-twosv-trust-token")).not.toBeNull();
  });

  test("need the attempt they belong to", async () => {
    const answer = await complete();
    const { scnt: _, ...without } = attempt(answer);
    expect((await auth("PUT", "/verify/trusteddevice/securitycode", without)).status).toBe(403);
    expect((await auth("PUT", "/verify/trusteddevice/securitycode", page)).status).toBe(401);
    expect((await auth("PUT", "/verify/trusteddevice/securitycode", { ...attempt(answer), ...frame })).status).toBe(
      403,
    );
  });

  test("that are wrong too often lock", async () => {
    const answer = await complete();
    let last = answer as { headers: Headers; json: Record<string, unknown>; status: number };
    for (let wrong = 0; wrong < 6; wrong += 1) {
      last = await auth("POST", "/verify/trusteddevice/securitycode", attempt(answer), {
        securityCode: { code: "000000" },
      });
    }
    expect(JSON.stringify(last.json)).toContain("-22982");
  });
});

describe("the web session", () => {
  test("is not given for a made-up token, nor for headers of the frame", async () => {
    const body = { accountCountryCode: "USA", dsWebAuthToken: "made-up", extended_login: true, trustToken: "" };
    expect((await setup("/accountLogin", body)).status).toBe(421);
    expect((await setup("/accountLogin", body, { ...page, ...oauth })).status).toBe(400);
    expect((await setup("/accountLogin", { ...body, dsWebAuthToken: "" })).status).toBe(400);
    expect((await setup("/accountLogin", body, frame)).status).toBe(403);
  });

  test("before trust carries no token that CloudKit takes", async () => {
    const answer = await complete();
    const token = answer.headers.get("x-apple-session-token");
    const login = await setup("/accountLogin", {
      accountCountryCode: "USA",
      dsWebAuthToken: token,
      extended_login: true,
      trustToken: "",
    });
    expect(login.status).toBe(200);
    expect(login.json["hsaTrustedBrowser"]).toBe(false);
    expect(login.headers.getSetCookie().join()).not.toContain("X-APPLE-WEBAUTH-TOKEN=");
  });

  test("without its cookies is refused, and so is a body that is not null", async () => {
    const missing = await setup("/validate", "null");
    expect(missing.status).toBe(421);
    expect(missing.json["error"]).toBe("Missing X-APPLE-WEBAUTH-TOKEN cookie");
    expect((await setup("/validate", "{}")).status).toBe(400);
  });

  test("of an unknown host is misdirected", async () => {
    expect((await ask("www.example.com", "POST", "/x", page, "{}")).status).toBe(421);
    expect(
      (
        await ask(
          "p99-ckdatabasews.icloud.com",
          "POST",
          "/database/1/com.apple.photos.cloud/production/private/zones/list",
          page,
          "{}",
        )
      ).status,
    ).toBe(421);
  });
});
