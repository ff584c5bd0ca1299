import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/library/failure.ts";
import { acquireLock } from "../../src/state/index.ts";
import { FakeClock, newFolder, removeFolders, thrownBy } from "./support.ts";

const children: Bun.Subprocess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(removeFolders);

const never = () => new AbortController().signal;
const take = (path: string, retries = 0, clock = new FakeClock(), signal = never()) =>
  acquireLock(path, { retries, clock, signal });

/** Another process that tries to take the lock; resolves with the first line it prints. */
async function otherProcess(path: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "lock-child.ts"), path], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  children.push(child);
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const said = async () => ((await lines.read()).value ?? "").trim();
  return { child, first: await said(), said };
}

describe("the lock of an account", () => {
  test("is private, and can be given back and taken again", async () => {
    const path = join(newFolder(), "a.lock");
    for (let round = 0; round < 3; round += 1) {
      const lock = await take(path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      lock.release();
      lock.release();
    }
    expect(existsSync(path)).toBe(true);
  });

  test("is refused while another process has it, and free as soon as that one gives it back", async () => {
    const path = join(newFolder(), "a.lock");
    const other = await otherProcess(path);
    expect(other.first).toBe("locked");
    const error = await thrownBy(() => take(path));
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).exit).toBe(1);
    expect(error.message).toContain("Another kei instance is running");
    expect((error as Failure).remedy).toContain("stop it");
    other.child.stdin.write("\n");
    other.child.stdin.flush();
    expect(await other.said()).toBe("released");
    (await take(path)).release();
  });

  test("is refused to another process while this one has it, also after a second try in this process", async () => {
    const path = join(newFolder(), "a.lock");
    const lock = await take(path);
    // Opening and closing the file here must not drop the lock that this process holds on it.
    expect(await thrownBy(() => take(path))).toBeInstanceOf(Failure);
    const other = await otherProcess(path);
    expect(other.first).toContain("Another kei instance is running");
    expect(await other.child.exited).toBe(1);
    lock.release();
    expect((await otherProcess(path)).first).toBe("locked");
  });

  test("is free at once when its holder is killed", async () => {
    const path = join(newFolder(), "a.lock");
    const other = await otherProcess(path);
    expect(other.first).toBe("locked");
    other.child.kill("SIGKILL");
    await other.child.exited;
    (await take(path)).release();
  });

  test("of one account does not stand in another's way", async () => {
    const folder = newFolder();
    const other = await otherProcess(join(folder, "a.lock"));
    expect(other.first).toBe("locked");
    (await take(join(folder, "b.lock"))).release();
  });

  test("is waited for as often as asked, and taken when it becomes free", async () => {
    const path = join(newFolder(), "a.lock");
    const held = await take(path);
    const clock = new FakeClock();
    clock.onSleep = () => {
      if (clock.slept.length === 2) held.release();
    };
    const lock = await take(path, 6, clock);
    expect(clock.slept).toEqual([3000, 3000]);
    const patient = new FakeClock();
    expect(await thrownBy(() => take(path, 4, patient))).toBeInstanceOf(Failure);
    expect(patient.slept.length).toBe(4);
    lock.release();
  });

  test("is no longer waited for once the signal comes", async () => {
    const path = join(newFolder(), "a.lock");
    const lock = await take(path);
    const stop = new AbortController();
    const reason = new Error("stopped by the user");
    const clock = new FakeClock();
    clock.onSleep = () => stop.abort(reason);
    expect(await thrownBy(() => take(path, 6, clock, stop.signal))).toBe(reason);
    lock.release();
  });

  test("in a folder that is not there, or in a file of something else, is refused by name", async () => {
    const folder = newFolder();
    const missing = await thrownBy(() => take(join(folder, "none", "a.lock")));
    expect(missing.message).toContain("ENOENT");
    const path = join(folder, "a.lock");
    writeFileSync(path, "something else entirely\n".repeat(100));
    const odd = await thrownBy(() => take(path));
    expect(odd).toBeInstanceOf(Failure);
    expect(odd.message).toContain(path);
  });
});
