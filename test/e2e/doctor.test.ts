/** `kei doctor` looks at everything kei depends on, whatever is wrong, writes nothing, and tells no secret. */

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { probeAbilities } from "../../src/download/abilities.ts";
import { accountFiles } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { Home, type KeiResult, keiCommand, runInProcess } from "../support/kei.ts";

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly checks: Readonly<
    Record<string, { readonly status: string; readonly message: string; readonly remedy?: string }>
  >;
}

let double: Double;
let home: Home;

afterEach(async () => {
  await double.stop();
  home.remove();
});

async function begin(options: { readonly signedIn?: boolean } = {}): Promise<void> {
  const library = new PhotoLibrary({ seed: 3 });
  library.addAsset({ filename: "A.JPG", content: 900, assetDate: Date.parse("2024-05-01T10:00:00Z") });
  double = await startDouble({ library });
  home = new Home(double);
  home.env["KEI_DOWNLOAD_DIR"] = home.photos;
  if (options.signedIn === false) return;
  await home.signIn(double);
  expect((await kei(["sync"])).code).toBe(0);
}

function kei(args: readonly string[], ahead = 0): Promise<KeiResult> {
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  return runInProcess(args, { env: home.env, cwd: home.root, clock });
}

async function doctor(...args: readonly string[]): Promise<Answer> {
  return answerOf(await kei(["doctor", "--json", ...args]));
}

function answerOf({ code, stdout }: KeiResult): Answer {
  const { checks } = JSON.parse(stdout) as { checks: Array<{ name: string; status: string; message: string }> };
  return { code, stdout, checks: Object.fromEntries(checks.map(({ name, ...rest }) => [name, rest])) };
}

const files = () => accountFiles(home.data, "com", double.account.username);

