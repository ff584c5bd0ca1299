/** Which calls a sign-in makes, in which order, and no others (auth.md 8.2). */
import { expect, test } from "bun:test";
import {
  CK_URL,
  CODE_OK,
  FakeApple,
  failureOf,
  Machine,
  PASSWORD,
  phonePage,
  SESSION_COOKIES,
  TRUSTED,
  UNTRUSTED,
  WRONG_PASSWORD,
} from "./fake-apple.ts";

const machine = () => new Machine(new FakeApple());

test("a first sign-in proves the password, asks for a code once, and ends trusted", async () => {
  const m = machine();
  const { account, how } = await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
  expect(how).toBe("srp");
  expect(account).toMatchObject({ dsid: "10000000001", ckdatabaseUrl: CK_URL, domain: "com" });
  expect(account.clientId).toMatch(/^auth-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("an account without two-factor that Apple lets through after a repair needs no code", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 412, headers: { "X-Apple-Session-Token": "t" }, body: { auth_type: "sa" } });
  const data = { dsInfo: { dsid: 10000000001 }, webservices: TRUSTED.webservices };
  m.apple.on("LOGIN", { body: data, cookies: SESSION_COOKIES });
  const { account } = await m.run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("INIT COMPLETE REPAIR LOGIN");
  expect(m.apple.only("REPAIR").text).toBe("{}");
  expect(account.dsid).toBe("10000000001");
});

test("within ten minutes of a sign-in nothing is asked of Apple", async () => {
  const m = await machine().signedIn();
  const { how } = await m.later(599_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("");
  expect(how).toBe("cached");
});

test("the next day one call shows that the session is alive, and the password is not read", async () => {
  const m = await machine().signedIn();
  m.apple.on("VALIDATE", { body: TRUSTED });
  const { how } = await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE");
  expect(how).toBe("session");
  expect(m.passwordsRead).toBe(0);
});

test("expired cookies are renewed by the saved tokens, without a password", async () => {
  const m = await machine().signedIn();
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
  expect(m.passwordsRead).toBe(0);
});

test("an untrusted answer to validate is overruled by a trusted login, without a prompt", async () => {
  const m = await machine().signedIn();
  m.apple.on("VALIDATE", { body: UNTRUSTED });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a dead session token leads to the password, and the trust token spares the code", async () => {
  const m = await machine().signedIn();
  m.apple.on("LOGIN", { status: 400, body: { success: false, error: "Invalid Session Token" } });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN INIT COMPLETE LOGIN");
  expect(m.apple.only("COMPLETE").body["trustTokens"]).toEqual(["trust-1"]);
});

test("a 500 that names a missing cookie is an expired session, not an outage", async () => {
  const m = await machine().signedIn();
  m.apple.on("LOGIN", { status: 500, body: { success: false, error: "Missing X-APPLE-WEBAUTH-TOKEN cookie" } });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN INIT COMPLETE LOGIN");
});

test("a throttle at validate stops everything at once", async () => {
  const m = await machine().signedIn();
  m.apple.on("VALIDATE", { status: 503, body: "Service Temporarily Unavailable" });
  const failure = await failureOf(m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure).toMatchObject({ kind: "rate-limited", exit: 3 });
  expect(String(failure["remedy"])).toContain("Wait until");
  expect(m.apple.sequence).toBe("VALIDATE");
});

test.each([429, 502, 503])("a login answered %i is not followed by a password", async (status) => {
  const m = await machine().signedIn();
  m.apple.on("LOGIN", { status });
  const failure = await failureOf(m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure["kind"]).toBe(status === 502 ? "apple-unavailable" : "rate-limited");
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a misdirected login before the password leads to the password, over a new connection", async () => {
  const m = await machine().signedIn();
  m.apple.on("LOGIN", { status: 421 });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN INIT COMPLETE LOGIN");
  expect(m.apple.calls.map((call) => call.freshConnection)).toEqual([false, true, true, true, true]);
});

test("a login that stays misdirected is tried three times at most", async () => {
  const m = await machine().signedIn();
  m.apple.always("LOGIN", { status: 421 });
  const failure = await failureOf(m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure["kind"]).toBe("session-expired");
  expect(m.apple.sequence).toBe("VALIDATE LOGIN INIT COMPLETE LOGIN LOGIN");
});

test("an unattended start that needs a code sends none and names the commands", async () => {
  const m = machine();
  const failure = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure).toMatchObject({ kind: "two-factor-required", exit: 3 });
  expect(String(failure["remedy"])).toContain("kei login get-code");
  expect(String(failure["remedy"])).toContain("kei login submit-code");
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN");
});

