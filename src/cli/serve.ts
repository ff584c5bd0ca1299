import { EXIT, Failure } from "../library/failure.ts";
import { type HttpServer, ListenError, listen } from "../runtime/http-server.ts";
import { COMMIT, residentBytes, VERSION } from "../runtime/process.ts";
import type { Monitor } from "../serve/monitor.ts";
import type { CommandContext } from "./context.ts";

/**
 * The server beside a watch (DECISIONS 8); undefined when it is switched off, or when the port that nobody has chosen is
 * taken. Throws `Failure` (exit 1) that names the address when one that was asked for can't be had.
 */
export async function serve(monitor: Monitor, context: CommandContext): Promise<HttpServer | undefined> {
  const { settings, resolved, clock, log } = context;
  if (!settings.serverEnabled) return undefined;
  const { httpBind: hostname, httpPort: port } = settings;
  // Loaded here: nothing else needs it.
  const { createApp } = await import("../serve/app.ts");
  const startedAt = clock.now();
  const fetch = createApp(
    () => ({
      watch: monitor.watch,
      metrics: monitor.metrics,
      facts: { version: VERSION, commit: COMMIT, startedAt, residentBytes: residentBytes() },
      now: clock.now(),
    }),
    { localOnly: isLoopback(hostname) },
  );
  try {
    const server = listen({ hostname, port, fetch });
    log.info("answering /healthz, /livez and /metrics", { url: `http://${addressOf(hostname, server.port)}` });
    return server;
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const inUse = error.code === "EADDRINUSE";
    const address = addressOf(hostname, port);
    const { httpPort, httpBind } = resolved.origins;
    if (httpPort !== "default" || (httpBind !== "default" && !inUse)) throw refused(address, error, inUse);
    log.warn("going on without /healthz and /metrics: their default address can't be had", {
      address,
      reason: inUse ? "in use" : error.code,
      remedy: "choose a port with --http-port, or [server] enabled = false",
    });
    return undefined;
  }
}

function refused(address: string, error: ListenError, inUse: boolean): Failure {
  return new Failure(`Cannot listen on ${address}: ${inUse ? "another program does" : error.code}`, {
    exit: EXIT.failure,
    remedy: "Choose another address with --http-port and --http-bind, or say [server] enabled = false.",
    cause: error,
  });
}

/** `bind:port`, with brackets where the address has colons of its own. */
function addressOf(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

function isLoopback(hostname: string): boolean {
  return hostname.startsWith("127.") || hostname === "::1" || /^::ffff:127\./i.test(hostname);
}
