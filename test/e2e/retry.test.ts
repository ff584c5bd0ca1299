/** What becomes of trouble: second tries, attempts, reports, breaks. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { accountFiles } from "../../src/library/account.ts";
import type { AssetId, ZoneName } from "../../src/library/asset.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/ports.ts";
import { openStateReadOnly, type RenditionRow } from "../../src/state/index.ts";
import {
  answers,
  createLibrary,
  type Double,
  type DoubleOptions,
  type ExpectedFile,
  expectedFiles,
  startDouble,
} from "../icloud/index.ts";
import { checksums, Home, type KeiResult } from "../support/kei.ts";

let double: Double;
let home: Home;

async function begin(options: DoubleOptions & { readonly assets?: number } = {}): Promise<ExpectedFile> {
  const library = createLibrary({
    seed: 6,
    assets: options.assets ?? 8,
    bytes: 3_000,
    mix: { jpeg: 1 },
    derivatives: false,
  });
  double = await startDouble({ library, ...options });
  home = new Home(double);
  await home.signIn(double);
  double.log.clear();
  const [first] = expectedFiles(double.library);
  if (first === undefined) throw new Error("an empty library");
  return first;
}

afterEach(async () => {
  await double.stop();
  home.remove();
});

const sync = (...args: string[]): Promise<KeiResult> =>
  home.fast(["sync", "-d", home.photos, "--album", "none", ...args]);

async function rowOf(file: ExpectedFile): Promise<RenditionRow | undefined> {
  const username = double.account.username;
  const path = accountFiles(home.data, "com", username).database;
  const state = await openStateReadOnly({ path, domain: "com", username, clock: systemClock, logger: silentLogger });
  const row = state?.rendition({
    library: file.zone as ZoneName,
    asset: file.assetId as AssetId,
    rendition: "original",
  });
  state?.close();
  return row;
}

async function expectWhole(): Promise<void> {
  const found = new Set((await checksums(home.photos)).values());
  expect(found).toEqual(new Set(expectedFiles(double.library).map((file) => file.checksum)));
}

const for_ = (file: ExpectedFile) => (request: { readonly checksum: string }) => request.checksum === file.checksum;
const ALWAYS = Number.POSITIVE_INFINITY;

describe("the second try", () => {
  test("asks for a fresh address by name, never for the library again, and costs no attempt when it heals", async () => {
    const victim = await begin();
    double.photos.cdnFaults.inject({ kind: "status", status: 410, match: for_(victim), times: 1 });
    const result = await sync();
    expect(result.code).toBe(0);
    await expectWhole();
    expect(double.log.count("private/records/lookup")).toBe(1);
    expect(double.log.count("private/records/query:assets")).toBeLessThanOrEqual(2);
    expect((await rowOf(victim))?.attempts).toBe(0);
  });

  test("heals what four tries in a row could not", async () => {
    const victim = await begin();
    double.photos.cdnFaults.inject({ kind: "status", status: 500, match: for_(victim), times: 4 });
    expect((await sync()).code).toBe(0);
    await expectWhole();
  });

  test("that fails too charges the file once for the run", async () => {
    const victim = await begin();
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 500, match: for_(victim), times: ALWAYS });
    expect((await sync()).code).toBe(2);
    expect(fault.hits).toBe(8);
    const row = await rowOf(victim);
    expect(row?.status).toBe("failed");
    expect(row?.attempts).toBe(1);
    expect(row?.lastError).toContain("500");
  });

  test("is not made for what a fresh address can't heal, and a 404 is asked for twice in all", async () => {
    const victim = await begin();
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, match: for_(victim), times: ALWAYS });
    expect((await sync()).code).toBe(2);
    expect(fault.hits).toBe(2);
    expect((await rowOf(victim))?.attempts).toBe(1);
  });

  test("is spared a host that is down: nobody is charged, and the run says what it is", async () => {
    const victim = await begin({ assets: 30 });
    double.photos.cdnFaults.inject({ kind: "status", status: 502, times: ALWAYS });
    const result = await sync();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("out of order");
    expect((await rowOf(victim))?.attempts).toBe(0);
    expect(double.log.count("private/records/lookup")).toBe(0);
  });
});

describe("attempts", () => {
  test("are counted over runs up to the cap; then the file is given up, visible, and the exit code 2", async () => {
    const victim = await begin();
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, match: for_(victim), times: ALWAYS });
    for (const attempts of [1, 2, 3]) {
      expect((await sync("--max-download-attempts", "3")).code).toBe(2);
      expect((await rowOf(victim))?.attempts).toBe(attempts);
    }
    const hits = fault.hits;
    const given = await sync("--max-download-attempts", "3");
    expect(given.code).toBe(2);
    expect(fault.hits).toBe(hits);
    const status = await home.run(["status", "--failed"]);
    expect(status.stdout).toContain("(attempts: 3)");
    fault.remove();
    expect((await sync("--max-download-attempts", "3", "--retry-failed")).code).toBe(0);
    await expectWhole();
  });

  test("have no cap when it is 0", async () => {
    const victim = await begin();
    double.photos.cdnFaults.inject({ kind: "status", status: 404, match: for_(victim), times: ALWAYS });
    for (let run = 0; run < 3; run += 1) await sync("--max-download-attempts", "0");
    expect((await rowOf(victim))?.attempts).toBe(3);
  });
});

describe("--retry-failed", () => {
  test("takes up only what failed: a new photo is left for the next ordinary run, which finds it", async () => {
    const victim = await begin();
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, match: for_(victim), times: ALWAYS });
    await sync();
    fault.remove();
    double.library.addAsset({ filename: "NEW.JPG" });
    double.log.clear();
    const report = join(home.root, "report.json");
    expect((await sync("--retry-failed", "--report-json", report)).code).toBe(0);
    expect(double.log.count("cdn")).toBe(1);
    const { stats } = JSON.parse(await readFile(report, "utf8"));
    expect(stats.full_enumeration_reason).toBe("explicit_retry_failed");
    expect(stats.skipped.retry_only).toBe(1);
    expect((await sync()).code).toBe(0);
    await expectWhole();
  });

  test("with nothing failed makes no request", async () => {
    await begin();
    await sync();
    double.log.clear();
    const result = await sync("--retry-failed");
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("No file has failed");
    expect(double.log.all.length).toBe(0);
  });

  test("excludes --dry-run", async () => {
    await begin();
    expect((await sync("--retry-failed", "--dry-run")).code).toBe(64);
  });
});

describe("the report", () => {
  test("tells each run's reason for listing everything, its figures and its failures", async () => {
    const victim = await begin();
    const path = join(home.root, "reports", "last.json");
    const run = async () => {
      const result = await sync("--report-json", path);
      return { result, report: JSON.parse(await readFile(path, "utf8")) };
    };
    const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, match: for_(victim), times: ALWAYS });
    const first = await run();
    expect(first.report.version).toBe("3");
    expect(first.report.status).toBe("partial_failure");
    expect(first.report.stats.full_enumeration_reason).toBe("no_stored_token");
    expect(first.report.stats.assets_seen).toBe(8);
    expect(first.report.stats.downloaded).toBe(7);
    expect(first.report.failed_assets).toEqual([
      expect.objectContaining({
        id: victim.assetId,
        version_size: "original",
        error_message: expect.stringContaining("404"),
      }),
    ]);
    fault.remove();
    const second = await run();
    expect(second.report.stats.full_enumeration_reason).toBe("retry_failed_rows");
    expect(second.report.status).toBe("success");
    expect(second.report.failed_assets).toBeUndefined();
    expect(JSON.stringify(second.report)).not.toContain(double.account.password);
  });

  test("that can't be written is a warning and changes nothing", async () => {
    await begin();
    const result = await sync("--report-json", "/proc/nowhere/report.json");
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("could not write the report");
  });
});

describe("a break that Apple asks for", () => {
  test("of more than a minute ends the run uncharged, and the next run respects it", async () => {
    const victim = await begin();
    double.photos.cdnFaults.inject({ kind: "status", status: 503, retryAfter: 900, times: ALWAYS });
    const result = await home.sync("--album", "none");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("Apple asks to wait");
    expect((await rowOf(victim))?.attempts).toBe(0);
    double.log.clear();
    const early = await home.sync("--album", "none");
    expect(early.code).toBe(1);
    expect(early.stderr).toContain("asked for a break until");
    expect(double.log.all.length).toBe(0);
  });

  test("while listing ends the run as throttled", async () => {
    await begin();
    double.faults.inject({
      match: "private/records/query:assets",
      times: ALWAYS,
      respond: answers.status(429, { "retry-after": "600" }),
    });
    const result = await sync();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("break of 10 minutes");
  });

  test("of days is respected for a day, not ignored", async () => {
    await begin();
    const fault = double.faults.inject({
      match: "private/records/query:assets",
      respond: answers.status(429, { "retry-after": String(3 * 86_400) }),
    });
    // By the real clock: on a faster one the break would seem to begin in the future.
    expect((await home.sync("--album", "none")).code).toBe(1);
    fault.remove();
    double.log.clear();
    const early = await home.sync("--album", "none");
    expect([early.code, double.log.all.length]).toEqual([1, 0]);
    expect(early.stderr).toContain("asked for a break until");
  });
});

describe("listing in trouble", () => {
  test.each<[string, () => Response]>([
    ["TRY_AGAIN_LATER", answers.code("TRY_AGAIN_LATER")],
    ["CAS_OP_LOCK", answers.code("CAS_OP_LOCK")],
    ["a status 500", answers.status(500)],
    ["an error page", answers.html()],
    ["half an answer", answers.truncatedJson()],
  ])("is tried again after %s", async (_, respond) => {
    await begin();
    double.faults.inject({ match: /records\/query|counts|zones\/list|batch/, times: 3, respond });
    expect((await sync()).code).toBe(0);
    await expectWhole();
  });

  test("signs in again when the session is lost on the way, and goes on", async () => {
    await begin();
    double.faults.inject({
      match: "private/records/query:assets",
      after: 0,
      times: 1,
      respond: () => Response.json({}, { status: 401 }),
    });
    expect((await sync()).code).toBe(0);
    await expectWhole();
  });

  test("ends with exit 3 when the session can't be won back", async () => {
    await begin();
    double.faults.inject({
      match: "private/records/query:assets",
      times: ALWAYS,
      respond: () => Response.json({}, { status: 401 }),
    });
    const result = await sync();
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("kei login");
  });
});

test("a bandwidth limit holds over all transfers together", async () => {
  await begin({ library: createLibrary({ seed: 6, assets: 6, bytes: 50_000, mix: { jpeg: 1 }, derivatives: false }) });
  const start = performance.now();
  const result = await home.sync("--album", "none", "--bandwidth-limit", "200k", "--threads", "4");
  expect(result.code).toBe(0);
  // 300 KB at 200 KB/s, the first second's worth at once.
  expect(performance.now() - start).toBeGreaterThan(480);
  await expectWhole();
});
