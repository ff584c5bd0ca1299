/** The sign-in against the strict double: real proofs, real cookies, the headers that Apple insists on. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { createSignIn } from "../../src/icloud/auth/index.ts";
import type { Credentials, SignIn, SignInOptions } from "../../src/icloud/auth/types.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { appleFetch, TEST_ICLOUD } from "../../src/runtime/network.ts";
import { answers, type Double, startDouble } from "../icloud/index.ts";
import { FakeApple, failureOf, Machine, PASSWORD, USER } from "./fake-apple.ts";

const before = process.env[TEST_ICLOUD];
let double: Double | undefined;

afterAll(async () => {
  if (before === undefined) delete process.env[TEST_ICLOUD];
  else process.env[TEST_ICLOUD] = before;
  await double?.stop();
});
beforeEach(async () => {
  await double?.stop();
  double = undefined;
});

async function apple(options: Parameters<typeof startDouble>[0] = {}): Promise<Double> {
  const account = { iterations: 50, ...options.account };
  double = await startDouble({ username: USER, password: PASSWORD, ...options, account });
  process.env[TEST_ICLOUD] = double.url;
  return double;
}

/** One process: the waits between retries are skipped, everything else is real. */
async function run<T>(
  machine: Machine,
  act: (signIn: SignIn) => Promise<T>,
  options: Pick<SignInOptions, "signInDomain"> = {},
): Promise<T> {
  const signIn = await createSignIn({
    ...options,
    domain: machine.domain,
    username: machine.username,
    files: machine.files,
    clock: { ...systemClock, now: Date.now, sleep: machine.clock.sleep },
    random: () => 0,
    logger: machine.log,
    signal: machine.stop.signal,
    fetch: appleFetch,
  });
  try {
    return await act(signIn);
  } finally {
    await signIn.close();
  }
}

const machine = (domain: "com" | "cn" = "com") => new Machine(new FakeApple(), domain);
const signInCalls = (at: Double) => at.log.all.map((request) => request.operation);

/** A person who reads the code off the double's device. */
const reading = (m: Machine, at: Double): Credentials => ({
  ...m.credentials(),
  askCode: () => Promise.resolve(at.account.deviceCode ?? ""),
});

test.each(["s2k", "s2k_fo"] as const)(
  "a code at the prompt opens the account, and the session is reused (%s)",
  async (protocol) => {
    const at = await apple({ account: { protocol } });
    const m = machine();
    const { account } = await run(m, (signIn) => signIn.authenticate(reading(m, at)));
    expect(account).toMatchObject({ dsid: at.account.dsid, ckdatabaseUrl: "https://p61-ckdatabasews.icloud.com:443" });
    const calls = ["signin/init", "signin/complete", "accountLogin", "push", "code", "trust", "accountLogin"];
    expect(signInCalls(at)).toEqual(calls);
    at.log.clear();
    expect((await run(m, (signIn) => signIn.authenticate(m.credentials()))).how).toBe("cached");
    expect(at.log.all).toHaveLength(0);
    expect((await run(m, (signIn) => signIn.reauthenticate("soft", m.credentials()))).how).toBe("session");
    expect(signInCalls(at)).toEqual(["validate"]);
  },
);

test("get-code in one process and submit-code in another sign in with one proof of the password", async () => {
  const at = await apple();
  const m = machine();
  expect(await run(m, (signIn) => signIn.requestCode(m.credentials()))).toBe("sent");
  const code = at.account.deviceCode ?? "";
  expect(await run(m, (signIn) => signIn.submitCode(code, m.credentials()))).toBe("accepted");
  expect(at.account.signIns).toBe(1);
  expect(at.account.pushes).toBe(1);
  expect((await run(m, (signIn) => signIn.authenticate(m.credentials()))).how).toBe("cached");
});

test("a right code that is answered with 409 is accepted all the same", async () => {
  const at = await apple({ account: { conflictOnRightCode: true } });
  const m = machine();
  await run(m, (signIn) => signIn.authenticate(reading(m, at)));
  expect(at.account.trustTokens.size).toBe(1);
});

test("expired cookies cost one login, an expired session one proof, and neither a code", async () => {
  const at = await apple();
  const m = machine();
  await run(m, (signIn) => signIn.authenticate(reading(m, at)));
  at.account.expireCookies();
  expect((await run(m, (signIn) => signIn.reauthenticate("soft", m.credentials()))).how).toBe("session");
  at.account.expireSession();
  expect((await run(m, (signIn) => signIn.reauthenticate("soft", m.credentials()))).how).toBe("srp");
  at.account.switches.conflictOnTrusted = true;
  expect((await run(m, (signIn) => signIn.reauthenticate("strip", m.credentials()))).how).toBe("srp");
  expect(at.account.pushes).toBe(1);
});