describe("kei doctor", () => {
  test("finds nothing wrong where nothing is, leaves no trace, and sends nothing of the account", async () => {
    await begin();
    const before = [readdirSync(home.data), readdirSync(home.photos), statSync(files().database).mtimeMs];
    const requests = double.log.all.length;
    const answer = await doctor();
    expect(
      Object.entries(answer.checks).filter(([, { status }]) => status === "error" || status === "warning"),
    ).toEqual([]);
    expect(answer.code).toBe(0);
    expect([readdirSync(home.data), readdirSync(home.photos), statSync(files().database).mtimeMs]).toEqual(before);
    const asked = double.log.all.slice(requests);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(["HEAD /", "HEAD /"]);
    expect(
      asked.flatMap(({ headers }) => Object.keys(headers)).filter((name) => /cookie|auth|apple/i.test(name)),
    ).toEqual([]);
    expect(answer.checks["state_db"]?.message).toContain("1 photos, 1 on disk");
    expect(answer.checks["clock"]?.status).toBe("ok");
    expect(answer.checks["live_session"]?.status).toBe("skipped");
    const text = await kei(["doctor"]);
    expect([text.code, text.stderr]).toEqual([0, ""]);
    expect(text.stdout).toMatch(/^✓ runtime {6}kei .*SQLite/);
  });

  test("tells no secret: neither account nor password nor session, wherever they stand", async () => {
    await begin();
    const { username, password } = double.account;
    const named = join(home.root, username);
    renameSync(home.photos, named);
    home.env["KEI_DOWNLOAD_DIR"] = named;
    const { session, cookies } = files();
    const tokens = [session, cookies].flatMap(
      (path) => /"(?:value|session_token|trust_token)": ?"([^"]{12,})"/.exec(readFileSync(path, "utf8"))?.[1] ?? [],
    );
    expect(tokens.length).toBeGreaterThan(0);
    const { stdout } = await doctor("--live");
    for (const secret of [username, password, ...tokens]) expect(stdout).not.toContain(secret);
    expect(stdout).toContain("<redacted>");
  });

  test.each([
    ["a file that is no TOML", { file: "[download\nthreads = 4\n" }, [], {}, "config.toml"],
    ["an unknown key", { file: "[download]\ntreads = 4\n" }, [], {}, "treads"],
    ["a bad variable", {}, [], { KEI_THREADS: "many" }, "KEI_THREADS"],
    ["a --config that is nowhere", {}, ["--config", "/nowhere/at/all.toml"], {}, "/nowhere/at/all.toml"],
    ["two things at once", { file: "x = 1\n" }, [], { KEI_THREADS: "many" }, "KEI_THREADS"],
  ] as const)("runs with %s, and says what is wrong", async (_what, { file }: { file?: string }, args, env, words) => {
    await begin();
    if (file !== undefined) writeFileSync(join(home.data, "config.toml"), file);
    Object.assign(home.env, env);
    expect((await kei(["status", ...args])).code).toBe(1);
    const answer = await doctor(...args);
    expect([answer.code, answer.checks["config_parse"]?.status]).toEqual([1, "error"]);
    expect(answer.checks["config_parse"]?.message).toContain(words);
    if (args.length === 0) expect(answer.checks["state_db"]?.status).toBe("ok");
  });

  test("uses what is right of a file in which something is wrong, and tells all of that", async () => {
    await begin();
    for (const name of ["ICLOUD_USERNAME", "KEI_DOWNLOAD_DIR"]) delete home.env[name];
    const lines = ["[auth]", `username = "${double.account.username}"`, "[download]", "treads = 4", "threads = 99"];
    writeFileSync(join(home.data, "config.toml"), `${lines.join("\n")}\ndirectory = "${home.photos}"\n`);
    const { code, checks } = await doctor();
    expect([code, checks["download_dir"]?.status, checks["state_db"]?.status]).toEqual([1, "ok", "ok"]);
    expect(checks["config_parse"]?.message).toMatch(/line 4: .*treads.*line 5: .*threads/);
  });

  test("runs where nothing is configured and no home is known", async () => {
    await begin({ signedIn: false });
    const { KEI_TEST_ICLOUD = "" } = home.env;
    const result = await runInProcess(["doctor", "--json"], {
      env: { KEI_TEST_ICLOUD },
      cwd: home.root,
      clock: systemClock,
    });
    const answer = answerOf(result);
    expect([answer.code, answer.checks["account"]?.status, answer.checks["download_dir"]?.status]).toEqual([
      0,
      "warning",
      "warning",
    ]);
    expect((await home.run(["doctor"], { HOME: "", XDG_CONFIG_HOME: "" })).stdout).toContain("runtime");
  });

  test("still refuses a wrong command line", async () => {
    await begin({ signedIn: false });
    expect((await kei(["doctor", "--threads", "4"])).code).toBe(64);
  });

  test("notices a database that is damaged, without touching it", async () => {
    await begin();
    writeFileSync(files().database, "this is no database, and it is long enough to be looked at as one".repeat(20));
    const { code, checks } = await doctor();
    expect([code, checks["state_db"]?.status, checks["state_db"]?.message.includes("damaged")]).toEqual([
      1,
      "error",
      true,
    ]);
    expect(await Bun.file(files().database).text()).toStartWith("this is no database");
  });

  test.each([
    ["a file in its place", (): void => writeFileSync(home.photos, ""), "error", "is not a folder"],
    ["nothing in its place", (): void => undefined, "warning", "is not there"],
    ["an empty folder", (): void => void mkdirSync(home.photos), "ok", "can be written"],
  ] as const)("looks at the download folder: %s", async (_what, make, status, words) => {
    await begin();
    rmSync(home.photos, { recursive: true });
    make();
    const { checks } = await doctor();
    expect([checks["download_dir"]?.status, checks["download_dir"]?.message.includes(words)]).toEqual([status, true]);
    if (existsSync(home.photos) && statSync(home.photos).isDirectory()) expect(readdirSync(home.photos)).toEqual([]);
  });

  test("says what to do about a lock file that is none", async () => {
    await begin();
    writeFileSync(files().lock, "this is no lock".repeat(100));
    const { code, checks } = await doctor();
    expect([code, checks["instance"]?.status]).toEqual([1, "error"]);
    expect(checks["instance"]?.message).toContain("Cannot lock the account");
    expect(checks["instance"]?.remedy).toContain("delete it");
  });

  test.each([
    ["is empty", () => mkdirSync(home.photos), "is empty"],
    ["is not there", () => undefined, "is not there"],
  ])("does not find all well when the folder of what was saved %s", async (_how, make, words) => {
    await begin();
    rmSync(home.photos, { recursive: true });
    make();
    const { code, checks } = await doctor();
    expect([code, checks["state_db"]?.status]).toEqual([1, "error"]);
    expect(checks["state_db"]?.message).toContain(words);
    expect(checks["state_db"]?.remedy).toContain("--force");
  });

  test.skipIf(process.getuid?.() !== 0 || Bun.which("setpriv") === null)(
    "notices files that belong to another user (needs root to become nobody)",
    async () => {
      await begin();
      writeFileSync(join(home.data, "config.toml"), "", { mode: 0o600 });
      for (const folder of [home.root, join(home.root, "config"), home.data]) chmodSync(folder, 0o777);
      const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const child = Bun.spawn([...nobody, ...keiCommand(), "doctor", "--json"], { env: home.env, stdout: "pipe" });
      const { checks } = answerOf({ code: 1, stdout: await new Response(child.stdout).text(), stderr: "" });
      expect(checks["config_parse"]?.message).toContain("permission denied");
      expect(checks["data_dir"]).toMatchObject({ status: "error", remedy: expect.stringContaining("chown") });
      expect(Object.values(checks).filter(({ remedy }) => remedy === "Please report it.")).toEqual([]);
    },
  );

  test("notices files of the account that others can read", async () => {
    await begin();
    chmodSync(files().session, 0o644);
    const { checks } = await doctor();
    expect([checks["data_dir"]?.status, checks["data_dir"]?.remedy?.includes("chmod 600")]).toEqual(["warning", true]);
  });

  test.each([
    ["is empty", "\n", 0o600, "error", "is empty"],
    ["is not there", undefined, 0o600, "error", "can't be read"],
    ["holds two lines", "me@example.com\nsecret-word\n", 0o600, "error", "holds more than one line"],
    ["is open to others", "secret-word\n", 0o644, "warning", "can be read by others"],
    ["is right", "secret-word\n", 0o600, "ok", "comes from the password file"],
  ] as const)("looks at the password file: one that %s", async (_what, text, mode, status, words) => {
    await begin();
    delete home.env["ICLOUD_PASSWORD"];
    const path = join(home.root, "pw");
    home.env["KEI_PASSWORD_FILE"] = path;
    if (text !== undefined) writeFileSync(path, text, { mode });
    const { checks, stdout } = await doctor();
    expect([checks["password"]?.status, checks["password"]?.message.includes(words)]).toEqual([status, true]);
    expect(stdout).not.toContain("secret-word");
  });

  test("knows a password that Apple has refused", async () => {
    await begin({ signedIn: false });
    home.env["ICLOUD_PASSWORD"] = "not-the-password";
    expect((await kei(["login"])).code).toBe(3);
    const { code, checks } = await doctor();
    expect([code, checks["password"]?.status, checks["session"]?.status]).toEqual([1, "error", "warning"]);
  });

  test("compares the clock with Apple's", async () => {
    await begin();
    const at = async (ahead: number) => answerOf(await kei(["doctor", "--json"], ahead)).checks["clock"];
    expect(await at(3_600_000)).toMatchObject({
      status: "error",
      message: expect.stringContaining("ahead of Apple's"),
    });
    expect(await at(-120_000)).toMatchObject({ status: "warning", message: expect.stringContaining("behind Apple's") });
    expect(await at(-Date.now())).toMatchObject({ status: "error", message: "it is not 1970-01-01" });
  });

  test("says which part of the way to Apple is broken", async () => {
    await begin();
    const fault = double.faults.inject({ match: /^/, cut: "reset", times: Number.POSITIVE_INFINITY });
    const { code, checks } = await doctor();
    fault.remove();
    expect([code, checks["dns"]?.status, checks["connection"]?.status, checks["clock"]?.status]).toEqual([
      1,
      "ok",
      "error",
      "skipped",
    ]);
  });

  test("with --live asks Apple once, and never for a password or a code", async () => {
    await begin();
    rmSync(files().cache);
    let requests = double.log.all.length;
    const good = await doctor("--live");
    expect([good.code, good.checks["live_session"]?.status]).toEqual([0, "ok"]);
    expect(double.log.all.slice(requests).filter(({ method }) => method !== "HEAD")).toHaveLength(1);
    rmSync(files().cache);
    double.faults.inject({
      match: /validate|accountLogin/i,
      respond: () => new Response("{}", { status: 421 }),
      times: Number.POSITIVE_INFINITY,
    });
    requests = double.log.all.length;
    const over = await doctor("--live");
    expect([over.code, over.checks["live_session"]?.status]).toEqual([1, "error"]);
    expect(double.log.all.slice(requests).filter(({ operation }) => /signin/.test(operation))).toEqual([]);
  });

  test("knows of another kei at work, and leaves it alone", async () => {
    await begin();
    const lock = new Database(files().lock);
    lock.run("BEGIN EXCLUSIVE");
    try {
      const { code, checks } = await doctor("--live");
      expect([code, checks["instance"]?.message.includes("another kei"), checks["live_session"]?.status]).toEqual([
        0,
        true,
        "skipped",
      ]);
    } finally {
      lock.close();
    }
    expect((await doctor()).checks["instance"]?.message).toContain("no other kei");
  });

  test("reads health and report of the last runs", async () => {
    await begin();
    const report = join(home.root, "report.json");
    home.env["KEI_REPORT_JSON"] = report;
    expect((await doctor()).checks["report"]?.status).toBe("skipped");
    await kei(["sync"]);
    expect((await doctor()).checks["report"]).toMatchObject({ status: "ok" });
    writeFileSync(report, JSON.stringify({ status: "session_expired", timestamp: "2026-01-01T00:00:00Z" }));
    const account = files().database.replace(/.*\/|\.db$/g, "");
    const health = {
      account,
      last_sync_at: new Date().toISOString(),
      consecutive_failures: 3,
      last_error: "no way for me@example.com",
    };
    writeFileSync(join(home.data, "health.json"), JSON.stringify(health));
    const { checks } = await doctor();
    expect(checks["report"]?.status).toBe("error");
    expect(checks["health"]?.status).toBe("warning");
    expect(checks["health"]?.message).toMatch(/^3 runs in a row have failed.* no way for <redacted>$/);
    writeFileSync(join(home.data, "health.json"), JSON.stringify({ ...health, consecutive_failures: 1 }));
    expect((await doctor()).checks["health"]?.message).toMatch(/^the last run has failed, .* ago: no way for/);
  });
});

test("the probes of a file system tell what this one can do, and leave nothing", async () => {
  await begin({ signedIn: false });
  mkdirSync(home.photos);
  const abilities = await probeAbilities(home.photos);
  expect(abilities).toMatchObject({ hardLinks: true, longestName: 255, keepsSeconds: true });
  expect(readdirSync(home.photos)).toEqual([]);
});