test("get-code and submit-code in separate processes need one handshake, one push, one code and one trust", async () => {
  const m = machine();
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH");
  expect(await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()))).toBe("accepted");
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH LOGIN CODE TRUST LOGIN");
  expect(m.passwordsRead).toBe(1);
  m.apple.clear();
  expect((await m.run((signIn) => signIn.authenticate(m.credentials()))).how).toBe("cached");
  expect(m.apple.sequence).toBe("");
});

test("submit-code carries over what the other process was given: attempt, cookies and client id", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  const before = m.apple.calls.at(-1);
  await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
  const code = m.apple.only("CODE");
  expect(code.headers.get("X-Apple-OAuth-State")).toBe(before?.headers.get("X-Apple-OAuth-State") ?? "");
  expect(code.headers.get("X-Apple-ID-Session-Id")).toBe("session-1");
  expect(code.headers.get("cookie")).toBe("aasp=FAKE0123");
});

test("submit-code whose attempt is gone proves the password again, says so, and still hands the code in", async () => {
  const m = machine();
  await m.run((signIn) => signIn.submitCode("123 456", m.credentials()));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN CODE TRUST LOGIN");
  expect(m.log.warnings.join()).toContain("may not accept the code");
});

test("submit-code never has a code sent, and without six digits asks nothing at all", async () => {
  const m = machine();
  const failure = await failureOf(m.run((signIn) => signIn.submitCode("12345a", m.credentials())));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
  expect(m.apple.sequence).toBe("");
});

test("submit-code with a wrong code fails with exit 3 and asks for no trust", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  const failure = await failureOf(m.run((signIn) => signIn.submitCode("654321", m.credentials())));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
  expect(m.apple.of("TRUST")).toHaveLength(0);
});

test("get-code and submit-code on a trusted session say that none is needed", async () => {
  const m = await machine().signedIn();
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("already");
  expect(m.apple.sequence).toBe("");
  expect(await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()))).toBe("already");
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a login that waits for its code from an earlier process is final: no password is sent", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  m.apple.clear();
  const failure = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure["kind"]).toBe("two-factor-required");
  expect(m.apple.sequence).toBe("LOGIN");
});

test("an account without a device that shows codes gets a text message, and hands it in for the same phone", async () => {
  const m = machine();
  const data = { ...UNTRUSTED, dsInfo: { ...UNTRUSTED.dsInfo, hasICloudQualifyingDevice: false } };
  m.apple.on("LOGIN", { body: data }, { body: data });
  m.apple.on("OPTIONS", {
    body: phonePage([{ id: 2, obfuscatedNumber: "(•••) •••-••15", pushMode: "sms", nonFTEU: true }]),
  });
  m.apple.on("SMS", { status: 409, body: { trustedPhoneNumber: {} } });
  const sent = await m.run((signIn) => signIn.requestCode(m.credentials()));
  expect(sent).toEqual({ textedTo: "(***) ***-**15" });
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN OPTIONS SMS");
  expect(m.apple.only("OPTIONS").headers.get("accept")).toBe("text/html");
  expect(m.apple.only("SMS").body).toEqual({ phoneNumber: { id: 2, nonFTEU: true }, mode: "sms" });
  m.apple.calls.length = 0;
  await m.run((signIn) => signIn.submitCode(CODE_OK, m.credentials()));
  expect(m.apple.sequence).toBe("LOGIN SMSCODE TRUST LOGIN");
  expect(m.apple.only("SMSCODE").body).toEqual({
    phoneNumber: { id: 2, nonFTEU: true },
    securityCode: { code: CODE_OK },
    mode: "sms",
  });
});

test("a phone without the nonFTEU mark is named without it, and a refused message fails", async () => {
  const m = machine();
  const data = { ...UNTRUSTED, dsInfo: { ...UNTRUSTED.dsInfo, hasICloudQualifyingDevice: false } };
  m.apple.on("LOGIN", { body: data });
  m.apple.on("SMS", { status: 412 });
  const failure = await failureOf(m.run((signIn) => signIn.requestCode(m.credentials())));
  expect(failure["kind"]).toBe("two-factor-failed");
  expect(m.apple.only("SMS").body).toEqual({ phoneNumber: { id: 7 }, mode: "sms" });
});

