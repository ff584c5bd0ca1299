/** What an iCloud may say that ours does not say by itself, and what kei makes of it. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/runtime/ports.ts";
import { answers, type Double, PhotoLibrary, startDouble, type Zone } from "../icloud/index.ts";
import { fasterClock, Home, type KeiResult, runInProcess } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const ALWAYS = Number.POSITIVE_INFINITY;

let double: Double;
let home: Home;
let library: PhotoLibrary;

afterEach(async () => {
  await double.stop();
  home.remove();
});

type Result = KeiResult & { readonly reason: string | undefined };

async function sync(...args: readonly string[]): Promise<Result> {
  const path = join(home.root, "report.json");
  double.log.clear();
  const result = await home.fast(["sync", "-d", home.photos, "--report-json", path, ...args]);
  const { stats } = (await Bun.file(path).json()) as { stats: { full_enumeration_reason?: string } };
  return { ...result, reason: stats.full_enumeration_reason };
}

const operations = (): readonly string[] => double.log.all.map(({ operation }) => operation);
const photo = (name: string, zone = "PrimarySync") =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN, zone });

function rows(sql: string, id: string): readonly unknown[] {
  const name = readdirSync(home.data).find((file) => file.endsWith(".db")) ?? "";
  const db = new Database(join(home.data, name), { readonly: true });
  try {
    return db.query(sql).all(id);
  } finally {
    db.close();
  }
}

async function begin(role?: "owner" | "participant"): Promise<Zone> {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  const shared = role === undefined ? library.primary : library.addSharedLibrary(role);
  photo("S", shared.name);
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
  return shared;
}

describe("an error inside the answer about changes", () => {
  test.each<[string, string, string | undefined]>([
    ["that passes is waited out", "CAS_OP_LOCK", undefined],
    ["that nobody knows is taken for a passing one", "SOMETHING_NEW", undefined],
    ["that says that the library is gone, where it is not, leads to a list", "ZONE_NOT_FOUND", "other_static_reason"],
  ])("%s", async (_, code, reason) => {
    await begin();
    await sync();
    photo("B");
    double.photos.dataFaults.failZone("PrimarySync", { code, reason: "made to fail", times: 1 });
    const result = await sync();
    expect([result.code, result.reason, await home.files()]).toEqual([
      0,
      reason,
      ["2024/05/01/A.JPG", "2024/05/01/B.JPG", "2024/05/01/S.JPG"],
    ]);
  });
});

test("a change that Apple puts off for ever leads to a list, and is in the way of the next run no more", async () => {
  await begin();
  await sync();
  const b = photo("B");
  double.photos.dataFaults.failRecord((name, operation) => name === b.id && operation === "changes/zone", {
    code: "RETRY_LATER",
  });
  const listed = await sync();
  expect([listed.code, listed.reason]).toEqual([0, "other_static_reason"]);
  expect(await home.files()).toContain("2024/05/01/B.JPG");
  expect((await sync()).stderr).toContain("nothing has changed in iCloud, and everything is saved");
});

describe("an original that Apple does not tell in a list", () => {
  const withheld = async (fault: { readonly code: string; readonly retryAfter?: number }) => {
    await begin();
    await sync();
    rmSync(join(home.photos, "2024/05/01/A.JPG"));
    const b = photo("B");
    double.photos.dataFaults.failRecord(
      (name, operation) => name === b.masterName && operation === "records/query",
      fault,
    );
    const listed = await sync();
    expect([listed.code, listed.reason, (await home.files()).includes("2024/05/01/A.JPG")]).toEqual([
      2,
      "pending_rows",
      true,
    ]);
    return b;
  };

  test.each([{ code: "RETRY_LATER" }, { code: "RETRY_LATER", retryAfter: 3_600 }, { code: "ACCESS_DENIED" }])(
    "is missed no longer once its photo is saved (%p)",
    async (fault) => {
      await withheld(fault);
      expect([(await sync()).code, (await home.files()).includes("2024/05/01/B.JPG")]).toEqual([0, true]);
    },
  );

  test("is missed no longer once its photo is gone", async () => {
    const b = await withheld({ code: "ACCESS_DENIED" });
    library.purge(b);
    expect((await sync()).code).toBe(0);
  });

  test("is missed no longer once its photo is in the trash", async () => {
    const b = await withheld({ code: "ACCESS_DENIED" });
    library.softDelete(b);
    expect((await sync()).code).toBe(0);
  });
});

describe("a changed photo that Apple does not tell of", () => {
  test("is asked for again when that passes", async () => {
    await begin();
    await sync();
    const b = photo("B");
    double.photos.dataFaults.failRecord((name, operation) => name === b.id && operation === "records/lookup", {
      code: "RETRY_LATER",
      times: 2,
    });
    expect([(await sync()).code, (await home.files()).includes("2024/05/01/B.JPG")]).toEqual([0, true]);
  });

  test("makes the run one that is not whole", async () => {
    await begin();
    await sync();
    const b = photo("B");
    double.photos.dataFaults.failRecord((name, operation) => name === b.id && operation === "records/lookup", {
      code: "ACCESS_DENIED",
    });
    const silent = await sync();
    expect([silent.code, silent.stderr.includes("did not tell of some photos that have changed")]).toEqual([2, true]);
    double.photos.dataFaults.clear();
    expect([(await sync()).code, (await home.files()).includes("2024/05/01/B.JPG")]).toEqual([0, true]);
  });
});

test("a photo that has got another original, said by its own record only, gets that one's file", async () => {
  await begin();
  const b = photo("B");
  await sync();
  const other = photo("C");
  library.update(b, (data) => {
    data.masterName = other.masterName;
  });
  library.primary.remove(b.masterName, library.stamp());
  library.primary.remove(other.id, library.stamp());
  // Reduced: without a link to its original (cloudkit.md 4.6).
  double.faults.inject({
    match: "private/changes/zone",
    transform: async (response) =>
      new Response((await response.text()).replaceAll('"masterRef"', '"masterRef2"'), response),
  });
  const result = await sync();
  expect([result.code, result.reason]).toEqual([0, undefined]);
  const known = rows("SELECT master_id, disposition FROM assets WHERE id = ?", b.id);
  expect(known).toEqual([{ master_id: other.masterName, disposition: "wanted" }]);
  expect((await home.files()).length).toBe(4);
});

describe("a place in the feed of a database", () => {
  test("that Apple does not tell costs the next run a list of zones, and no wait", async () => {
    await begin();
    double.faults.inject({
      match: /changes\/database$/,
      times: ALWAYS,
      transform: async (response) => {
        const { syncToken, ...rest } = (await response.json()) as { syncToken: string };
        return Response.json(rest, { headers: { "set-cookie": response.headers.getSetCookie()[0] ?? "" } });
      },
    });
    for (const _ of [1, 2]) {
      expect((await sync()).code).toBe(0);
      expect(
        operations()
          .filter((name) => /zone/.test(name) || /database$/.test(name))
          .slice(0, 3),
      ).toEqual(["private/changes/database", "private/zones/list", "shared/zones/list"]);
    }
  });
});

test.each(["INVALID_DATA", "RETRY_LATER"])(
  "a membership that Apple can never tell (%s) ends no run: the rest is saved, and the run is not whole",
  async (code) => {
    const shared = await begin("participant");
    const album = library.createAlbum({ name: "Rome" });
    const t = photo("T", shared.name);
    library.addToAlbum(t, album);
    double.photos.dataFaults.failRecord((name, operation) => name.includes("-IN-") && operation === "changes/zone", {
      code,
    });
    const first = await sync("--library", "all");
    expect([first.code, (await home.files()).includes("2024/05/01/A.JPG")]).toEqual([2, true]);
    expect(first.stderr).toContain("does not tell which photos of other libraries are in albums");
    double.photos.dataFaults.clear();
    expect([(await sync("--library", "all")).code, (await home.files()).includes("Rome/T.JPG")]).toEqual([0, true]);
  },
);

describe("a shared library that Apple denies", () => {
  test("costs the run its own part only", async () => {
    const shared = await begin("participant");
    await sync("--library", "all");
    photo("B");
    photo("T", shared.name);
    double.faults.inject({ match: /^shared\/records/, times: ALWAYS, respond: answers.code("ACCESS_DENIED") });
    const denied = await sync("--library", "all");
    expect([denied.code, (await home.files()).includes("2024/05/01/B.JPG")]).toEqual([2, true]);
    expect(denied.stderr).toContain("does not let kei read this library");
    double.faults.clear();
    expect((await sync("--library", "all")).code).toBe(0);
    expect(await home.files()).toContain("2024/05/01/T.JPG");
  });

  test("is listed without a count", async () => {
    await begin("participant");
    double.faults.inject({ match: /^shared\/internal/, times: ALWAYS, respond: answers.code("ACCESS_DENIED") });
    const listed = await home.fast(["list", "libraries"]);
    expect([listed.code, listed.stdout.includes("not counted")]).toEqual([0, true]);
  });

  test("with all that others share leaves the own photos", async () => {
    await begin("participant");
    double.faults.inject({ match: /^shared\//, times: ALWAYS, respond: answers.code("ACCESS_DENIED") });
    const result = await sync("--library", "all");
    expect([result.code, await home.files()]).toEqual([2, ["2024/05/01/A.JPG"]]);
  });
});

test.each<["owner" | "participant" | undefined, readonly string[], readonly string[]]>([
  [undefined, [], ["private/changes/database"]],
  ["owner", [], ["private/changes/database"]],
  ["participant", [], ["private/changes/database"]],
  [undefined, ["--library", "all"], ["private/changes/database", "shared/changes/database"]],
  ["owner", ["--library", "all"], ["private/changes/database", "shared/changes/database"]],
  ["participant", ["--library", "all"], ["private/changes/database", "shared/changes/database"]],
])("nothing has changed: one question per database (shared library: %p, %p)", async (role, args, asked) => {
  await begin(role);
  await sync(...args);
  const clock = fasterClock(50);
  for (const days of [0, 0, 1, 20]) {
    double.log.clear();
    const later: Clock = { ...clock, now: () => clock.now() + days * 86_400_000 };
    const run = ["sync", "-d", home.photos, ...args];
    expect((await runInProcess(run, { env: home.env, cwd: home.root, clock: later })).code).toBe(0);
    expect(operations()).toEqual(asked);
  }
});

test("the mark of an original that is gone is enough to know that its photos are", async () => {
  await begin();
  const b = photo("B");
  await sync();
  // Apple tells of the original alone.
  library.primary.remove(b.masterName, library.stamp());
  const result = await sync();
  expect([result.code, result.reason]).toEqual([0, undefined]);
  expect(await home.files()).toContain("2024/05/01/B.JPG");
  const known = rows("SELECT disposition, rule FROM assets WHERE id = ?", b.id);
  expect(known).toEqual([{ disposition: "left-out", rule: "gone" }]);
});
