/** Who follows a sync: systemd, the pid file, the notification script; on a fast clock, in this process. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Ear } from "../support/datagrams.ts";
import { fasterClock, Home, type KeiResult, runInProcess, until } from "../support/kei.ts";
import { Scribe } from "../support/scribe.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const elsewhere = process.platform === "linux" ? "" : " (skipped: only Linux has it)";

let double: Double;
let home: Home;
let ear: Ear | undefined;
let send: (signal: "SIGINT" | "SIGTERM") => void = () => undefined;

async function begin({ signedIn = true } = {}): Promise<void> {
  double = await startDouble({ library: createLibrary({ seed: 3, assets: 2, bytes: 900, mix: { jpeg: 1 } }) });
  home = new Home(double);
  if (signedIn) await home.signIn(double);
}

afterEach(async () => {
  ear?.close();
  ear = undefined;
  send = () => undefined;
  await double.stop();
  home.remove();
});

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  /** How many times as fast as real its clock runs. */
  readonly speed?: number;
}

function run(args: readonly string[], { env = {}, speed = 10 }: Run = {}): Promise<KeiResult> {
  return runInProcess(["sync", "-d", home.photos, "--folder-structure", "none", ...args], {
    env: { ...home.env, ...env },
    cwd: home.root,
    clock: fasterClock(speed),
    onSignals: (listener) => {
      send = listener;
    },
  });
}

describe.skipIf(elsewhere !== "")(`systemd${elsewhere}`, () => {
  test("is asked for patience and told what to do while a code is waited for; kei is ready when it was handed in", async () => {
    await begin({ signedIn: false });
    ear = new Ear(home.root);
    const result = run(["--watch-with-interval", "600"], { env: { NOTIFY_SOCKET: ear.address }, speed: 200 });
    await ear.until("STATUS=Waiting for a verification code: run `kei login get-code`");
    await until("patience", () => (ear?.count("EXTEND_TIMEOUT_USEC=120000000") ?? 0) > 1);
    expect(ear.count("READY=1")).toBe(0);
    await home.signIn(double);
    await ear.until("STATUS=Waiting 600 seconds...");
    send("SIGTERM");
    expect((await result).code).toBe(0);
    expect(ear.count("READY=1")).toBe(1);
  }, 20_000);

  test("is asked for patience and told why while the network is down; kei is ready when it is there", async () => {
    await begin();
    const fault = double.faults.inject({ match: /./, cut: "reset", times: ALWAYS });
    ear = new Ear(home.root);
    const result = run(["--watch-with-interval", "600"], { env: { NOTIFY_SOCKET: ear.address }, speed: 500 });
    await ear.until("STATUS=Waiting 60 seconds... (");
    await ear.until("EXTEND_TIMEOUT_USEC=120000000");
    expect(ear.count("READY=1")).toBe(0);
    fault.remove();
    await ear.until("READY=1");
    send("SIGTERM");
    expect((await result).code).toBe(0);
  }, 20_000);

  test("hears of a single run that it is ready and stops, too; of one that fails only the end", async () => {
    await begin();
    ear = new Ear(home.root);
    const env = { NOTIFY_SOCKET: ear.address };
    expect((await run([], { env, speed: 1 })).code).toBe(0);
    const once = ["READY=1", "STATUS=Syncing...", "STATUS=Stopping...", "STOPPING=1"];
    expect(ear.heard.filter((message) => !message.startsWith("STATUS=Syncing: "))).toEqual(once);
    double.account.revokeTrust();
    expect((await run([], { env, speed: 1 })).code).toBe(3);
    expect(ear.heard.slice(-2)).toEqual(["STATUS=Stopping...", "STOPPING=1"]);
    expect(ear.count("READY=1")).toBe(1);
  });

  test("hears nothing when that is turned off, and is not missed where it does not listen", async () => {
    await begin();
    ear = new Ear(home.root);
    const env = { NOTIFY_SOCKET: ear.address, KEI_NOTIFY_SYSTEMD: "false" };
    expect((await run([], { env })).code).toBe(0);
    expect(ear.heard).toEqual([]);
    expect((await run(["--notify-systemd"])).code).toBe(0);
    for (const nobody of ["/nowhere/notify.sock", "@kei-nobody", "vsock:2:1", "relative"]) {
      const result = await run(["--notify-systemd"], { env: { NOTIFY_SOCKET: nobody } });
      expect([result.code, result.stderr]).toEqual([0, expect.not.stringMatching(/WARN|Error/)]);
    }
  });

  test("holds nothing up when it takes nothing in", async () => {
    await begin();
    ear = new Ear(undefined, { deaf: true });
    const result = run(["--watch-with-interval", "60"], {
      env: { NOTIFY_SOCKET: ear.address, WATCHDOG_USEC: "200000" },
      speed: 200,
    });
    await until("the photos", async () => (await home.files()).length === 2);
    send("SIGTERM");
    expect((await result).code).toBe(0);
  });
});

