/** What is said to systemd, and when, on a clock that the test turns. */
import { describe, expect, test } from "bun:test";
import { MESSAGE, Systemd, wishesOf } from "../../src/notify/systemd.ts";
import { unixAddress } from "../../src/runtime/datagram.ts";
import type { Clock } from "../../src/runtime/ports.ts";

/** A clock that stands still until it is turned; `sleepers` counts who waits. */
class HandClock implements Clock {
  #now = 0;
  readonly #sleeping = new Set<{ readonly at: number; readonly wake: () => void }>();
  now = () => this.#now;
  monotonic = () => this.#now;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleeping.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleeping.delete(sleeper);
        reject(signal.reason);
      });
    });

  get sleepers(): number {
    return this.#sleeping.size;
  }

  async turn(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      // What was woken may go to sleep again before the end.
      for (let round = 0; round < 10; round += 1) await Promise.resolve();
      const next = [...this.#sleeping].filter((one) => one.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      this.#sleeping.delete(next);
      next.wake();
    }
    this.#now = end;
  }
}

function service(options: { readonly beatMs?: number; readonly deaf?: boolean } = {}) {
  const clock = new HandClock();
  const said: string[] = [];
  const line = { deaf: options.deaf ?? false };
  const send = (message: string): boolean => {
    if (!line.deaf) said.push(message);
    return !line.deaf;
  };
  return { clock, said, line, systemd: new Systemd({ send, clock, beatMs: options.beatMs }, "Signing in") };
}

describe("what systemd wishes", () => {
  test("is read from its variables; the beat is half of its watchdog time", () => {
    const env = { NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "7200000000", WATCHDOG_PID: "42" };
    expect(wishesOf(env, 42)).toEqual({ socket: "/run/systemd/notify", beatMs: 3_600_000 });
    expect(wishesOf({ NOTIFY_SOCKET: "@abstract", WATCHDOG_USEC: "5000" }, 42)).toEqual({
      socket: "@abstract",
      beatMs: 2.5,
    });
    expect(wishesOf({}, 42)).toEqual({ socket: undefined, beatMs: undefined });
  });

  test.each(["0", "-1", "", "1e6", "abc", "1.5"])("a watchdog time of %p is none", (micros) => {
    expect(wishesOf({ WATCHDOG_USEC: micros }, 42).beatMs).toBeUndefined();
  });

  test("a watchdog for another process is not ours; a very long one still fits a timer", () => {
    expect(wishesOf({ WATCHDOG_USEC: "1000000", WATCHDOG_PID: "41" }, 42).beatMs).toBeUndefined();
    expect(wishesOf({ WATCHDOG_USEC: "9".repeat(18) }, 42).beatMs).toBeLessThan(2 ** 31);
  });

  test.each(["vsock:2:1234", "relative", "@", "/"])("an address like %p is ignored", (address) => {
    expect(wishesOf({ NOTIFY_SOCKET: address }, 42).socket).toBeUndefined();
  });
});

describe("an address", () => {
  test("is a path that ends with NUL, or an abstract name that begins with one", () => {
    expect([...(unixAddress("/run/n") ?? [])]).toEqual([1, 0, ...Buffer.from("/run/n\0")]);
    expect([...(unixAddress("@n") ?? [])]).toEqual([1, 0, 0, ...Buffer.from("n")]);
  });

  test("that is none, or longer than the kernel takes, is refused", () => {
    expect(unixAddress(`/${"n".repeat(106)}`)).toHaveLength(110);
    for (const address of [`/${"n".repeat(107)}`, "", "@", "/", "n", "vsock:1:2", "/a\0b"]) {
      expect(unixAddress(address)).toBeUndefined();
    }
  });
});

describe("a message", () => {
  test("is one line, whatever its text", () => {
    expect(MESSAGE.status("a\nREADY=1\r\u0000b ")).toBe("STATUS=a READY=1 b");
    expect(MESSAGE.status("x".repeat(2000)).length).toBeLessThan(400);
  });
});

describe("a service", () => {
  test("is ready once, says what it does once, and stops once", async () => {
    const { systemd, said } = service();
    systemd.ready();
    systemd.status("Syncing...");
    systemd.ready();
    systemd.status("Syncing...");
    systemd.stopping();
    systemd.status("Syncing: 5 photos");
    systemd.stopping();
    await systemd.close();
    expect(said).toEqual(["READY=1", "STATUS=Syncing...", "STATUS=Stopping...", "STOPPING=1"]);
  });

  test("says that it is alive from the moment it is ready until its end, also while it stops", async () => {
    const { systemd, said, clock } = service({ beatMs: 250 });
    const beats = () => said.filter((message) => message === "WATCHDOG=1").length;
    await clock.turn(4_000);
    expect(beats()).toBe(0);
    systemd.ready();
    await clock.turn(1_000);
    expect(beats()).toBe(4);
    systemd.stopping();
    await clock.turn(1_000);
    expect(beats()).toBe(8);
    await systemd.close();
    await clock.turn(1_000);
    expect(beats()).toBe(8);
    expect(clock.sleepers).toBe(0);
  });

  test("that can't be ready yet asks for patience until it is, always for longer than until it asks again", async () => {
    const { systemd, said, clock } = service();
    await clock.turn(4_999);
    expect(said).toEqual([]);
    await clock.turn(1);
    expect(said).toEqual(["STATUS=Signing in", "EXTEND_TIMEOUT_USEC=120000000"]);
    systemd.status("Waiting 60 seconds...");
    await clock.turn(60_000);
    expect(said.filter((message) => message.startsWith("EXTEND"))).toHaveLength(3);
    expect(said).toContain("STATUS=Waiting 60 seconds...");
    systemd.ready();
    const before = said.length;
    await clock.turn(600_000);
    expect(said.slice(before - 1)).toEqual(["READY=1"]);
    await systemd.close();
  });

  test("sends again what must arrive, in its order, when the listener was behind", async () => {
    const { systemd, said, clock, line } = service({ deaf: true });
    systemd.ready();
    systemd.status("Syncing...");
    await clock.turn(3_000);
    line.deaf = false;
    await clock.turn(1_000);
    expect(said).toEqual(["READY=1"]);
    line.deaf = true;
    systemd.stopping();
    line.deaf = false;
    await systemd.close();
    expect(said).toEqual(["READY=1", "STOPPING=1"]);
    expect(clock.sleepers).toBe(0);
  });

  test("keeps no more timers after a thousand rounds than after one", async () => {
    const { systemd, clock } = service({ beatMs: 100 });
    systemd.ready();
    await clock.turn(100);
    const before = clock.sleepers;
    for (let round = 0; round < 1000; round += 1) {
      systemd.status("Syncing...");
      systemd.status(`Waiting ${round} seconds...`);
      await clock.turn(100);
    }
    expect(clock.sleepers).toBe(before);
    await systemd.close();
  });
});
