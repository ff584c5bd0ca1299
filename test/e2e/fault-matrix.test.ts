/** Each event of engine.md 2.4 and 2.5, one case each: tries, row, temporary file, exit code, and what a calm run does after. */
import { afterEach, describe, expect, test } from "bun:test";
import { accountFiles } from "../../src/library/account.ts";
import type { AssetId, ZoneName } from "../../src/library/asset.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/ports.ts";
import { openStateReadOnly, type RenditionRow } from "../../src/state/index.ts";
import {
  answers,
  type CdnFaultKind,
  createLibrary,
  type Double,
  type ExpectedFile,
  expectedFiles,
  startDouble,
} from "../icloud/index.ts";
import { checksums, Home, listFiles } from "../support/kei.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const RETRIES = 1;
/** Tries of one transfer with all its retries, and of the second try after it. */
const ALL = 2 * (RETRIES + 1);

let double: Double;
let home: Home;
let victim: ExpectedFile;

async function begin(): Promise<void> {
  const library = createLibrary({ seed: 8, assets: 4, bytes: 40_000, mix: { jpeg: 1 }, derivatives: false });
  double = await startDouble({ library, photos: { pretty: false } });
  home = new Home(double);
  await home.signIn(double);
  double.log.clear();
  const [first] = expectedFiles(library);
  if (first === undefined) throw new Error("an empty library");
  victim = first;
}

afterEach(async () => {
  await double.stop();
  home.remove();
});

const sync = (...args: string[]) => home.fast(["sync", "-d", home.photos, "--album", "none", ...args]);

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

/** Files under final names hold what Apple has; returns the temporary ones. */
async function expectNothingWrong(): Promise<string[]> {
  const wanted = new Set(expectedFiles(double.library).map((file) => file.checksum));
  for (const [path, checksum] of await checksums(home.photos)) {
    if (!path.endsWith(".kei-tmp")) expect(wanted.has(checksum)).toBe(true);
  }
  return (await listFiles(home.photos)).filter((path) => path.endsWith(".kei-tmp"));
}

async function expectHealed(): Promise<void> {
  double.faults.clear();
  double.photos.cdnFaults.clear();
  expect((await sync()).code).toBe(0);
  expect(await expectNothingWrong()).toEqual([]);
  const found = new Set((await checksums(home.photos)).values());
  expect(found).toEqual(new Set(expectedFiles(double.library).map((file) => file.checksum)));
}

interface TransferCase {
  readonly fault: CdnFaultKind;
  /** Requests for the file in one run in which the fault never ends. */
  readonly tries: number;
  readonly attempts: number;
  readonly kind: string;
  readonly temp: "kept" | "gone";
}

