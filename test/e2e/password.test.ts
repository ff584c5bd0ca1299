/** Passwords and codes through the whole program: where they come from, where they are kept, and that nobody sees them. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Keyring } from "../../src/runtime/keyring.ts";
import type { Terminal } from "../../src/runtime/process.ts";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, person, runInProcess } from "../support/kei.ts";

const USER = "alex.test@example.com";
const PASSWORD = "Correct-Horse-42";

let double: Double;
let home: Home;
/** Everything that was said, by all runs of a test. */
let said: string;

beforeEach(async () => {
  double = await startDouble({
    username: USER,
    password: PASSWORD,
    library: createLibrary({ seed: 3, assets: 3, bytes: 1_000, mix: { jpeg: 1 } }),
    account: {
      iterations: 50,
      phones: [
        { id: 3, lastTwoDigits: "07" },
        { id: 8, lastTwoDigits: "44", nonFTEU: true },
      ],
    },
  });
  // No password in the environment: each test brings its own.
  home = new Home(undefined, { ...double.env, ICLOUD_USERNAME: USER });
  said = "";
});
afterEach(async () => {
  await double.stop();
  home.remove();
});

interface How {
  readonly env?: Record<string, string>;
  readonly terminal?: Partial<Terminal>;
  readonly keyring?: Keyring;
  readonly times?: number;
}

async function kei(args: readonly string[], { env = {}, terminal, keyring, times }: How = {}): Promise<KeiResult> {
  const result = await runInProcess(args, {
    env: { ...home.env, ...env },
    cwd: home.root,
    clock: times === undefined ? systemClock : fasterClock(times),
    ...(terminal === undefined ? {} : { terminal }),
    ...(keyring === undefined ? {} : { keyring }),
  });
  said += result.stdout + result.stderr;
  return result;
}

/** Stores a password as a script would. */
const store = (password: string) =>
  kei(["password", "set"], { terminal: { readLine: () => Promise.resolve(password) } });

async function signedIn(...args: readonly string[]): Promise<void> {
  expect((await kei(["login", "get-code", ...args])).code).toBe(0);
  expect((await kei(["login", "submit-code", double.account.deviceCode ?? "none"])).code).toBe(0);
}

/** No file of kei, and nothing that it said, holds any of these. */
function expectHidden(...secrets: readonly string[]): void {
  const files = readdirSync(home.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const secret of secrets) {
    expect(said).not.toContain(secret);
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name), "latin1"), name).not.toContain(secret);
    }
  }
}

const proofs = () => double.log.count("signin/complete");

describe("a password command", () => {
  test("signs in, and is not run while the session holds", async () => {
    const marker = join(home.root, "runs");
    const command = `echo run >> '${marker}'; rev < '${join(home.root, "reversed")}'`;
    writeFileSync(join(home.root, "reversed"), [...PASSWORD].reverse().join(""));
    await signedIn("--password-command", command, "--log-level", "debug");
    expect(readFileSync(marker, "utf8")).toBe("run\n");
    const synced = await kei(["sync", "-d", home.photos, "--password-command", command, "--log-level", "debug"]);
    expect([synced.code, (await home.files()).length]).toEqual([0, 3]);
    expect(readFileSync(marker, "utf8")).toBe("run\n");
    double.account.expireSession();
    expect((await kei(["sync", "-d", home.photos, "--password-command", command])).code).toBe(0);
    expect(readFileSync(marker, "utf8")).toBe("run\nrun\n");
    expectHidden(PASSWORD, double.code);
    expect(said).not.toContain("rev <");
  });

  test.each([
    ["exit 3", "exited with status 3"],
    ["true", "printed nothing"],
    ["head -c 100000 /dev/zero", "printed more than"],
    ["sleep 600", "did not end within 30 seconds"],
  ])("that gives nothing ends with 3, and Apple is not asked: %s", async (command, reason) => {
    const { code, stderr } = await kei(["sync", "-d", home.photos], {
      env: { KEI_PASSWORD_COMMAND: command },
      times: 300,
    });
    expect(code).toBe(3);
    expect(stderr).toContain("No password available: the password command ");
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(command);
    expect(double.log.count(/signin/)).toBe(0);
  });

  test("and another way on one command line are a usage error; both in the file are one to pick", async () => {
    const flags = await kei(["sync", "--password-command", "echo x", "--password-file", "y"]);
    expect([flags.code, flags.stderr]).toEqual([64, expect.stringContaining("exclude each other")]);
    expect((await kei(["login", "-p", "x", "--password-file", "y"])).code).toBe(64);
    const config = join(home.root, "two.toml");
    writeFileSync(config, '[auth]\npassword_file = "x"\npassword_command = "echo y"\n');
    const file = await kei(["login", "--config", config]);
    expect([file.code, file.stderr]).toEqual([1, expect.stringContaining("pick one")]);
  });
});

