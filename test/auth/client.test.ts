/** The client, against a real server on this machine: what leaves, what is kept, and how a lost answer is told. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AppleClient, createAppleHttp } from "../../src/icloud/client.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { appleFetch, TEST_ICLOUD } from "../../src/runtime/network.ts";
import { silentLogger } from "../../src/runtime/ports.ts";
import { privateFile } from "../../src/runtime/private-file.ts";
import { FakeClock, failureOf } from "./fake-apple.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

const seen: Seen[] = [];
let answer: (request: Request) => Response | Promise<Response>;
let server: ReturnType<typeof Bun.serve>;
const before = process.env[TEST_ICLOUD];

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const url = new URL(request.url);
      seen.push({
        method: request.method,
        path: url.pathname + url.search,
        headers: request.headers,
        body: await request.clone().text(),
      });
      return answer(request);
    },
  });
  process.env[TEST_ICLOUD] = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  if (before === undefined) delete process.env[TEST_ICLOUD];
  else process.env[TEST_ICLOUD] = before;
  await server.stop(true);
});
beforeEach(() => {
  seen.length = 0;
  answer = () => Response.json({ ok: true });
});

const newFile = () => join(mkdtempSync(join(tmpdir(), "kei-client-")), "a.cookies");
const open = (path = newFile(), clock = systemClock): Promise<AppleClient> =>
  createAppleHttp({ domain: "com", file: privateFile(path), clock, logger: silentLogger });

const SETUP = "https://setup.icloud.com/setup/ws/1/validate?x=a%2Fb&y=1";

test("a request keeps its path and query, names its host to the double, and carries the browser's headers only", async () => {
  const client = await open();
  await client.request({ method: "POST", url: SETUP, body: "null", headers: { "Content-Type": "text/plain" } });
  const [request] = seen;
  expect(request?.path).toBe("/setup/ws/1/validate?x=a%2Fb&y=1");
  expect(request?.body).toBe("null");
  const headers = Object.fromEntries(request?.headers ?? []);
  expect(headers).toMatchObject({
    "x-kei-test-host": "setup.icloud.com",
    origin: "https://www.icloud.com",
    referer: "https://www.icloud.com/",
    accept: "*/*",
    "content-type": "text/plain",
  });
  expect(headers["user-agent"]).toStartWith("Mozilla/5.0 (Macintosh");
  expect(Object.keys(headers).filter((name) => name.startsWith("sec-") || name === "cookie")).toEqual([]);
});

test("cookies of an answer are sent with the next request to a matching host", async () => {
  const client = await open();
  answer = () => new Response("{}", { headers: { "set-cookie": 'T="v=2:t=EQ==";Path=/;Domain=.icloud.com;Secure' } });
  await client.request({ method: "POST", url: SETUP, body: "null" });
  await client.request({ method: "POST", url: "https://p12-ckdatabasews.icloud.com:443/database/1/x", body: "{}" });
  await client.request({ method: "GET", url: "https://idmsa.apple.com/appleauth/auth" });
  expect(seen.map((request) => request.headers.get("cookie"))).toEqual([null, 'T="v=2:t=EQ=="', null]);
});

test("cookies set on the way of a redirect are kept and sent to where it leads", async () => {
  const client = await open();
  answer = (request) =>
    new URL(request.url).pathname === "/a"
      ? new Response(null, { status: 302, headers: { location: "/b", "set-cookie": "R=1;Path=/" } })
      : Response.json({ at: "b" });
  const last = await client.request({ method: "POST", url: "https://setup.icloud.com/a", body: "null" });
  expect(last.json).toEqual({ at: "b" });
  expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["POST", "/a", "null"],
    ["GET", "/b", ""],
  ]);
  expect(seen[1]?.headers.get("cookie")).toBe("R=1");
});

test("a redirect with 308 repeats the request whole", async () => {
  const client = await open();
  answer = (request) =>
    new URL(request.url).pathname === "/a"
      ? new Response(null, { status: 308, headers: { location: "https://www.icloud.com/b" } })
      : Response.json(1);
  await client.request({ method: "POST", url: "https://setup.icloud.com/a", body: "null" });
  expect(seen[1]).toMatchObject({ method: "POST", path: "/b", body: "null" });
});

