import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { newFolder, removeFolders } from "./support.ts";

afterAll(removeFolders);

const deno = Bun.which("deno", {
  PATH: `${join(import.meta.dir, "../../node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
});

test.skipIf(deno === null)(
  "the catalogue keeps its promises under Deno, too (needs deno)",
  async () => {
    const folder = newFolder();
    const script = join(import.meta.dir, "deno-smoke.ts");
    const permissions = [`--allow-read`, `--allow-write=${folder}`, "--allow-sys", "--allow-env"];
    const child = Bun.spawn([deno ?? "", "run", "--no-check", ...permissions, script, folder], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(err).toBe("");
    expect(out).toBe("all as promised\n");
  },
  30_000,
);
