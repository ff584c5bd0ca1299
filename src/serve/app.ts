import { isIP } from "node:net";
import { Hono } from "hono";
import { formatHealth } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import { OPENMETRICS_TYPE, openMetrics, type ProcessFacts } from "./openmetrics.ts";
import { isHealthy, type WatchState } from "./verdict.ts";

/** What the answers are made of. */
export interface Snapshot {
  readonly watch: WatchState;
  readonly metrics: Metrics;
  readonly facts: ProcessFacts;
  /** Ms since the epoch. */
  readonly now: number;
}

const JSON_TYPE = "application/json; charset=utf-8";

/**
 * The routes of the server beside a watch (cli.md 6.6, DECISIONS 8). Each answer is made of one snapshot. With
 * `localOnly`, callers must name this machine or an address: a web page can give a name of its own to 127.0.0.1, and
 * would else read the answers in its visitor's browser.
 */
export function createApp(
  look: () => Snapshot,
  { localOnly }: { readonly localOnly: boolean },
): (request: Request) => Promise<Response> {
  const routes: Readonly<Record<string, () => Response>> = {
    // Whoever can answer is alive. Whether the backup is well does not belong here: restarts would not help it.
    "/livez": () => answer(200, json({ status: "alive" }), JSON_TYPE),
    "/healthz": () => {
      const { watch, now } = look();
      const body = watch.ended ? formatHealth(watch.health) : json({ status: "no sync cycle completed yet" });
      return answer(isHealthy(watch, now) ? 200 : 503, body, JSON_TYPE);
    },
    "/metrics": () => {
      const { watch, metrics, facts } = look();
      return answer(200, openMetrics(watch, metrics, facts), OPENMETRICS_TYPE);
    },
  };
  const app = new Hono();
  app.use(async ({ req }, next) => {
    if (localOnly && !isLocal(new URL(req.url).hostname))
      return answer(421, json({ status: "unknown host" }), JSON_TYPE);
    return next();
  });
  for (const [path, make] of Object.entries(routes)) {
    app.get(path, make);
    app.all(path, () => answer(405, json({ status: "method not allowed" }), JSON_TYPE, { allow: "GET, HEAD" }));
  }
  app.notFound(() => answer(404, json({ status: "not found" }), JSON_TYPE));
  app.onError(() => answer(500, json({ status: "error" }), JSON_TYPE));
  return async (request) => app.fetch(request);
}

function isLocal(hostname: string): boolean {
  return hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}

function json(value: Readonly<Record<string, string>>): string {
  return `${JSON.stringify(value)}\n`;
}

function answer(status: number, body: string, type: string, more: Readonly<Record<string, string>> = {}): Response {
  const headers = { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff", ...more };
  return new Response(body, { status, headers });
}
