/** kei under a service manager, as a program of its own: what systemd is told, the pid file, the notification script. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Ear } from "../support/datagrams.ts";
import { Home, keiCommand, until } from "../support/kei.ts";
import { Scribe } from "../support/scribe.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const MANUAL = resolve(import.meta.dir, "../../docs/service.md");
/** The unit of the page on watching, which people have copied. */
const EXEC_START = "/usr/local/bin/kei sync -u my@email.address -d /photos --watch-with-interval 3600 --notify-systemd";
const elsewhere = process.platform === "linux" ? "" : " (skipped: only Linux has it)";

let double: Double;
let home: Home;
let ear: Ear | undefined;

async function begin(): Promise<void> {
  double = await startDouble({ library: createLibrary({ seed: 3, assets: 2, bytes: 900, mix: { jpeg: 1 } }) });
  home = new Home(double);
  await home.signIn(double);
}

afterEach(async () => {
  ear?.close();
  ear = undefined;
  await double.stop();
  home.remove();
});

describe.skipIf(elsewhere !== "")(`under systemd${elsewhere}`, () => {
  /** Started by the unit, in an environment that holds what systemd says, where the double is, and nothing else. */
  function start(systemd: Record<string, string>) {
    const put: Readonly<Record<string, string>> = {
      "my@email.address": double.account.username,
      "/photos": home.photos,
    };
    const [, ...words] = EXEC_START.split(" ");
    return Bun.spawn([...keiCommand(), ...words.map((word) => put[word] ?? word)], {
      env: {
        ...double.env,
        // Keeps the configuration of this machine out of it.
        XDG_CONFIG_HOME: join(home.root, "config"),
        BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
        ...systemd,
      },
      cwd: "/",
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  test("the manual shows the unit", async () => {
    await begin();
    expect(readFileSync(MANUAL, "utf8")).toContain(`
Type=notify
ExecStart=${EXEC_START}
Restart=on-failure
WatchdogSec=7200
`);
  });

  test.each(["path", "abstract name"])(
    "its ExecStart works as it stands, with a socket by %s",
    async (kind) => {
      await begin();
      ear = new Ear(kind === "path" ? home.root : undefined);
      const kei = start({ NOTIFY_SOCKET: ear.address, WATCHDOG_USEC: "7200000000", INVOCATION_ID: "0" });
      await ear.until("STATUS=Waiting");
      expect(await home.files()).toHaveLength(2);
      kei.kill("SIGTERM");
      expect(await kei.exited).toBe(0);
      expect(await new Response(kei.stderr).text()).not.toContain("WARN");
      const figures = /^STATUS=Syncing: /;
      expect(ear.heard.filter((message) => !figures.test(message))).toEqual([
        "READY=1",
        "STATUS=Syncing...",
        "STATUS=Waiting 3600 seconds...",
        "STATUS=Stopping...",
        "STOPPING=1",
      ]);
    },
    20_000,
  );

  test("kei says that it is alive twice as often as it has to, in a long run as in the pause after it", async () => {
    await begin();
    double.photos.cdnFaults.inject({ kind: "drip", bytes: 60, intervalMs: 100, times: ALWAYS });
    ear = new Ear(home.root);
    const kei = start({ NOTIFY_SOCKET: ear.address, WATCHDOG_USEC: "800000" });
    await ear.until("STATUS=Waiting");
    const whileRunning = ear.count("WATCHDOG=1");
    await until("beats in the pause", () => (ear?.count("WATCHDOG=1") ?? 0) >= whileRunning + 2);
    kei.kill("SIGTERM");
    expect(await kei.exited).toBe(0);
    expect(whileRunning).toBeGreaterThanOrEqual(2);
    expect(ear.heard.indexOf("WATCHDOG=1")).toBeGreaterThan(ear.heard.indexOf("READY=1"));
    expect(ear.heard.at(-1)).toBe("STOPPING=1");
    const times = ear.received.filter(({ text }) => text === "WATCHDOG=1" || text === "READY=1").map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(800);
    expect(gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeGreaterThan(350);
  }, 20_000);

  test("without HOME, the home folder is that of the account database", async () => {
    await begin();
    const entry = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .find((fields) => fields[2] === String(process.getuid?.()));
    const kei = Bun.spawn([...keiCommand(), "status", "-u", "nobody@example.com"], { env: {}, cwd: "/" });
    const folder = existsSync("/config/config.toml") ? "/config" : join(entry?.[5] ?? "", ".config/kei");
    expect(await new Response(kei.stdout).text()).toContain(`${folder}/`);
  });

  test("a second signal ends kei at once, and its pid file is gone with it", async () => {
    await begin();
    const slow = double.photos.cdnFaults.inject({ kind: "drip", bytes: 1, intervalMs: 100, times: ALWAYS });
    ear = new Ear(home.root);
    const pidFile = join(home.root, "kei.pid");
    const kei = home.start(["sync", "-d", home.photos, "--pid-file", pidFile], { NOTIFY_SOCKET: ear.address });
    await until("a transfer", () => slow.hits > 0);
    expect(existsSync(pidFile)).toBe(true);
    kei.kill("SIGINT");
    await ear.until("STOPPING=1");
    kei.kill("SIGINT");
    expect((await kei.result).code).toBe(130);
    expect(existsSync(pidFile)).toBe(false);
  }, 20_000);
});

test("a pid file holds the number of kei while it runs, also before it has signed in, and goes with it", async () => {
  await begin();
  const held = double.faults.inject({ match: /./, cut: "hang" });
  const pidFile = join(home.root, "kei.pid");
  const kei = home.start(["sync", "-d", home.photos, "--pid-file", pidFile]);
  await until("the first request", () => held.hits > 0);
  expect(readFileSync(pidFile, "utf8").trim()).toBe(String(kei.pid));
  kei.kill("SIGTERM");
  expect((await kei.result).code).toBe(0);
  expect(existsSync(pidFile)).toBe(false);
}, 20_000);

test.skipIf(process.platform === "win32")(
  "the notification script is told of beginning and end, after the report, with the figures and without any secret",
  async () => {
    await begin();
    const scribe = new Scribe(home.root, "echo heard by its owner >&2");
    const result = await home.run(["sync", "-d", home.photos, ...scribe.flags], {
      NOTIFY_SOCKET: "@kei-nobody",
      WATCHDOG_USEC: "1000000",
    });
    expect([result.code, result.stderr]).toEqual([0, expect.not.stringContaining("WARN")]);
    expect(result.stderr).toContain("heard by its owner");
    expect(scribe.events).toEqual(["sync_complete", "sync_started"]);
    const [begun, ended] = ["sync_started", "sync_complete"].map((name) =>
      scribe.told.find(({ event }) => event === name),
    );
    expect(ended?.env).toMatchObject({
      KEI_ICLOUD_USERNAME: double.account.username,
      KEI_REPORT_JSON: join(home.root, "report.json"),
      KEI_ASSETS_SEEN: "2",
      KEI_DOWNLOADED: "2",
      KEI_FAILED: "0",
      KEI_INTERRUPTED: "false",
    });
    expect(ended?.env["KEI_MESSAGE"]).toStartWith("Done: 2 files saved");
    expect(JSON.parse(ended?.report ?? "")).toMatchObject({ stats: { downloaded: 2 } });
    expect(begun?.env["KEI_DOWNLOADED"]).toBeUndefined();
    for (const { env } of scribe.told) {
      expect(Object.keys(env).filter((name) => /PASSWORD|KEI_TEST|NOTIFY|WATCHDOG/.test(name))).toEqual([]);
      expect(Object.values(env).join()).not.toContain(double.account.password);
    }
  },
  20_000,
);
