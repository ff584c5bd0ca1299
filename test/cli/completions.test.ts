/** The completion scripts, loaded by the shells they are for. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { completedCommands } from "../../src/cli/completions/model.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { runInProcess, until } from "../support/kei.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

let root: string;
const script = (shell: Shell) => join(root, `kei.${shell}`);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kei-completions-"));
  mkdirSync(join(root, "a folder"));
  writeFileSync(join(root, "a file.toml"), "");
  for (const shell of SHELLS) {
    const { code, stdout } = await printed(shell);
    expect(code).toBe(0);
    writeFileSync(script(shell), stdout);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const printed = (shell: string, env: Record<string, string> = {}) =>
  runInProcess(["completions", shell], { env, cwd: root, clock: systemClock });

function run(command: readonly string[]): { code: number; out: string[]; err: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "" },
  });
  const lines = stdout.toString().split("\n");
  return { code: exitCode, out: lines.filter((line) => line !== ""), err: stderr.toString() };
}

/** What a shell suggests for the last of these words. */
const SUGGEST: Readonly<Record<"bash" | "fish", (words: readonly string[]) => string[]>> = {
  bash: (words) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const lines = `source '${script("bash")}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _kei; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run(["bash", "-u", "-c", lines]).out;
  },
  fish: (words) => {
    const line = words.join(" ").replaceAll(" = ", "=");
    const { out } = run(["fish", "--no-config", "-c", `source '${script("fish")}'; complete -C '${line}'`]);
    return out.map((text) => text.split("\t")[0]?.replace(/^.*=/, "") ?? "");
  },
};

function testWith(shell: Shell) {
  return Bun.which(shell) === null ? test.skip : test;
}
const without = (shell: Shell) => (Bun.which(shell) === null ? ` (needs ${shell})` : "");

describe("the completion script", () => {
  test("knows every command and every flag of kei, in each shell", async () => {
    const commands = completedCommands();
    expect(commands[0]?.subcommands.map(({ name }) => name)).toEqual(Object.keys(COMMANDS));
    for (const shell of SHELLS) {
      const text = await Bun.file(script(shell)).text();
      for (const { flags, subcommands } of commands) {
        for (const { long } of flags) expect(text).toContain(shell === "fish" ? `-l ${long.slice(2)}` : long);
        for (const { name } of subcommands) expect(text).toContain(name);
      }
    }
  });

  test("is printed whatever the configuration and the environment are", async () => {
    const { code, stderr } = await printed("bash", { KEI_CONFIG: "/no/such/folder", KEI_NONSENSE: "1" });
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("must be asked for by the name of a shell", async () => {
    expect(await printed("powershell")).toMatchObject({ code: 64, stderr: expect.stringContaining("powershell") });
  });

  for (const shell of SHELLS) {
    testWith(shell)(`is understood by ${shell}${without(shell)}`, () => {
      expect(run([shell, "-n", script(shell)])).toEqual({ code: 0, out: [], err: "" });
    });
  }

  testWith("bash")(`is in force once bash has loaded it${without("bash")}`, () => {
    expect(run(["bash", "-c", `source '${script("bash")}'; complete -p kei`]).out).toEqual(["complete -F _kei kei"]);
  });

  for (const shell of ["bash", "fish"] as const) {
    const suggest = SUGGEST[shell];
    testWith(shell)(`suggests in ${shell} what may come next${without(shell)}`, () => {
      expect(suggest(["kei", ""])).toEqual(expect.arrayContaining(["sync", "login", "config", "completions"]));
      expect(suggest(["kei", "login", ""])).toEqual(expect.arrayContaining(["get-code", "submit-code"]));
      expect(suggest(["kei", "--username", "login", "config", "s"])).toEqual(["setup", "show"]);
      expect(suggest(["kei", "--domain", "=", "cn", "sync", "--album-"])).toEqual(["--album-copies"]);
      expect(suggest(["kei", "login", "get-code", "--album-"])).toEqual([]);
      expect(suggest(["kei", "sync", "--live-photo-mode", "im"])).toEqual(["image-only"]);
      expect(suggest(["kei", "sync", "--live-photo-mode", "=", "im"])).toEqual(["image-only"]);
      expect(suggest(["kei", "sync", "--size", "alt"])).toEqual(["alternative"]);
      expect(suggest(["kei", "sync", "--threads", ""])).toEqual([]);
    });

    testWith(shell)(`suggests in ${shell} files and folders where they belong${without(shell)}`, () => {
      const plain = (names: string[]) => names.map((name) => name.replaceAll("\\", "").replace(/\/$/, ""));
      expect(plain(suggest(["kei", "sync", "--password-file", "a"]))).toEqual(["a file.toml", "a folder"]);
      expect(plain(suggest(["kei", "sync", "-d", "a"]))).toEqual(["a folder"]);
    });
  }

  testWith("zsh")(`suggests in zsh what may come next${without("zsh")}`, async () => {
    let seen = "";
    const decoder = new TextDecoder();
    const shell = Bun.spawn(["zsh", "-f", "-i"], {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", HOME: root, TERM: "dumb", PS1: "> " },
      terminal: {
        cols: 120,
        rows: 24,
        data: (_terminal, bytes) => {
          seen += decoder.decode(bytes);
        },
      },
    });
    const type = (text: string) => shell.terminal?.write(text);
    type(`autoload -U compinit; compinit -D -u; source '${script("zsh")}'; echo rea''dy\r`);
    await until("zsh is ready", () => seen.includes("ready\r"));
    type("kei sync --al\t\t");
    await until("the flags that begin so", () => seen.includes("--album-copies  -- A photo in several albums"));
    type("\u0015kei lo\tsub\t");
    await until(
      "a command in a command",
      () => seen.includes("kei login \bsubmit-code ") || / submit-code /.test(seen),
    );
    type("\u0015kei --domain cn sync --live-photo-mode im\t");
    await until("a value", () => seen.includes("image-only"));
    shell.kill("SIGKILL");
    await shell.exited;
  });
});
