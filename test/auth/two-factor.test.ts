/** Codes: having them sent, typing them, and being trusted for them (auth.md 3). */

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { CODE_OK, FakeApple, failureOf, Machine, type Scripted, UNTRUSTED, WRONG_CODE } from "./fake-apple.ts";

const machine = () => new Machine(new FakeApple());
const withPerson = (m: Machine, ...answers: readonly string[]) =>
  m.run((signIn) => signIn.authenticate(m.person(...answers)));

test("exactly one code is sent before the first question, and an empty answer has one more sent", async () => {
  const m = machine();
  await withPerson(m, "", CODE_OK);
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH PUSH CODE TRUST LOGIN");
});

test("a push is a PUT without a body, for JSON", async () => {
  const m = machine();
  await withPerson(m, CODE_OK);
  const { headers, text } = m.apple.only("PUSH");
  expect(text).toBe("");
  expect(headers.get("accept")).toBe("application/json");
});

test("a push that fails is a warning, and the question is asked all the same", async () => {
  const m = machine();
  m.apple.always("PUSH", { status: 500 });
  await withPerson(m, CODE_OK);
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH PUSH PUSH CODE TRUST LOGIN");
  expect(m.log.warnings).toHaveLength(1);
});

test("get-code fails when the push fails", async () => {
  const m = machine();
  m.apple.always("PUSH", { status: 500 });
  const failure = await failureOf(m.run((signIn) => signIn.requestCode(m.credentials())));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
});

test("a push answered 409 with a two-factor body counts as sent", async () => {
  const m = machine();
  m.apple.on("PUSH", { status: 409, body: { securityCode: { length: 6 } } });
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
});

test.each([
  ["123 456", "123456"],
  ["054321", "054321"],
])("the input %j is handed in as %j", async (input, sent) => {
  const m = machine();
  m.apple.on("CODE", { status: 204 });
  await withPerson(m, input);
  expect(m.apple.only("CODE").text).toBe(JSON.stringify({ securityCode: { code: sent } }));
});

test("an input without six digits is asked again and costs no try at Apple", async () => {
  const m = machine();
  const person = m.person("12345", "12345a", "1234567", CODE_OK);
  await m.run((signIn) => signIn.authenticate(person));
  expect(m.apple.of("CODE")).toHaveLength(1);
  expect(person.questions[1]).toContain("exactly six digits");
});

test("three wrong codes end the sign-in with exit 3 and without any trust", async () => {
  const m = machine();
  m.apple.always("CODE", WRONG_CODE);
  const failure = await failureOf(withPerson(m, "111111", "222222", "333333"));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
  expect(m.apple.of("CODE")).toHaveLength(3);
  expect(m.apple.of("TRUST")).toHaveLength(0);
});

test("a terminal that only sends empty lines does not request codes without end", async () => {
  const m = machine();
  const failure = await failureOf(withPerson(m, "", "", "", "", ""));
  expect(failure["kind"]).toBe("two-factor-failed");
  expect(m.apple.of("PUSH")).toHaveLength(5);
});

test.each<[string, Scripted]>([
  [
    "a 409 that calls it valid",
    { status: 409, headers: { "X-Apple-Edp": "true" }, body: { securityCode: { valid: true } } },
  ],
  ["a 409 with a session token", { status: 409, headers: { "X-Apple-Session-Token": "t2" } }],
])("a code answered by %s is accepted: trust and login follow", async (_what, answer) => {
  const m = machine();
  m.apple.on("CODE", answer);
  await withPerson(m, CODE_OK);
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
});

test("a code answered by a 409 that calls it invalid is an error", async () => {
  const m = machine();
  m.apple.on("CODE", { status: 409, body: { securityCode: { valid: false } } });
  expect((await failureOf(withPerson(m, CODE_OK)))["kind"]).toBe("two-factor-failed");
  expect(m.apple.of("TRUST")).toHaveLength(0);
});

test("a 200 with hasError is no acceptance", async () => {
  const m = machine();
  m.apple.on("CODE", { status: 200, body: { hasError: true } });
  await failureOf(withPerson(m, CODE_OK));
  expect(m.apple.of("TRUST")).toHaveLength(0);
});

test("a code that met an outage is handed in again", async () => {
  const m = machine();
  m.apple.on("CODE", { status: 503 });
  await withPerson(m, CODE_OK);
  expect(m.apple.of("CODE")).toHaveLength(2);
});

test("a right code for an account in need of repair is followed by the repair, then the trust", async () => {
  const m = machine();
  m.apple.on("CODE", { status: 412, body: { securityCode: { valid: true } } });
  await withPerson(m, CODE_OK);
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE REPAIR TRUST LOGIN");
});

