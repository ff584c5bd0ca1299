/** What goes over the wire while the password is proved, and what each answer means (auth.md 2, 1.7, 1.8). */
import { expect, test } from "bun:test";
import {
  CODE_OK,
  FakeApple,
  failureOf,
  initBody,
  Machine,
  type Scripted,
  SESSION_COOKIES,
  TRUSTED,
  USER,
  WRONG_PASSWORD,
} from "./fake-apple.ts";

const machine = () => new Machine(new FakeApple());
const attempt = (m: Machine) => m.run((signIn) => signIn.authenticate(m.credentials()));
const N_HEX =
  "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e0757767a13dd52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b855f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773bca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73";

test("the first call names exactly a, accountName and protocols, and a fills 256 bytes", async () => {
  const m = machine();
  await failureOf(attempt(m));
  const { body } = m.apple.only("INIT");
  expect(Object.keys(body)).toEqual(["a", "accountName", "protocols"]);
  expect(Buffer.from(String(body["a"]), "base64")).toHaveLength(256);
  expect(body["protocols"]).toEqual(["s2k", "s2k_fo"]);
});

test("the second call carries the proof and hands back Apple's note unread", async () => {
  const m = machine();
  m.apple.on("INIT", {
    body: initBody({ c: { opaque: [1, "x"] } }),
    headers: { scnt: "S1", "X-Apple-ID-Session-Id": "I1" },
  });
  await failureOf(attempt(m));
  const { body, headers, url } = m.apple.only("COMPLETE");
  expect(url.search).toBe("?isRememberMeEnabled=true");
  expect(Object.keys(body)).toEqual(["accountName", "c", "m1", "m2", "rememberMe", "trustTokens"]);
  expect(body["c"]).toEqual({ opaque: [1, "x"] });
  expect(body["trustTokens"]).toEqual([]);
  expect(body["rememberMe"]).toBe(true);
  expect(Buffer.from(String(body["m1"]), "base64")).toHaveLength(32);
  expect(headers.get("scnt")).toBe("S1");
  expect(headers.get("X-Apple-ID-Session-Id")).toBe("I1");
});

test("the Apple ID is sent trimmed and in lower case, in both calls", async () => {
  const m = new Machine(new FakeApple(), "com", "  Alex.Test@Example.COM ");
  await failureOf(attempt(m));
  expect(m.apple.only("INIT").body["accountName"]).toBe(USER);
  expect(m.apple.only("COMPLETE").body["accountName"]).toBe(USER);
});

test("the proof comes from the sign-in site, everything else from icloud.com, and the account host hears no sign-in header", async () => {
  const m = machine();
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  for (const call of m.apple.calls) {
    const origin = ["INIT", "COMPLETE"].includes(call.step) ? "https://idmsa.apple.com" : "https://www.icloud.com";
    expect([call.step, call.headers.get("origin"), call.headers.get("referer")]).toEqual([
      call.step,
      origin,
      `${origin}/`,
    ]);
    expect(call.headers.get("user-agent")).toContain("Chrome/138");
    expect(call.headers.get("accept-language")).not.toBe("*");
    const oauth = [...call.headers.keys()].filter((name) => name.startsWith("x-apple-"));
    if (call.step === "LOGIN") {
      expect(oauth).toEqual([]);
      expect(call.headers.get("scnt")).toBeNull();
      expect(call.headers.get("accept")).toBe("*/*");
      expect(call.url.search).toBe("");
    } else {
      expect(oauth).toContain("x-apple-widget-key");
      expect(call.headers.get("x-apple-oauth-redirect-uri")).toBe("https://www.icloud.com");
      expect(call.headers.get("x-apple-oauth-state")).toMatch(/^auth-/);
      expect(oauth).not.toContain("x-apple-auth-attributes");
      expect(oauth).not.toContain("x-apple-frame-id");
    }
  }
});

test("in mainland China every host, origin and redirect address ends in .cn, and the files are others", async () => {
  const m = new Machine(new FakeApple(), "cn");
  m.apple.always("LOGIN", {
    body: { ...TRUSTED, webservices: { ckdatabasews: { url: "https://p1-ckdatabasews.icloud.com.cn:443" } } },
  });
  await attempt(m);
  for (const call of m.apple.calls) {
    expect(call.url.hostname).toEndWith(".com.cn");
    expect(call.headers.get("origin")).toEndWith(".com.cn");
    expect(call.headers.get("x-apple-oauth-redirect-uri") ?? "https://www.icloud.com.cn").toBe(
      "https://www.icloud.com.cn",
    );
  }
  expect(m.files.cookies).not.toBe(new Machine(m.apple, "com").files.cookies);
});

