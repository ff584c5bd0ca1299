/** The one table of settings, and the ways its values come in. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfigFile } from "../../src/config/file.ts";
import { rememberFirstRun } from "../../src/config/first-run.ts";
import { expandPath, findConfigFile, homeFolder } from "../../src/config/paths.ts";
import { type Flags, type Resolved, resolveSettings } from "../../src/config/resolve.ts";
import { SETTING_NAMES, settingOf } from "../../src/config/settings.ts";
import { accept } from "../../src/config/values.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";
import type { Logger } from "../../src/runtime/ports.ts";

let home: string;
let warnings: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "kei-config-"));
  warnings = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => {
    warnings.push(message);
  },
  error: () => undefined,
};

const environment = (more: Record<string, string> = {}) => ({ HOME: home, ...more });

function writeConfig(text: string): string {
  const path = join(home, ".config", "kei", "config.toml");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function resolve(flags: Flags = {}, env: Record<string, string> = {}): Promise<Resolved> {
  return resolveSettings(flags, findConfigFile(undefined, environment(env), home), environment(env), home);
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

describe("the table of settings", () => {
  test("has no flag, letter, variable or key twice", () => {
    for (const part of ["flag", "short", "env", "key"] as const) {
      const all = SETTING_NAMES.flatMap((name) => settingOf(name)[part] ?? []);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test("has defaults that its own checks accept", () => {
    for (const name of SETTING_NAMES) {
      const setting = settingOf(name);
      if (setting.default !== undefined && setting.type.kind !== "boolean") {
        expect(accept(setting, setting.default)).toBe(setting.default);
      }
    }
  });

  test("names every variable in one way, and says in one line what a setting is for", () => {
    for (const name of SETTING_NAMES) {
      const { env, flag, key, help } = settingOf(name);
      if (env !== undefined) expect(env).toMatch(/^(KEI|ICLOUD)_[A-Z_]+$/);
      if (flag !== undefined) expect(flag).toMatch(/^[a-z][a-z-]*$/);
      expect(flag ?? key).toBeDefined();
      if (key !== undefined) expect(key).toMatch(/^[a-z_]+(\.[a-z_]+)*$/);
      expect(help).toMatch(/^\p{Lu}[^\n]+[^.]$/u);
    }
  });

  test("keeps secrets out of the configuration file", () => {
    for (const name of SETTING_NAMES) {
      const { secret, key } = settingOf(name);
      if (secret === true) expect(key).toBeUndefined();
    }
  });
});

describe("a setting", () => {
  test("is taken from the flag before the environment before the file before the default", async () => {
    writeConfig("[download]\nthreads = 3\n");
    expect((await resolve()).settings.threads).toBe(3);
    expect((await resolve({}, { KEI_THREADS: "4" })).settings.threads).toBe(4);
    const all = await resolve({ threads: 5 }, { KEI_THREADS: "4" });
    expect(all.settings.threads).toBe(5);
    expect(all.origins).toMatchObject({ threads: "flag", domain: "default" });
  });

  test("counts an empty variable as unset", async () => {
    expect((await resolve({}, { KEI_THREADS: "" })).settings.threads).toBe(10);
  });

  test("replaces a list, and never adds to one", async () => {
    writeConfig('[filters]\nalbums = ["Rome", "Family"]\n');
    expect((await resolve()).settings.albums).toEqual(["Rome", "Family"]);
    expect((await resolve({}, { KEI_ALBUM: "A, B" })).settings.albums).toEqual(["A, B"]);
    writeConfig("[filters]\nalbums = []\n");
    const empty = await resolve();
    // That nobody has named albums means something, too.
    expect([empty.settings.albums, empty.origins.albums]).toEqual([["all"], "default"]);
  });

  test("that is wrong in the environment fails, and a secret is not repeated", async () => {
    const failure = await failureOf(resolve({}, { KEI_THREADS: "many" }));
    expect(failure).toMatchObject({ exit: EXIT.failure });
    expect(failure.message).toContain('KEI_THREADS is wrong: "many" is not a whole number from 1 to 64');
  });

  test("that is a path begins at home, or where kei was started", async () => {
    writeConfig('[download]\ndirectory = "~/Photos"\n');
    expect((await resolve()).settings.directory).toBe(join(home, "Photos"));
    expect((await resolve({ directory: "here/../there" })).settings.directory).toBe(join(home, "there"));
    expect(expandPath("~other", environment(), "/srv")).toBe("/srv/~other");
  });

  test("of home comes from the account database where HOME is unset", () => {
    expect(homeFolder({})).toMatch(/^\//);
    expect(homeFolder({ HOME: "" })).toBe(homeFolder({}));
  });
});

describe("a download folder that turns out to be a system folder once its path is whole is refused", () => {
  const file = () => findConfigFile(undefined, environment(), home);

  test.each([
    ["/root/photos", "..", "/root"],
    ["/home", "..", "/"],
    ["/work", "../etc/.", "/etc"],
  ])("below %s: %s", async (cwd, directory, whole) => {
    const env = environment();
    const byFlag = await failureOf(resolveSettings({ directory }, file(), env, cwd));
    expect(byFlag).toMatchObject({
      exit: EXIT.usage,
      message: `--download-dir: ${whole} is a system folder; choose one of your own`,
    });
    const byVariable = await failureOf(resolveSettings({}, file(), { ...env, KEI_DOWNLOAD_DIR: directory }, cwd));
    expect(byVariable).toMatchObject({
      exit: EXIT.failure,
      message: expect.stringContaining(`KEI_DOWNLOAD_DIR is wrong: ${whole}`),
    });
    const path = writeConfig(`[download]\ndirectory = "${directory}"\n`);
    const byFile = await failureOf(resolveSettings({}, file(), env, cwd));
    expect(byFile).toMatchObject({
      exit: EXIT.failure,
      message: expect.stringContaining(`${path} is wrong: line 2: \`[download] directory\`: ${whole}`),
    });
  });

  test("also as the home folder of its user", async () => {
    const failure = await failureOf(resolveSettings({ directory: "~" }, file(), { HOME: "/root" }, "/work"));
    expect(failure.message).toContain("/root is a system folder");
  });
});

describe("the configuration file", () => {
  test.each([
    ["[download]\nthread = 3\n", "line 2: unknown field `[download] thread`", "Did you mean `[download] threads`?"],
    ["\n[download]\nthreads = 300\n", "line 3: `[download] threads`: 300 is not a whole number from 1 to 64", ""],
    ['[download]\nthreads = "3"\n', "it must be a whole number", ""],
    ['[filters]\nalbums = "Rome"\n', "it must be a list of texts", ""],
    ['[filters]\nunfiled = "yes"\n', "it must be true or false", ""],
    ['[filters]\nalbums = ["all", "Rome"]\n', '"all" takes exclusions', ""],
    ['[auth]\npassword = "hunter22"\n', "`[auth] password` is no longer supported", "password_file"],
    ['[auth]\ncookie_directory = "x"\n', "unknown field `[auth] cookie_directory`", "`data_dir`"],
    ["[download.retry]\nmax_retries = 3\n", "[download.retry] max_retries", "[download.retry] per_transfer"],
    ['folder_structure = "none"\n', "unknown field `folder_structure`", "[download] folder_structure"],
    ['[download]\nfolder_structure = "{x}"\n', "braces", ""],
    ["[download\nthreads = 3\n", "Failed to parse config file", ""],
  ])("%j is refused with its line and the way out", async (text, message, remedy) => {
    const path = writeConfig(text);
    const failure = await failureOf(readConfigFile(path));
    expect(failure.exit).toBe(EXIT.failure);
    expect(failure.message).toContain(path);
    expect(failure.message).toContain(message);
    expect(failure.remedy).toContain(remedy);
    expect(`${failure.message}${failure.remedy}`).not.toContain("hunter22");
  });

  test("is only read, never run or extended", async () => {
    const marker = join(home, "ran");
    const path = writeConfig('extends = "./other.ts"\n');
    writeFileSync(
      join(home, ".config", "kei", "other.ts"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, ""); export default {};`,
    );
    writeFileSync(join(home, ".config", "kei", ".env"), "KEI_THREADS=7\n");
    const failure = await failureOf(readConfigFile(path));
    expect(failure.message).toContain("unknown field `extends`");
    expect(existsSync(marker)).toBe(false);
    expect(process.env["KEI_THREADS"]).toBeUndefined();
  });

  test("is the one asked for, else that of XDG, else that of home", () => {
    expect(findConfigFile(undefined, environment(), home).path).toBe(join(home, ".config/kei/config.toml"));
    expect(findConfigFile(undefined, environment({ XDG_CONFIG_HOME: "/xdg" }), home).path).toBe("/xdg/kei/config.toml");
    expect(findConfigFile(undefined, environment({ XDG_CONFIG_HOME: "relative" }), home).path).toBe(
      join(home, ".config/kei/config.toml"),
    );
    expect(findConfigFile("my.toml", environment({ KEI_CONFIG: "/other.toml" }), home)).toEqual({
      path: join(home, "my.toml"),
      exists: false,
      explicit: true,
    });
  });

  test("that was asked for must be a .toml in a folder that is there", () => {
    expect(() => findConfigFile("kei.yaml", environment(), home)).toThrow("must end with .toml");
    expect(() => findConfigFile("no/such/kei.toml", environment(), home)).toThrow("folder does not exist");
  });
});

describe("the first run", () => {
  const given: Flags = { username: "me@example.com", directory: 'odd "name"\\dir', password: "hunter22" };

  test("writes account and folder down, privately and without the password", async () => {
    const resolved = await resolve(given);
    await rememberFirstRun(resolved, environment(), logger);
    const text = readFileSync(resolved.file.path, "utf8");
    expect(text).not.toContain("hunter22");
    expect(statSync(resolved.file.path).mode & 0o777).toBe(0o600);
    const again = await resolve();
    expect(again.settings).toMatchObject({
      username: "me@example.com",
      directory: resolved.settings.directory ?? "",
    });
  });

  test("writes one source of the password down, the one that counts", async () => {
    const both: Flags = { username: "me@example.com", directory: "photos", passwordFile: "secret.txt" };
    await rememberFirstRun(await resolve(both, { KEI_PASSWORD_COMMAND: "pass show x" }), environment(), logger);
    const { settings } = await resolve();
    expect([settings.passwordFile, settings.passwordCommand]).toEqual([join(home, "secret.txt"), undefined]);
  });

  test("never touches a file that is there, and can be told not to write one", async () => {
    await rememberFirstRun(await resolve(given), environment({ KEI_NO_AUTO_CONFIG: "1" }), logger);
    expect(existsSync(join(home, ".config/kei/config.toml"))).toBe(false);
    const path = writeConfig("# mine\n");
    await rememberFirstRun(await resolve(given), environment(), logger);
    expect(readFileSync(path, "utf8")).toBe("# mine\n");
  });

  test("goes on when nothing can be written", async () => {
    const resolved = await resolve(given);
    writeFileSync(join(home, ".config"), "a file where a folder belongs");
    await rememberFirstRun(resolved, environment(), logger);
    expect(warnings).toEqual(["could not write the configuration"]);
  });
});
