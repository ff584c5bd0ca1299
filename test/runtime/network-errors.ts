/**
 * Meets every kind of network trouble for real and prints, as JSON, what `networkErrorKind` makes of each. Runs under
 * Bun and under Deno: `network-errors.ts [PORT of a TLS server with a certificate of its own making]`.
 */
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { networkErrorKind } from "../../src/runtime/network.ts";

const closers: Array<() => void> = [];

function listen(onData: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => onData(socket));
  });
  closers.push(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

const HALF = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf";
const HALF_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
const cut = (start: string) => listen((socket) => socket.write(start, () => socket.destroy()));

const silent = await listen(() => undefined);
const closed = await listen((socket) => socket.destroy());
const plain = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
const gone = await listen(() => undefined);
closers.pop()?.();

const cases: Record<string, [url: string, init?: RequestInit]> = {
  "refused connection": [`http://127.0.0.1:${gone}/tls-ssl-reset-closed`],
  "unknown name": ["http://nowhere.invalid/tls-ssl-reset-closed"],
  "closed before the answer": [`http://127.0.0.1:${closed}/tls-timeout`],
  "body cut short": [`http://127.0.0.1:${await cut(HALF)}/tls-timeout`],
  "chunked body cut short": [`http://127.0.0.1:${await cut(HALF_CHUNKED)}/tls-timeout`],
  "no TLS at the other end": [`https://127.0.0.1:${plain}/`],
  "no answer in time": [`http://127.0.0.1:${silent}/`, { signal: AbortSignal.timeout(100) }],
};
const tlsPort = process.argv[2];
if (tlsPort !== undefined) cases["certificate of its own making"] = [`https://127.0.0.1:${tlsPort}/tls-timeout`];

const kinds: Record<string, string> = {};
for (const [name, [url, init]] of Object.entries(cases)) {
  try {
    await (await fetch(url, init)).text();
    kinds[name] = "no error";
  } catch (error) {
    kinds[name] = networkErrorKind(error);
  }
}
for (const close of closers) close();
process.stdout.write(`${JSON.stringify(kinds)}\n`, () => process.exit(0));
