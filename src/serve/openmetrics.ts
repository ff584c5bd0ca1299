import { COUNTERS, type Metrics } from "./metrics.ts";
import type { WatchState } from "./verdict.ts";

/** What is told of the process itself. */
export interface ProcessFacts {
  readonly version: string;
  readonly commit: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
  readonly residentBytes: number;
}

export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

/**
 * The figures in the text form of OpenMetrics 1.0, with the names of cli.md 6.7. No label tells an account, an album or
 * a file. What is not known yet has no value.
 */
export function openMetrics(watch: WatchState, metrics: Metrics, facts: ProcessFacts): string {
  const { health } = watch;
  const { onRecord } = metrics;
  return [
    ...COUNTERS.map(({ name, help }) => counter(name, help, [[metrics.counts[name] ?? 0]])),
    counter(
      "kei_sync_skipped",
      "Photos that needed nothing or were left out, by reason",
      by("reason", metrics.skipped),
    ),
    counter(
      "kei_sync_full_enumeration_reason",
      "Runs that listed everything, by reason",
      by("reason", metrics.fullReasons),
    ),
    counter("kei_sync_cycles", "Runs that had something to do, by how they ended", by("outcome", metrics.cycles)),
    gauge("kei_sync_cycle_duration_seconds", "Time of the last run that had something to do", seconds(metrics.cycleMs)),
    gauge("kei_sync_running", "1 while a run is under way", [[Number(watch.running)]]),
    gauge("kei_health_consecutive_failures", "Runs in a row that failed", [[health.consecutiveFailures]]),
    gauge(
      "kei_health_last_success_timestamp_seconds",
      "When a run last went as it should; 0 before the first",
      seconds(health.lastSuccessAt ?? 0),
    ),
    gauge("kei_health_last_sync_timestamp_seconds", "When a run last ended", seconds(health.lastSyncAt)),
    gauge("kei_watch_interval_seconds", "The pause between runs", seconds(watch.intervalMs)),
    gauge("kei_watch_next_run_timestamp_seconds", "When the next run is due", seconds(health.nextSyncAt)),
    gauge("kei_watch_waiting_for_code", "1 while a verification code has to be handed in", [
      [Number(watch.codeWantedAt !== undefined)],
    ]),
    gauge(
      "kei_db_assets_total",
      "Files on record, by status",
      onRecord === undefined
        ? []
        : by("status", { downloaded: onRecord.downloaded, pending: onRecord.pending, failed: onRecord.failed }),
    ),
    gauge(
      "kei_db_assets_size_bytes",
      "Bytes of the files on disk",
      onRecord === undefined ? [] : by("status", { downloaded: onRecord.bytes }),
    ),
    gauge("kei_db_last_sync_assets_seen", "Photos that the last run looked at", known(metrics.assetsSeen)),
    family("kei_build", "info", "The program that runs", "_info", [
      [1, { version: facts.version, commit: facts.commit }],
    ]),
    gauge("process_start_time_seconds", "When this process began", seconds(facts.startedAt)),
    gauge("process_resident_memory_bytes", "Memory in use", [[facts.residentBytes]]),
    "# EOF\n",
  ].join("");
}

function counter(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, "counter", help, "_total", samples);
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, "gauge", help, "", samples);
}

function family(name: string, type: string, help: string, suffix: string, samples: readonly Sample[]): string {
  const lines = samples.map(([value, labels]) => `${name}${suffix}${labelText(labels)} ${value}\n`);
  return `# TYPE ${name} ${type}\n# HELP ${name} ${escaped(help)}.\n${lines.join("")}`;
}

/** One sample for each entry, named by a label. */
function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => [value, { [label]: name }]);
}

function known(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[value]];
}

function seconds(ms: number | undefined): Sample[] {
  return known(ms === undefined ? undefined : ms / 1000);
}

function labelText(labels: Labels = {}): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
