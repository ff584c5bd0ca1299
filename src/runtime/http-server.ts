/** Answers HTTP on an address of this machine, with what the runtime brings along: `Bun.serve` or `Deno.serve`. */

export interface HttpServer {
  /** The port that is really listened on, when 0 was asked for. */
  readonly port: number;
  /** Stops listening and drops open connections, so that nobody who keeps one holds up the end. May be called twice. */
  close(): Promise<void>;
}

export interface HttpOptions {
  /** An IP address. */
  readonly hostname: string;
  /** 0: any free one. */
  readonly port: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** The address can't be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** System error code: `EADDRINUSE` when somebody else is there, `EADDRNOTAVAIL`, `EACCES`, ... */
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`cannot listen: ${code}`, { cause });
    this.code = code;
  }
}

/** A caller that has said nothing for so long is dropped, seconds. */
const IDLE_SECONDS = 30;
/** Bodies are never read; a longer one is refused, bytes. */
const MOST_BODY = 16 * 1024;

/** Listens from the moment it returns. Throws `ListenError` when that can't be. */
export function listen(options: HttpOptions): HttpServer {
  try {
    return "Bun" in globalThis ? bunServer(options) : denoServer(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new ListenError(code, error);
  }
}

function bunServer({ hostname, port, fetch }: HttpOptions): HttpServer {
  const server = Bun.serve({
    hostname,
    port,
    fetch,
    development: false,
    // Said, since Bun shares ports when it is not for development: then a port in use would not be noticed.
    reusePort: false,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: MOST_BODY,
  });
  return { port: server.port ?? port, close: () => server.stop(true) };
}

/** The part of Deno that is used here; its types are not at hand. */
interface DenoServing {
  readonly serve: (
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly signal: AbortSignal;
      readonly onListen: () => void;
    },
    handler: HttpOptions["fetch"],
  ) => { readonly addr: { readonly port: number }; readonly finished: Promise<void> };
}

function denoServer({ hostname, port, fetch }: HttpOptions): HttpServer {
  const { Deno: deno } = globalThis as unknown as { readonly Deno: DenoServing };
  const over = new AbortController();
  // It would tell everyone where it listens; the caller does that.
  const onListen = () => undefined;
  const server = deno.serve({ hostname, port, signal: over.signal, onListen }, fetch);
  return {
    port: server.addr.port,
    close: async () => {
      over.abort();
      await server.finished;
    },
  };
}
