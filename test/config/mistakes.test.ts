/** Whatever is wrong with a configuration is told with the place where it was said. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkTogether } from "../../src/config/derive.ts";
import { isKnownVariable } from "../../src/config/environment.ts";
import { readConfigFile } from "../../src/config/file.ts";
import { resolveAnyway } from "../../src/config/lenient.ts";
import { findConfigFile } from "../../src/config/paths.ts";
import { type Flags, type Resolved, resolveSettings } from "../../src/config/resolve.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "kei-mistakes-"));
  path = join(home, "kei.toml");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was wrong");
}

function resolve(toml: string, flags: Flags = {}, env: Record<string, string> = {}): Promise<Resolved> {
  writeFileSync(path, toml);
  return resolveSettings(flags, findConfigFile(path, { HOME: home }, home), { HOME: home, ...env }, home);
}

describe("a file that was asked for and can't be read", () => {
  test.each([
    ["is a folder", () => mkdirSync(path), "it is a folder"],
    ["leads nowhere", () => symlinkSync(path, path), "ELOOP"],
  ])("is told, not passed over: one that %s", async (_how, make, reason) => {
    make();
    const failure = await failureOf(resolveSettings({}, findConfigFile(path, { HOME: home }, home), {}, home));
    expect([failure.exit, failure.message]).toEqual([EXIT.failure, `Could not read config file ${path}: ${reason}`]);
  });
});

describe("a mistake in the file", () => {
  test.each([
    // What is no TOML at all.
    ["\n[download\nthreads = 3\n", "line 2, column 2: ", ""],
    ["[download]\nthreads = 3\nthreads = 4\n", "line 3, column 1: trying to redefine", ""],
    ["[a]\n\n[a]\n", "line 3, column 2: trying to redefine", ""],
    ['\nx = "abc\ny = 1\n', "line 2: the text that begins here never ends", ""],
    ['[filters]\nalbums = [\n"a",\n', "line 2: the list that begins here never ends", ""],
    ["a = {b = 1,\n", "line 1: the table that begins here never ends", ""],
    // Keys that are none.
    ["[downlod]\n", "line 1: unknown field `downlod`", "the table [download]"],
    ["\n\n[nothing.of.the.kind]\n", "line 3: unknown field `[nothing.of.the] kind`", "Delete it"],
    ['"download.threads" = 3\n', 'line 1: unknown field `"download.threads"`', "`[download] threads`"],
    ["\n__proto__ = 3\n", "line 2: unknown field `__proto__`", "Delete it"],
    ["[constructor]\nx = 1\n", "line 1: unknown field `constructor`", "Delete it"],
    ['"\\u001b[31m" = 1\n', 'line 1: unknown field `"\\u001b[31m"`', "Delete it"],
    ["[download.retry]\n\n[download.retry.more]\n", "line 3: unknown field `[download.retry] more`", ""],
    // Tables where values belong, and the other way round.
    ["\ndownload = 3\n", "line 2: `download` is a table", "[download] on a line of its own"],
    ["[download.threads]\nx = 1\n", "line 1: `[download] threads` is a value, not a table", ""],
    ["[download]\nthreads = {}\n", "line 2: `[download] threads` is a value, not a table", ""],
    ["[[download]]\nthreads = 3\n", "line 1: [[download]] is a list of tables", "[download]"],
    // Values, however deep they stand.
    [
      '[download]\nretry = { per_asset = "x" }\n',
      "line 2: `[download.retry] per_asset`: it must be a whole number",
      "",
    ],
    ["\ndownload.retry.per_asset = 1.5\n", "line 2: `[download.retry] per_asset`: it must be a whole number", ""],
    ['[filters]\nalbums = [\n  "all",\n  1\n]\n', "line 2: `[filters] albums`: it must be a list of texts", ""],
    ["[filters]\nrecent = 2020-01-01\n", "line 2: `[filters] recent`", ""],
    ["[filters]\nskip_created_before = 2020-01-01\n", "line 2: `[filters] skip_created_before`: it must be a text", ""],
    ['\n\n["auth"]\n"username" = ""\n', "line 4: `[auth] username`: it must not be empty", ""],
    ["[watch]\ninterval = 59\n", "line 2: `[watch] interval`: 59 is not a whole number from 60 to 86400", ""],
  ])("%j is told with its line", async (toml, message, remedy) => {
    writeFileSync(path, toml);
    const failure = await failureOf(readConfigFile(path));
    expect(failure.exit).toBe(EXIT.failure);
    expect(failure.message).toStartWith(`Failed to parse config file ${path}: ${message}`);
    expect(failure.remedy).toContain(remedy);
  });

  test("never repeats a password, whatever is wrong with its line", async () => {
    for (const line of ['"hunter22', "hunter22", "'hunter22'", '["hunter22"]', "{ a = 'hunter22' }", '"""hunter22']) {
      writeFileSync(path, `[auth]\npassword = ${line}\n`);
      const failure = await failureOf(readConfigFile(path));
      expect(failure.message).toContain("line 2");
      expect(`${failure.message} ${failure.remedy}`).not.toContain("hunter22");
    }
  });

  test("that shows only in a whole path has its line, too", async () => {
    const failure = await failureOf(resolve('\n[download]\ndirectory = "../../etc"\n'));
    expect(failure.message).toContain(`${path} is wrong: line 3: \`[download] directory\`: /etc is a system folder`);
  });
});

describe("settings that contradict each other", () => {
  const together = async (toml: string, flags: Flags = {}, env: Record<string, string> = {}) => {
    const resolved = await resolve(toml, flags, env);
    return failureOf(Promise.resolve().then(() => checkTogether(resolved, 0)));
  };

  test("are told with the lines of the file", async () => {
    const failure = await together('[filters]\nrecent = "5d"\n\nskip_created_before = "2020-01-01"\n');
    expect(failure).toMatchObject({ exit: EXIT.failure });
    expect(failure.message).toEndWith(`(line 2 of ${path}; line 4 of ${path})`);
    const none = await together('[photos]\nresolution = "none"\n');
    expect(none.message).toBe(`With the size none nothing would be saved (line 2 of ${path})`);
  });

  test("are told with the flags and variables that said them", async () => {
    const failure = await together("", { recent: "5d" }, { KEI_SKIP_CREATED_BEFORE: "2020-01-01" });
    expect(failure.message).toEndWith("(--recent; KEI_SKIP_CREATED_BEFORE)");
    const live = await together('[filters]\nmedia = ["live-photos"]\n', {}, { KEI_LIVE_PHOTO_MODE: "skip" });
    expect(live.message).toEndWith(`(line 2 of ${path}; KEI_LIVE_PHOTO_MODE)`);
    const scope = await together("", { recentScope: "per-filter" });
    expect(scope.message).toEndWith("(--recent-scope)");
  });
});

describe("a variable that would do nothing", () => {
  test.each([
    ["KEI_ALBUMS", "Did you mean KEI_ALBUM?"],
    ["KEI_DIRECTORY", "Did you mean KEI_DOWNLOAD_DIR?"],
    ["KEI_THREDS", "Did you mean KEI_THREADS?"],
    ["KEI_NO_AUTO_CONFG", "Did you mean KEI_NO_AUTO_CONFIG?"],
    ["KEI_QWERTYUIOP", "Unset it"],
  ])("%s is an error", async (name, remedy) => {
    const failure = await failureOf(resolve("", {}, { [name]: "hunter22" }));
    expect(failure).toMatchObject({ exit: EXIT.failure, message: expect.stringContaining(name) });
    expect(failure.remedy).toContain(remedy);
    expect(`${failure.message}${failure.remedy}`).not.toContain("hunter22");
  });

  test("is told to a command that runs anyway, and left out", async () => {
    writeFileSync(path, "[download]\nthreads = 4\n");
    const env = { HOME: home, KEI_ALBUMS: "Rome", KEI_MAX_RETRIES: "many", KEI_LIBRARY: "all" };
    const { resolved, problems } = await resolveAnyway({}, path, env, home);
    expect(problems.map(({ message }) => /KEI_[A-Z_]+/.exec(message)?.[0])).toEqual(["KEI_ALBUMS", "KEI_MAX_RETRIES"]);
    expect(resolved.settings).toMatchObject({ threads: 4, libraries: ["all"], perTransfer: 3 });
    writeFileSync(path, "[download\n");
    const broken = await resolveAnyway({}, path, env, home);
    expect(broken.problems).toHaveLength(3);
    expect(broken.resolved.file).toMatchObject({ path, exists: true });
  });

  test("is left alone when it is empty, another program's, or a container's", async () => {
    await resolve("", {}, { KEI_ALBUMS: "", KEINE: "1", KEI_SERVICE_HOST: "10.0.0.1", KEI_PORT_9090_TCP_ADDR: "x" });
  });

  test("is never one that kei itself reads", () => {
    const sources = join(import.meta.dir, "../../src");
    const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".ts") && !file.endsWith("environment.ts"),
    );
    const read = files.flatMap((file) => readFileSync(join(sources, file), "utf8").match(/"KEI_[A-Z_]+"/g) ?? []);
    const names = read
      .map((quoted) => quoted.slice(1, -1))
      .filter((name) => !["KEI_VERSION", "KEI_COMMIT"].includes(name));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !isKnownVariable(name))).toEqual([]);
  });
});
