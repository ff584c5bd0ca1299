/** kei under a service manager: what systemd is told, the pid file, the notification script. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { type DatagramListener, listenForDatagrams } from "../support/datagrams.ts";
import { fasterClock, Home, type KeiResult, keiCommand, runInProcess, until } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const ALWAYS = Number.POSITIVE_INFINITY;
const MANUAL = resolve(import.meta.dir, "../../docs/service.md");
const elsewhere = process.platform === "linux" ? "" : " (skipped: only Linux has it)";

let double: Double;
let home: Home;
let listener: DatagramListener | undefined;
let send: (signal: "SIGINT" | "SIGTERM") => void = () => undefined;

async function begin(options: { readonly signedIn?: boolean; readonly photos?: number } = {}): Promise<void> {
  const library = new PhotoLibrary({ seed: 3 });
  for (let n = 0; n < (options.photos ?? 2); n += 1) {
    library.addAsset({ filename: `IMG_${n}.JPG`, content: 900 + n, assetDate: TAKEN });
  }
  double = await startDouble({ library });
  home = new Home(double);
  if (options.signedIn !== false) await home.signIn(double);
}

afterEach(async () => {
  listener?.close();
  listener = undefined;
  send = () => undefined;
  await double.stop();
  home.remove();
});

/** Starts to listen as systemd does, in the file system or in the abstract namespace; returns the address. */
function listen(kind: "path" | "abstract" = "path", options: { readonly deaf?: boolean } = {}): string {
  const address = kind === "path" ? join(home.root, "notify.sock") : `@kei-test-${process.pid}-${performance.now()}`;
  listener = listenForDatagrams(address, options);
  return address;
}

const heard = (): readonly string[] => listener?.received().map(({ text }) => text) ?? [];
const untilHeard = (text: string) => until(text, () => heard().some((message) => message.startsWith(text)));

/** A sync in this process on a fast clock, which the test may stop. */
function run(args: readonly string[], env: Record<string, string> = {}, factor = 1000): Promise<KeiResult> {
  return runInProcess(["sync", "-d", home.photos, "--folder-structure", "none", ...args], {
    env: { ...home.env, ...env },
    cwd: home.root,
    clock: fasterClock(factor),
    onSignals: (listens) => {
      send = listens;
    },
  });
}