test("a redirect away from Apple, or in a circle, is not followed for ever", async () => {
  const client = await open();
  answer = () => new Response(null, { status: 302, headers: { location: "https://evil.example/x" } });
  expect((await client.request({ method: "GET", url: "https://setup.icloud.com/a" })).status).toBe(302);
  expect(seen).toHaveLength(1);
  answer = () => new Response(null, { status: 302, headers: { location: "/a" } });
  expect((await client.request({ method: "GET", url: "https://setup.icloud.com/a" })).status).toBe(302);
  expect(seen).toHaveLength(1 + 6);
});

test("cookies are never sent to a host that is not Apple's", async () => {
  const client = await open();
  for (const url of ["https://icloud.com.evil.example/", "http://setup.icloud.com/", "https://setup.icloud.com.cn/"]) {
    await failureOf(client.request({ method: "GET", url }));
  }
  expect(seen).toHaveLength(0);
});

test("JSON under a wrong label is read, and what is no JSON is text", async () => {
  const client = await open();
  answer = () => new Response('{"a":1}', { headers: { "content-type": "text/html" } });
  expect((await client.request({ method: "GET", url: SETUP })).json).toEqual({ a: 1 });
  answer = () => new Response('{"a":', { headers: { "content-type": "application/json" } });
  expect(await client.request({ method: "GET", url: SETUP })).toMatchObject({ json: undefined, text: '{"a":' });
  answer = () => new Response("busy", { status: 503 });
  expect(await client.request({ method: "GET", url: SETUP })).toMatchObject({ status: 503, text: "busy" });
});

test("a PUT without a body says that its length is zero", async () => {
  const client = await open();
  await client.request({ method: "PUT", url: SETUP, body: "" });
  expect(seen[0]?.headers.get("content-length")).toBe("0");
});

test("the time limit covers the body too", async () => {
  const client = await open();
  answer = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
        pull: () => new Promise(() => undefined),
      }),
    );
  const failure = await failureOf(client.request({ method: "GET", url: SETUP, timeoutMs: 100 }));
  expect(failure).toMatchObject({ name: "AppleNetworkError", host: "setup.icloud.com", kind: "timeout" });
});

test("an aborted request ends with the reason of its signal", async () => {
  const client = await open();
  const stop = new AbortController();
  const reason = new Error("stop");
  answer = () => {
    stop.abort(reason);
    return new Promise(() => undefined);
  };
  expect<Error>(await failureOf(client.request({ method: "GET", url: SETUP, signal: stop.signal }))).toBe(reason);
  expect<Error>(await failureOf(client.request({ method: "GET", url: SETUP, signal: stop.signal }))).toBe(reason);
});

test("a host that is not there is named, without the address asked for", async () => {
  const client = await createAppleHttp({
    domain: "com",
    file: privateFile(newFile()),
    clock: systemClock,
    logger: silentLogger,
    fetch: (_url, init) => fetch("http://127.0.0.1:1/?dsid=SECRET", init),
  });
  const failure = await failureOf(client.request({ method: "GET", url: `${SETUP}&dsid=SECRET` }));
  expect(failure).toMatchObject({ kind: "connect", host: "setup.icloud.com" });
  expect(Bun.inspect(failure)).not.toContain("SECRET");
});

test("cookies that rotate with every answer are written a while later, and at the end for sure", async () => {
  const path = newFile();
  const clock = new FakeClock();
  let release: () => void = () => undefined;
  let sleeps = 0;
  const held = Object.assign(Object.create(clock) as FakeClock, {
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        sleeps += 1;
        release = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  });
  const client = await open(path, held);
  let n = 0;
  answer = () => {
    n += 1;
    return new Response("{}", { headers: { "set-cookie": `T=${n};Path=/` } });
  };
  for (let at = 0; at < 5; at += 1) await client.request({ method: "GET", url: SETUP });
  expect(sleeps).toBe(1);
  expect(() => statSync(path)).toThrow();
  release();
  await client.flush();
  expect(readFileSync(path, "utf8")).toContain('"value": "5"');
  await client.request({ method: "GET", url: SETUP });
  await client.close();
  expect(readFileSync(path, "utf8")).toContain('"value": "6"');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each(["http://192.0.2.1:80", "https://127.0.0.1:1", "http://127.0.0.1.evil.example", "nonsense"])(
  "%j is refused as an address for tests",
  async (address) => {
    const current = process.env[TEST_ICLOUD];
    process.env[TEST_ICLOUD] = address;
    try {
      const failure = await failureOf((async () => appleFetch("https://setup.icloud.com/", {}))());
      expect(failure.message).toContain("on this machine");
    } finally {
      process.env[TEST_ICLOUD] = current;
    }
  },
);