describe("a stored password", () => {
  test("is set, used, named and cleared", async () => {
    expect((await kei(["password", "backend"])).stdout).toBe("none\n");
    const set = await store(PASSWORD);
    expect([set.code, set.stdout]).toEqual([0, expect.stringContaining("in an encrypted file")]);
    expect((await kei(["password", "backend"])).stdout).toBe("encrypted-file\n");
    await signedIn("--log-level", "debug");
    expect((await kei(["sync", "-d", home.photos])).code).toBe(0);
    expectHidden(PASSWORD, double.code);
    expect((await kei(["password", "clear"])).code).toBe(0);
    const again = await kei(["password", "clear"]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("No stored credential")]);
    expect((await kei(["password", "backend"])).stdout).toBe("none\n");
  });

  test("belongs to one account and region", async () => {
    await store(PASSWORD);
    expect((await kei(["password", "backend", "-u", "kim.test@example.com"])).stdout).toBe("none\n");
    expect((await kei(["password", "backend", "--domain", "cn"])).stdout).toBe("none\n");
    const nobody = await kei(["password", "backend"], { env: { ICLOUD_USERNAME: "" } });
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("--username is required")]);
  });

  test("goes into the system's keyring where there is one", async () => {
    const kept = new Map<string, string>();
    const keyring: Keyring = {
      get: async (name) => kept.get(name),
      set: async (name, secret) => void kept.set(name, secret),
      delete: async (name) => kept.delete(name),
      isStuck: false,
    };
    const set = await kei(["password", "set"], { keyring, terminal: { readLine: async () => PASSWORD } });
    expect(set.stdout).toContain("in the system's keyring");
    expect([...kept.values()]).toEqual([PASSWORD]);
    expect((await kei(["password", "backend"], { keyring })).stdout).toBe("keyring\n");
    expect((await kei(["login", "get-code"], { keyring })).code).toBe(0);
    expectHidden(PASSWORD);
    expect((await kei(["password", "clear"], { keyring })).code).toBe(0);
    expect(kept.size).toBe(0);
    const file = ["password", "set", "--encrypted-file"];
    await kei(file, { keyring, terminal: { readLine: async () => PASSWORD } });
    expect([kept.size, (await kei(["password", "backend"], { keyring })).stdout]).toEqual([0, "encrypted-file\n"]);
  });

  test("that Apple refuses is sent once, stays stored, and its successor is sent again", async () => {
    await store("Wrong-Horse-41");
    const first = await kei(["sync", "-d", home.photos]);
    expect([first.code, proofs()]).toEqual([3, 1]);
    for (let restarts = 0; restarts < 3; restarts += 1) {
      const again = await kei(["sync", "-d", home.photos]);
      expect([again.code, again.stderr]).toEqual([3, expect.stringContaining("it was not sent again")]);
      expect(again.stderr).toContain("kei password set");
    }
    expect(proofs()).toBe(1);
    expect((await kei(["password", "backend"])).stdout).toBe("encrypted-file\n");
    await store(PASSWORD);
    expect((await kei(["login", "get-code"])).code).toBe(0);
    expect(proofs()).toBe(2);
    expectHidden("Wrong-Horse-41", PASSWORD);
  });

  test("that Apple has refused is asked for anew by `kei login` at a terminal, and may be replaced at once", async () => {
    await store("Wrong-Horse-41");
    await kei(["login", "get-code"]);
    const terminal = person(PASSWORD);
    const { readLine } = terminal;
    const typing: Partial<Terminal> = {
      ...terminal,
      // The code is known only when Apple has sent it.
      readLine: (question, options) =>
        question.startsWith("Verification")
          ? Promise.resolve(double.account.deviceCode ?? "")
          : readLine(question, options),
    };
    const login = await kei(["login", "--save-password"], { terminal: typing });
    expect([login.code, terminal.questions]).toEqual([0, [`Password for ${USER}: `]]);
    expect(proofs()).toBe(2);
    double.account.expireSession();
    expect((await kei(["sync", "-d", home.photos])).code).toBe(0);
    expectHidden("Wrong-Horse-41", PASSWORD, double.code);
  });

  test("that is damaged is an error that says what to do", async () => {
    await store(PASSWORD);
    const { credential } = accountFiles(home.data, "com", USER);
    writeFileSync(credential, Buffer.from(readFileSync(credential)).fill(0, 12, 13));
    const { code, stderr } = await kei(["login", "get-code"]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("No password available")]);
    expect(stderr).toContain("kei password set");
    expect(double.log.count(/signin/)).toBe(0);
  });

  test("is not looked for by who needs no password", async () => {
    await store(PASSWORD);
    await signedIn();
    writeFileSync(accountFiles(home.data, "com", USER).credential, "damaged");
    expect((await kei(["sync", "-d", home.photos])).code).toBe(0);
    expect((await kei(["status"])).code).toBe(0);
  });

  test("tells when another way is configured that counts before it", async () => {
    const { code, stderr } = await kei(["password", "set"], {
      env: { KEI_PASSWORD_COMMAND: "echo x" },
      terminal: { readLine: async () => PASSWORD },
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining("used before the stored password")]);
  });
});

