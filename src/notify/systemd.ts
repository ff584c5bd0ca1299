import type { Clock } from "../runtime/ports.ts";

/** What systemd says to a service in its environment (sd_notify(3), sd_watchdog_enabled(3)). */
export interface SystemdWishes {
  /** Where it listens; undefined when it does not. */
  readonly socket: string | undefined;
  /** How often it is told that kei is alive, ms: half of the time after which it gives kei up. Undefined: not at all. */
  readonly beatMs: number | undefined;
}

/** A beat is never rarer than this, ms: a longer timer would overflow. */
const RAREST_BEAT_MS = 24 * 3600 * 1000;

/** Reads the environment; `pid` is that of this process, since the watchdog may be meant for another. */
export function wishesOf(env: Readonly<Record<string, string | undefined>>, pid: number): SystemdWishes {
  const { NOTIFY_SOCKET: socket = "", WATCHDOG_USEC: micros = "", WATCHDOG_PID: watched = "" } = env;
  const isWatched = /^\d+$/.test(micros) && Number(micros) > 0 && (watched === "" || watched === String(pid));
  return {
    socket: /^[@/]./.test(socket) ? socket : undefined,
    beatMs: isWatched ? Math.min(Math.max(Number(micros) / 2 / 1000, 1), RAREST_BEAT_MS) : undefined,
  };
}

/** Longest text of a status. */
const STATUS_LENGTH = 300;

/** The messages of sd_notify(3) that kei sends. */
export const MESSAGE = {
  ready: "READY=1",
  stopping: "STOPPING=1",
  alive: "WATCHDOG=1",
  /** One line, whatever the text. */
  status: (text: string) => `STATUS=${[...text.replaceAll(/\p{Cc}+/gu, " ")].slice(0, STATUS_LENGTH).join("").trim()}`,
  /** Asks for so much time, from now on, before the start counts as failed. */
  patience: (ms: number) => `EXTEND_TIMEOUT_USEC=${Math.round(ms * 1000)}`,
} as const;

export interface SystemdDeps {
  /** False when the message was not taken. Must not throw. */
  readonly send: (message: string) => boolean;
  readonly clock: Clock;
  readonly beatMs: number | undefined;
}

/** A start that takes no longer needs no words, ms. */
const QUICK_START_MS = 5_000;
/** While kei can't be ready yet, systemd is asked for patience this often, and for so much, ms. */
const PATIENCE_EVERY_MS = 30_000;
const PATIENCE_MS = 120_000;
/** What must arrive and was not taken is sent again this often, ms, and so many times. */
const AGAIN_MS = 1_000;
const MOST_AGAIN = 60;

/**
 * Tells systemd how kei is: ready once, what it does, that it is alive, that it stops (cli.md 7.1). Until it is ready,
 * systemd is asked for patience, since the network or a person may be waited for. Its timers are a fixed few, and run
 * in the same event loop as everything else, so that a kei that is stuck falls silent.
 */
export class Systemd {
  readonly #deps: SystemdDeps;
  readonly #over = new AbortController();
  readonly #isReady = new AbortController();
  readonly #running: Promise<void>[] = [];
  /** What must arrive, in its order, and has not been taken yet. */
  readonly #owed: string[] = [];
  #status: string;
  #isStopping = false;

  constructor(deps: SystemdDeps, status: string) {
    this.#deps = deps;
    this.#status = status;
    this.#run(this.#askForPatience());
  }

  /** Kei is signed in and goes on by itself from here. Said once, however often it is called. */
  ready(): void {
    if (this.#isReady.signal.aborted) return;
    this.#isReady.abort();
    this.#mustSend(MESSAGE.ready);
    const { beatMs } = this.#deps;
    if (beatMs !== undefined) this.#run(this.#beat(beatMs));
  }

  /** What kei does, for `systemctl status`. */
  status(text: string): void {
    if (this.#isStopping || text === this.#status) return;
    this.#status = text;
    this.#send(MESSAGE.status(text));
  }

  /** Kei is about to end. Said once. */
  stopping(): void {
    if (this.#isStopping) return;
    this.status("Stopping...");
    this.#isStopping = true;
    this.#mustSend(MESSAGE.stopping);
  }

  /** The end: says so, if that was not done, and stops every timer. */
  async close(): Promise<void> {
    this.stopping();
    this.#over.abort();
    this.#isReady.abort();
    await Promise.all(this.#running);
    this.#settleDebts();
  }

  #send(message: string): boolean {
    return this.#settleDebts() && this.#deps.send(message);
  }

  #mustSend(message: string): void {
    if (this.#send(message)) return;
    this.#owed.push(message);
    if (this.#owed.length === 1) this.#run(this.#sendAgain());
  }

  /** False while something is still owed. */
  #settleDebts(): boolean {
    while (this.#owed[0] !== undefined && this.#deps.send(this.#owed[0])) this.#owed.shift();
    return this.#owed.length === 0;
  }

  async #sendAgain(): Promise<void> {
    for (let left = MOST_AGAIN; left > 0 && (await this.#slept(AGAIN_MS, this.#over.signal)); left -= 1) {
      if (this.#settleDebts()) return;
    }
  }

  async #askForPatience(): Promise<void> {
    for (let wait = QUICK_START_MS; await this.#slept(wait, this.#isReady.signal); wait = PATIENCE_EVERY_MS) {
      this.#send(MESSAGE.status(this.#status));
      this.#send(MESSAGE.patience(PATIENCE_MS));
    }
  }

  async #beat(everyMs: number): Promise<void> {
    while (await this.#slept(everyMs, this.#over.signal)) this.#send(MESSAGE.alive);
  }

  /** False when the signal has ended the wait. */
  async #slept(ms: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#deps.clock.sleep(ms, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  #run(task: Promise<void>): void {
    this.#running.push(task);
  }
}
