/** The routes, and the figures as text. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createApp, type Snapshot } from "../../src/serve/app.ts";
import type { Health } from "../../src/serve/health.ts";
import { afterOneMore, COUNTERS, type Metrics, NO_METRICS } from "../../src/serve/metrics.ts";
import { openMetrics } from "../../src/serve/openmetrics.ts";
import { StateFailure } from "../../src/state/index.ts";
import type { RunEnd } from "../../src/sync/types.ts";
import { figure, parseOpenMetrics } from "./openmetrics-reader.ts";
import { broken, ended } from "./runs.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const HEALTH: Health = {
  account: "0123456789abcdef",
  lastSyncAt: NOW - 1000,
  lastSuccessAt: NOW - 1500,
  consecutiveFailures: 1,
  lastError: 'The disk "photos" is full.',
  nextSyncAt: NOW + 60_000,
  codeWantedAt: undefined,
};
const SNAPSHOT: Snapshot = {
  watch: {
    health: HEALTH,
    intervalMs: 60_000,
    ended: true,
    running: false,
    movedAt: undefined,
    codeWantedAt: undefined,
  },
  metrics: NO_METRICS,
  facts: { version: "1.2.3", commit: 'ab"c\\d\ne', startedAt: NOW - 5000, residentBytes: 50_000_000 },
  now: NOW,
};

const ask = (path: string, init: RequestInit = {}, snapshot = SNAPSHOT, localOnly = true) =>
  createApp(() => snapshot, { localOnly })(new Request(new URL(path, "http://127.0.0.1:9090"), init));

describe("the routes", () => {
  test("/healthz tells the health, with 200 or 503", async () => {
    const well = await ask("/healthz");
    expect([well.status, well.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
    expect(await well.json()).toEqual({
      account: "0123456789abcdef",
      last_sync_at: "2026-11-25T11:59:59.000Z",
      last_success_at: "2026-11-25T11:59:58.500Z",
      consecutive_failures: 1,
      last_error: 'The disk "photos" is full.',
      next_sync_at: "2026-11-25T12:01:00.000Z",
      code_wanted_at: null,
    });
    const late = await ask("/healthz", {}, { ...SNAPSHOT, now: NOW + 120_000 });
    expect([late.status, (await late.json()).consecutive_failures]).toEqual([503, 1]);
  });

  test("/healthz is fine before the first run has ended", async () => {
    const early = await ask("/healthz", {}, { ...SNAPSHOT, watch: { ...SNAPSHOT.watch, ended: false } });
    expect([early.status, await early.json()]).toEqual([200, { status: "no sync cycle completed yet" }]);
  });

  test("/livez is fine whatever the backup does", async () => {
    const alive = await ask("/livez", {}, { ...SNAPSHOT, now: NOW + 1e9 });
    expect([alive.status, await alive.json()]).toEqual([200, { status: "alive" }]);
  });

  test("answer HEAD without a body, and refuse what they don't know", async () => {
    for (const path of ["/healthz", "/livez", "/metrics"]) {
      const head = await ask(path, { method: "HEAD" });
      const get = await ask(path);
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const refused = await ask(path, { method });
        expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      }
    }
    for (const path of ["/", "/metrics/", "/healthz/x", "/%2e%2e/etc/passwd"])
      expect((await ask(path)).status).toBe(404);
    expect((await ask("/", { method: "POST" })).status).toBe(404);
  });

  test("promise nothing about TLS and let nothing be stored", async () => {
    const { headers } = await ask("/metrics");
    expect(headers.get("strict-transport-security")).toBeNull();
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("know only names of this machine while only this machine can ask", async () => {
    const at = async (url: string, localOnly: boolean) => (await ask(url, {}, SNAPSHOT, localOnly)).status;
    expect(await at("http://evil.example:9090/healthz", true)).toBe(421);
    expect(await at("http://kei:9090/healthz", false)).toBe(200);
    for (const host of ["localhost", "127.0.0.1", "[::1]"])
      expect(await at(`http://${host}:9090/healthz`, true)).toBe(200);
  });

  test("are loaded by nobody who does not answer", () => {
    const sources = join(import.meta.dir, "../../src");
    const eager = readdirSync(sources, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .filter((file) => /^import .*(serve\/|\.\/)app\.ts"/m.test(readFileSync(join(sources, file), "utf8")));
    expect(eager).toEqual([]);
  });

  test("leave nothing behind, however often they are asked", async () => {
    const app = createApp(() => SNAPSHOT, { localOnly: true });
    const scrape = async (times: number) => {
      for (let n = 0; n < times; n += 1) await (await app(new Request("http://127.0.0.1/metrics"))).text();
      Bun.gc(true);
      return process.memoryUsage().heapUsed;
    };
    await scrape(500);
    const before = await scrape(500);
    expect((await scrape(2000)) - before).toBeLessThan(500_000);
  });
});

describe("the figures", () => {
  const after = (...ends: readonly RunEnd[]): Metrics => ends.reduce(afterOneMore, NO_METRICS);
  const read = (metrics: Metrics, watch = SNAPSHOT.watch) =>
    parseOpenMetrics(openMetrics(watch, metrics, SNAPSHOT.facts));

  const BUSY = ended({
    assetsSeen: 100,
    downloaded: 60,
    failed: 2,
    bytesDownloaded: 5000,
    bytesWritten: 6000,
    skipped: { on_disk: 30, by_filename: 0 },
    duplicates: 4,
    enumerationErrors: ["Rome: unreadable"],
    shortfall: { lists: 1, photos: 3 },
    fullReason: "no_stored_token",
    tokenHeld: "recent_limited_full_enumeration",
    elapsedMs: 1500,
    rateLimited: 1,
    outcome: "partial_failure",
    onRecord: { downloaded: 60, pending: 1, failed: 2, bytes: 6000 },
  });

  test("are those of the runs, added up", () => {
    const figures = read(after(BUSY, BUSY));
    const values = (names: readonly string[]) => names.map((name) => figure(figures, `kei_${name}`));
    expect(
      values([
        "sync_assets_seen_total",
        "sync_downloaded_total",
        "sync_failed_total",
        "sync_bytes_downloaded_total",
        "sync_disk_bytes_written_total",
        "sync_enumeration_errors_total",
        "sync_pagination_shortfall_warnings_total",
        "sync_pagination_shortfall_assets_total",
        "sync_token_blocked_cycles_total",
        "sync_rate_limited_total",
      ]),
    ).toEqual([200, 120, 4, 10_000, 12_000, 2, 2, 6, 2, 2]);
    expect(
      values([
        'sync_skipped_total{reason="on_disk"}',
        'sync_skipped_total{reason="duplicates"}',
        'sync_full_enumeration_reason_total{reason="no_stored_token"}',
        'sync_cycles_total{outcome="partial_failure"}',
      ]),
    ).toEqual([60, 8, 2, 2]);
    expect(figure(figures, 'kei_sync_skipped_total{reason="by_filename"}')).toBeUndefined();
    expect(
      values([
        "sync_cycle_duration_seconds",
        'db_assets_total{status="downloaded"}',
        'db_assets_total{status="pending"}',
        'db_assets_total{status="failed"}',
        'db_assets_size_bytes{status="downloaded"}',
        "db_last_sync_assets_seen",
      ]),
    ).toEqual([1.5, 60, 1, 2, 6000, 100]);
  });

  test("of a run with nothing to do stay as they are, save the health", () => {
    const idle = ended({
      unchanged: true,
      elapsedMs: 5,
      onRecord: { downloaded: 60, pending: 1, failed: 2, bytes: 6000 },
    });
    expect(after(BUSY, idle)).toEqual(after(BUSY));
    const late = { ...SNAPSHOT.watch, health: { ...HEALTH, lastSuccessAt: NOW, consecutiveFailures: 0 } };
    const figures = read(after(BUSY, idle), late);
    expect(figure(figures, "kei_health_last_success_timestamp_seconds")).toBe(NOW / 1000);
    expect(figure(figures, "kei_health_consecutive_failures")).toBe(0);
    // After a start with nothing to do, what is on record is told all the same.
    expect(figure(read(after(idle)), 'kei_db_assets_total{status="downloaded"}')).toBe(60);
  });

  test("count lost sessions, stops and a state that can't be written", () => {
    const figures = read(
      after(
        ended({ outcome: "session_expired" }, { locked: "signed-out" }),
        broken(new Error("a code"), { locked: "code-needed" }),
        ended({ outcome: "interrupted" }, { stopped: true }),
        broken(new Error("stopped"), { stopped: true }),
        broken(new StateFailure("full", "The disk is full", "Free some space")),
      ),
    );
    expect(figure(figures, "kei_sync_session_expirations_total")).toBe(2);
    expect(figure(figures, "kei_sync_interrupted_cycles_total")).toBe(2);
    expect(figure(figures, "kei_sync_state_write_failures_total")).toBe(1);
    expect(figure(figures, 'kei_sync_cycles_total{outcome="failed"}')).toBe(2);
  });

  test("are text that a strict reader accepts, from the start on", () => {
    const figures = read(NO_METRICS, {
      ...SNAPSHOT.watch,
      health: { ...HEALTH, lastSuccessAt: undefined, lastSyncAt: undefined, nextSyncAt: undefined },
      codeWantedAt: NOW,
    });
    for (const { name } of COUNTERS) expect(figure(figures, `${name}_total`)).toBe(0);
    expect(figure(figures, "kei_health_last_success_timestamp_seconds")).toBe(0);
    expect(figure(figures, "kei_watch_waiting_for_code")).toBe(1);
    expect(figure(figures, "kei_watch_interval_seconds")).toBe(60);
    expect(figure(figures, "kei_watch_next_run_timestamp_seconds")).toBeUndefined();
    expect(figure(figures, "process_resident_memory_bytes")).toBe(50_000_000);
    expect([...figures.keys()].filter((key) => key.startsWith("kei_build_info"))).toEqual([
      'kei_build_info{version="1.2.3",commit="ab\\"c\\\\d\\ne"}',
    ]);
  });

  test("bear exactly the names that dashboards know", () => {
    const names = [...openMetrics(SNAPSHOT.watch, NO_METRICS, SNAPSHOT.facts).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    const promised = [
      ..."assets_seen downloaded failed skipped bytes_downloaded disk_bytes_written exif_failures state_write_failures"
        .split(" ")
        .map((name) => `kei_sync_${name} counter`),
      ..."enumeration_errors pagination_shortfall_warnings pagination_shortfall_assets token_blocked_cycles"
        .split(" ")
        .map((name) => `kei_sync_${name} counter`),
      ..."session_expirations interrupted_cycles full_enumeration_reason"
        .split(" ")
        .map((name) => `kei_sync_${name} counter`),
      "kei_db_summary_read_failures counter",
      "kei_state_mark_downloaded_zero_rows counter",
      "kei_state_mark_failed_zero_rows counter",
      "kei_sync_cycle_duration_seconds gauge",
      "kei_health_consecutive_failures gauge",
      "kei_health_last_success_timestamp_seconds gauge",
      "kei_db_assets_total gauge",
      "kei_db_assets_size_bytes gauge",
      "kei_db_last_sync_assets_seen gauge",
    ];
    expect(promised.filter((name) => !names.includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