test.each<[string, "CODE" | "PUSH", Scripted]>([
  ["locked codes", "CODE", { status: 400, body: { securityCode: { securityCodeLocked: true } } }],
  ["too many wrong codes", "CODE", { status: 400, body: { service_errors: [{ code: "-22982", message: "m" }] } }],
  ["a cool-down at the push", "PUSH", { status: 202, body: { securityCode: { securityCodeCooldown: true } } }],
  ["a lock at the push", "PUSH", { status: 423, body: { securityCode: { securityCodeLocked: true } } }],
])("%s: exit 4, wait for hours, and no further request", async (_what, step, answer) => {
  const m = machine();
  m.apple.on(step, answer);
  const failure = await failureOf(withPerson(m, CODE_OK));
  expect(failure).toMatchObject({ kind: "two-factor-locked", exit: 4 });
  expect(String(failure["remedy"])).toContain("hours");
  expect(m.apple.calls.at(-1)?.step).toBe(step);
});

test("too many requested codes fail get-code, but a person may still type the last one", async () => {
  const m = machine();
  const answer = { status: 202, body: { securityCode: { tooManyCodesSent: true } } };
  m.apple.on("PUSH", answer, answer);
  const failure = await failureOf(m.run((signIn) => signIn.requestCode(m.credentials())));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
  await withPerson(m, CODE_OK);
  expect(m.apple.of("TRUST")).toHaveLength(1);
});

test("the trust token is on disk before the login that uses it, and the login carries the newest tokens", async () => {
  const m = machine();
  let saved = "";
  m.apple.on("LOGIN", { body: UNTRUSTED }, (call) => {
    saved = readFileSync(m.files.session, "utf8");
    expect(call.body["trustToken"]).toBe("trust-9");
    expect(call.body["dsWebAuthToken"]).toBe("token-9");
    return { status: 403 };
  });
  m.apple.on("TRUST", {
    status: 204,
    headers: { "X-Apple-TwoSV-Trust-Token": "trust-9", "X-Apple-Session-Token": "token-9" },
  });
  await failureOf(withPerson(m, CODE_OK));
  expect(JSON.parse(saved)).toMatchObject({ trust_token: "trust-9", session_token: "token-9" });
});

test.each([404, 500])("a refused trust (%i) is an error, and nothing is taken for verified", async (status) => {
  const m = machine();
  m.apple.on("TRUST", { status });
  expect((await failureOf(withPerson(m, CODE_OK)))["kind"]).toBe("two-factor-failed");
  expect(existsSync(m.files.cache)).toBe(false);
});

test("a trust without a token goes on with a warning", async () => {
  const m = machine();
  m.apple.on("TRUST", { status: 204 });
  m.apple.on(
    "LOGIN",
    { body: UNTRUSTED },
    { body: { ...UNTRUSTED, hsaTrustedBrowser: true, hsaChallengeRequired: false } },
  );
  await withPerson(m, CODE_OK);
  expect(m.log.warnings.join()).toContain("will need a code again");
});

test("a login that still wants a code after the trust is tried once more, then an error that is not remembered", async () => {
  const m = machine();
  m.apple.always("LOGIN", { body: UNTRUSTED });
  expect((await failureOf(withPerson(m, CODE_OK)))["kind"]).toBe("two-factor-failed");
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN LOGIN");
  expect(existsSync(m.files.cache)).toBe(false);
});

test("a push refused with 403 throws the saved state away once and signs in from nothing", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  const before = m.apple.only("PUSH").headers.get("x-apple-oauth-state");
  m.apple.clear();
  m.apple.on("PUSH", { status: 403 });
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
  expect(m.apple.sequence).toBe("LOGIN PUSH INIT COMPLETE LOGIN PUSH");
  expect(m.apple.only("INIT").headers.get("scnt")).toBeNull();
  expect(m.apple.only("INIT").headers.get("cookie")).toBeNull();
  expect(m.apple.only("INIT").headers.get("x-apple-oauth-state")).not.toBe(before);
});

test("a push refused again after that is an error, without a third", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  m.apple.clear();
  m.apple.always("PUSH", { status: 403 });
  expect((await failureOf(withPerson(m, CODE_OK)))["kind"]).toBe("rejected");
  expect(m.apple.of("PUSH")).toHaveLength(2);
});

test("a push refused on a clean start is an error at once", async () => {
  const m = machine();
  m.apple.always("PUSH", { status: 403 });
  expect((await failureOf(m.run((signIn) => signIn.requestCode(m.credentials()))))["kind"]).toBe("rejected");
  expect(m.apple.of("PUSH")).toHaveLength(1);
});

test("a code requested for an attempt that is too old begins a new one", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  m.apple.clear();
  m.apple.on("PUSH", { status: 401 });
  expect(await m.run((signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
  expect(m.apple.sequence).toBe("LOGIN PUSH INIT COMPLETE LOGIN PUSH");
});
