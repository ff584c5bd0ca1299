/** `kei config show`: what counts, where it comes from, and a file that says the same. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfigFile } from "../../src/config/file.ts";
import { findConfigFile } from "../../src/config/paths.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import { SETTING_NAMES, settingOf } from "../../src/config/settings.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { Home, type KeiResult, runInProcess } from "../support/kei.ts";

let home: Home;
beforeEach(() => {
  home = new Home(undefined, { KEI_HTTP_ENABLED: "" });
});
afterEach(() => home.remove());

function show(args: readonly string[] = [], env: Record<string, string> = {}): Promise<KeiResult> {
  return runInProcess(["config", "show", ...args], {
    env: { ...home.env, ...env },
    cwd: home.root,
    clock: systemClock,
  });
}

function writeConfig(text: string): string {
  mkdirSync(home.data, { recursive: true });
  const path = join(home.data, "config.toml");
  writeFileSync(path, text);
  return path;
}

/** A flag of each setting with a value that is not the default. */
const SAMPLES: Readonly<Record<string, string>> = {
  username: "me@example.com",
  directory: "some/photos",
  albums: 'Rö"m\\,\u007f',
  smartFolders: "Favorites",
  libraries: "all",
  skipCreatedBefore: "2020-01-01",
  skipCreatedAfter: "30d",
  recent: "100",
  filenameExclude: "*.PNG",
  folderStructure: "none",
  folderStructureAlbums: "{album}/%Y",
  folderStructureSmartFolders: "{smart-folder}/%Y",
  sizes: "medium",
  bandwidthLimit: "1.5MiB",
  tempSuffix: ".part",
  httpBind: "0.0.0.0",
};

