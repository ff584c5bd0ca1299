/** What Apple's refusals mean, also those inside a 200 (cloudkit.md 7), and what is done about each. */
import { describe, expect, test } from "bun:test";
import type { SignedInAccount } from "../../src/icloud/account.ts";
import { CloudKit } from "../../src/icloud/cloudkit/client.ts";
import { CloudKitError, type ProblemKind, problemOf, Throttled } from "../../src/icloud/cloudkit/errors.ts";
import { type AppleHttp, AppleNetworkError, type AppleRequest } from "../../src/icloud/http.ts";
import { EXIT } from "../../src/library/failure.ts";
import { type Clock, silentLogger } from "../../src/runtime/ports.ts";

describe("a refusal", () => {
  test.each<[string, number, unknown, ProblemKind | undefined]>([
    ["a good answer", 200, { records: [] }, undefined],
    ["an answer that is no JSON", 200, undefined, "transient"],
    ["TRY_AGAIN_LATER inside a 200", 200, { serverErrorCode: "TRY_AGAIN_LATER" }, "transient"],
    ["RETRY_LATER inside a 200", 200, { serverErrorCode: "RETRY_LATER" }, "transient"],
    ["CAS_OP_LOCK inside a 200, in small letters", 200, { serverErrorCode: "cas_op_lock" }, "transient"],
    ["THROTTLED inside a 200", 200, { serverErrorCode: "THROTTLED" }, "throttled"],
    [
      "private access disabled inside a 200",
      200,
      { serverErrorCode: "ACCESS_DENIED", reason: "private db access disabled for this account" },
      "not-activated",
    ],
    ["an unknown code inside a 200", 200, { serverErrorCode: "SOMETHING_NEW" }, "permanent"],
    ["Invalid global session inside a 200", 200, { serverErrorCode: "X", reason: "Invalid global session" }, "session"],
    ["a failed gateway answer inside a 200", 200, { success: false, error: "nope" }, "session"],
    ["400", 400, { serverErrorCode: "BAD_REQUEST" }, "bad-request"],
    ["401", 401, {}, "session"],
    ["401 with its code", 401, { serverErrorCode: "AUTHENTICATION_FAILED" }, "session"],
    ["an account that was never set up", 200, { serverErrorCode: "AUTHENTICATION_FAILED" }, "not-activated"],
    [
      "401 for want of a method",
      401,
      { serverErrorCode: "AUTHENTICATION_FAILED", reason: "no auth method found" },
      "security-keys",
    ],
    ["a bare 403", 403, {}, "session"],
    [
      "403 with its reason",
      403,
      { serverErrorCode: "ACCESS_DENIED", reason: "private db access disabled" },
      "not-activated",
    ],
    ["423 for want of keys", 423, { error: "Missing PCS cookies from the request" }, "not-activated"],
    ["404", 404, {}, "permanent"],
    ["421", 421, { reason: "Missing X-APPLE-WEBAUTH-USER cookie", error: 1 }, "misdirected"],
    ["429", 429, {}, "throttled"],
    ["450", 450, {}, "session"],
    ["500", 500, {}, "transient"],
    ["500 for want of a cookie", 500, { error: "Missing X-APPLE-WEBAUTH-TOKEN cookie" }, "session"],
    ["502", 502, undefined, "transient"],
    ["503", 503, undefined, "throttled"],
    ["ZONE_NOT_FOUND", 404, { serverErrorCode: "ZONE_NOT_FOUND" }, "zone-gone"],
  ])("%s", (_, status, body, kind) => {
    expect(problemOf(status, body)?.kind).toBe(kind as ProblemKind);
  });
});

const ACCOUNT: SignedInAccount = {
  dsid: "1",
  clientId: "c",
  ckdatabaseUrl: "https://p61-ckdatabasews.icloud.com:443",
  domain: "com",
};

interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  readonly network?: boolean;
}