test("an account without a trusted device gets its code by text message, in separate processes", async () => {
  const at = await apple({
    account: { qualifyingDevice: false, phones: [{ id: 3, lastTwoDigits: "44", nonFTEU: true }] },
  });
  const m = machine();
  expect(await run(m, (signIn) => signIn.requestCode(m.credentials()))).toEqual({ textedTo: "(***) ***-**44" });
  const code = at.account.textedCode ?? "";
  expect(await run(m, (signIn) => signIn.submitCode(code, m.credentials()))).toBe("accepted");
});

test("an account of mainland China may sign in with Apple's other service, and goes on in its own region", async () => {
  const at = await apple({ domain: "cn", signInDomain: "com" });
  const m = machine("cn");
  const closed = await failureOf(run(m, (signIn) => signIn.authenticate(m.credentials())));
  expect(closed["kind"]).toBe("rejected");
  at.log.clear();
  const { account } = await run(m, (signIn) => signIn.authenticate(reading(m, at)), { signInDomain: "com" });
  expect(account.ckdatabaseUrl).toBe("https://p61-ckdatabasews.icloud.com.cn:443");
  expect(new Set(at.log.all.map(({ host }) => host))).toEqual(new Set(["idmsa.apple.com", "setup.icloud.com.cn"]));
});

test("an account without two-factor is let in after its repair", async () => {
  await apple({ account: { kind: "none" } });
  const m = machine();
  expect((await run(m, (signIn) => signIn.authenticate(m.credentials()))).how).toBe("srp");
});

test("in mainland China the same works on the hosts there", async () => {
  const at = await apple({ domain: "cn" });
  const m = machine("cn");
  const { account } = await run(m, (signIn) => signIn.authenticate(reading(m, at)));
  expect(account.ckdatabaseUrl).toBe("https://p61-ckdatabasews.icloud.com.cn:443");
});

test.each([
  ["a wrong password", { password: "another" }, "bad-credentials", 3],
  ["a locked account", { account: { locked: true } }, "account-locked", 4],
  ["a repair that Apple insists on", { account: { repair: "refuse" } }, "repair-required", 4],
  ["security keys", { account: { securityKeys: ["Key A"] } }, "security-key-unsupported", 4],
  ["two-step verification", { account: { kind: "2sa" } }, "two-step-unsupported", 4],
  ["pending terms", { account: { termsPending: true } }, "terms-update-required", 4],
  ["the other region", { account: { otherRegion: true } }, "wrong-domain", 3],
  ["a throttled sign-in", { account: { signInLimit: 0 } }, "rate-limited", 3],
  ["no terminal for the code", {}, "two-factor-required", 3],
] as const)(
  "%s ends as it should",
  async (_what, { account, ...options }: { account?: object; password?: string }, kind, exit) => {
    await apple({ ...options, ...(account === undefined ? {} : { account }) });
    const m = machine();
    expect(await failureOf(run(m, (signIn) => signIn.authenticate(m.credentials())))).toMatchObject({ kind, exit });
  },
);

test.each([
  ["Advanced Data Protection", { advancedDataProtection: true }, "adp-or-web-access"],
  ["web access turned off", { webAccess: false }, "adp-or-web-access"],
  ["no photos service", { photosEnabled: false }, "photos-unavailable"],
] as const)("%s is found once the code is right: exit 4", async (_what, account, kind) => {
  const at = await apple({ account });
  const m = machine();
  expect(await failureOf(run(m, (signIn) => signIn.authenticate(reading(m, at))))).toMatchObject({ kind, exit: 4 });
});

test("wrong codes are counted by Apple too: three end the sign-in, and two more elsewhere lock the codes", async () => {
  const at = await apple();
  const m = machine();
  const guessing = { ...m.credentials(), askCode: () => Promise.resolve("000001") };
  expect((await failureOf(run(m, (signIn) => signIn.authenticate(guessing))))["kind"]).toBe("two-factor-failed");
  expect(at.account.wrongCodes).toBe(3);
  expect((await failureOf(run(m, (signIn) => signIn.authenticate(guessing))))["kind"]).toBe("two-factor-locked");
  expect((await failureOf(run(m, (signIn) => signIn.requestCode(m.credentials()))))["kind"]).toBe("two-factor-locked");
});

test("a throttle of a few seconds is waited out, a connection cut in the proof begins it anew", async () => {
  const at = await apple();
  at.faults.inject({ match: "signin/init", respond: answers.status(503, { "Retry-After": "1" }) });
  at.faults.inject({ match: "signin/complete", cut: "reset" });
  const m = machine();
  await run(m, (signIn) => signIn.authenticate(reading(m, at)));
  expect(m.clock.waits).toEqual([1_000]);
  expect(signInCalls(at).filter((name) => name === "signin/init")).toHaveLength(3);
});
