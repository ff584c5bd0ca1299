/** A service that is started again and again can neither lock an account nor prolong a block (DECISIONS 18). */
import { afterEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/runtime/ports.ts";
import { answers, createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, runInProcess } from "../support/kei.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const MINUTE = 60_000;

let double: Double;
let home: Home;
/** What has passed beside the clock of the test, ms. */
let later = 0;

async function begin(): Promise<void> {
  later = 0;
  double = await startDouble({ library: createLibrary({ seed: 3, assets: 1, bytes: 900, mix: { jpeg: 1 } }) });
  home = new Home(double);
  delete home.env["ICLOUD_PASSWORD"];
  home.env["KEI_PASSWORD_FILE"] = join(home.root, "password");
  password(double.account.password);
  await home.signIn(double);
}

const password = (text: string) => writeFileSync(join(home.root, "password"), `${text}\n`, { mode: 0o600 });

afterEach(async () => {
  await double.stop();
  home.remove();
});

const WATCH = ["--watch-with-interval", "3600"];
const ONCE = ["--no-watch"];

/** One life of the service: a process of its own would remember as little. */
function life(args: readonly string[] = WATCH): Promise<KeiResult> {
  const fast = fasterClock(100);
  const clock: Clock = { ...fast, now: () => fast.now() + later };
  return runInProcess(["sync", "-d", home.photos, ...args], {
    env: home.env,
    cwd: home.root,
    clock,
  });
}

const proofs = () => double.log.count("signin/complete");
const beginnings = () => double.log.count("signin/init");

test("after the password was changed at Apple, restarts send the old one once, and the new one as soon as it is there", async () => {
  await begin();
  double.account.expireSession();
  double.account.password = "Changed-Horse-43";
  double.log.clear();
  const codes: number[] = [];
  for (let restart = 0; restart < 12; restart += 1) codes.push((await life()).code);
  expect(codes).toEqual(Array(12).fill(3));
  expect(double.account.wrongPasswords).toBeLessThanOrEqual(2); // A short number allows a second handshake.
  const once = beginnings();
  expect(proofs()).toBe(once);
  // A dry run, another command and a day that has passed change nothing.
  expect((await life(["--dry-run"])).code).toBe(3);
  later += 24 * 60 * MINUTE;
  expect((await life()).code).toBe(3);
  expect(beginnings()).toBe(once);
  password("Changed-Horse-43");
  expect((await life(ONCE)).code).toBe(0);
  expect(beginnings()).toBe(once + 1);
  expect(double.account.lockedOut).toBe(false);
}, 30_000);

test("losing the session in mid-service is no way around it", async () => {
  await begin();
  expect((await life(ONCE)).code).toBe(0);
  double.account.expireSession();
  double.account.password = "Changed-Horse-43";
  double.log.clear();
  for (let restart = 0; restart < 4; restart += 1) expect((await life()).code).toBe(3);
  const once = beginnings();
  expect(once).toBeLessThanOrEqual(2);
  // Even without the session's files, which somebody may delete to help.
  for (const file of ["session", "cookies", "cache"]) {
    for (const name of new Bun.Glob(`*.${file}`).scanSync(home.data)) rmSync(join(home.data, name));
  }
  expect((await life()).code).toBe(3);
  expect(beginnings()).toBe(once);
}, 30_000);

test.each([503, 429])(
  "after a %d, restarts keep away from the sign-in for fifteen minutes",
  async (status) => {
    await begin();
    double.account.revokeTrust();
    double.log.clear();
    const fault = double.faults.inject({ match: "signin/init", respond: answers.status(status), times: ALWAYS });
    expect((await life(ONCE)).code).toBe(3);
    const asked = beginnings();
    expect(asked).toBeGreaterThan(0);
    fault.remove();
    for (let restart = 0; restart < 10; restart += 1) {
      later += MINUTE;
      expect((await life(ONCE)).code).toBe(3);
    }
    expect(beginnings()).toBe(asked);
    later += 6 * MINUTE;
    expect((await life(ONCE)).code).toBe(3); // A code is needed: the password has been taken.
    expect(beginnings()).toBe(asked + 1);
  },
  30_000,
);
