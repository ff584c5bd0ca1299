/** The page about monitoring names what there is, and nothing else. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SERVICE } from "../../src/config/table/service.ts";
import { formatHealth, type Health } from "../../src/serve/health.ts";
import { NO_METRICS } from "../../src/serve/metrics.ts";
import { openMetrics } from "../../src/serve/openmetrics.ts";

const page = readFileSync(join(import.meta.dir, "../../docs/monitoring.md"), "utf8");
const HEALTH: Health = {
  account: "0123456789abcdef",
  lastSyncAt: 0,
  lastSuccessAt: 0,
  consecutiveFailures: 0,
  lastError: undefined,
  nextSyncAt: undefined,
  codeWantedAt: undefined,
};

test("the page about monitoring names every figure, and no other", () => {
  const text = openMetrics(
    { health: HEALTH, intervalMs: 1, ended: true, running: false, movedAt: undefined, codeWantedAt: undefined },
    NO_METRICS,
    { version: "1", commit: "c", startedAt: 0, residentBytes: 1 },
  );
  const suffix: Readonly<Record<string, string>> = { counter: "_total", info: "_info" };
  const there = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name = "", type = ""]) => name + (suffix[type] ?? ""),
  );
  const named = [...page.matchAll(/^\| (`(?:kei|process)_.*?) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([a-z_]+)/g)].map(([, name]) => name ?? ""),
  );
  expect(named.filter((name) => !there.includes(name))).toEqual([]);
  expect(there.filter((name) => !named.includes(name))).toEqual([]);
});

test("the page about monitoring names every field of health.json", () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
  expect(Object.keys(JSON.parse(formatHealth(HEALTH))).filter((field) => !rows.includes(field))).toEqual([]);
});

test("the page about monitoring tells the defaults of the server", () => {
  for (const value of [SERVICE.httpPort.default, SERVICE.httpBind.default]) expect(page).toContain(`| ${value} |`);
});