describe.skipIf(elsewhere !== "")(`under systemd${elsewhere}`, () => {
  /** The unit of the manual, its program, account and folder put in place. */
  function execStart(): string[] {
    const line = /^ExecStart=(?<words>.*)$/m.exec(readFileSync(MANUAL, "utf8"))?.groups?.["words"] ?? "";
    expect(line).toBe(
      "/usr/local/bin/kei sync -u my@email.address -d /photos --watch-with-interval 3600 --notify-systemd",
    );
    const words = line.split(" ").slice(1);
    const put: Record<string, string> = { "my@email.address": double.account.username, "/photos": home.photos };
    return [...keiCommand(), ...words.map((word) => put[word] ?? word)];
  }

  /** Started by the unit: in an environment that holds what systemd says, where the double is, and nothing else. */
  function start(systemd: Record<string, string>) {
    return Bun.spawn(execStart(), {
      env: {
        ...double.env,
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

  test.each(["path", "abstract"] as const)(
    "the unit of the manual works as it stands, with a socket by %s: ready, what it does, the end",
    async (kind) => {
      await begin();
      const address = listen(kind);
      const kei = start({ NOTIFY_SOCKET: address, WATCHDOG_USEC: "7200000000", INVOCATION_ID: "0" });
      await untilHeard("STATUS=Waiting");
      expect(await home.files()).toHaveLength(2);
      kei.kill("SIGTERM");
      expect(await kei.exited).toBe(0);
      expect(await new Response(kei.stderr).text()).not.toContain("WARN");
      const figures = /^STATUS=Syncing: /;
      expect(heard().filter((message) => !figures.test(message))).toEqual([
        "READY=1",
        "STATUS=Syncing...",
        "STATUS=Waiting 3600 seconds...",
        "STATUS=Stopping...",
        "STOPPING=1",
      ]);
    },
    20_000,
  );

  test("says that it is alive twice as often as it has to, in a long run as in the pause after it", async () => {
    await begin();
    double.photos.cdnFaults.inject({ kind: "drip", bytes: 100, intervalMs: 100, times: ALWAYS });
    const kei = start({ NOTIFY_SOCKET: listen(), WATCHDOG_USEC: "600000" });
    const beats = () => heard().filter((message) => message === "WATCHDOG=1").length;
    await untilHeard("STATUS=Waiting");
    const whileRunning = beats();
    await until("beats in the pause", () => beats() >= whileRunning + 2);
    kei.kill("SIGTERM");
    expect(await kei.exited).toBe(0);
    expect(whileRunning).toBeGreaterThanOrEqual(2);
    expect(heard().indexOf("WATCHDOG=1")).toBeGreaterThan(heard().indexOf("READY=1"));
    expect(heard().at(-1)).toBe("STOPPING=1");
    const at = listener?.received().filter(({ text }) => text === "WATCHDOG=1" || text === "READY=1") ?? [];
    const gaps = at.slice(1).map((one, index) => one.at - (at[index]?.at ?? 0));
    // Never rarer than systemd allows; a busy machine may be late, but not by half of the time.
    expect(Math.max(...gaps)).toBeLessThan(600);
    expect(gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeGreaterThan(250);
  }, 20_000);

  test("without HOME, the home folder is that of the account database", async () => {
    await begin({ signedIn: false });
    const entry = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .find((fields) => fields[2] === String(process.getuid?.()));
    const child = Bun.spawn([...keiCommand(), "status", "-u", "nobody@example.com"], { env: {}, cwd: "/" });
    const text = await new Response(child.stdout).text();
    const folder = existsSync("/config/config.toml") ? "/config" : join(entry?.[5] ?? "", ".config/kei");
    expect(text).toContain(`${folder}/`);
  });

  test("waits for a code: asks for patience, says what to do, and is ready when the code was handed in", async () => {
    await begin({ signedIn: false });
    const address = listen();
    const result = run(["--watch-with-interval", "600"], { NOTIFY_SOCKET: address }, 100);
    await untilHeard("STATUS=Waiting for a verification code: run `kei login get-code`");
    await until("patience", () => heard().filter((message) => message.startsWith("EXTEND")).length > 1);
    expect(heard()).not.toContain("READY=1");
    await home.signIn(double);
    await untilHeard("STATUS=Waiting 600 seconds...");
    send("SIGTERM");
    expect((await result).code).toBe(0);
    expect(heard().filter((message) => message === "READY=1")).toHaveLength(1);
  }, 20_000);

  test("waits for the network: asks for patience, says why, and is ready when the network is there", async () => {
    await begin();
    const fault = double.faults.inject({ match: /./, cut: "reset", times: ALWAYS });
    const result = run(["--watch-with-interval", "600"], { NOTIFY_SOCKET: listen() });
    await untilHeard("STATUS=Waiting 60 seconds... (");
    await untilHeard("EXTEND_TIMEOUT_USEC=120000000");
    expect(heard()).not.toContain("READY=1");
    fault.remove();
    await untilHeard("READY=1");
    send("SIGTERM");
    expect((await result).code).toBe(0);
  }, 20_000);

  test("a single run is ready and stops, too; one that fails only stops", async () => {
    await begin();
    const address = listen();
    expect((await run([], { NOTIFY_SOCKET: address }, 1)).code).toBe(0);
    const once = ["READY=1", "STATUS=Syncing...", "STATUS=Stopping...", "STOPPING=1"];
    expect(heard().filter((message) => !message.startsWith("STATUS=Syncing: "))).toEqual(once);
    double.account.revokeTrust();
    expect((await run([], { NOTIFY_SOCKET: address }, 1)).code).toBe(3);
    expect(heard().slice(-2)).toEqual(["STATUS=Stopping...", "STOPPING=1"]);
    expect(heard().filter((message) => message === "READY=1")).toHaveLength(1);
  });

  test("nothing is said when that is turned off, and nothing is missed where nobody listens", async () => {
    await begin();
    const address = listen();
    expect((await run([], { NOTIFY_SOCKET: address, KEI_NOTIFY_SYSTEMD: "false" })).code).toBe(0);
    expect(heard()).toEqual([]);
    expect((await run(["--notify-systemd"])).code).toBe(0);
    for (const nobody of ["/nowhere/notify.sock", "@kei-nobody", "vsock:2:1", "relative"]) {
      const result = await run(["--notify-systemd"], { NOTIFY_SOCKET: nobody });
      expect([result.code, result.stderr]).toEqual([0, expect.not.stringMatching(/WARN|Error/)]);
    }
  });

  test("a listener that takes nothing in holds nothing up", async () => {
    await begin();
    const result = run(["--watch-with-interval", "60"], {
      NOTIFY_SOCKET: listen("abstract", { deaf: true }),
      WATCHDOG_USEC: "1000000",
    });
    await until("the photos", async () => (await home.files()).length === 2);
    send("SIGTERM");
    expect((await result).code).toBe(0);
  });
});

describe("a pid file", () => {
  const pidFile = (): string => join(home.root, "kei.pid");
  const once = () => run(["--pid-file", pidFile()]);

  test("holds the number while kei runs, also before it has signed in, and goes with it", async () => {
    await begin();
    const held = double.faults.inject({ match: /./, cut: "hang" });
    const kei = home.start(["sync", "-d", home.photos, "--pid-file", pidFile()]);
    await until("the first request", () => held.hits > 0);
    expect(readFileSync(pidFile(), "utf8").trim()).toBe(String(kei.pid));
    kei.kill("SIGTERM");
    expect((await kei.result).code).toBe(0);
    expect(existsSync(pidFile())).toBe(false);
  }, 20_000);

  test("goes with it when a second signal ends kei at once", async () => {
    await begin();
    const slow = double.photos.cdnFaults.inject({ kind: "drip", bytes: 1, intervalMs: 100, times: ALWAYS });
    const kei = home.start(["sync", "-d", home.photos, "--pid-file", pidFile()]);
    await until("a transfer", () => slow.hits > 0);
    expect(existsSync(pidFile())).toBe(true);
    kei.kill("SIGINT");
    await Bun.sleep(100);
    kei.kill("SIGINT");
    expect((await kei.result).code).toBe(130);
    expect(existsSync(pidFile())).toBe(false);
  }, 20_000);

  test("of a process that lives stops kei, which names both and touches nothing", async () => {
    await begin();
    writeFileSync(pidFile(), `${process.ppid}\n`);
    const requests = double.log.all.length;
    const result = await once();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${pidFile()} belongs to process ${process.ppid}`);
    expect(readFileSync(pidFile(), "utf8")).toBe(`${process.ppid}\n`);
    expect(double.log.all.length).toBe(requests);
  });

  test.each([
    ["a dead process", "4194304"],
    ["no process at all", "not a number"],
    ["its own number, as in a container", String(process.pid)],
    ["nobody, being empty", ""],
  ])("of %s is replaced with a warning", async (_what, content) => {
    await begin({ photos: 1 });
    writeFileSync(pidFile(), content);
    const result = await once();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("replaced a pid file that was left over");
    expect(existsSync(pidFile())).toBe(false);
  });

  test("that can't be written stops kei", async () => {
    await begin({ photos: 1 });
    const nowhere = join(home.root, "missing/kei.pid");
    const missing = await run(["--pid-file", nowhere]);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining(`${nowhere}: its folder does not exist`),
    ]);
    mkdirSync(pidFile());
    expect((await once()).code).toBe(1);
  });

  test("that has become another's is left alone; a dry run writes none", async () => {
    await begin({ photos: 1 });
    const held = double.photos.cdnFaults.inject({ kind: "drip", bytes: 300, intervalMs: 100, times: ALWAYS });
    const result = once();
    await until("a transfer", () => held.hits > 0);
    writeFileSync(pidFile(), "1");
    expect((await result).code).toBe(0);
    expect(readFileSync(pidFile(), "utf8")).toBe("1");
    rmSync(pidFile());
    writeFileSync(pidFile(), `${process.ppid}`);
    expect((await run(["--pid-file", pidFile(), "--dry-run"])).code).toBe(0);
  });
});

describe.skipIf(process.platform === "win32")("the notification script", () => {
  interface Told {
    readonly event: string;
    readonly env: Readonly<Record<string, string>>;
    /** The report as it stood then. */
    readonly report: string;
  }

  const script = (): string => join(home.root, "notify");
  const folder = (): string => join(home.root, "told");

  /** A script that leaves what it is told; returns the flags that name it. */
  function scribe(more = ""): readonly string[] {
    mkdirSync(folder());
    writeFileSync(
      script(),
      `to="${folder()}/$$"; mkdir "$to.new"; env > "$to.new/env"
       cp "$KEI_REPORT_JSON" "$to.new/report" 2>/dev/null; mv "$to.new" "$to"; ${more}`,
    );
    return ["--notification-script", script(), "--report-json", join(home.root, "report.json")];
  }

  const told = (): Told[] =>
    readdirSync(folder())
      .filter((name) => !name.endsWith(".new"))
      .toSorted((a, b) => Number(a) - Number(b))
      .map((name) => {
        const at = (file: string): string => join(folder(), name, file);
        const lines = readFileSync(at("env"), "utf8").split("\n");
        const env = Object.fromEntries(lines.map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]));
        return {
          event: env["KEI_EVENT"] ?? "",
          env,
          report: existsSync(at("report")) ? readFileSync(at("report"), "utf8") : "",
        };
      });
  const events = (): string[] => told().map(({ event }) => event);
  /** The first may be at its work still when the last begins. */
  const anyOrder = (...names: readonly string[]) => names.toSorted((a, b) => (a < b ? -1 : 1));

  test("is told of the beginning and the end, after the report, with the figures and without any secret", async () => {
    await begin();
    const result = await home.run(["sync", "-d", home.photos, ...scribe()], { NOTIFY_SOCKET: "@nobody" });
    expect([result.code, result.stderr]).toEqual([0, expect.not.stringContaining("WARN")]);
    const byEvent = new Map(told().map((one) => [one.event, one]));
    expect(anyOrder(...byEvent.keys())).toEqual(["sync_complete", "sync_started"]);
    const end = byEvent.get("sync_complete");
    expect(end?.env).toMatchObject({
      KEI_ICLOUD_USERNAME: double.account.username,
      KEI_REPORT_JSON: join(home.root, "report.json"),
      KEI_ASSETS_SEEN: "2",
      KEI_DOWNLOADED: "2",
      KEI_FAILED: "0",
      KEI_INTERRUPTED: "false",
    });
    expect(end?.env["KEI_MESSAGE"]).toStartWith("Done: 2 files saved");
    expect(JSON.parse(end?.report ?? "")).toMatchObject({ stats: { downloaded: 2 } });
    expect(byEvent.get("sync_started")?.env["KEI_DOWNLOADED"]).toBeUndefined();
    for (const { env } of told()) {
      expect(Object.keys(env).filter((name) => /PASSWORD|KEI_TEST|NOTIFY|WATCHDOG/.test(name))).toEqual([]);
      expect(Object.values(env).join()).not.toContain(double.account.password);
    }
  }, 20_000);

  test("is told of failures, and not of what was not done", async () => {
    await begin();
    const flags = scribe();
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS });
    expect((await run(flags)).code).toBe(2);
    expect(anyOrder(...events())).toEqual(["sync_failed", "sync_started"]);
    expect(told().find(({ event }) => event === "sync_failed")?.env["KEI_FAILED"]).toBe("2");
    fault.remove();
    rmSync(folder(), { recursive: true });
    mkdirSync(folder());
    expect((await run([...flags, "--dry-run"])).code).toBe(0);
    expect(events()).toEqual([]);
    expect((await run(flags)).code).toBe(0);
    expect(events()).toHaveLength(2);
    expect((await run(flags)).code).toBe(0);
    expect(events()).toHaveLength(2);
  });

  test("is told once that a code is needed, however often a watch looks, and that a sign-in has failed", async () => {
    await begin({ signedIn: false });
    const flags = scribe();
    const watching = run([...flags, "--watch-with-interval", "600"], {}, 100);
    await until("the first word", () => events().length > 0);
    await home.run(["login", "get-code"]);
    // One by the watch, one by the command, and one by the watch that has seen the session change.
    await until("another look", () => double.log.count("accountLogin") === 3);
    send("SIGTERM");
    await watching;
    expect(events()).toEqual(["2fa_required"]);
    expect(told()[0]?.env["KEI_MESSAGE"]).toContain("kei login submit-code");
    double.account.revokeTrust();
    double.account.password = "Another-Horse-43";
    expect((await run(flags)).code).toBe(3);
    expect(events()).toEqual(["2fa_required", "session_expired"]);
  }, 20_000);

  test("is told when a run fails before it has anything to report", async () => {
    await begin();
    const flags = scribe();
    double.faults.inject({ match: /./, cut: "reset", times: ALWAYS });
    expect((await run(flags)).code).toBe(1);
    expect(events()).toEqual(["sync_failed"]);
    expect(told()[0]?.env["KEI_MESSAGE"]).toContain("Cannot reach");
  });

  test.each([
    ["fails", "exit 3", "it ended with 3"],
    ["hangs", "exec sleep 60", "it took too long and was stopped"],
    ["is missing", undefined, "there is no such file"],
  ])("that %s is a warning each time, and nothing else", async (_what, text, words) => {
    await begin();
    const flags = scribe(text);
    if (text === undefined) rmSync(script());
    const result = await run(flags, {}, 100);
    expect(result.code).toBe(0);
    expect(result.stderr.split("\n").filter((line) => line.includes(words))).toHaveLength(2);
    expect(await home.files()).toHaveLength(2);
  });
});