function harness(replies: readonly Reply[], retries = 3) {
  const waits: number[] = [];
  const requests: AppleRequest[] = [];
  let now = 1_700_000_000_000;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  };
  const http: AppleHttp = {
    request: async (request) => {
      const reply = replies[Math.min(requests.length, replies.length - 1)] ?? { status: 200 };
      requests.push(request);
      if (reply.network === true) throw new AppleNetworkError("p61-ckdatabasews.icloud.com", "reset");
      return {
        status: reply.status,
        headers: new Headers(reply.headers),
        text: "",
        json: "json" in reply ? reply.json : { records: [] },
      };
    },
  };
  const renewals: number[] = [];
  const cloudkit = new CloudKit({
    http,
    account: ACCOUNT,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    retries,
    reauthenticate: async (attempt) => {
      renewals.push(attempt);
      return { ...ACCOUNT, ckdatabaseUrl: "https://p62-ckdatabasews.icloud.com:443" };
    },
  });
  const call = () => cloudkit.call("private", "records/query", {}, new AbortController().signal);
  return { call, waits, requests, renewals };
}

const OK: Reply = { status: 200 };

describe("a call", () => {
  test("that meets passing trouble is tried again after growing waits", async () => {
    const { call, waits, requests } = harness([
      { status: 500 },
      { status: 200, json: { serverErrorCode: "CAS_OP_LOCK" } },
      { status: 0, network: true },
      OK,
    ]);
    await call();
    expect(requests.length).toBe(4);
    expect(waits).toEqual([7_500, 12_500, 22_500]);
  });

  test("that misses what every such answer has is tried again as well", async () => {
    const { call, requests } = harness([{ status: 200, json: { syncToken: "t" } }, OK]);
    expect(await call()).toEqual({ records: [] });
    expect(requests.length).toBe(2);
  });

  test("is given up after its budget, with the reason and exit 1", async () => {
    const { call, requests } = harness([{ status: 502 }]);
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CloudKitError);
    expect((error as CloudKitError).exit).toBe(EXIT.failure);
    expect(requests.length).toBe(4);
  });

  test("waits as long as Apple asks, in the header or in the body", async () => {
    const { call, waits } = harness([
      { status: 429, headers: { "retry-after": "7" } },
      { status: 200, json: { serverErrorCode: "THROTTLED", retryAfter: 9 } },
      OK,
    ]);
    await call();
    expect(waits.map((wait) => Math.floor(wait / 1000))).toEqual([7, 9]);
  });

  test("that is told to wait longer than a minute ends as throttled", async () => {
    const { call, waits } = harness([{ status: 503, headers: { "retry-after": "900" } }]);
    expect(await call().catch((reason: unknown) => reason)).toBeInstanceOf(Throttled);
    expect(waits).toEqual([]);
  });

  test("that loses its session signs in again and goes on at the new address", async () => {
    const { call, requests, renewals } = harness([{ status: 401, json: {} }, OK]);
    await call();
    expect(renewals).toEqual([1]);
    expect(requests[1]?.url).toStartWith("https://p62-");
  });

  test("that is misdirected tries a connection of its own before it signs in again", async () => {
    const { call, requests, renewals } = harness([{ status: 421, json: {} }, OK]);
    await call();
    expect(renewals).toEqual([]);
    expect(requests[1]?.freshConnection).toBe(true);
  });

  test("that is refused for ever signs in three times, then ends with exit 3", async () => {
    const { call, renewals } = harness([{ status: 401, json: {} }]);
    const error = await call().catch((reason: unknown) => reason);
    expect((error as CloudKitError).exit).toBe(EXIT.signIn);
    expect(renewals).toEqual([1, 2, 3]);
  });

  test("ten calls that lose the session together share one sign-in", async () => {
    const { call, renewals } = harness([...Array.from({ length: 10 }, () => ({ status: 401, json: {} })), OK]);
    await Promise.all(Array.from({ length: 10 }, call));
    expect(renewals).toEqual([1]);
  });

  test("that Apple's settings forbid tells the owner what to change, with exit 4", async () => {
    const { call, renewals } = harness([
      {
        status: 200,
        json: { serverErrorCode: "ACCESS_DENIED", reason: "private db access disabled for this account" },
      },
    ]);
    const error = (await call().catch((reason: unknown) => reason)) as CloudKitError;
    expect(error.exit).toBe(EXIT.owner);
    expect(error.remedy).toContain("Advanced Data Protection");
    expect(error.remedy).toContain("Access iCloud Data on the Web");
    expect(renewals).toEqual([]);
  });
});
