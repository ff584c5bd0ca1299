/** The server behaves the same on both runtimes. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const SCRIPT = join(import.meta.dir, "http-server-child.ts");
const deno = Bun.which("deno", {
  PATH: `${join(import.meta.dir, "../../node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
});

async function promisesOf(command: readonly string[]): Promise<readonly string[]> {
  const child = Bun.spawn([...command, SCRIPT], { stdout: "pipe", stderr: "pipe" });
  return Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
}

test("an address is listened on, refused with its reason, and given up at once", async () => {
  expect(await promisesOf([process.execPath])).toEqual(["all as promised\n", ""]);
});

test.skipIf(deno === null)(
  "so it is under Deno (needs deno)",
  async () => {
    const command = [
      deno ?? "",
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      "--allow-read",
    ];
    expect(await promisesOf(command)).toEqual(["all as promised\n", ""]);
  },
  30_000,
);