describe("--save-password", () => {
  test("stores what Apple has accepted, so that the next run needs no other way", async () => {
    await kei(["login", "get-code", "--save-password"], { env: { ICLOUD_PASSWORD: PASSWORD } });
    expect((await kei(["password", "backend"])).stdout).toBe("encrypted-file\n");
    double.account.expireSession();
    expect((await kei(["login", "get-code"])).code).toBe(0);
    expect(proofs()).toBe(2);
    expectHidden(PASSWORD);
  });

  test("stores nothing that Apple has refused", async () => {
    const { code } = await kei(["login", "get-code", "--save-password"], {
      env: { ICLOUD_PASSWORD: "Wrong-Horse-41" },
    });
    expect([code, (await kei(["password", "backend"])).stdout]).toEqual([3, "none\n"]);
  });

  test("says when there was nothing to prove, and when there is nothing to store", async () => {
    const env = { ICLOUD_PASSWORD: PASSWORD };
    await kei(["login", "get-code"], { env });
    await kei(["login", "submit-code", double.account.deviceCode ?? ""], { env });
    const unasked = await kei(["sync", "-d", home.photos, "--save-password"], { env });
    expect([unasked.code, unasked.stderr]).toEqual([0, expect.stringContaining("did not ask for the password")]);
    const other = await kei(["login", "--save-password", "--password-command", "echo x"]);
    expect([other.code, other.stderr]).toEqual([0, expect.stringContaining("stores nothing: the password command")]);
    expect((await kei(["password", "backend"])).stdout).toBe("none\n");
  });

  test("and --dry-run, which writes nothing, exclude each other", async () => {
    expect((await kei(["sync", "-d", home.photos, "--save-password", "--dry-run"])).code).toBe(64);
  });
});

describe("a code by text message", () => {
  const env = { ICLOUD_PASSWORD: PASSWORD };

  test("is requested in one process and handed in by another", async () => {
    const phones = await home.run(["login", "phones"], env);
    expect([phones.code, phones.stdout]).toEqual([
      0,
      "1  (***) ***-**07  by text message\n2  (***) ***-**44  by text message\n",
    ]);
    const asked = await home.run(["login", "get-code", "--phone", "2"], env);
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining("(***) ***-**44")]);
    const handed = await home.run(["login", "submit-code", double.account.textedCode ?? "none"], env);
    expect([handed.code, handed.stdout]).toEqual([0, expect.stringContaining("trusted now")]);
    expect([proofs(), double.account.texts, double.account.pushes]).toEqual([1, 1, 0]);
    said = [phones, asked, handed].map(({ stdout, stderr }) => stdout + stderr).join("");
    expectHidden(PASSWORD, double.code);
  });

  test("needs to know which phone; the list is in the error, and nothing was sent", async () => {
    const { code, stderr } = await kei(["login", "get-code", "--sms"], { env });
    expect(code).toBe(3);
    expect(stderr).toContain("1 is (***) ***-**07, 2 is (***) ***-**44");
    expect(stderr).toContain("kei login get-code --sms --phone N");
    expect(double.account.texts).toBe(0);
  });

  test("comes at the prompt, too: s, the phone, the code", async () => {
    const terminal = person("s", "1");
    const { readLine } = terminal;
    const typing: Partial<Terminal> = {
      ...terminal,
      readLine: (question, options) =>
        question.includes("from your phone")
          ? Promise.resolve(double.account.textedCode ?? "")
          : readLine(question, options),
    };
    const login = await kei(["login"], { env, terminal: typing });
    expect(login.code).toBe(0);
    expect(terminal.questions[1]).toContain("Which phone? 1 is (***) ***-**07");
    expectHidden(PASSWORD, double.account.textedCode ?? "none");
  });

  test("is the first one with `kei login --phone`", async () => {
    const terminal: Partial<Terminal> = {
      ...person(),
      readLine: async (question) => (question.includes("from your phone") ? (double.account.textedCode ?? "") : "?"),
    };
    expect((await kei(["login", "--phone", "2"], { env, terminal })).code).toBe(0);
    expect([double.account.texts, double.account.pushes]).toEqual([1, 0]);
  });

  test("is not sent without end: Apple says when it is enough, and the last code still counts", async () => {
    double.account.switches.codeLimit = 1;
    expect((await kei(["login", "get-code", "--phone", "1"], { env })).code).toBe(0);
    const last = double.account.textedCode ?? "none";
    const more = await kei(["login", "get-code", "--phone", "2"], { env });
    expect([more.code, more.stderr]).toEqual([3, expect.stringContaining("no further codes")]);
    expect((await kei(["login", "submit-code", last], { env })).code).toBe(0);
  });

  test("to a blocked phone names the others as the way out", async () => {
    double.account.switches.phones[0] = { id: 3, lastTwoDigits: "07", blocked: true };
    const { code, stderr } = await kei(["login", "get-code", "--phone", "1"], { env });
    expect([code, stderr]).toEqual([3, expect.stringContaining("can receive no codes for now")]);
    expect(stderr).toContain("kei login phones");
  });

  test("of an account that Apple hides before the code costs one proof of the password", async () => {
    double.account.switches.refuseBeforeCode = true;
    expect((await kei(["login", "get-code", "--phone", "2"], { env })).code).toBe(0);
    expect((await kei(["login", "submit-code", double.account.textedCode ?? ""], { env })).code).toBe(0);
    expect(proofs()).toBe(1);
  });
});

