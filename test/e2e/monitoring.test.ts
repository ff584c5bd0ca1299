/** What monitors see of a watch, and what a run leaves for them in health.json. */
import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type HttpServer, ListenError, listen } from "../../src/runtime/http-server.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { acquireLock } from "../../src/state/index.ts";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { figure, parseOpenMetrics } from "../serve/openmetrics-reader.ts";
import { fasterClock, Home, type KeiProcess, type KeiResult, runInProcess, until } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const INTERVAL = 60;

let double: Double;
let home: Home;
let library: PhotoLibrary;
let port: number;
let clock: Clock;
let watching: Promise<KeiResult> | undefined;
let send: (signal: "SIGINT" | "SIGTERM") => void = () => undefined;
let child: KeiProcess | undefined;

afterEach(async () => {
  send("SIGINT");
  await watching;
  watching = undefined;
  send = () => undefined;
  child?.kill("SIGKILL");
  await child?.result;
  child = undefined;
  await double.stop();
  home.remove();
});

async function begin(options: { readonly signedIn?: boolean } = {}): Promise<void> {
  library = new PhotoLibrary({ seed: 5 });
  photo("A");
  double = await startDouble({ library });
  home = new Home(double, { KEI_HTTP_ENABLED: "true" });
  port = await freePort();
  if (options.signedIn !== false) await home.signIn(double);
}

const photo = (name: string) =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN });

async function freePort(): Promise<number> {
  const server = listen({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  await server.close();
  return server.port;
}

const ARGS = ["--folder-structure", "none"];
const EVERY = ["--watch-with-interval", String(INTERVAL)];

/** A watch in this process, on a clock that runs so many times as fast, at a free port. */
function watch(args: readonly string[] = [], faster = 1000): void {
  startAt(["--http-port", String(port), ...(args.includes("--watch-with-interval") ? [] : EVERY), ...args], faster);
}

function startAt(args: readonly string[], faster: number): void {
  clock = fasterClock(faster);
  watching = runInProcess(["sync", "-d", home.photos, ...ARGS, ...args], {
    env: home.env,
    cwd: home.root,
    clock,
    onSignals: (listener) => {
      send = listener;
    },
  });
}

async function stopped(): Promise<KeiResult> {
  send("SIGINT");
  const result = await (watching as Promise<KeiResult>);
  watching = undefined;
  return result;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, text: await response.text() };
}

interface HealthFields {
  readonly last_sync_at: string | null;
  readonly last_success_at: string | null;
  readonly consecutive_failures: number;
  readonly last_error: string | null;
  readonly next_sync_at: string | null;
  readonly code_wanted_at: string | null;
}

async function healthz(): Promise<{ readonly status: number; readonly body: HealthFields; readonly at: number }> {
  const at = clock.now();
  const { status, text } = await ask("/healthz");
  return { status, body: JSON.parse(text), at };
}

const onDisk = (): HealthFields => JSON.parse(readFileSync(join(home.data, "health.json"), "utf8"));
/** A run has ended, and the next is waited for. */
const firstRun = () =>
  until("the first run", () => existsSync(join(home.data, "health.json")) && onDisk().next_sync_at !== null);
const metrics = async () => parseOpenMetrics((await ask("/metrics")).text);

function notThereYet(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
}

const comesUp = () => until("the server", async () => (await ask("/livez").catch(notThereYet))?.status === 200);

/** Waits until the health is as wanted; the answer that was. */
async function healthThat(
  what: string,
  holds: (answer: Awaited<ReturnType<typeof healthz>>) => boolean,
): ReturnType<typeof healthz> {
  let last: Awaited<ReturnType<typeof healthz>> | undefined;
  await until(what, async () => {
    last = await healthz().catch(notThereYet);
    return last !== undefined && holds(last);
  });
  return last as Awaited<ReturnType<typeof healthz>>;
}

const ended = (answer: { readonly body: Partial<HealthFields> }) => typeof answer.body.last_sync_at === "string";

describe("a monitor of a watch", () => {
  test("sees it come up before it has signed in, and its health once a run has ended", async () => {
    await begin();
    const held = Promise.withResolvers<void>();
    // The first request of all waits until the test lets it go.
    double.faults.inject({
      match: /./,
      transform: async (response) => {
        await held.promise;
        return response;
      },
    });
    double.log.clear();
    watch(["--report-json", join(home.root, "report.json")], 1);
    await until("the first request", () => double.log.all.length > 0);
    expect(await ask("/healthz")).toEqual({ status: 200, text: '{"status":"no sync cycle completed yet"}\n' });
    expect((await ask("/livez")).status).toBe(200);
    expect(figure(await metrics(), "kei_health_last_success_timestamp_seconds")).toBe(0);
    held.resolve();
    const { status, body } = await healthThat(
      "the first run",
      (answer) => ended(answer) && answer.body.next_sync_at !== null,
    );
    expect([status, body.consecutive_failures, body.last_error]).toEqual([200, 0, null]);
    expect(body.last_success_at).toBe(body.last_sync_at);
    const pause = Date.parse(body.next_sync_at ?? "") - Date.parse(body.last_sync_at ?? "");
    expect(Math.abs(pause - INTERVAL * 1000)).toBeLessThan(5_000);
    await until("health.json", () => onDisk().next_sync_at !== null);
    expect(onDisk()).toEqual(body);

    // The figures are those of the report.
    const { stats } = JSON.parse(readFileSync(join(home.root, "report.json"), "utf8"));
    const figures = await metrics();
    const value = (name: string) => figure(figures, `kei_sync_${name}`);
    expect(value("assets_seen_total")).toBe(stats.assets_seen);
    expect([value("downloaded_total"), stats.downloaded]).toEqual([1, 1]);
    expect(value("failed_total")).toBe(0);
    expect(value("bytes_downloaded_total")).toBe(stats.bytes_downloaded);
    expect(value("disk_bytes_written_total")).toBe(stats.disk_bytes_written);
    expect(value(`full_enumeration_reason_total{reason="${stats.full_enumeration_reason}"}`)).toBe(1);
    expect(value("cycle_duration_seconds")).toBeCloseTo(stats.elapsed_secs, 2);
    expect(figure(figures, 'kei_db_assets_total{status="downloaded"}')).toBe(1);
    expect(figure(figures, 'kei_db_assets_size_bytes{status="downloaded"}')).toBe(stats.disk_bytes_written);
    expect(figure(figures, "kei_db_last_sync_assets_seen")).toBe(stats.assets_seen);
    expect(figure(figures, "process_resident_memory_bytes")).toBeGreaterThan(1e6);

    const result = await stopped();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain(`url=http://127.0.0.1:${port}`);
    expect(onDisk()).toEqual({ ...body, next_sync_at: null });
    expect(ask("/livez")).rejects.toThrow();
  });

  test("sees what another process has saved in the pause, though the next run has nothing to do", async () => {
    await begin();
    // Pauses of a second and a half: there is time for a run by hand.
    watch(["--watch-with-interval", "1500"]);
    await firstRun();
    photo("B");
    const byHand = ["sync", "-d", home.photos, ...ARGS, "--no-watch"];
    const { code, stderr } = await runInProcess(byHand, { env: home.env, cwd: home.root, clock: fasterClock(50) });
    expect([code, stderr]).toEqual([0, expect.stringContaining("1 file saved")]);
    await until("the figures", async () => figure(await metrics(), 'kei_db_assets_total{status="downloaded"}') === 2);
    expect(figure(await metrics(), "kei_sync_downloaded_total")).toBe(1);
  });

  test("sees what another command finds missing in the pause, also in a library that the watch leaves alone", async () => {
    await begin();
    library.addAsset({ filename: "S.JPG", content: 7, assetDate: TAKEN, zone: library.addSharedLibrary("owner").name });
    const byHand = async (...args: readonly string[]) =>
      (await runInProcess(args, { env: home.env, cwd: home.root, clock: fasterClock(50) })).code;
    expect(await byHand("sync", "-d", home.photos, ...ARGS, "--library", "all")).toBe(0);
    watch(["--library", "primary", "--watch-with-interval", "1500"]);
    const pending = async () => figure(await metrics(), 'kei_db_assets_total{status="pending"}');
    await comesUp();
    await until("the first run", async () => (await pending()) === 0);
    await firstRun();
    rmSync(join(home.photos, "S.JPG"));
    expect(await byHand("reconcile", "-d", home.photos)).toBe(0);
    await until("the figures", async () => (await pending()) === 1);
    expect((await healthz()).body.consecutive_failures).toBe(0);
  });

  test("sees that runs without work move the health and no counter", async () => {
    await begin();
    watch();
    const first = await healthThat("the first run", ended);
    const before = await metrics();
    await healthThat(
      "a later run",
      ({ body }) =>
        Date.parse(body.last_success_at ?? "") > Date.parse(first.body.last_success_at ?? "") + 2 * INTERVAL * 1000,
    );
    const after = await metrics();
    const changed = [...after.keys()].filter((name) => after.get(name) !== before.get(name));
    const moving = /^kei_(health_last_|watch_next_run|sync_running)|^process_resident_memory/;
    expect(changed.filter((name) => !moving.test(name))).toEqual([]);
    expect(changed).toContain("kei_health_last_success_timestamp_seconds");
  });

  test("is alarmed when the last success is two intervals old, and when five runs have failed, until one goes well", async () => {
    await begin();
    watch([], 400);
    await healthThat("the first run", ended);
    const fault = double.faults.inject({ match: /./, cut: "reset", times: Number.POSITIVE_INFINITY });
    const late = await healthThat("an alarm", ({ status }) => status === 503);
    const age = late.at - Date.parse(late.body.last_success_at ?? "");
    expect(late.body.consecutive_failures < 5 ? age : Number.POSITIVE_INFINITY).toBeGreaterThan(
      2 * INTERVAL * 1000 - 1000,
    );
    const failed = await healthThat("five failures", ({ body }) => body.consecutive_failures >= 5);
    expect(failed.status).toBe(503);
    expect(failed.body.last_error).toBeString();
    expect(figure(await metrics(), "kei_health_consecutive_failures")).toBeGreaterThanOrEqual(5);
    expect((await ask("/livez")).status).toBe(200);
    await until("five in the file", () => onDisk().consecutive_failures >= 5);
    fault.remove();
    const well = await healthThat("a success", ({ status }) => status === 200);
    expect([well.body.consecutive_failures, well.body.last_error]).toEqual([0, null]);
  });

  test("is not alarmed by a run that takes long and moves", async () => {
    await begin();
    const interval = 300;
    watch(["--watch-with-interval", String(interval), "--bandwidth-limit", "1200"], 500);
    await healthThat("the first run", ended);
    for (let n = 0; n < 300; n += 1) library.addAsset({ filename: `N${n}.JPG`, content: 2000, assetDate: TAKEN });
    let alarms = 0;
    await healthThat("an old success", ({ status, at, body }) => {
      if (status !== 200) alarms += 1;
      return at - Date.parse(body.last_success_at ?? "") > 2.5 * interval * 1000;
    });
    expect(figure(await metrics(), "kei_sync_running")).toBe(1);
    await until("all files", async () => (await home.files()).length === 301);
    expect(alarms).toBe(0);
  });

  test("is told that a code is waited for", async () => {
    await begin({ signedIn: false });
    watch([], 1);
    const { status, body } = await healthThat("the question", ended);
    expect(status).toBe(200);
    expect([body.consecutive_failures, body.last_success_at, body.next_sync_at]).toEqual([1, null, null]);
    expect(body.last_error).toBe("Apple wants a verification code for the account.");
    await until("the wait", async () => figure(await metrics(), "kei_watch_waiting_for_code") === 1);
    expect(figure(await metrics(), "kei_sync_session_expirations_total")).toBe(1);
    await until("a note of it", () => onDisk().code_wanted_at !== null);
    const words = "Next: once the code was handed in, by the watch that waits for it\n";
    expect((await home.fast(["status"])).stdout).toContain(words);
    expect((await home.fast(["sync", "-d", home.photos])).code).toBe(3);
    expect((await home.fast(["status"])).stdout).toContain(words);
    expect((await ask("/metrics")).text).not.toContain(double.account.username);
  });

  test("gets short answers to what is not there", async () => {
    await begin();
    watch([], 1);
    await comesUp();
    expect(await ask("/healthz", { method: "HEAD" })).toEqual({ status: 200, text: "" });
    expect((await ask("/")).status).toBe(404);
    expect((await ask("/metrics", { method: "POST", body: "x" })).status).toBe(405);
    expect((await ask("/livez", { headers: { host: "evil.example" } })).status).toBe(421);
  });

  test("does not hold up the end of the program with a connection that it keeps", async () => {
    await begin();
    child = home.start(["sync", "-d", home.photos, ...ARGS, ...EVERY, "--http-port", String(port)]);
    await comesUp();
    const kept = connect(port, "127.0.0.1");
    kept.on("error", () => undefined);
    const closed = new Promise((resolve) => kept.once("close", resolve));
    kept.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await new Promise((resolve) => kept.once("data", resolve));
    await until("the wait for the next run", () => existsSync(join(home.data, "health.json")));
    const start = performance.now();
    child.kill("SIGTERM");
    expect((await child.result).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(2_000);
    await closed;
  });
});

describe("the address of the server", () => {
  /** Undefined when there is somebody already, which is as good. */
  function occupy(at: number): HttpServer | undefined {
    try {
      return listen({ hostname: "127.0.0.1", port: at, fetch: () => new Response() });
    } catch (error) {
      if (error instanceof ListenError && error.code === "EADDRINUSE") return undefined;
      throw error;
    }
  }

  /** Somebody else at a port, while `use` runs. */
  async function taken(at: number, use: (port: number) => Promise<void>): Promise<void> {
    const other = occupy(at);
    try {
      await use(other?.port ?? at);
    } finally {
      await other?.close();
    }
  }

  test("that was asked for and is taken ends the program at once, before Apple is asked", async () => {
    await begin();
    double.log.clear();
    await taken(0, async (at) => {
      const result = await home.fast(["sync", "-d", home.photos, ...ARGS, ...EVERY, "--http-port", String(at)]);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`Error: Cannot listen on 127.0.0.1:${at}: another program does. `);
      expect(double.log.all).toEqual([]);
    });
  });

  test("that this machine does not have ends it, too", async () => {
    await begin();
    const result = await home.fast(["sync", "-d", home.photos, ...ARGS, ...EVERY, "--http-bind", "192.0.2.1"]);
    expect([result.code, result.stderr.includes("Cannot listen on 192.0.2.1:9090: EADDRNOTAVAIL")]).toEqual([1, true]);
    const named = await home.fast(["sync", "-d", home.photos, ...ARGS, ...EVERY, "--http-bind", "localhost"]);
    expect(named.code).toBe(64);
  });

  test("that nobody has chosen may be taken: the watch goes on without", async () => {
    await begin();
    await taken(9090, async () => {
      startAt(EVERY, 1);
      await firstRun();
      const { code, stderr } = await stopped();
      expect(code).toBe(0);
      expect(stderr).toMatch(/WARN .*going on without .* address=127\.0\.0\.1:9090 reason="in use"/);
    });
  });

  test("is chosen by the system for port 0, and told", async () => {
    await begin();
    port = 0;
    watch([], 1);
    await firstRun();
    expect((await stopped()).stderr).toMatch(/answering \/healthz.* url=http:\/\/127\.0\.0\.1:[1-9]\d+\n/);
  });

  test("is used by a watch only, and not when switched off", async () => {
    await begin();
    await taken(0, async (at) => {
      const once = await home.fast(["sync", "-d", home.photos, "--http-port", String(at)]);
      expect(once.code).toBe(0);
      home.env["KEI_HTTP_ENABLED"] = "false";
      port = at;
      watch([], 1);
      await firstRun();
      expect((await stopped()).code).toBe(0);
    });
  });
});

describe("health.json", () => {
  test("is written by every single run but a dry one, and counts failures over them", async () => {
    await begin();
    const time = { env: home.env, cwd: home.root, clock: fasterClock(50) };
    const run = (...args: string[]) => runInProcess(["sync", "-d", home.photos, ...args], time);
    expect((await run("--dry-run")).code).toBe(0);
    expect(existsSync(join(home.data, "health.json"))).toBe(false);
    expect((await run()).code).toBe(0);
    const first = onDisk();
    expect(first).toMatchObject({ consecutive_failures: 0, last_error: null, next_sync_at: null });
    expect((await run()).code).toBe(0);
    expect(Date.parse(onDisk().last_success_at ?? "")).toBeGreaterThan(Date.parse(first.last_success_at ?? ""));
    photo("B");
    double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    const good = onDisk().last_success_at;
    for (const failures of [1, 2]) {
      expect((await run()).code).toBe(2);
      expect(onDisk()).toMatchObject({
        consecutive_failures: failures,
        last_error: "1 file could not be saved",
        last_success_at: good,
      });
    }
    // Out of attempts: exit 2 goes on, but nothing fails anew.
    expect((await run("--max-download-attempts", "1")).code).toBe(2);
    expect(onDisk()).toMatchObject({ consecutive_failures: 0, last_error: null });
  });

  test("belongs to whoever has the account's lock", async () => {
    await begin();
    await home.fast(["sync", "-d", home.photos]);
    const waiting = JSON.stringify({ ...onDisk(), next_sync_at: "2030-01-01T00:00:00.000Z" });
    writeFileSync(join(home.data, "health.json"), waiting);
    const { lock } = accountFiles(home.data, "com", double.account.username);
    const held = await acquireLock(lock, { retries: 0, clock: systemClock, signal: new AbortController().signal });
    expect((await home.fast(["sync", "-d", home.photos])).stderr).toContain("Another kei instance");
    expect(readFileSync(join(home.data, "health.json"), "utf8")).toBe(waiting);
    held.release();
  });

  test("keeps the time of a watch that pauses while a single run goes between, and forgets that of one that is dead", async () => {
    await begin();
    await home.fast(["sync", "-d", home.photos]);
    for (const [at, left] of [
      ["2100-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z"],
      ["2020-01-01T00:00:00.000Z", null],
    ] as const) {
      writeFileSync(join(home.data, "health.json"), JSON.stringify({ ...onDisk(), next_sync_at: at }));
      expect((await home.fast(["sync", "-d", home.photos])).code).toBe(0);
      expect(onDisk().next_sync_at).toBe(left);
    }
  });

  test("that can't be written or read is a warning", async () => {
    await begin();
    mkdirSync(join(home.data, "health.json"));
    const odd = await home.fast(["sync", "-d", home.photos]);
    expect(odd.code).toBe(0);
    expect(odd.stderr).toContain("could not read the health of the runs before");
    expect(odd.stderr).toContain("could not write the health of the runs");
    expect(await home.files()).toHaveLength(1);
  });

  test("of another account is replaced, not continued", async () => {
    await begin();
    const other = { account: "fedcba9876543210", consecutive_failures: 7, last_error: "odd", last_success_at: null };
    writeFileSync(join(home.data, "health.json"), JSON.stringify(other));
    chmodSync(join(home.data, "health.json"), 0o600);
    photo("B");
    double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    expect((await home.fast(["sync", "-d", home.photos])).code).toBe(2);
    expect(onDisk().consecutive_failures).toBe(1);
  });

  test("of another account that shares the folder hides nothing: each has its own as well", async () => {
    await begin();
    photo("B");
    double.photos.cdnFaults.inject({ kind: "status", status: 404, times: Number.POSITIVE_INFINITY });
    for (const failures of [1, 2]) {
      expect((await home.fast(["sync", "-d", home.photos])).code).toBe(2);
      expect(onDisk().consecutive_failures).toBe(failures);
      const other = { account: "fedcba9876543210", consecutive_failures: 0, next_sync_at: "2100-01-01T00:00:00.000Z" };
      writeFileSync(join(home.data, "health.json"), JSON.stringify(other));
      const { stdout } = await home.fast(["status"]);
      expect(stdout).toContain(failures === 1 ? "The last run has failed: " : "The last 2 runs have failed: ");
    }
  });
});