const TRANSFERS: ReadonlyArray<readonly [string, TransferCase]> = [
  ["429", { fault: { kind: "status", status: 429 }, tries: ALL, attempts: 1, kind: "rate-limited", temp: "gone" }],
  ["500", { fault: { kind: "status", status: 500 }, tries: ALL, attempts: 1, kind: "server", temp: "gone" }],
  ["502", { fault: { kind: "status", status: 502 }, tries: ALL, attempts: 1, kind: "server", temp: "gone" }],
  ["503", { fault: { kind: "status", status: 503 }, tries: ALL, attempts: 1, kind: "rate-limited", temp: "gone" }],
  [
    "503 with a short Retry-After",
    {
      fault: { kind: "status", status: 503, retryAfter: 3 },
      tries: ALL,
      attempts: 1,
      kind: "rate-limited",
      temp: "gone",
    },
  ],
  ["504", { fault: { kind: "status", status: 504 }, tries: ALL, attempts: 1, kind: "server", temp: "gone" }],
  ["400", { fault: { kind: "status", status: 400 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" }],
  ["404", { fault: { kind: "status", status: 404 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" }],
  ["405", { fault: { kind: "status", status: 405 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" }],
  ["451", { fault: { kind: "status", status: 451 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" }],
  [
    "410 for ever",
    { fault: { kind: "status", status: 410 }, tries: 2, attempts: 1, kind: "url-expired", temp: "gone" },
  ],
  [
    "416 without a range",
    { fault: { kind: "status", status: 416 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" },
  ],
  ["421", { fault: { kind: "status", status: 421 }, tries: 2, attempts: 1, kind: "permanent", temp: "gone" }],
  // Charged, because the session has just proved good (engine.md 2.4).
  ["401", { fault: { kind: "status", status: 401 }, tries: 2, attempts: 1, kind: "session", temp: "gone" }],
  ["403", { fault: { kind: "status", status: 403 }, tries: 2, attempts: 1, kind: "session", temp: "gone" }],
  ["204", { fault: { kind: "status", status: 204 }, tries: ALL, attempts: 1, kind: "protocol", temp: "gone" }],
  [
    "a connection that breaks",
    { fault: { kind: "reset", afterBytes: 1 }, tries: ALL, attempts: 1, kind: "network", temp: "kept" },
  ],
  [
    "a body cut short of its announced length",
    {
      fault: { kind: "truncate", bytes: 2_000, contentLength: true },
      tries: ALL,
      attempts: 1,
      kind: "network",
      temp: "kept",
    },
  ],
  [
    "a body cut short without a length",
    {
      fault: { kind: "truncate", bytes: 2_000, contentLength: false },
      tries: ALL,
      attempts: 1,
      kind: "short-body",
      temp: "gone",
    },
  ],
  [
    "a complete answer that is too short",
    { fault: { kind: "short-length", by: 500 }, tries: ALL, attempts: 1, kind: "short-body", temp: "gone" },
  ],
  [
    "a body that is too long",
    { fault: { kind: "long-body", by: 10 }, tries: ALL, attempts: 1, kind: "long-body", temp: "gone" },
  ],
  [
    "an HTML page with status 200",
    { fault: { kind: "html" }, tries: ALL, attempts: 1, kind: "bad-body", temp: "gone" },
  ],
  [
    "a JSON error with status 200",
    { fault: { kind: "json" }, tries: ALL, attempts: 1, kind: "bad-body", temp: "gone" },
  ],
  [
    "an HTML page that calls itself media",
    {
      fault: { kind: "html", contentType: "application/octet-stream" },
      tries: ALL,
      attempts: 1,
      kind: "bad-body",
      temp: "gone",
    },
  ],
  [
    "a JSON error that calls itself media",
    {
      fault: { kind: "json", contentType: "application/octet-stream" },
      tries: ALL,
      attempts: 1,
      kind: "bad-body",
      temp: "gone",
    },
  ],
  ["seventeen bytes of text", { fault: { kind: "tiny" }, tries: ALL, attempts: 1, kind: "short-body", temp: "gone" }],
  ["an empty body", { fault: { kind: "empty" }, tries: ALL, attempts: 1, kind: "bad-body", temp: "gone" }],
  ["one wrong bit", { fault: { kind: "flip-bit" }, tries: ALL, attempts: 1, kind: "checksum", temp: "gone" }],
  [
    "a redirect away from Apple's hosts",
    {
      fault: { kind: "redirect", location: "https://evil.example/x" },
      tries: 2,
      attempts: 1,
      kind: "forbidden-url",
      temp: "gone",
    },
  ],
];

describe("a transfer that always meets", () => {
  test.each(TRANSFERS)(
    "%s",
    async (_, wanted) => {
      await begin();
      const fault = double.photos.cdnFaults.inject({
        ...wanted.fault,
        match: (request) => request.checksum === victim.checksum,
        times: ALWAYS,
      });
      const result = await sync("--max-retries", String(RETRIES));
      expect(fault.hits).toBe(wanted.tries);
      expect(result.code).toBe(2);
      const row = await rowOf(victim);
      expect(row?.status).toBe("failed");
      expect(row?.lastErrorKind).toBe(wanted.kind);
      expect(row?.attempts).toBe(wanted.attempts);
      expect(row?.lastError ?? "").not.toContain("http");
      expect((await expectNothingWrong()).length).toBe(wanted.temp === "kept" ? 1 : 0);
      // Its brothers are not harmed.
      expect((await checksums(home.photos)).size).toBeGreaterThanOrEqual(3);
      await expectHealed();
    },
    20_000,
  );
});

describe("a transfer that resumes and meets", () => {
  test.each<[string, CdnFaultKind]>([
    ["a server that ignores the range", { kind: "ignore-range" }],
    ["another range than it asked for", { kind: "shifted-range", by: 1 }],
    ["bytes that are not those of the range", { kind: "lying-range", by: 1 }],
    ["a range that can't be read", { kind: "bad-content-range" }],
    ["a refusal of the range", { kind: "status", status: 416 }],
    ["no length", { kind: "chunked" }],
  ])(
    "%s comes right all the same",
    async (_, fault) => {
      await begin();
      const match = (request: { readonly checksum: string }) => request.checksum === victim.checksum;
      double.photos.cdnFaults.inject({ kind: "reset", afterBytes: 20_000, match });
      const injected = double.photos.cdnFaults.inject({ ...fault, match, skip: 0 });
      expect((await sync()).code).toBe(0);
      expect(injected.hits).toBe(1);
      await expectHealed();
    },
    20_000,
  );
});

const API: ReadonlyArray<readonly [string, () => Response | Promise<Response>]> = [
  ["429", answers.status(429)],
  ["500", answers.status(500)],
  ["502", answers.status(502)],
  ["503 with Retry-After", answers.status(503, { "retry-after": "2" })],
  ["504", answers.status(504)],
  ["TRY_AGAIN_LATER", answers.code("TRY_AGAIN_LATER")],
  ["RETRY_LATER", answers.code("RETRY_LATER")],
  ["CAS_OP_LOCK", answers.code("CAS_OP_LOCK", "Sync zone CAS Op-Lock failed")],
  ["THROTTLED", answers.code("THROTTLED")],
  ["an HTML page", answers.html()],
  ["half an answer", answers.truncatedJson()],
];

describe("every API call is tried again after", () => {
  test.each(API)(
    "%s",
    async (_, respond) => {
      await begin();
      double.library.createAlbum({ name: "Empty" });
      double.photos.cdnFaults.inject({
        kind: "status",
        status: 404,
        match: (request) => request.checksum === victim.checksum,
      });
      const operations = [
        "private/zones/list",
        "shared/zones/list",
        "private/records/query:readiness",
        "private/records/query:albums",
        "private/records/query:assets",
        "private/internal/records/query/batch",
        "private/records/lookup",
        "private/changes/zone",
      ];
      for (const match of operations) double.faults.inject({ match, times: 2, respond });
      const result = await home.fast(["sync", "-d", home.photos, "--max-retries", "2"]);
      expect(result.code).toBe(0);
      for (const match of operations) expect(double.log.count(match)).toBeGreaterThanOrEqual(3);
      const found = new Set((await checksums(home.photos)).values());
      expect(found).toEqual(new Set(expectedFiles(double.library).map((file) => file.checksum)));
    },
    20_000,
  );
});

describe("a listing that never comes right", () => {
  test.each<[string, () => Response, number]>([
    ["500", answers.status(500), 1],
    ["TRY_AGAIN_LATER", answers.code("TRY_AGAIN_LATER"), 1],
    ["400", answers.status(400), 1],
    ["401", () => Response.json({}, { status: 401 }), 3],
    ["403", () => Response.json({}, { status: 403 }), 3],
    ["421", () => Response.json({}, { status: 421 }), 3],
    ["private access disabled", answers.code("ACCESS_DENIED", "private db access disabled for this account"), 4],
    [
      "no way to authenticate",
      () =>
        Response.json({ serverErrorCode: "AUTHENTICATION_FAILED", reason: "no auth method found" }, { status: 401 }),
      4,
    ],
  ])(
    "for %s ends with its exit code, and nothing is lost",
    async (_, respond, code) => {
      await begin();
      double.faults.inject({ match: "private/records/query:assets", times: ALWAYS, respond });
      const result = await sync();
      expect(result.code).toBe(code as never);
      expect(result.stderr.split("\n").filter((line) => line.startsWith("Error: ")).length).toBe(1);
      double.account.signIns = 0;
      await expectHealed();
    },
    20_000,
  );

  test("broken connections are waited out", async () => {
    await begin();
    double.faults.inject({ match: /records\/query/, times: 3, cut: "reset" });
    expect((await sync()).code).toBe(0);
  });

  test("a record that comes as an error is asked for again, and its page is not taken for complete", async () => {
    await begin();
    double.faults.inject({
      match: "private/records/query:assets",
      times: ALWAYS,
      transform: async (response) => {
        const body = (await response.json()) as { records: Array<{ recordName: string; recordType: string }> };
        const [first] = body.records.filter((record) => record.recordType === "CPLAsset");
        const records = body.records.map((record) =>
          record === first
            ? { recordName: record.recordName, serverErrorCode: "TRY_AGAIN_LATER", reason: "later" }
            : record,
        );
        return Response.json({ ...body, records }, { headers: response.headers });
      },
    });
    const result = await sync();
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("not everything could be listed");
    await expectHealed();
  });
});
