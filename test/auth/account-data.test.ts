/** What the account host's data makes of a sign-in (auth.md 4.2 to 4.7). */
import { expect, test } from "bun:test";
import { FakeApple, failureOf, Machine, SESSION_COOKIES, TRUSTED, UNTRUSTED } from "./fake-apple.ts";

async function loginSays(body: unknown, domain: "com" | "cn" = "com") {
  const m = new Machine(new FakeApple(), domain);
  m.apple.on("LOGIN", { body, cookies: SESSION_COOKIES });
  return { m, result: m.run((signIn) => signIn.authenticate(m.credentials())) };
}
const failing = async (body: unknown, domain: "com" | "cn" = "com") =>
  failureOf((await loginSays(body, domain)).result);
const { dsInfo } = TRUSTED;

test.each([
  ["com", "iCloud.com.cn", "cn"],
  ["cn", "iCloud.com", "com"],
] as const)(
  "an account of another region (%s, told %s) is named the right domain",
  async (domain, domainToUse, right) => {
    const failure = await failing({ domainToUse }, domain);
    expect(failure).toMatchObject({ kind: "wrong-domain", exit: 3, code: right });
    expect(String(failure["remedy"])).toContain(`--domain ${right}`);
  },
);

test.each([null, "iCloud.com"])("domainToUse %j changes nothing", async (domainToUse) => {
  const { result } = await loginSays({ ...TRUSTED, domainToUse });
  expect((await result).account.dsid).toBe("10000000001");
});

test("pending terms are the owner's to accept: exit 4", async () => {
  expect(await failing({ ...TRUSTED, termsUpdateNeeded: true })).toMatchObject({
    kind: "terms-update-required",
    exit: 4,
  });
});

test.each([
  ["Advanced Data Protection at the top", { ...TRUSTED, iCDPEnabled: true }],
  ["Advanced Data Protection in dsInfo", { ...TRUSTED, dsInfo: { ...dsInfo, iCDPEnabled: true } }],
  ["web access turned off", { ...TRUSTED, dsInfo: { ...dsInfo, isWebAccessAllowed: false } }],
])("%s ends with exit 4 and names both settings", async (_what, body) => {
  const failure = await failing(body);
  expect(failure).toMatchObject({ kind: "adp-or-web-access", exit: 4 });
  expect(String(failure["remedy"])).toContain("Advanced Data Protection");
  expect(String(failure["remedy"])).toContain("Access iCloud Data on the Web");
});

test.each([
  ["no services", { ...TRUSTED, webservices: undefined }],
  ["no photos service", { ...TRUSTED, webservices: { schoolwork: {} } }],
  ["a service without an address", { ...TRUSTED, webservices: { ckdatabasews: {} } }],
  [
    "a service on a foreign host",
    { ...TRUSTED, webservices: { ckdatabasews: { url: "https://icloud.com.evil.example" } } },
  ],
  [
    "a service without encryption",
    { ...TRUSTED, webservices: { ckdatabasews: { url: "http://p1-ckdatabasews.icloud.com" } } },
  ],
])("an account with %s has no photos to serve: exit 4", async (_what, body) => {
  expect(await failing(body)).toMatchObject({ kind: "photos-unavailable", exit: 4 });
});

test("an account without dsInfo is let in, and its id is unknown", async () => {
  const { result } = await loginSays({ webservices: TRUSTED.webservices, strange: [1], apps: {} });
  expect((await result).account.dsid).toBeUndefined();
});

test("an account id that is a number is kept as text, and the photos address without its final slash", async () => {
  const url = "https://p12-ckdatabasews.icloud.com:443";
  const { result } = await loginSays({
    ...TRUSTED,
    dsInfo: { ...dsInfo, dsid: 10000000001 },
    webservices: { ckdatabasews: { url: `${url}/` } },
  });
  expect((await result).account).toMatchObject({ dsid: "10000000001", ckdatabaseUrl: url });
});

test("an account with two-step verification is told that it is not supported: exit 4", async () => {
  const body = { ...UNTRUSTED, dsInfo: { ...dsInfo, hsaVersion: 1 } };
  expect(await failing(body)).toMatchObject({ kind: "two-step-unsupported", exit: 4 });
});

test("two-factor is asked for without a qualifying device too", async () => {
  const body = { ...UNTRUSTED, dsInfo: { ...dsInfo, hasICloudQualifyingDevice: false } };
  expect(await failing(body)).toMatchObject({ kind: "two-factor-required", exit: 3 });
});

test.each([
  ["hasError", { hasError: true, service_errors: [{ code: "X1", message: "Closed" }] }, "X1", "Closed"],
  ["has_error", { has_error: true }, "200", "status 200"],
  ["serviceErrors", { serviceErrors: [{ code: -77, message: "", title: "A title" }] }, "-77", "A title"],
  ["success false", { success: false, error: "Odd", errorCode: 5 }, "5", "Odd"],
  ["ZONE_NOT_FOUND", { service_errors: [{ code: "ZONE_NOT_FOUND", message: "none" }] }, "ZONE_NOT_FOUND", "none"],
])(
  "an answer that is an error in spite of its 200 (%s) is reported with Apple's code and words",
  async (_what, body, code, text) => {
    const failure = await failing({ ...TRUSTED, ...body });
    expect(failure).toMatchObject({ kind: "login-rejected", exit: 3, code });
    expect(failure.message).toContain(text);
  },
);

test("false error marks and empty lists are no errors", async () => {
  const { result } = await loginSays({ ...TRUSTED, hasError: false, service_errors: [], success: true });
  expect((await result).how).toBe("srp");
});

test("a login that is no JSON after the password is a protocol error", async () => {
  expect(await failing("<html>")).toMatchObject({ kind: "protocol-error" });
});

test("a login refused after a complete sign-in is reported, after a pending code it is awaited", async () => {
  const done = new Machine(new FakeApple());
  done.apple.on("COMPLETE", { status: 200, headers: { "X-Apple-Session-Token": "t" } }).on("LOGIN", { status: 403 });
  expect((await failureOf(done.run((signIn) => signIn.authenticate(done.credentials()))))["kind"]).toBe(
    "login-rejected",
  );

  const pending = new Machine(new FakeApple());
  pending.apple.on("LOGIN", { status: 403 });
  await pending.run((signIn) => signIn.authenticate(pending.person("123456")));
  expect(pending.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
});

test("a login is never tried without a session token", async () => {
  const m = new Machine(new FakeApple());
  m.apple.on("COMPLETE", { status: 409 });
  expect((await failureOf(m.run((signIn) => signIn.authenticate(m.credentials()))))["kind"]).toBe("protocol-error");
  expect(m.apple.sequence).toBe("INIT COMPLETE");
});