describe("kei config show", () => {
  test("works without network, account, folder and file, and tells the origin of every line", async () => {
    const { code, stdout, stderr } = await show();
    expect([code, stderr]).toEqual([0, ""]);
    for (const name of SETTING_NAMES) {
      const { key } = settingOf(name);
      if (key !== undefined)
        expect(stdout).toMatch(new RegExp(`^(# )?${key.split(".").at(-1)}(:| =) .*(default|not set)$`, "m"));
    }
    expect(stdout).toContain("not there yet");
  });

  test("tells flag, variable, file and default apart", async () => {
    writeConfig('[download]\ndirectory = "~/there"\n\n[filters]\nalbums = ["Rome"]\n');
    const { stdout } = await show(["--threads", "3"], { KEI_MAX_RETRIES: "7" });
    expect(stdout).toMatch(/^threads = 3 +# flag --threads$/m);
    expect(stdout).toMatch(/^per_transfer = 7 +# env KEI_MAX_RETRIES$/m);
    expect(stdout).toMatch(/^albums = \["Rome"\] +# file, line 5$/m);
    expect(stdout).toMatch(/^# per_asset = 10 +# default$/m);
    expect(stdout).toContain(`directory = ${JSON.stringify(join(home.root, "there"))}`);
  });

  test("fed back as --config prints the same again", async () => {
    const args = SETTING_NAMES.flatMap((name) => {
      const { flag, key, type, on, default: usual } = settingOf(name);
      // Of the ways to give a password one can be meant; one of them is not shown.
      if (
        flag === undefined ||
        key === undefined ||
        name === "passwordCommand" ||
        !["all", "account", "folder", "selection", "sync", "caution"].includes(on)
      )
        return [];
      const sample =
        SAMPLES[name] ??
        (type.kind === "boolean" ? String(!usual) : undefined) ??
        (type.kind === "choice" ? type.values.find((value) => value !== usual) : undefined) ??
        (type.kind === "integer" ? String(Math.min(type.max, type.min + 17)) : "some/path");
      return [`--${flag}=${sample}`];
    });
    const shown = join(home.root, "shown.toml");
    const first = await show([...args, "--plain"]);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    writeFileSync(shown, first.stdout);
    const second = await show(["--plain", "--config", shown]);
    expect(second.stdout).toBe(first.stdout);
    // Nothing but remarks is more in the long form.
    const long = await show(args);
    const path = join(home.root, "long.toml");
    writeFileSync(path, long.stdout);
    expect((await readConfigFile(path)).values).toEqual((await readConfigFile(shown)).values);
    expect(Object.keys((await readConfigFile(shown)).values).length).toBeGreaterThan(35);
  });

  test("is a file that means the same, also where several settings speak together", async () => {
    const cases = [
      ["--size", "original", "--size", "adjusted", "--size", "alternative"],
      ["--size", "none", "--size", "adjusted"],
      ["--skip-videos", "--bandwidth-limit", "1M"],
      ["--skip-photos", "--live-photo-mode", "image-only"],
    ];
    for (const args of cases) {
      const given = await show([...args, "--plain"]);
      const path = join(home.root, "shown.toml");
      writeFileSync(path, given.stdout);
      expect((await show(["--plain", "--config", path])).stdout).toBe(given.stdout);
      // A default that nobody has said stays one: it can mean something else than the same value by wish.
      const file = findConfigFile(path, home.env, home.root);
      const { origins } = await resolveSettings({}, file, home.env, home.root);
      expect(origins).toMatchObject({ albums: "default", liveResolution: "default" });
    }
    expect((await show(["--size", "adjusted"])).stdout).toContain(
      '# resolution: ["adjusted"], by flag --size; the file can\'t say this',
    );
  });

  test("shows no secret, in no form", async () => {
    const file = join(home.root, "password");
    writeFileSync(file, "hunter22\n");
    for (const form of [[], ["--plain"], ["--json"]]) {
      const { stdout, stderr } = await show(form, { ICLOUD_PASSWORD: "hunter22", KEI_PASSWORD_FILE: file });
      expect(stdout + stderr).not.toContain("hunter22");
      expect(stdout).toContain(file);
    }
    const command = await show(["--password-command", "echo hunter22"], { KEI_PASSWORD_FILE: file });
    expect(command.stdout).not.toContain("hunter22");
    expect(command.stdout).toContain("# password_command: set by flag --password-command, not shown");
    expect(command.stdout).toContain(
      `# password_file: ${JSON.stringify(file)}, by env KEI_PASSWORD_FILE; the password command counts`,
    );
    expect((await show([], { ICLOUD_PASSWORD: "hunter22" })).stdout).toContain(
      "# password: set by env ICLOUD_PASSWORD, not shown",
    );
  });

  test("answers programs in JSON", async () => {
    const path = writeConfig("[download]\nthreads = 4\n");
    const { stdout } = await show(["--json", "--skip-videos"], { ICLOUD_PASSWORD: "hunter22" });
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual(["schema", "command", "file", "settings"]);
    expect(answer).toMatchObject({ schema: 1, command: "config show", file: { path, exists: true } });
    const named = (name: string) => answer.settings.find((one: { name: string }) => one.name === name);
    expect(named("threads")).toEqual({
      name: "threads",
      key: "download.threads",
      value: 4,
      origin: "file",
      line: 2,
      flag: "--threads",
      env: "KEI_THREADS",
    });
    expect(named("media")).toMatchObject({ value: ["photos", "live-photos"], origin: "flag", line: null });
    expect(named("per_asset")).toMatchObject({ value: 10, origin: "default", line: null });
    expect(named("password")).toMatchObject({ value: null, origin: "env", hidden: true });
    expect(named("dry_run")).toBeUndefined();
  });

  test("shows what contradicts itself before it refuses it", async () => {
    const { code, stdout, stderr } = await show(["--recent", "5d", "--skip-created-before", "2020-01-01"]);
    expect(code).toBe(1);
    expect(stdout).toContain('recent = "5d"');
    expect(stderr).toContain("(--recent; --skip-created-before)");
  });

  test("writes nothing", async () => {
    const path = writeConfig('[auth]\nusername = "me@example.com"\n');
    await show(["-d", "elsewhere"]);
    expect(readFileSync(path, "utf8")).toBe('[auth]\nusername = "me@example.com"\n');
  });
});
