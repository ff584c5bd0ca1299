/** What becomes of text that can't be written, and how wide a terminal is that does not say so; under Bun and Deno. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Home, keiCommand } from "../support/kei.ts";

const ROOT = resolve(import.meta.dir, "../..");
const DENO = resolve(ROOT, "node_modules/.bin/deno");
const hasDeno = spawnSync(DENO, ["--version"]).status === 0;
const skipped = existsSync("/dev/full") ? "" : " (skipped: no /dev/full here)";

const underDeno = [DENO, "run", "--no-prompt", "-A", resolve(ROOT, "src/main.ts")];
const runtimes: ReadonlyArray<readonly [string, readonly string[]]> = [
  ["kei", keiCommand()],
  ...(hasDeno ? [["kei under Deno", underDeno] as const] : []),
];

let home: Home;
beforeEach(() => {
  home = new Home(undefined, { DENO_NO_UPDATE_CHECK: "1" });
});
afterEach(() => home.remove());

describe.each(runtimes)("%s", (_name, command) => {
  /** Answers on stdout, and says one warning on stderr. */
  const shell = (redirected: string) => {
    const line = `"$@" config show --password Horse-43 ${redirected}`;
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line, "sh", ...command], {
      env: home.env,
      cwd: home.root,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  test.skipIf(skipped !== "")(`fails when its answer does not fit on the disk, and says so${skipped}`, () => {
    const { status, stderr } = shell("> /dev/full");
    expect(status).toBe(1);
    expect(stderr).toContain("Error: Cannot write to standard output: ENOSPC");
  });

  test.skipIf(skipped !== "")(`goes on when its log does not fit on the disk${skipped}`, () => {
    const { status, stdout } = shell("2> /dev/full");
    expect([status, stdout]).toEqual([0, expect.stringContaining("[auth]")]);
  });
});

test.skipIf(process.platform === "win32")(
  "a terminal that says it has no columns is written to as one of 80",
  async () => {
    let screen = "";
    const child = Bun.spawn(["/bin/sh", "-c", 'stty cols 0; exec "$@" config setup', "sh", ...keiCommand()], {
      env: home.env,
      cwd: home.root,
      terminal: {
        data: (_terminal, bytes) => {
          screen += Buffer.from(bytes).toString();
          if (screen.includes("Apple ID: ")) child.terminal?.write("\u0003");
        },
      },
    });
    expect(await child.exited).toBe(130);
    expect(screen).toContain("kei saves your iCloud photos to a folder of yours");
  },
);
