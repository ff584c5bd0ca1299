/** Runs the real program, from source or as the binary that KEI_TEST_BINARY names, in an environment of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { main } from "../../src/cli/main.ts";
import { appleChecksum } from "../../src/library/checksum.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Keyring } from "../../src/runtime/keyring.ts";
import type { Clock } from "../../src/runtime/ports.ts";
import { PromptInterrupted, type Terminal } from "../../src/runtime/process.ts";
import type { Double } from "../icloud/index.ts";

export interface KeiResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KeiProcess {
  readonly pid: number;
  readonly result: Promise<KeiResult>;
  /** What it has written to stderr so far. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
}

const MAIN = resolve(import.meta.dir, "../../src/main.ts");

/** The command that starts kei. */
export function keiCommand(): readonly string[] {
  const binary = process.env["KEI_TEST_BINARY"];
  return binary === undefined ? [process.execPath, MAIN] : [resolve(binary)];
}

/** A home of its own for one test: configuration, data and download folder, and a kei that lives there. */
export class Home {
  readonly root = mkdtempSync(join(tmpdir(), "kei-test-"));
  readonly photos = join(this.root, "photos");
  readonly data = join(this.root, "config", "kei");
  readonly env: Record<string, string>;

  constructor(double?: Double, env: Record<string, string> = {}) {
    this.env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.root,
      XDG_CONFIG_HOME: join(this.root, "config"),
      TZ: "UTC",
      // Bun keeps compiled sources below HOME otherwise, which would look like files of kei.
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
      // Tests that run side by side would want the same port.
      KEI_HTTP_ENABLED: "false",
      ...(double === undefined
        ? {}
        : { ...double.env, ICLOUD_USERNAME: double.account.username, ICLOUD_PASSWORD: double.account.password }),
      ...env,
    };
  }

  start(args: readonly string[], env: Record<string, string> = {}): KeiProcess {
    const child = Bun.spawn([...keiCommand(), ...args], {
      env: { ...this.env, ...env },
      cwd: this.root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    let stderr = "";
    const result = (async (): Promise<KeiResult> => {
      const [stdout] = await Promise.all([
        new Response(child.stdout).text(),
        (async () => {
          for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
        })(),
      ]);
      return { code: await child.exited, stdout, stderr };
    })();
    return { pid: child.pid, result, said: () => stderr, kill: (signal) => child.kill(signal) };
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<KeiResult> {
    return this.start(args, env).result;
  }

  /**
   * Runs the command line in this very process, on a clock that runs fifty times as fast: for what waits before it
   * tries again.
   */
  fast(args: readonly string[]): Promise<KeiResult> {
    return runInProcess(args, { env: this.env, cwd: this.root, clock: fasterClock(50) });
  }

  /** `kei sync -d <photos>` with more arguments. */
  sync(...args: readonly string[]): Promise<KeiResult> {
    return this.run(["sync", "-d", this.photos, ...args]);
  }

  /** Signs in with a code in two commands; in this process where that is the program under test, which is faster. */
  async signIn(double: Double): Promise<void> {
    const run = (args: readonly string[]): Promise<KeiResult> =>
      process.env["KEI_TEST_BINARY"] === undefined
        ? runInProcess(args, { env: this.env, cwd: this.root, clock: systemClock })
        : this.run(args);
    const asked = await run(["login", "get-code"]);
    const handed = await run(["login", "submit-code", double.account.deviceCode ?? "none"]);
    if (asked.code !== 0 || handed.code !== 0) throw new Error(`sign-in failed: ${asked.stderr}${handed.stderr}`);
  }

  /** Relative paths of all files in the download folder, sorted. */
  async files(): Promise<string[]> {
    return listFiles(this.photos);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Wall and monotonic time from now on, so many times as fast as real. */
export function fasterClock(factor: number): Clock {
  const start = Date.now();
  const zero = performance.now();
  const elapsed = () => (performance.now() - zero) * factor;
  return {
    now: () => Math.trunc(start + elapsed()),
    monotonic: () => zero + elapsed(),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}

/** `main()` without a process around it: no signals, no terminal, the environment as given. */
export async function runInProcess(
  args: readonly string[],
  {
    env,
    cwd,
    clock,
    onSignals,
    terminal = {},
    keyring,
  }: {
    readonly env: Record<string, string>;
    readonly cwd: string;
    readonly clock: Clock;
    /** Given the function with which the test sends a signal. */
    readonly onSignals?: (send: (signal: "SIGINT" | "SIGTERM" | "SIGHUP") => void) => void;
    /** In place of no terminal. */
    readonly terminal?: Partial<Terminal>;
    readonly keyring?: Keyring;
  },
): Promise<KeiResult> {
  let stdout = "";
  let stderr = "";
  const address = process.env["KEI_TEST_ICLOUD"];
  process.env["KEI_TEST_ICLOUD"] = env["KEI_TEST_ICLOUD"] ?? "";
  try {
    const code = await main(args, {
      env,
      cwd,
      clock,
      random: () => 0.5,
      terminal: {
        out: (text) => {
          stdout += text;
        },
        err: (text) => {
          stderr += text;
        },
        outIsTerminal: false,
        errIsTerminal: false,
        inIsTerminal: false,
        columns: () => 80,
        readLine: () => Promise.reject(new Error("no terminal")),
        ...terminal,
      },
      ...(keyring === undefined ? {} : { keyring: () => keyring }),
      onStopSignals: (listener) => {
        onSignals?.(listener);
        return () => undefined;
      },
      onCrash: () => () => undefined,
      exitNow: () => undefined,
      loadSync: () => import("../../src/sync/index.ts"),
    });
    return { code, stdout, stderr };
  } finally {
    process.env["KEI_TEST_ICLOUD"] = address ?? "";
  }
}

/** A person at a terminal, who answers with these; asked once more, the terminal has gone. */
export function person(...answers: readonly string[]): Pick<Terminal, "inIsTerminal" | "errIsTerminal" | "readLine"> & {
  readonly questions: string[];
} {
  const left = [...answers];
  const questions: string[] = [];
  return {
    questions,
    inIsTerminal: true,
    errIsTerminal: true,
    readLine: (question) => {
      questions.push(question);
      const answer = left.shift();
      return answer === undefined ? Promise.reject(new PromptInterrupted()) : Promise.resolve(answer);
    },
  };
}

export async function listFiles(root: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true }).catch(() => [])) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listFiles(root, path)));
    else found.push(path);
  }
  return found.toSorted((a, b) => (a < b ? -1 : 1));
}

/** Apple's checksum of every file below `root`, by relative path. */
export async function checksums(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of await listFiles(root)) found.set(path, appleChecksum(await readFile(join(root, path))));
  return found;
}

/** Identity of each file: to see that nothing was written again. */
export async function inodes(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of await listFiles(root)) {
    const { ino, mtimeMs, size } = await stat(join(root, path));
    found.set(path, `${ino} ${mtimeMs} ${size}`);
  }
  return found;
}

/** Waits until `condition` holds, looking often; fails loudly when it never does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await Bun.sleep(5);
  }
}
