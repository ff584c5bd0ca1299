/** Where the password comes from: which source counts, what each one yields, and what is stored. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CredentialStore, credentialStore } from "../../src/config/credential-store.ts";
import { type PasswordDeps, passwordSource } from "../../src/config/password.ts";
import { choosePassword } from "../../src/config/password-choice.ts";
import { passwordReaders, refuseCommandOnWindows } from "../../src/config/password-readers.ts";
import { findConfigFile } from "../../src/config/paths.ts";
import { type Flags, resolveSettings } from "../../src/config/resolve.ts";
import { childEnvironment, passwordlessEnvironment, takeEnvironment } from "../../src/config/secrets.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Clock, Logger } from "../../src/runtime/ports.ts";

let home: string;
let warnings: string[];
let secrets: string[];
let store: CredentialStore;

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => {
    warnings.push(message);
  },
  error: () => undefined,
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "kei-password-"));
  warnings = [];
  secrets = [];
  store = credentialStore({
    username: "me@example.com",
    domain: "com",
    dataDir: join(home, "data"),
    keyFile: undefined,
    keyring: undefined,
    logger,
  });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

interface Given {
  readonly flags?: Flags;
  readonly env?: Record<string, string>;
  readonly toml?: string;
  readonly ask?: PasswordDeps["ask"];
  readonly save?: boolean;
  readonly clock?: Pick<Clock, "sleep">;
  readonly signal?: AbortSignal;
}

async function source({ flags = {}, env = {}, toml, ask, save = false, clock = systemClock, signal }: Given = {}) {
  const environment = { HOME: home, PATH: process.env["PATH"] ?? "", ...env };
  if (toml !== undefined) {
    mkdirSync(join(home, ".config", "kei"), { recursive: true });
    writeFileSync(join(home, ".config", "kei", "config.toml"), toml);
  }
  const resolved = await resolveSettings(flags, findConfigFile(undefined, environment, home), environment, home);
  return passwordSource({
    ...passwordReaders({ env: environment, clock, signal: signal ?? new AbortController().signal, logger }),
    username: "me@example.com",
    choice: choosePassword(resolved),
    store,
    save,
    logger,
    ask,
    keepSecret: (secret) => secrets.push(secret),
  });
}

const command = (text: string, more: Given = {}) => source({ ...more, flags: { passwordCommand: text } });
const typing =
  (text: string): NonNullable<PasswordDeps["ask"]> =>
  () =>
    Promise.resolve(text);

function passwordFile(text: string | Uint8Array, mode = 0o600): string {
  const path = join(home, "password");
  writeFileSync(path, text, { mode });
  return path;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("did not fail");
}

describe("of several ways", () => {
  const DIRECT = { ICLOUD_PASSWORD: "direct" };
  const COMMAND = { KEI_PASSWORD_COMMAND: "echo command" };
  const TOML_COMMAND = '[auth]\npassword_command = "echo command"\n';

  test.each<[string, (file: string) => Given, string]>([
    ["a flag counts before the variable", () => ({ flags: { password: "flag" }, env: DIRECT }), "flag"],
    [
      "a variable with the password counts before a command in one",
      () => ({ env: { ...DIRECT, ...COMMAND } }),
      "direct",
    ],
    ["and before a file", (file) => ({ env: { ...DIRECT, KEI_PASSWORD_FILE: file } }), "direct"],
    ["and before both", (file) => ({ env: { ...DIRECT, ...COMMAND, KEI_PASSWORD_FILE: file } }), "direct"],
    ["and before the configuration", () => ({ env: DIRECT, toml: TOML_COMMAND }), "direct"],
    [
      "a flag for a file counts before all variables",
      (file) => ({ flags: { passwordFile: file }, env: DIRECT }),
      "file",
    ],
    ["a flag for a command, too", () => ({ flags: { passwordCommand: "echo other" }, env: DIRECT }), "other"],
    [
      "and before the configuration's file",
      (file) => ({ env: COMMAND, toml: `auth.password_file = "${file}"` }),
      "command",
    ],
    ["a command counts before a file", (file) => ({ env: { KEI_PASSWORD_FILE: file }, toml: TOML_COMMAND }), "command"],
    ["whatever is configured counts before the prompt", () => ({ env: COMMAND, ask: typing("typed") }), "command"],
    ["the prompt is the last resort", () => ({ ask: typing(" typed ") }), " typed "],
  ])("%s", async (_what, given, expected) => {
    const password = await source(given(passwordFile("file\n")));
    expect(await password.read()).toBe(expected);
    expect(password.interactive).toBe(expected === " typed ");
    expect(secrets).toContain(expected);
  });

  test("the stored one counts before the prompt, after all else, and is looked for only then", async () => {
    await store.set("stored");
    const password = await source({ ask: typing("typed") });
    expect([await password.read(), password.interactive, password.name]).toEqual([
      "stored",
      false,
      "the stored password",
    ]);
    store = { ...store, get: () => Promise.reject(new Error("looked")) };
    expect(await (await source({ env: { ICLOUD_PASSWORD: "direct" } })).read()).toBe("direct");
  });

  test("two of one layer can't both be meant", async () => {
    const variables = { KEI_PASSWORD_COMMAND: "echo x", KEI_PASSWORD_FILE: "/x" };
    const failure = await failureOf(source({ env: variables }));
    expect([failure.exit, failure.message]).toEqual([EXIT.failure, expect.stringContaining("pick one")]);
    const toml = await failureOf(source({ toml: '[auth]\npassword_file = "/x"\npassword_command = "echo y"\n' }));
    expect([toml.exit, toml.message]).toEqual([EXIT.failure, expect.stringContaining("line 3")]);
    expect(toml.message).toContain("pick one");
  });

  test("one that yields nothing is an error, and the next is not tried", async () => {
    await store.set("stored");
    for (const flags of [{ passwordFile: join(home, "none") }, { passwordCommand: "exit 3" }]) {
      const failure = await failureOf((await source({ flags, ask: typing("typed") })).read());
      expect([failure.exit, failure.message]).toEqual([EXIT.signIn, expect.stringContaining("No password available")]);
    }
  });

  test("none at all, without a terminal, is an error that names every way", async () => {
    const failure = await failureOf((await source()).read());
    expect(failure.exit).toBe(EXIT.signIn);
    for (const way of ["kei login", "kei password set", "--password-command", "--password-file", "ICLOUD_PASSWORD"])
      expect(failure.remedy).toContain(way);
    expect((await failureOf((await source({ ask: typing("") })).read())).exit).toBe(EXIT.signIn);
  });
});

describe("a password file", () => {
  test("keeps its blanks, and loses one line end only", async () => {
    expect(await (await source({ flags: { passwordFile: passwordFile(" a b \r\n") } })).read()).toBe(" a b ");
  });

  test("loses the mark that editors on Windows put in front of a text", async () => {
    expect(await (await source({ flags: { passwordFile: passwordFile("\ufeffa\r\n") } })).read()).toBe("a");
  });

  // Each of them would be sent to Apple as a wrong password.
  test.each([
    ["a\n\n", "holds more than one line"],
    ["user\nsecret\n", "holds more than one line"],
    [Buffer.from([0xff, 0xfe, 0x61, 0]), "not text"],
  ])("that holds no password is refused: %j", async (content, reason) => {
    const failure = await failureOf((await source({ flags: { passwordFile: passwordFile(content) } })).read());
    expect([failure.exit, failure.message]).toEqual([EXIT.signIn, expect.stringContaining(reason)]);
    expect(failure.message).not.toContain("secret");
  });

  test("that others can read is warned about, once", async () => {
    const password = await source({ flags: { passwordFile: passwordFile("x", 0o644) } });
    expect([await password.read(), await password.read()]).toEqual(["x", "x"]);
    expect(warnings).toEqual(["the password file can be read by others"]);
  });

  test("is read anew each time, and must hold something", async () => {
    const password = await source({ flags: { passwordFile: passwordFile("one") } });
    await password.read();
    passwordFile("two");
    expect(await password.read()).toBe("two");
    passwordFile("\n");
    expect((await failureOf(password.read())).message).toContain("is empty");
  });
});

describe("a password command", () => {
  test("is run anew each time, with a shell; its blanks stay, one line end goes", async () => {
    const password = await command(`echo x >> '${join(home, "runs")}'; printf ' a b \\r\\n'`);
    expect([await password.read(), await password.read()]).toEqual([" a b ", " a b "]);
    expect(readFileSync(join(home, "runs"), "utf8")).toBe("x\nx\n");
  });

  test("has nothing to read, and none of the secrets of kei", async () => {
    const env = { ICLOUD_PASSWORD: "hunter22", KEI_TEST_ICLOUD: "http://127.0.0.1:1", OTHER: "kept" };
    const text = await (await command("cat; env | sort | tr '\\n' ' '", { env })).read();
    expect(text).toContain("OTHER=kept");
    expect(text).not.toMatch(/ICLOUD_PASSWORD|hunter22|KEI_TEST/);
  });

  test.each([
    ["exit 3", "exited with status 3"],
    ["kill -9 $$", "was ended by SIGKILL"],
    ["no-such-command-here 2>/dev/null", "exited with status 127"],
    ["true", "printed nothing"],
    ["echo", "printed nothing"],
    ["printf '\\377\\376'", "is not text"],
    ["printf 'user\\npassword\\n'", "more than one line"],
    ["head -c 1000000 /dev/zero", "more than 65536 bytes"],
  ])("that says nothing of use is an error without its text: %s", async (text, reason) => {
    const failure = await failureOf((await command(text)).read());
    expect([failure.exit, failure.message]).toEqual([EXIT.signIn, expect.stringContaining(reason)]);
    expect(failure.message).toStartWith("No password available: the password command ");
    expect(`${failure.message} ${failure.remedy} ${String(failure.cause)}`).not.toContain(text);
  });

  test("that hangs is killed after thirty seconds, with all that it has started", async () => {
    const waits: number[] = [];
    const pids = join(home, "pids");
    const clock: Pick<Clock, "sleep"> = {
      // Time is over as soon as both processes are there.
      sleep: async (ms) => {
        waits.push(ms);
        while (!existsSync(pids) || readFileSync(pids, "utf8").split("\n").length < 3) await Bun.sleep(5);
      },
    };
    const hanging = await command(`sleep 600 & echo $! > '${pids}'; echo $$ >> '${pids}'; sleep 600`, { clock });
    expect((await failureOf(hanging.read())).message).toContain("did not end within 30 seconds");
    expect(waits).toEqual([30_000]);
    for (const pid of readFileSync(pids, "utf8").trim().split("\n").map(Number)) {
      while (isAlive(pid)) await Bun.sleep(5);
    }
  });

  test("is killed when kei is stopped", async () => {
    const stop = new AbortController();
    const reading = (await command("sleep 600", { signal: stop.signal })).read();
    stop.abort(new Error("stopped"));
    expect(await reading.catch((error: Error) => error.message)).toBe("stopped");
  });

  test("is refused where there is no shell", () => {
    expect(() => refuseCommandOnWindows("win32")).toThrow("can't be used on Windows");
    refuseCommandOnWindows("linux");
  });
});

/** A killed process may stay in the table for a moment, as a zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")) && process.kill(pid, 0);
  } catch {
    return false; // Gone.
  }
}

describe("--save-password", () => {
  const accepted = async (given: Given): Promise<string | undefined> => {
    const password = await source({ ...given, save: true });
    await password.read();
    await password.accepted();
    return store.get();
  };

  test.each<[string, Given]>([
    ["a flag", { flags: { password: "secret" } }],
    ["a variable", { env: { ICLOUD_PASSWORD: "secret" } }],
    ["the prompt", { ask: typing("secret") }],
  ])("stores what came from %s, once Apple has accepted it", async (_what, given) => {
    const password = await source({ ...given, save: true });
    await password.read();
    expect([await store.get(), password.isUnsaved]).toEqual([undefined, true]);
    await password.accepted();
    expect([await store.get(), password.isUnsaved]).toEqual(["secret", false]);
    expect(warnings).toEqual([]);
  });

  test("stores nothing of a command, a file, or the store itself, and says why", async () => {
    expect(await accepted({ flags: { passwordCommand: "echo secret" } })).toBeUndefined();
    expect(await accepted({ flags: { passwordFile: passwordFile("secret") } })).toBeUndefined();
    await store.set("stored");
    expect(await accepted({})).toBe("stored");
    expect(warnings).toEqual([
      expect.stringContaining("password command"),
      expect.stringContaining("password file"),
      expect.stringContaining("stored already"),
    ]);
  });

  test("stores what a person has typed in place of a stored one that was wrong", async () => {
    await store.set("wrong");
    const password = await source({ ask: typing("right"), save: true });
    expect([await password.read(), await password.ask?.()]).toEqual(["wrong", "right"]);
    await password.accepted();
    expect(await store.get()).toBe("right");
  });

  test("is not asked for: nothing is stored", async () => {
    const password = await source({ ask: typing("secret") });
    await password.read();
    await password.accepted();
    expect(await store.get()).toBeUndefined();
  });

  test("that fails is a warning: the sign-in has worked", async () => {
    writeFileSync(join(home, "data"), "a file where a folder belongs");
    expect(await accepted({ ask: typing("secret") })).toBeUndefined();
    expect(warnings).toEqual(["the password could not be stored"]);
  });
});

test("no secret reaches a child process", () => {
  const env: Record<string, string | undefined> = { ICLOUD_PASSWORD: "hunter22", PATH: "/bin" };
  expect(takeEnvironment(env)).toEqual({ ICLOUD_PASSWORD: "hunter22", PATH: "/bin" });
  expect(env).toEqual({ PATH: "/bin" });
  expect(passwordlessEnvironment({ ICLOUD_PASSWORD: "hunter22", PATH: "/bin" })).toEqual({ PATH: "/bin" });
  expect(childEnvironment({ ICLOUD_PASSWORD: "x", KEI_TEST_ICLOUD: "y", PATH: "/bin" })).toEqual({
    PATH: "/bin",
  });
});
