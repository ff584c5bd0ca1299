/** The same program under Deno: another runtime, another SQLite, another HTTP client. */
import { afterEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { type Double, expectedFiles, mixedSampleLibrary, startDouble } from "../icloud/index.ts";
import { checksums, Home, inodes, type KeiResult } from "../support/kei.ts";

const DENO = resolve(import.meta.dir, "../../node_modules/.bin/deno");
const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const missing = spawnSync(DENO, ["--version"]).status === 0 ? "" : " (skipped: Deno does not run here)";

let double: Double | undefined;
let home: Home | undefined;

afterEach(async () => {
  await double?.stop();
  home?.remove();
});

test.skipIf(missing !== "")(
  `under Deno kei signs in, brings a mixed library to disk, and finds nothing to do afterwards${missing}`,
  async () => {
    const running = await startDouble({ library: mixedSampleLibrary(7) });
    const here = new Home(running);
    double = running;
    home = here;
    const kei = async (...args: string[]): Promise<KeiResult> => {
      const child = Bun.spawn([DENO, "run", "--no-prompt", "-A", MAIN, ...args], {
        env: { ...here.env, DENO_NO_UPDATE_CHECK: "1" },
        cwd: here.root,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { code: await child.exited, stdout, stderr };
    };

    expect(await kei("login", "get-code")).toMatchObject({ code: 0 });
    expect(await kei("login", "submit-code", running.account.deviceCode ?? "none")).toMatchObject({ code: 0 });
    expect(await kei("sync", "-d", here.photos)).toMatchObject({ code: 0 });
    const wanted = new Set(expectedFiles(running.library).map((file) => file.checksum));
    expect(new Set((await checksums(here.photos)).values())).toEqual(wanted);

    const before = await inodes(here.photos);
    running.log.clear();
    expect(await kei("sync")).toMatchObject({ code: 0 });
    expect(await inodes(here.photos)).toEqual(before);
    expect(running.log.count("cdn")).toBe(0);

    const verified = await kei("verify", "--complete", "--checksums");
    expect([verified.code, verified.stdout.includes("every file of them is here")]).toEqual([0, true]);
    const examined = await kei("doctor", "--json");
    const { checks } = JSON.parse(examined.stdout);
    expect(checks.filter(({ status }: { status: string }) => status === "error")).toEqual([]);

    // One database for both runtimes: what one wrote, the other reads.
    const status = await here.run(["status"]);
    expect(status.stdout).toMatch(/^104 of 104 photos backed up/);
  },
  60_000,
);
