/** What is replaced in one step, and what must not be replaced at all. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAtomically } from "../../src/runtime/atomic-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kei-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file is made with its folders, and replaced; nothing stays beside it", async () => {
  const path = join(folder, "a/b/report.json");
  await writeAtomically(path, "one");
  await writeAtomically(path, "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readdirSync(join(folder, "a/b"))).toEqual(["report.json"]);
});

test.skipIf(process.platform === "win32")("a link stays one: the file that it leads to is replaced", async () => {
  writeFileSync(join(folder, "real"), "old");
  const path = join(folder, "link");
  symlinkSync("real", path);
  await writeAtomically(path, "new");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  expect(readdirSync(folder).toSorted()).toEqual(["link", "real"]);
});

test.skipIf(process.platform === "win32")(
  "a pipe is written to when somebody reads it, never replaced or waited for",
  async () => {
    const path = join(folder, "pipe");
    spawnSync("mkfifo", [path]);
    expect(await writeAtomically(path, "x").catch((error: NodeJS.ErrnoException) => error.code)).toBe("ENXIO");
    const reader = Bun.spawn(["/bin/sh", "-c", `exec 3<> "$1"; echo open; head -n 1 <&3`, "sh", path], {
      stdout: "pipe",
    });
    const output = reader.stdout.pipeThrough(new TextDecoderStream()).getReader();
    expect((await output.read()).value).toBe("open\n");
    await writeAtomically(path, "report\n");
    expect((await output.read()).value).toBe("report\n");
    await reader.exited;
    expect(lstatSync(path).isFIFO()).toBe(true);
  },
);