describe("a pid file", () => {
  const pidFile = (): string => join(home.root, "kei.pid");
  const once = () => run(["--pid-file", pidFile()]);

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

  test("that was left over is replaced with a warning, and goes with kei", async () => {
    await begin();
    writeFileSync(pidFile(), "not a number");
    const result = await once();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("replaced a pid file that was left over");
    expect(existsSync(pidFile())).toBe(false);
  });

  test("that can't be written stops kei before it asks Apple for anything", async () => {
    await begin();
    const requests = double.log.all.length;
    const nowhere = join(home.root, "missing/kei.pid");
    const result = await run(["--pid-file", nowhere]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${nowhere}: its folder does not exist`);
    expect(double.log.all.length).toBe(requests);
  });

  test("that has become another's is left alone; a dry run has none", async () => {
    await begin();
    const held = double.photos.cdnFaults.inject({ kind: "drip", bytes: 300, intervalMs: 50, times: ALWAYS });
    const result = once();
    await until("a transfer", () => held.hits > 0);
    writeFileSync(pidFile(), "1");
    expect((await result).code).toBe(0);
    expect(readFileSync(pidFile(), "utf8")).toBe("1");
    expect((await run(["--pid-file", pidFile(), "--dry-run"])).code).toBe(0);
    expect(readFileSync(pidFile(), "utf8")).toBe("1");
  });
});

describe.skipIf(process.platform === "win32")("the notification script", () => {
  test("is told of failures, and not of what was not done", async () => {
    await begin();
    const scribe = new Scribe(home.root);
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS });
    expect((await run(scribe.flags)).code).toBe(2);
    expect(scribe.events).toEqual(["sync_failed", "sync_started"]);
    expect(scribe.told.find(({ event }) => event === "sync_failed")?.env["KEI_FAILED"]).toBe("2");
    fault.remove();
    scribe.forget();
    expect((await run([...scribe.flags, "--dry-run"])).code).toBe(0);
    expect(scribe.events).toEqual([]);
    expect((await run(scribe.flags)).code).toBe(0);
    expect(scribe.events).toEqual(["sync_complete", "sync_started"]);
    expect((await run(scribe.flags)).code).toBe(0);
    expect(scribe.events).toHaveLength(2);
  }, 20_000);

  test("is told once that a code is needed, however often a watch looks, and that a sign-in has failed", async () => {
    await begin({ signedIn: false });
    const scribe = new Scribe(home.root);
    const watching = run([...scribe.flags, "--watch-with-interval", "600"], { speed: 50 });
    await until("the first word", () => scribe.events.length > 0);
    await home.run(["login", "get-code"]);
    // One by the watch, one by the command, and one by the watch that has seen the session change.
    await until("another look", () => double.log.count("accountLogin") === 3);
    send("SIGTERM");
    await watching;
    expect(scribe.events).toEqual(["2fa_required"]);
    expect(scribe.told[0]?.env["KEI_MESSAGE"]).toContain("kei login submit-code");
    double.account.revokeTrust();
    double.account.password = "Another-Horse-43";
    expect((await run(scribe.flags)).code).toBe(3);
    expect(scribe.events).toEqual(["2fa_required", "session_expired"]);
  }, 20_000);

  test("is told when a run fails before it has anything to report", async () => {
    await begin();
    const scribe = new Scribe(home.root);
    double.faults.inject({ match: /./, cut: "reset", times: ALWAYS });
    expect((await run(scribe.flags, { speed: 20 })).code).toBe(1);
    expect(scribe.events).toEqual(["sync_failed"]);
    expect(scribe.told[0]?.env["KEI_MESSAGE"]).toContain("Cannot reach");
  });

  test.each([
    ["fails", "exit 3", "it ended with 3"],
    ["hangs", "exec sleep 60", "it took too long and was stopped"],
    ["is missing", undefined, "there is no such file"],
  ])("that %s is a warning each time, and nothing else", async (_what, text, words) => {
    await begin();
    const scribe = new Scribe(home.root, text);
    if (text === undefined) rmSync(scribe.script);
    const result = await run(scribe.flags, { speed: text?.includes("sleep") === true ? 100 : 1 });
    expect(result.code).toBe(0);
    expect(result.stderr.split("\n").filter((line) => line.includes(words))).toHaveLength(2);
    expect(await home.files()).toHaveLength(2);
  });

  test("that hangs while kei stops is stopped with it, and makes no forced stop of an orderly one", async () => {
    await begin();
    const scribe = new Scribe(home.root, "exec sleep 60");
    const slow = double.photos.cdnFaults.inject({ kind: "drip", bytes: 300, intervalMs: 20, times: ALWAYS });
    const result = run(scribe.flags, { speed: 40 });
    await until("a transfer", () => slow.hits > 0);
    send("SIGTERM");
    expect((await result).code).toBe(0);
    expect(scribe.events).toEqual(["sync_complete", "sync_started"]);
  });
});
