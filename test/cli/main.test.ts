/** The program as a function: exit codes, the one line of an error, signals. Nothing here reaches the network. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS, type CommandSpec } from "../../src/cli/commands.ts";
import { completedCommands } from "../../src/cli/completions/model.ts";
import { main, type Outside } from "../../src/cli/main.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";
import { PromptInterrupted } from "../../src/runtime/process.ts";
import type { Ports, SyncApi, SyncReport, SyncSettings } from "../../src/sync/types.ts";

let home: string;
let out: string;
let err: string;
let signal: (name: string) => void;
let exited: number[];
let crash: (error: unknown) => void = () => undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "kei-main-"));
  out = "";
  err = "";
  exited = [];
  signal = () => undefined;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const unused = () => Promise.reject(new Error("not part of this test"));

function run(argv: readonly string[], api: Partial<SyncApi> = {}, more: Partial<Outside> = {}): Promise<number> {
  return main(argv, {
    env: { HOME: home, ICLOUD_PASSWORD: "hunter22" },
    cwd: home,
    terminal: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      outIsTerminal: false,
      errIsTerminal: false,
      inIsTerminal: false,
      columns: () => 80,
      readLine: unused,
    },
    clock: {
      now: () => 0,
      monotonic: () => 0,
      // Time stands still; a sleep ends only when it is not needed any more.
      sleep: (_ms, over) =>
        new Promise((_resolve, reject) => over?.addEventListener("abort", () => reject(over.reason), { once: true })),
    },
    random: () => 0,
    onStopSignals: (onSignal) => {
      signal = onSignal;
      return () => {
        signal = () => undefined;
      };
    },
    onCrash: (crashed) => {
      crash = crashed;
      return () => {
        crash = () => undefined;
      };
    },
    exitNow: (code) => {
      exited.push(code);
    },
    loadSync: () =>
      Promise.resolve({
        runSync: unused,
        watch: unused,
        signIn: unused,
        requestCode: unused,
        listPhones: unused,
        submitCode: unused,
        listLibraries: unused,
        listAlbums: unused,
        reconcile: unused,
        verify: unused,
        verifyComplete: unused,
        resetState: unused,
        resetSyncTokens: unused,
        resetSession: unused,
        ...api,
      }),
    ...more,
  });
}

const REPORT: SyncReport = {
  outcome: "success",
  unchanged: false,
  completeFailure: false,
  dryRun: false,
  retryOnly: false,
  assetsSeen: 1,
  downloaded: 1,
  adopted: 0,
  linked: 0,
  failed: 0,
  exhausted: 0,
  putOff: 0,
  waiting: 0,
  bytesDownloaded: 1,
  bytesWritten: 1,
  skipped: {},
  issues: {},
  enumerationErrors: [],
  shortfall: { lists: 0, photos: 0 },
  fullReason: undefined,
  elapsedMs: 0,
  failedFiles: [],
  failedUnnamed: 0,
  rateLimited: 0,
  duplicates: 0,
  expected: undefined,
  tokenHeld: undefined,
  onRecord: { downloaded: 1, pending: 0, failed: 0, bytes: 1 },
  notices: [],
  planned: undefined,
};

const SYNC = ["sync", "-u", "me@example.com", "-d", "photos"];

/** The end of a run as `sync/` tells it. */
async function ended(ports: Ports, more: Partial<SyncReport>): Promise<SyncReport> {
  const report = { ...REPORT, ...more };
  await ports.onEnd({ report, error: undefined, stopped: false, locked: undefined });
  return report;
}

const syncing = (more: Partial<SyncReport>): Partial<SyncApi> => ({
  runSync: (_settings, ports) => ended(ports, more),
});