test("a code that no device can show is texted instead when Apple refuses to push", async () => {
  const m = machine();
  m.apple.on("PUSH", { status: 412 });
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toEqual({ textedTo: "(***) ***-**07" });
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH OPTIONS SMS");
});

test("CloudKit's refusal is answered by validating and logging in anew, over new connections", async () => {
  const m = await machine().signedIn();
  await m.run((signIn) => signIn.reauthenticate("soft", m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
  expect(m.apple.calls.every((call) => call.freshConnection)).toBe(true);
});

test("a second refusal forgets all but the trust, so the password is needed and the code is not", async () => {
  const m = await machine().signedIn();
  const { how } = await m.run((signIn) => signIn.reauthenticate("strip", m.credentials()));
  expect(how).toBe("srp");
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN");
  expect(m.apple.only("COMPLETE").body["trustTokens"]).toEqual(["trust-1"]);
});

test("a second refusal right after the password was proved does not have it proved again", async () => {
  const m = await machine().signedIn();
  await m.run(async (signIn) => {
    m.apple.on("LOGIN", { status: 400, body: { error: "Invalid Session Token" } });
    expect((await signIn.reauthenticate("soft", m.credentials())).how).toBe("srp");
    expect((await signIn.reauthenticate("strip", m.credentials())).how).toBe("session");
    m.later(61_000);
    expect((await signIn.reauthenticate("strip", m.credentials())).how).toBe("srp");
  });
  expect(m.apple.of("INIT")).toHaveLength(2);
});

test("workers that ask for a new session together get the same one", async () => {
  const m = await machine().signedIn();
  await m.run((signIn) =>
    Promise.all(Array.from({ length: 10 }, () => signIn.reauthenticate("soft", m.credentials()))),
  );
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a stop ends a sign-in with the reason of its signal", async () => {
  const m = machine();
  const reason = new Error("stopped");
  m.apple.on("INIT", () => {
    m.stop.abort(reason);
    return { status: 503 };
  });
  const failure: Error = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(failure).toBe(reason);
  expect(m.apple.sequence).toBe("INIT");
});

test("a wrong password is sent once, and again only when it changed or a person typed it", async () => {
  const m = machine();
  m.apple.on("COMPLETE", WRONG_PASSWORD);
  const first = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(first).toMatchObject({ kind: "bad-credentials", exit: 3 });
  expect(m.apple.sequence).toBe("INIT COMPLETE");

  m.apple.clear();
  const second = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(second).toMatchObject({ kind: "bad-credentials", exit: 3 });
  expect(second.message).toContain("2026-11-24 12:00 UTC");
  expect(m.apple.sequence).toBe("");

  m.apple.on("COMPLETE", WRONG_PASSWORD);
  await failureOf(m.run((signIn) => signIn.authenticate({ ...m.credentials(), passwordInteractive: true })));
  expect(m.apple.sequence).toBe("INIT COMPLETE");

  m.apple.clear();
  m.password = `${PASSWORD}!`;
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
  expect(await m.run(async (signIn) => signIn.sessionFacts().passwordRefusedAt)).toBeUndefined();
});

test("after a throttle no password is sent for fifteen minutes, not even by a new process", async () => {
  const m = machine();
  m.apple.always("INIT", { status: 503 });
  const first = await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  expect(first["kind"]).toBe("rate-limited");
  expect(m.apple.sequence).toBe("INIT INIT INIT");
  const until = m.clock.time + 15 * 60_000;
  expect(first["retryAt"]).toBe(until);

  m.apple.clear();
  m.later(14 * 60_000);
  const second = await failureOf(m.run((signIn) => signIn.authenticate(m.person(CODE_OK))));
  expect(second).toMatchObject({ kind: "rate-limited", exit: 3, retryAt: until });
  expect(m.apple.sequence).toBe("");
  expect(m.passwordsRead).toBe(1);

  m.later(60_001);
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
});

test("a clock that was set back does not prolong the wait after a throttle", async () => {
  const m = machine();
  m.apple.always("INIT", { status: 429 });
  await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())));
  m.apple.clear();
  m.later(-86_400_000);
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.of("INIT")).toHaveLength(1);
});