test.each([
  ["no iterations", { iteration: 0 }],
  ["too many iterations", { iteration: 1_000_001 }],
  ["iterations as text", { iteration: "20000" }],
  ["iterations left out", { iteration: undefined }],
  ["an unknown protocol", { protocol: "s2k_xx" }],
  ["b of zero", { b: "AA==" }],
  ["b of N", { b: Buffer.from(N_HEX, "hex").toString("base64") }],
  ["b left out", { b: undefined }],
  ["b longer than the group", { b: Buffer.alloc(257, 1).toString("base64") }],
  ["salt that is no base64", { salt: "?!" }],
])("a challenge with %s is a protocol error and gets no proof", async (_what, changes) => {
  const m = machine();
  m.apple.on("INIT", { body: initBody(changes) });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "protocol-error", exit: 3 });
  expect(m.apple.sequence).toBe("INIT");
});

test("an answer that is no JSON is quoted up to 200 characters, whole ones", async () => {
  const m = machine();
  m.apple.on("INIT", { body: "é💥".repeat(300), headers: { "X-Apple-I-Request-ID": "req-1" } });
  const failure = await failureOf(attempt(m));
  expect(failure["kind"]).toBe("protocol-error");
  expect(failure.message).toContain("é💥".repeat(100));
  expect(failure.message).not.toContain("é💥".repeat(101));
  expect(failure.message).toContain("req-1");
  expect(failure.message).not.toContain("\uFFFD");
});

test("a captive portal's page is called a web page and not quoted", async () => {
  const m = machine();
  m.apple.on("INIT", { body: "<html>\n<body>Welcome to the hotel</body></html>" });
  const failure = await failureOf(attempt(m));
  expect(failure.message).toContain("a web page");
  expect(failure.message).not.toContain("hotel");
  expect(failure.message).not.toContain("\n");
});

test("a stale attempt refused at the start is dropped and the start repeated once, without its cookies", async () => {
  const m = machine();
  await m.run((signIn) => signIn.requestCode(m.credentials()));
  m.apple.clear();
  m.apple.on("LOGIN", { status: 401 }).on("INIT", { status: 401, body: "" });
  await failureOf(attempt(m));
  expect(m.apple.sequence).toBe("LOGIN INIT INIT COMPLETE LOGIN");
  const [first, second] = m.apple.of("INIT");
  expect(first?.headers.get("scnt")).not.toBeNull();
  expect(first?.headers.get("cookie")).toBe("aasp=FAKE0123");
  expect(second?.headers.get("scnt")).toBeNull();
  expect(second?.headers.get("x-apple-id-session-id")).toBeNull();
  expect(second?.headers.get("cookie")).toBeNull();
});

test("a start refused twice with 401 is not called a wrong password", async () => {
  const m = machine();
  m.apple.on("INIT", { status: 401 });
  expect((await failureOf(attempt(m)))["kind"]).toBe("apple-unavailable");
  expect(m.apple.sequence).toBe("INIT");
});

test("a start that was throttled once succeeds at the second try", async () => {
  const m = machine();
  m.apple.on("INIT", { status: 503 });
  await failureOf(attempt(m));
  expect(m.apple.sequence).toBe("INIT INIT COMPLETE LOGIN");
  expect(m.clock.waits).toEqual([2_000]);
});

test.each([
  ["1", 1_000],
  ["9999", 30_000],
  ["Fri, 31 Dec 1999 23:59:59 GMT", 2_000],
])("Retry-After %s makes it wait %i ms", async (value, ms) => {
  const m = machine();
  m.apple.on("INIT", { status: 429, headers: { "Retry-After": value } });
  await failureOf(attempt(m));
  expect(m.clock.waits).toEqual([ms]);
});

test.each<[string, Scripted]>([
  ["throttles", { status: 503 }],
  ["can't be reached", { dies: true }],
])(
  "the service of mainland China that %s is said to have a neighbour, Apple's other one is not",
  async (_what, answer) => {
    for (const domain of ["cn", "com"] as const) {
      const m = new Machine(new FakeApple(), domain);
      m.apple.always("INIT", answer);
      const failure = await failureOf(attempt(m));
      expect(String(failure["remedy"]).includes("--sign-in-domain com")).toBe(domain === "cn");
    }
  },
);

test("a start that stays throttled is tried three times and is followed by no proof", async () => {
  const m = machine();
  m.apple.always("INIT", { status: 503 });
  expect(await failureOf(attempt(m))).toMatchObject({ kind: "rate-limited", exit: 3 });
  expect(m.apple.sequence).toBe("INIT INIT INIT");
  expect(m.clock.waits).toEqual([2_000, 4_000]);
});

test("a connection that fails is tried three times, then the host is named and the exit code is 1", async () => {
  const m = machine();
  m.apple.always("INIT", { dies: true });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "network", exit: 1 });
  expect(failure.message).toContain("Cannot reach idmsa.apple.com");
  expect(m.apple.sequence).toBe("INIT INIT INIT");
});

test("a proof whose answer was lost is not sent again: the handshake starts over once", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { dies: true });
  await failureOf(attempt(m));
  expect(m.apple.sequence).toBe("INIT COMPLETE INIT COMPLETE LOGIN");
  m.apple.clear();
  m.apple.on("LOGIN", { status: 401 }).always("COMPLETE", { dies: true });
  expect((await failureOf(attempt(m)))["kind"]).toBe("network");
  expect(m.apple.sequence).toBe("LOGIN INIT COMPLETE INIT COMPLETE");
});

