/** Run under Bun and under Deno: what the server promises, with the routes of a watch behind it. */
import { strict as assert } from "node:assert";
import { connect, type Socket } from "node:net";
import { ListenError, listen } from "../../src/runtime/http-server.ts";
import { createApp } from "../../src/serve/app.ts";
import { NO_METRICS } from "../../src/serve/metrics.ts";

const health = {
  account: "0123456789abcdef",
  lastSyncAt: 0,
  lastSuccessAt: 0,
  consecutiveFailures: 5,
  lastError: undefined,
  nextSyncAt: undefined,
  codeWantedAt: undefined,
};
const app = createApp(
  () => ({
    watch: { health, intervalMs: 1, ended: true, running: false, movedAt: undefined, codeWantedAt: undefined },
    metrics: NO_METRICS,
    facts: { version: "1", commit: "c", startedAt: 0, residentBytes: 1 },
    now: 0,
  }),
  { localOnly: true },
);
const here = { hostname: "127.0.0.1", fetch: app };
const codeOf = (port: number, hostname = "127.0.0.1"): string => {
  try {
    listen({ ...here, hostname, port });
  } catch (error) {
    if (error instanceof ListenError) return error.code;
    throw error;
  }
  return "listens";
};

const server = listen({ ...here, port: 0 });
const { port } = server;
assert.ok(port > 0);
assert.equal(codeOf(port), "EADDRINUSE");
assert.equal(codeOf(0, "192.0.2.1"), "EADDRNOTAVAIL");

const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
const statuses = await Promise.all(
  [ask("/livez"), ask("/healthz"), ask("/metrics"), ask("/"), ask("/livez", { method: "POST", body: "x" })].map(
    async (asked) => {
      const answer = await asked;
      await answer.text();
      return answer.status;
    },
  ),
);
assert.deepEqual(statuses, [200, 503, 200, 404, 405]);
const head = await ask("/metrics", { method: "HEAD" });
assert.deepEqual([head.status, await head.text()], [200, ""]);

/** Sends a text and waits until an answer begins, if one is due. */
async function open(text: string, answered: boolean): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(text);
  if (answered) await new Promise((resolve) => socket.once("data", resolve));
  return { socket, closed };
}

// One connection that is kept, and one that never finishes what it says.
const request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
const kept = await open(request, true);
const half = await open(request.slice(0, 20), false);
const start = performance.now();
await server.close();
await server.close();
assert.ok(performance.now() - start < 1000);
await kept.closed;
half.socket.destroy();
await assert.rejects(ask("/livez"));
const again = listen({ ...here, port });
assert.equal(again.port, port);
await again.close();
process.stdout.write("all as promised\n");
