/**
 * The recorded sign-ins, for their shapes only: they were edited by hand (tokens, codes and cookies are dummies, some
 * statuses and content types wrong; auth.md 0.2). Needs KEI_RECORDINGS.
 */

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readAccountData, requiresTwoFactor } from "../../src/icloud/auth/account-data.ts";
import { parseTrustedPhones } from "../../src/icloud/auth/phones.ts";
import { CODE_OK, FakeApple, failureOf, Machine, type Step } from "./fake-apple.ts";

interface Exchange {
  readonly request: { readonly method: string; readonly uri: string };
  readonly response: {
    readonly status: { readonly code: number };
    readonly headers: Readonly<Record<string, readonly string[]>>;
    readonly body: unknown;
  };
}

const folder = process.env["KEI_RECORDINGS"] ?? "";
const isThere = folder !== "" && existsSync(join(folder, "2fa_flow_valid_code.json"));
if (!isThere)
  process.stdout.write("SKIPPED: recorded sign-ins are not checked, KEI_RECORDINGS names no folder with them\n");
const recorded = isThere ? test : test.skip;
const why = isThere ? "" : " (skipped: KEI_RECORDINGS is not set)";

const load = (name: string): Exchange[] => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Exchange[];

const STEPS: ReadonlyArray<readonly [RegExp, Step]> = [
  [/POST .*\/signin\/init$/, "INIT"],
  [/POST .*\/signin\/complete/, "COMPLETE"],
  [/POST .*\/repair\/complete$/, "REPAIR"],
  [/POST .*\/trusteddevice\/securitycode$/, "CODE"],
  [/GET .*\/2sv\/trust$/, "TRUST"],
  [/POST .*\/accountLogin$/, "LOGIN"],
  [/POST .*\/validate$/, "VALIDATE"],
];

/** A machine whose Apple gives the recorded answers, and what is not among them as usual. */
function replay(name: string): Machine {
  const apple = new FakeApple();
  for (const { request, response } of load(name)) {
    const step = STEPS.find(([pattern]) => pattern.test(`${request.method} ${request.uri}`))?.[1];
    if (step === undefined) continue;
    const { "set-cookie": cookies = [], ...rest } = Object.fromEntries(
      Object.entries(response.headers).map(([key, values]) => [key.toLowerCase(), values] as const),
    );
    const dropped = ["content-length", "content-encoding", "transfer-encoding"];
    const headers = Object.entries(rest).flatMap(([key, values]) =>
      dropped.includes(key) ? [] : [[key, values.join(", ")]],
    );
    apple.on(step, {
      status: response.status.code,
      headers: Object.fromEntries(headers),
      body: response.body,
      cookies,
    });
  }
  return new Machine(apple, "com", "jdoe@example.com");
}

recorded(`a recorded sign-in with a code leads to its account${why}`, async () => {
  const m = replay("2fa_flow_valid_code");
  const { account } = await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
  expect(account).toMatchObject({ dsid: "10000000001", ckdatabaseUrl: "https://p61-ckdatabasews.icloud.com:443" });
});

recorded(`a recorded refusal of a code is a failure and gets no trust${why}`, async () => {
  const m = replay("2fa_flow_invalid_code");
  const failure = await failureOf(m.run((signIn) => signIn.authenticate(m.person("654321"))));
  expect(failure).toMatchObject({ kind: "two-factor-failed", exit: 3 });
  expect(m.apple.of("TRUST")).toHaveLength(0);
});

recorded(`a recorded account without two-factor is let in after its repair${why}`, async () => {
  const m = replay("auth_non_2fa");
  await m.run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("INIT COMPLETE REPAIR LOGIN");
});

recorded(`a recorded refusal of a password is asked once and never falls back to the dead endpoint${why}`, async () => {
  for (const name of ["failed_auth", "fallback_raw_password"]) {
    const m = replay(name);
    expect(await failureOf(m.run((signIn) => signIn.authenticate(m.credentials())))).toMatchObject({ exit: 3 });
    expect(m.apple.sequence).toBe("INIT COMPLETE");
  }
});

recorded(`a recorded throttle is one${why}`, async () => {
  const m = replay("failed_auth_503");
  m.apple.on("INIT", { status: 503 });
  expect((await failureOf(m.run((signIn) => signIn.authenticate(m.credentials()))))["kind"]).toBe("rate-limited");
});

recorded(`a recorded validate is the data of a trusted account${why}`, () => {
  const [exchange] = load("successful_auth");
  const data = readAccountData(exchange?.response.body);
  expect(data).toMatchObject({
    dsid: "10000000001",
    isDataProtected: false,
    isWebAccessOff: false,
    termsUpdateNeeded: false,
  });
  expect(requiresTwoFactor(data)).toBe(false);
});

recorded(`a recorded options page names its phones${why}`, () => {
  const page = load("2fa_flow_valid_code").find(({ request }) =>
    /GET .*\/appleauth\/auth$/.test(`${request.method} ${request.uri}`),
  );
  const phones = parseTrustedPhones(String(page?.response.body));
  expect(phones.length).toBeGreaterThan(0);
  for (const phone of phones) expect(phone.display).not.toContain("\u2022");
});
