/**
 * Serves fetch-style handlers over node:http and sends every answer as it was made: `Content-Length` also beside a
 * stream, and a stream that fails or ends short of it breaks the connection. `Bun.serve` would turn each stream into a
 * well-formed chunked answer, and no client could be tested against a body that stops early.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface WireOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly hostname?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface WireServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`, or https. */
  readonly origin: string;
  /** Stops listening and breaks what is still open. */
  close(): Promise<void>;
}

export async function serveWire(options: WireOptions): Promise<WireServer> {
  const scheme = options.tls === undefined ? "http" : "https";
  const hostname = options.hostname ?? "127.0.0.1";
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answer(incoming, outgoing, scheme, options.fetch).catch(() => {
      // The handler failed or the body broke off: the client sees a broken connection, which is what was meant.
      outgoing.destroy();
    });
  };
  const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, hostname, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${scheme}://${hostname}:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const whole = new WeakMap<Response, Uint8Array>();

/** A response whose body is known: it is sent at once instead of being read from a stream. */
export function wholeResponse(bytes: Uint8Array<ArrayBuffer>, init: ResponseInit): Response {
  const response = new Response(bytes, init);
  whole.set(response, bytes);
  return response;
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  scheme: string,
  handler: WireOptions["fetch"],
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  // A client that went away while it was being answered; `close` follows and ends the work.
  outgoing.on("error", () => gone.abort());
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
  }
  const body = incoming.method === "GET" ? EMPTY : await readBody(incoming);
  const request = new Request(`${scheme}://${incoming.headers.host ?? "localhost"}${incoming.url ?? "/"}`, {
    method: incoming.method ?? "GET",
    headers,
    body: body.length === 0 ? null : new Uint8Array(body),
    signal: gone.signal,
  });
  await send(await handler(request), outgoing, gone.signal);
}

const EMPTY = Buffer.alloc(0);

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function send(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  const cookies = response.headers.getSetCookie();
  outgoing.statusCode = response.status;
  response.headers.forEach((value, name) => {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  });
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  const bytes = whole.get(response);
  if (bytes !== undefined) {
    outgoing.end(bytes);
    return;
  }
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const announced = response.headers.get("content-length");
  let sent = 0;
  const reader = response.body.getReader();
  gone.addEventListener("abort", () => {
    reader.cancel().catch(() => {
      // The stream already ended or failed; nothing is left to cancel.
    });
  });
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    sent += value.length;
    if (!outgoing.write(value)) await drained(outgoing, gone);
  }
  if (announced !== null && sent < Number(announced)) {
    outgoing.destroy();
    return;
  }
  outgoing.end();
}

function drained(outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) resolve();
    outgoing.once("drain", resolve);
    gone.addEventListener("abort", () => resolve(), { once: true });
  });
}