describe("without a terminal", () => {
  test.each([
    [["login"], 3, "kei password set"],
    [["login", "get-code"], 3, "kei password set"],
    [["login", "phones"], 3, "kei password set"],
    [["sync"], 3, "--password-command"],
    [["list", "albums"], 3, "ICLOUD_PASSWORD"],
    [["password", "set"], 1, "kei password set < FILE"],
  ] as const)("%j asks nothing, and names the command to run", async (args, code, way) => {
    const result = await home.run([...args, ...(args[0] === "sync" ? ["-d", home.photos] : [])]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(way)]);
    expect(double.log.count(/signin/)).toBe(0);
  });

  test("a code that is needed is named with the commands that get it and hand it in", async () => {
    for (const args of [["login"], ["sync", "-d", home.photos]]) {
      const { code, stderr } = await kei(args, { env: { ICLOUD_PASSWORD: PASSWORD } });
      expect(code).toBe(3);
      expect(stderr).toContain("kei login get-code");
      expect(stderr).toContain("kei login submit-code CODE");
    }
    expect([double.account.pushes, double.account.texts]).toEqual([0, 0]);
  });

  test.each([
    { inIsTerminal: true, errIsTerminal: false },
    { inIsTerminal: false, errIsTerminal: true },
  ])("means without one to type at, or without one to show the question: %j", async (half) => {
    const questions: string[] = [];
    const readLine: Terminal["readLine"] = async (question) => {
      questions.push(question);
      return "";
    };
    const login = await kei(["login"], { terminal: { ...half, readLine } });
    expect([login.code, questions]).toEqual([3, []]);
    const set = await kei(["password", "set"], { terminal: { ...half, readLine } });
    expect(set.code).toBe(1);
    expect(set.stderr).toContain(half.inIsTerminal ? "stderr is no terminal" : "The password is empty");
    expect(existsSync(accountFiles(home.data, "com", USER).credential)).toBe(false);
  });
});

test("`password set` takes the password twice at a terminal, and stores nothing when the two differ", async () => {
  const differing = await kei(["password", "set"], { terminal: person("one", "other") });
  expect([differing.code, differing.stderr]).toEqual([1, expect.stringContaining("The two differ")]);
  expect((await kei(["password", "set"], { terminal: person("") })).stderr).toContain("The password is empty");
  expect((await kei(["password", "backend"])).stdout).toBe("none\n");
  expect((await kei(["password", "set"], { terminal: person(PASSWORD, PASSWORD) })).code).toBe(0);
  expect((await kei(["password", "backend"])).stdout).toBe("encrypted-file\n");
});

test("a password that was mistyped is asked for again, and Apple hears each once", async () => {
  const terminal = person("Wrong-Horse-41", "Wrong-Horse-42", PASSWORD);
  const { readLine } = terminal;
  const typing: Partial<Terminal> = {
    ...terminal,
    readLine: (question, options) =>
      question.startsWith("Verification")
        ? Promise.resolve(double.account.deviceCode ?? "")
        : readLine(question, options),
  };
  const first = await kei(["sync", "-d", home.photos], { terminal: typing });
  expect([first.code, terminal.questions.length, proofs()]).toEqual([0, 3, 3]);
  expect(first.stderr).toContain("Apple does not accept this password");
  expectHidden("Wrong-Horse-41", "Wrong-Horse-42", PASSWORD);
});

test("a dry run at a terminal asks for no code: the trust that it brings would be lost", async () => {
  const terminal = person("000000");
  const { code, stderr } = await kei(["sync", "-d", home.photos, "--dry-run"], {
    env: { ICLOUD_PASSWORD: PASSWORD },
    terminal,
  });
  expect([code, terminal.questions, double.account.pushes]).toEqual([3, [], 0]);
  expect(stderr).toContain("kei login");
});
