/** Scripts run beside the sync: bounded in number and time, and their trouble is a warning. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Scripts } from "../../src/notify/scripts.ts";
import { type Logger, silentLogger } from "../../src/runtime/ports.ts";
import { fasterClock, until } from "../support/kei.ts";

const NEVER = new AbortController().signal;

let root: string;
let warnings: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kei-scripts-"));
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function scripts(text: string | undefined, factor = 1): Scripts {
  const path = join(root, "notify");
  if (text !== undefined) writeFileSync(path, text);
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => warnings.push(`${message}: ${String(fields?.["reason"] ?? fields?.["event"])}`),
  };
  return new Scripts({ path, clock: fasterClock(factor), logger });
}

/** Linux says more than a signal could: a process that has ended but was not asked for is none. */
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

describe("a script", () => {
  test("need not be executable, is given its variables alone, reads nothing, and its output goes nowhere", async () => {
    const one = scripts(`echo shown nowhere; cat; env > "$OUT"`);
    one.start("sync_started", { OUT: join(root, "env"), KEI_EVENT: "sync_started" });
    await one.close(NEVER);
    const lines = readFileSync(join(root, "env"), "utf8").split("\n");
    expect(lines).toContain("KEI_EVENT=sync_started");
    expect(lines.filter((line) => /^(HOME|PATH)=/.test(line))).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("that fails is a warning", async () => {
    const one = scripts("exit 3");
    one.start("sync_failed", {});
    await one.close(NEVER);
    expect(warnings).toEqual(["the notification script has failed: it ended with 3"]);
  });

  test("that is missing is a warning each time", async () => {
    const one = scripts(undefined);
    one.start("sync_started", {});
    one.start("sync_complete", {});
    await one.close(NEVER);
    expect(warnings).toEqual(Array(2).fill("the notification script has failed: there is no such file"));
  });

  test("that hangs is stopped after thirty seconds, with all it has started", async () => {
    const one = scripts(`/bin/sleep 60 & echo $! > "$OUT"; /bin/mv "$OUT" "$OUT.done"; wait`, 50);
    const out = join(root, "pid");
    one.start("sync_started", { OUT: out });
    await until("the script", () => existsSync(`${out}.done`));
    const pid = Number(readFileSync(`${out}.done`, "utf8"));
    expect(isAlive(pid)).toBe(true);
    await one.close(NEVER);
    await until("its end", () => !isAlive(pid));
    expect(warnings).toEqual(["the notification script has failed: it took too long and was stopped"]);
  });

  test("is cut off when the time to stop in order is over", async () => {
    const one = scripts(`echo > "$OUT"; exec /bin/sleep 60`);
    one.start("sync_complete", { OUT: join(root, "begun") });
    await until("the script", () => existsSync(join(root, "begun")));
    const hurry = new AbortController();
    const closed = one.close(hurry.signal);
    hurry.abort();
    await closed;
    expect(warnings).toEqual(["the notification script has failed: it took too long and was stopped"]);
  });

  test("runs eight times at once at most; what is more is left out with a warning", async () => {
    const one = scripts(`while [ ! -e "$GO" ]; do /bin/sleep 0.02; done`);
    const go = join(root, "go");
    for (let n = 1; n <= 9; n += 1) one.start(`event-${n}`, { GO: go });
    expect(warnings).toEqual(["the notification script was not run: too many are still running: event-9"]);
    writeFileSync(go, "");
    await one.close(NEVER);
    one.start("event-10", { GO: go });
    await one.close(NEVER);
    expect(warnings).toHaveLength(1);
  });
});
