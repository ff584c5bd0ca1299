/** Nothing secret is ever said: not in a log of any level, not in a report, not in an answer, not in a file others may want. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLibrary, type Double, startDouble } from "../icloud/index.ts";
import { Home, type KeiResult } from "../support/kei.ts";

let double: Double;
let home: Home;

beforeEach(async () => {
  const library = createLibrary({ seed: 3, assets: 6, bytes: 2_000 });
  double = await startDouble({ library, account: { signInLimit: 50 } });
  home = new Home(double);
});
afterEach(async () => {
  await double.stop();
  home.remove();
});

/** Files of the account that hold secrets by their nature; they are 0600 (test/auth/persistence.test.ts). */
const KEEPERS = /\.(session|cookies|cache|credential|key)$/;

/** Everything that must not be said: what was given, and what Apple has handed out in any answer. */
function secrets(codes: readonly string[]): readonly string[] {
  const kept = readdirSync(home.data)
    .filter((name) => KEEPERS.test(name))
    .map((name) => readFileSync(join(home.data, name), "utf8"));
  // Long opaque words of the session and the jar: tokens, cookie values, ids of sessions.
  const tokens = kept
    .flatMap((text) => text.match(/[A-Za-z0-9+/=_~|:.-]{20,}/g) ?? [])
    .filter((word) => !isPublic(word));
  return [
    double.account.password,
    ...double.account.sessionTokens.keys(),
    ...double.account.trustTokens,
    ...codes,
    ...new Set(tokens),
  ];
}

/** Hosts, times and ids that are no secret though they stand beside them. */
function isPublic(word: string): boolean {
  return /^(https?:)?\/\/|icloud|apple\.com|^\d{4}-\d\d-\d\dT|^auth-/i.test(word);
}

function expectClean(text: string, hidden: readonly string[]): void {
  expect(hidden.length).toBeGreaterThan(10);
  expect(hidden.filter((secret) => text.includes(secret))).toEqual([]);
  // A signed address is as good as the photo.
  expect(text).not.toMatch(/icloud-content\.com\/\S+|[?&](s|e|o)=\S{20,}/);
}

/** What a person or a program gets to see of the runs, and every other file that kei has written. */
function everything(results: readonly KeiResult[]): string {
  const files = readdirSync(home.data, { recursive: true, encoding: "utf8" })
    .filter((name) => !KEEPERS.test(name) && !name.endsWith("-shm"))
    .map((name) => readFileSync(join(home.data, name)).toString("latin1"));
  return [...results.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...files].join("\n");
}

/** Everything that can be asked, in the form for people or for programs. */
async function answers(flags: readonly string[]): Promise<readonly KeiResult[]> {
  const questions = [
    ["status", "--failed", "--downloaded"],
    ["status", "--json"],
    ["why", "IMG_0001*"],
    ["why", "IMG_0001*", "--json"],
    ["manifest"],
    ["verify", "--checksums"],
    ["verify", "--complete", "--json"],
    ["reconcile", "--dry-run"],
    ["doctor"],
    ["doctor", "--json", "--live"],
    ["config", "show"],
    ["config", "show", "--json"],
    ["list", "albums"],
    ["login", "phones"],
  ];
  const folder = new Set(["verify", "reconcile", "doctor"]);
  const results: KeiResult[] = [];
  for (const [command = "", ...rest] of questions) {
    const where = folder.has(command) ? ["-d", home.photos] : [];
    results.push(await home.fast([command, ...rest, ...where, ...flags]));
  }
  // Each was understood, and had something to say.
  expect(results.filter(({ code, stdout }) => code > 2 || stdout === "")).toEqual([]);
  return results;
}

test.each(["debug", "info", "warn", "error"])(
  "a log of level %s holds no secret, and neither does its report",
  async (level) => {
    const at = ["--log-level", level];
    const report = join(home.data, "report.json");
    const code = "123456";
    const faults = [
      double.photos.cdnFaults.inject({ kind: "status", status: 404, times: 3 }),
      double.photos.cdnFaults.inject({ kind: "status", status: 403, times: 2 }),
    ];
    const results = [
      await home.run(["login", ...at], { ICLOUD_PASSWORD: "wrong-Horse-43" }),
      await home.run(["login", "get-code", ...at]),
      await home.run(["login", "submit-code", "654321", ...at]),
      await home.run(["login", "submit-code", code, ...at]),
      await home.run(["sync", "-d", home.photos, "--report-json", report, "--max-retries", "0", ...at]),
      await home.run(["sync", "-d", home.photos, "--report-json", report, "--max-retries", "0", ...at]),
      ...(await answers(at)),
    ];
    expect(faults.every((fault) => fault.hits > 0)).toBe(true);
    expectClean(everything(results), [...secrets([code, "654321"]), "wrong-Horse-43"]);
  },
  20_000,
);

test("neither does a run that Apple refuses or cuts off in the middle", async () => {
  await home.signIn(double);
  const cut = double.faults.inject({ match: /cdn/, cut: "reset", times: 2 });
  const args = ["sync", "-d", home.photos, "--max-retries", "0", "--log-level", "debug"];
  const results = [await home.run(args)];
  home.env["KEI_TEST_ICLOUD"] = "http://127.0.0.1:9";
  results.push(await home.fast(args));
  expect(cut.hits).toBeGreaterThan(0);
  expectClean(everything(results), secrets(["123456"]));
});

test("an error that nobody thought of says no secret, also in a debug log", async () => {
  await home.signIn(double);
  await home.sync();
  const database = readdirSync(home.data).find((name) => name.endsWith(".db")) ?? "";
  writeFileSync(join(home.data, database), "no database at all");
  const results = [
    await home.run(["sync", "-d", home.photos, "--log-level", "debug"]),
    await home.run(["status", "--log-level", "debug"]),
  ];
  expect(results.map(({ code }) => code)).toEqual([1, 1]);
  expectClean(everything(results), secrets(["123456"]));
});