describe("the exit code", () => {
  test("is 0 when everything that was selected is on disk", async () => {
    expect(await run(SYNC, syncing({}))).toBe(EXIT.ok);
    expect(err).toContain("Done: 1 file saved");
  });

  test("is 2 when something failed, was given up, or could not be listed", async () => {
    for (const more of [
      { outcome: "partial_failure" },
      { failed: 1 },
      { exhausted: 1 },
      { enumerationErrors: ["Rome: unreadable"] },
      { outcome: "interrupted", failed: 1 },
    ] as const) {
      expect(await run(SYNC, syncing(more))).toBe(EXIT.partial);
    }
  });

  test("is 3 when Apple has ended the session", async () => {
    expect(await run(SYNC, syncing({ outcome: "session_expired", failed: 2 }))).toBe(EXIT.signIn);
  });

  test("is that of the failure which stopped the run", async () => {
    const failing = { runSync: () => Promise.reject(new Failure("The account is locked.", { exit: EXIT.owner })) };
    expect(await run(SYNC, failing)).toBe(EXIT.owner);
    expect(err).toEndWith("Error: The account is locked\n");
  });

  test("is 64 for a wrong command line, and for none at all, with help", async () => {
    expect(await run(["sync", "--wrong"])).toBe(EXIT.usage);
    expect(await run([])).toBe(EXIT.usage);
    expect(out).toContain("USAGE");
    expect(await run(["login", "submit-code", "12345"])).toBe(EXIT.usage);
  });

  test("is 0 for help and version", async () => {
    expect(await run(["--help"])).toBe(EXIT.ok);
    expect(await run(["sync", "--help"])).toBe(EXIT.ok);
    expect(out).toContain("--download-dir");
    out = "";
    expect(await run(["--version"])).toBe(EXIT.ok);
    expect(out).toMatch(/^kei \S+ \(.+\)\n$/);
  });
});