test("a misdirected proof starts over once on a new connection", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 421 });
  await failureOf(attempt(m));
  expect(m.apple.sequence).toBe("INIT COMPLETE INIT COMPLETE LOGIN");
  expect(m.apple.calls.slice(0, 4).map((call) => call.freshConnection)).toEqual([false, false, true, true]);
});

test.each<[number, string, number]>([
  [400, "protocol-error", 1],
  [403, "rejected", 1],
  [404, "rejected", 1],
  [429, "rate-limited", 3],
  [502, "apple-unavailable", 3],
  [503, "rate-limited", 3],
])("a proof answered %i is %s after %i tries, and never a wrong password", async (status, kind, tries) => {
  const m = machine();
  m.apple.always("COMPLETE", { status });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind, exit: 3 });
  expect(m.apple.of("COMPLETE")).toHaveLength(tries);
  expect(m.apple.of("LOGIN")).toHaveLength(0);
});

test("a 401 without the code for a wrong password is not called one", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 401, body: { serviceErrors: [{ code: "-99", message: "hm" }] } });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "rejected", code: "-99" });
  expect(failure.message).toContain("hm");
});

test("a wrong password is one try, exit 3, and names the Apple ID", async () => {
  const m = machine();
  m.apple.on("COMPLETE", WRONG_PASSWORD);
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "bad-credentials", exit: 3 });
  expect(failure.message).toContain(USER);
  expect(m.apple.sequence).toBe("INIT COMPLETE");
});

test("a locked account is told so, with exit 4", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 403, body: { serviceErrors: [{ code: "-20209", message: "locked" }] } });
  expect(await failureOf(attempt(m))).toMatchObject({ kind: "account-locked", exit: 4 });
});

test("a trusted login after the proof needs no prompt and no push", async () => {
  const m = machine();
  m.apple.on("LOGIN", { body: TRUSTED, cookies: SESSION_COOKIES });
  await attempt(m);
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN");
});

test.each([
  [
    "a challenge",
    { fsaChallenge: { challenge: "x", keyHandles: ["h"], rpId: "apple.com" }, keyNames: ["Key A"] },
    "Key A",
  ],
  ["key names alone", { keyNames: ["Key B"] }, "Key B"],
])("an account with security keys (%s) is told so with exit 4, before any login", async (_what, body, name) => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 409, body });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "security-key-unsupported", exit: 4 });
  expect(failure.message).toContain(name);
  expect(m.apple.sequence).toBe("INIT COMPLETE");
});

test("a 409 with a web page is an ordinary second factor", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 409, headers: { "X-Apple-Session-Token": "t" }, body: "<html>oops</html>" });
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.apple.sequence).toBe("INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN");
});

test("a repair that Apple insists on ends with exit 4 and says where to go", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 412, headers: { "X-Apple-Session-Token": "t" } }).always("REPAIR", { status: 500 });
  const failure = await failureOf(attempt(m));
  expect(failure).toMatchObject({ kind: "repair-required", exit: 4 });
  expect(String(failure["remedy"])).toContain("icloud.com");
  expect(m.apple.sequence).toBe("INIT COMPLETE REPAIR REPAIR REPAIR");
});

test("a repair that failed once goes on at the second try", async () => {
  const m = machine();
  m.apple.on("COMPLETE", { status: 412, headers: { "X-Apple-Session-Token": "t" } }).on("REPAIR", { status: 503 });
  m.apple.on("LOGIN", { body: TRUSTED, cookies: SESSION_COOKIES });
  await attempt(m);
  expect(m.apple.sequence).toBe("INIT COMPLETE REPAIR REPAIR LOGIN");
});

test.each<[string, (m: Machine, answer: Scripted) => void]>([
  ["INIT", (m, answer) => m.apple.on("INIT", { ...answer, body: initBody() })],
  ["COMPLETE", (m, answer) => m.apple.on("COMPLETE", answer)],
  ["LOGIN", (m, answer) => m.apple.on("LOGIN", { ...answer, body: TRUSTED })],
])("a rejection in disguise at %s is one; other values of its header are not", async (_step, line) => {
  for (const rscd of ["401", "403"]) {
    const m = machine();
    line(m, { headers: { "X-Apple-I-Rscd": rscd, "X-Apple-Session-Token": "t" } });
    expect(await failureOf(attempt(m))).toMatchObject({ kind: "session-rejected", code: `rscd_${rscd}`, exit: 3 });
  }
  for (const rscd of ["421", "abc"]) {
    const m = machine();
    m.apple.on("LOGIN");
    line(m, { headers: { "X-Apple-I-Rscd": rscd, "X-Apple-Session-Token": "t" } });
    m.apple.on("LOGIN", { body: TRUSTED, cookies: SESSION_COOKIES });
    await attempt(m);
  }
});

test("a rejection in disguise at validate is not taken for a session", async () => {
  const m = await machine().signedIn();
  m.apple.on("VALIDATE", { headers: { "X-Apple-I-Rscd": "401" }, body: TRUSTED });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});