describe("help", () => {
  const pages = (specs: Readonly<Record<string, CommandSpec>>, above: readonly string[] = []): string[][] =>
    Object.entries(specs).flatMap(([name, spec]) => {
      const words = [...above, name];
      return [words, ...pages(spec.subcommands ?? {}, words)];
    });

  test("of every command fits into 80 columns, and names each of its flags", async () => {
    for (const words of [[], ...pages(COMMANDS)]) {
      out = "";
      expect(await run([...words, "--help"])).toBe(EXIT.ok);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
      expect(out).toContain(`USAGE kei ${words.join(" ")}`.trimEnd());
      const { flags } = completedCommands().find((command) => command.words.join(" ") === words.join(" ")) ?? {
        flags: [],
      };
      // The first page has to fit on a small screen.
      if (words.length === 0) continue;
      expect(flags.length).toBeGreaterThan(3);
      for (const { long } of flags) expect(out).toContain(long);
    }
  });

  test("of kei itself begins with what a newcomer needs, and leaves no command out", async () => {
    await run(["--help"]);
    const at = (text: string) => out.indexOf(text);
    expect(at("GETTING STARTED")).toBeLessThan(at("config setup"));
    expect(at("config setup")).toBeLessThan(at("EVERY DAY"));
    for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  test("has colours where they are wanted, and no other codes than that", async () => {
    const env = { HOME: home, FORCE_COLOR: "1" };
    await run(["sync", "--help"], {}, { env });
    const colored = out;
    out = "";
    await run(["sync", "--help"]);
    expect(colored).toContain("\u001b[36m");
    expect(Bun.stripANSI(colored).replaceAll(/ +$/gm, "")).toBe(out);
  });
});

describe("an error", () => {
  test("is one line with the way out, and no stack", async () => {
    const failure = new Failure("The disk\nis full", { exit: EXIT.failure, remedy: "Free some space." });
    await run(SYNC, { runSync: () => Promise.reject(failure) });
    const lines = err.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("Error: The disk is full. Free some space.");
    expect(err).not.toContain("at ");
  });

  test("that nobody thought of is one line too, and says so", async () => {
    expect(await run(SYNC, { runSync: () => Promise.reject(new TypeError("x is not a\nfunction")) })).toBe(
      EXIT.failure,
    );
    expect(err.trimEnd().split("\n").at(-1)).toStartWith(
      "Error: kei has met something it was not made for: x is not a function",
    );
  });

  test("shows control characters instead of sending them to the terminal", async () => {
    const failure = new Failure("Apple says \u001b[2J\u0007", { exit: EXIT.failure });
    await run([...SYNC, "--log-level", "debug"], { runSync: () => Promise.reject(failure) });
    expect(err).toContain("Error: Apple says \\x1b[2J\\x07\n");
    await run(["\u001b[2J"]);
    expect(err).toContain('Error: "\\x1b[2J" is not a command');
    expect(err.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("shows its stack to those who asked for it, with secrets masked", async () => {
    const failing = { runSync: () => Promise.reject(new TypeError("bad hunter22")) };
    await run([...SYNC, "--log-level", "debug"], failing);
    expect(err).toContain("TypeError: bad ********");
    expect(err).not.toContain("hunter22");
  });

  test("that nobody caught ends the process with one line, and secrets masked", async () => {
    const crashing: Partial<SyncApi> = {
      runSync: () => {
        crash(new TypeError("bad hunter22\n    at somewhere"));
        return Promise.resolve(REPORT);
      },
    };
    await run(SYNC, crashing);
    expect(exited).toEqual([EXIT.failure]);
    expect(err.split("\n")).toContain(
      "Error: kei has met something it was not made for: bad ********     at somewhere. Please report it with a log of --log-level debug.",
    );
  });

  test("asks for what is missing", async () => {
    expect(await run(["sync", "-d", "photos"])).toBe(EXIT.failure);
    expect(err).toContain("--username is required");
    expect(await run(["sync", "-u", "me@example.com"])).toBe(EXIT.failure);
    expect(err).toContain("--directory is required");
  });
});

describe("a sync", () => {
  test("is given settings with whole paths, and no password in plain sight", async () => {
    let given: SyncSettings | undefined;
    await run([...SYNC, "-a", "Rome", "--unfiled=false"], {
      runSync: (settings) => {
        given = settings;
        return Promise.resolve(REPORT);
      },
    });
    expect(given).toMatchObject({
      directory: join(home, "photos"),
      dataDir: join(home, ".config", "kei"),
      albums: ["Rome"],
      unfiled: false,
      threads: 10,
      dryRun: false,
    });
    expect(JSON.stringify(given)).not.toContain("hunter22");
    expect(await given?.password.read()).toBe("hunter22");
  });

  test("warns about a password that other users can see", async () => {
    await run([...SYNC, "--password", "hunter23"], syncing({}));
    expect(err).toContain("can be seen by other users");
    expect(err).not.toContain("hunter23");
  });

  test("asks nobody where there is no terminal", async () => {
    let ports: Ports | undefined;
    await run(SYNC, {
      runSync: (_settings, given) => {
        ports = given;
        return Promise.resolve(REPORT);
      },
    });
    expect(ports?.prompts).toBeUndefined();
  });
});

describe("a stop signal", () => {
  /** A sync that ends when it is asked to. */
  const waiting: Partial<SyncApi> = {
    runSync: (_settings, ports) =>
      new Promise((resolve) => {
        ports.stop.addEventListener("abort", () => resolve(ended(ports, { outcome: "interrupted" })), { once: true });
        queueMicrotask(() => signal("SIGTERM"));
      }),
  };

  test("ends a run in order, which is no failure", async () => {
    expect(await run(SYNC, waiting)).toBe(EXIT.ok);
    expect(err).toContain("finishing what is in flight");
    expect(err).toContain("Stopped: 1 file saved");
    expect(exited).toEqual([]);
  });

  test("ends the process at once when it comes twice", async () => {
    await run(SYNC, {
      runSync: () => {
        signal("SIGINT");
        signal("SIGINT");
        return Promise.resolve(REPORT);
      },
    });
    expect(exited).toEqual([EXIT.forced]);
  });

  test.each<[string, () => void, number]>([
    [
      "a second signal",
      () => {
        signal("SIGINT");
        signal("SIGINT");
      },
      EXIT.forced,
    ],
    ["what can't be cut off", () => signal("SIGINT"), EXIT.forced],
    ["a crash", () => crash(new Error("oh")), EXIT.failure],
  ])("or whatever else ends the process at once leaves no pid file: %s", async (_what, happen, exit) => {
    const pidFile = join(home, "kei.pid");
    const left = await new Promise<[boolean, number]>((resolve, reject) => {
      const hanging = () => {
        expect(existsSync(pidFile)).toBe(true);
        happen();
        return new Promise<never>(() => undefined);
      };
      run(
        [...SYNC, "--pid-file", pidFile],
        { runSync: hanging },
        {
          // Every wait is over at once.
          clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
          exitNow: (code) => resolve([existsSync(pidFile), code]),
        },
      ).catch(reject);
    });
    expect(left).toEqual([false, exit]);
  });

  test("cuts off what has not ended after thirty seconds", async () => {
    const waits: number[] = [];
    const code = await run(
      SYNC,
      {
        runSync: (_settings, { cancel }) =>
          new Promise((_resolve, reject) => {
            cancel.addEventListener("abort", () => reject(cancel.reason), { once: true });
            signal("SIGTERM");
          }),
      },
      {
        clock: {
          now: () => 0,
          monotonic: () => 0,
          sleep: (ms) => {
            waits.push(ms);
            return Promise.resolve();
          },
        },
      },
    );
    // The second wait is for what does not even let itself be cut off.
    expect(waits).toEqual([30_000, 5_000]);
    expect(code).toBe(EXIT.forced);
  });

  test("typed at a prompt ends with the code of a forced stop, without a word", async () => {
    expect(
      await run(["login", "-u", "me@example.com"], { signIn: () => Promise.reject(new PromptInterrupted()) }),
    ).toBe(EXIT.forced);
    expect(err).not.toContain("Error");
  });
});

describe("the sign-in commands", () => {
  const account = ["-u", "me@example.com"];

  test("say what happened", async () => {
    expect(await run(["login", ...account], { signIn: () => Promise.resolve("signed-in") })).toBe(EXIT.ok);
    expect(await run(["login", "get-code", ...account], { requestCode: () => Promise.resolve("sent") })).toBe(EXIT.ok);
    expect(await run(["login", "get-code", ...account], { requestCode: () => Promise.resolve("already") })).toBe(
      EXIT.ok,
    );
    expect(out).toContain("this machine is trusted now");
    expect(out).toContain("kei login submit-code CODE");
    expect(out).toContain("no code is needed");
  });

  test("take a code with blanks and dashes in it, and never repeat it", async () => {
    let handed = "";
    const api: Partial<SyncApi> = {
      submitCode: (_settings, code) => {
        handed = code;
        return Promise.reject(new Failure(`the code ${code} is wrong`, { exit: EXIT.signIn }));
      },
    };
    expect(await run(["login", "submit-code", "012-345", ...account], api)).toBe(EXIT.signIn);
    expect(handed).toBe("012345");
    expect(err).not.toContain("012345");
  });
});

describe("the listing commands", () => {
  test("show names safely, and the word that selects a library", async () => {
    const account = ["-u", "me@example.com"];
    await run(["list", "albums", ...account], {
      listAlbums: () =>
        Promise.resolve([
          {
            library: "PrimarySync",
            albums: [{ path: "Trips/\u001b[31mRome", id: "1", count: 1_200 }],
            unsupported: ["Smart (smart album)"],
          },
        ]),
    });
    expect(out).toBe(
      "Library: PrimarySync\n  Trips/\\x1b[31mRome  (1,200 photos)\n  not available: Smart (smart album)\n",
    );
    out = "";
    await run(["list", "libraries", ...account], {
      listLibraries: () =>
        Promise.resolve([{ zone: "PrimarySync", selector: "primary", kind: "primary", count: undefined }]),
    });
    expect(out).toBe("PrimarySync  --library primary  primary  not counted\n");
  });
});
