/** `kei status`, `kei why` and `kei manifest` on what real runs have left: true, of one mind, and read-only. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { accountFiles, accountKey } from "../../src/library/account.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { formatHealth, healthPath } from "../../src/serve/health.ts";
import { type AddedAsset, type Double, PhotoLibrary, spoils, startDouble } from "../icloud/index.ts";
import { makeCatalogue } from "../support/catalogue.ts";
import { Home, type KeiResult, keiCommand, runInProcess, until } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:30:00Z");
const MOVIE = "com.apple.quicktime-movie";
const ODD = 'odd \u001b[31m, "name".JPG';
const ALL_SAVED = "Everything that is selected is backed up.";

/** A library on a double of its own, and a kei that is signed in to it and knows its folder. */
class Stage {
  readonly library = new PhotoLibrary({ seed: 4 });
  readonly photos = new Map<string, AddedAsset>();
  #double: Double | undefined;
  #home: Home | undefined;

  add(filename: string, more: Parameters<PhotoLibrary["addAsset"]>[0] = {}): AddedAsset {
    const asset = this.library.addAsset({ filename, content: 900 + this.photos.size, assetDate: TAKEN, ...more });
    this.photos.set(filename, asset);
    return asset;
  }

  photo(name: string): AddedAsset {
    const found = this.photos.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  }

  async open(env: Record<string, string> = {}): Promise<void> {
    this.#double = await startDouble({ library: this.library });
    this.#home = new Home(this.#double, env);
    this.#home.env["KEI_DOWNLOAD_DIR"] = this.#home.photos;
    await this.#home.signIn(this.#double);
  }

  async close(): Promise<void> {
    await this.#double?.stop();
    this.#home?.remove();
  }

  get double(): Double {
    if (this.#double === undefined) throw new Error("not open");
    return this.#double;
  }

  get home(): Home {
    if (this.#home === undefined) throw new Error("not open");
    return this.#home;
  }

  get database(): string {
    return accountFiles(this.home.data, "com", this.double.account.username).database;
  }

  run(args: readonly string[], env: Record<string, string> = {}, cwd = this.home.root): Promise<KeiResult> {
    return runInProcess(args, { env: { ...this.home.env, ...env }, cwd, clock: systemClock });
  }

  /** What is said about a photo that is known. */
  async why(word: string, env: Record<string, string> = {}, cwd?: string): Promise<string> {
    const result = await this.run(["why", word], env, cwd);
    expect([result.code, result.stderr]).toEqual([0, ""]);
    return result.stdout;
  }

  async json(args: readonly string[], env: Record<string, string> = {}) {
    return JSON.parse((await this.run([...args, "--json"], env)).stdout);
  }
}

describe("after runs in which all sorts of things have happened", () => {
  const stage = new Stage();
  const flags = ["--filename-exclude", "*.PNG", "--skip-created-before", "2020-01-01", "-a", "!Secret"];

  beforeAll(async () => {
    const { library } = stage;
    const [rome, family, secret] = ["Rome", "Family", "Secret"].map((name) => library.createAlbum({ name }));
    const both = stage.add("BOTH.JPG");
    for (const album of [rome, family]) library.addToAlbum(both, album ?? "");
    library.addToAlbum(stage.add("SECRET.JPG"), secret ?? "");
    stage.add("LIVE.HEIC", { uti: "public.heic", motion: { uti: MOVIE, content: 700 } });
    stage.add("HALF.HEIC", { uti: "public.heic", motion: { uti: MOVIE, content: 701 } });
    library.spoil(library.primary, stage.photo("HALF.HEIC").masterName, spoils.noDownloadUrl("resOriginalVidCompl"));
    stage.add("FILM.MOV", { uti: MOVIE });
    stage.add("SCREEN.PNG", { uti: "public.png" });
    stage.add("OLD.JPG", { assetDate: Date.parse("2019-01-01T00:00:00Z") });
    stage.add("PURGED.JPG");
    library.spoil(library.primary, stage.add("BROKEN.JPG").masterName, spoils.noChecksum());
    library.spoil(library.primary, stage.add("NODATE.JPG").id, spoils.assetDateAbsent);
    const fails = stage.add("FAILS.JPG", { content: 4_001 }).id;
    library.duplicate(stage.add("TWIN.JPG"), { assetDate: TAKEN });
    stage.add(ODD);
    const shared = library.addSharedLibrary("owner");
    for (const zone of ["PrimarySync", shared.name]) stage.add("OURS.JPG", { zone, content: 6_000, key: "ours" });
    await stage.open({ KEI_SKIP_VIDEOS: "true", KEI_LIBRARY: "all" });
    stage.double.photos.cdnFaults.inject({
      kind: "status",
      status: 404,
      match: ({ assetIds }) => assetIds.includes(fails),
      times: Number.POSITIVE_INFINITY,
    });
    await stage.run(["sync", ...flags]);
    library.softDelete(stage.photo("PURGED.JPG"));
    library.purge(stage.photo("PURGED.JPG"));
    // The file that failed makes this a run over everything.
    await stage.run(["sync", ...flags]);
  });
  afterAll(() => stage.close());

  test("status counts every photo once, and names what is not saved", async () => {
    const { stdout, stderr, code } = await stage.run(["status"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^8 of 14 photos backed up as of \d\d:\d\d; 4 left out by your filters, 1 failed, 1 unusable at Apple\nNot everything is backed up: Apple sent records that can't be used\.\n/,
    );
    expect(stdout).toContain("8  saved and proven (1 of them is the same file as another)");
    expect(stdout).toContain("1  besides: kept here, in no list any more");
    expect(stdout).toContain("2024/05/01/FAILS.JPG: the server answered 404 (attempts: 2) -> nothing to do");
    expect(stdout).toContain("Session: trusted since ");
    expect(stdout).toEndWith("Next: when `kei sync` is run\n");
  });

  test("status, why and manifest agree on every file", async () => {
    const status = await stage.json(["status", "--downloaded"]);
    const { counts } = status;
    const manifest: Array<{ asset_id: string; status: string; paths: readonly string[] }> = JSON.parse(
      (await stage.run(["manifest"])).stdout,
    );
    const parts = new Map<string, number>();
    const ids = new Set(manifest.map(({ asset_id }) => asset_id));
    for (const id of ids) {
      const { assets } = await stage.json(["why", id]);
      for (const { disposition } of assets) parts.set(disposition, (parts.get(disposition) ?? 0) + 1);
    }
    expect(Object.fromEntries(parts)).toEqual({ saved: counts.on_disk, failed: counts.failed, kept: 1 });
    const keptFiles = 1;
    expect(manifest.filter((file) => file.status === "downloaded").length).toBe(counts.files.downloaded + keptFiles);
    expect(status.downloaded.length).toBe(counts.files.downloaded);
    expect(new Set(manifest.flatMap(({ paths }) => paths))).toEqual(new Set(await stage.home.files()));
  });

  test.each<[string, string, ReadonlyArray<string | RegExp>]>([
    [
      "is saved, in two albums",
      "BOTH.JPG",
      ["saved; Apple's checksum proves every byte", "Albums: Family, Rome", "  original  Rome/BOTH.JPG\n"],
    ],
    ["has two files", "LIVE.HEIC", ["Live Photo, taken 2024-05-01 10:30", "  video     2024/05/01/LIVE_HEVC.MOV\n"]],
    ["has a half that Apple does not give", "HALF.HEIC", ["saved;", "Not saved: video, without an address"]],
    ["is of a kind that is skipped", "FILM.MOV", ["left out: of a kind", "change --skip-videos (true, from the env"]],
    [
      "is left out by its name",
      "SCREEN.PNG",
      ["left out by name", "change --filename-exclude, [filters] filename_exclude"],
    ],
    ["is too old", "OLD.JPG", ["outside the dates", "change --skip-created-before", "taken 2019-01-01 00:00"]],
    [
      "is in an album that is left out",
      "SECRET.JPG",
      ["albums that are not selected", "change --album", "Albums: Secr"],
    ],
    ["is unusable", "BROKEN.JPG", ["can't be saved: Apple lists it without a checksum", "What to do: nothing"]],
    ["fails", "FAILS.JPG", ["failed: the server answered 404 (attempt 2 of 10); the next run tries again"]],
    ["is gone from every list", "PURGED.JPG", ["kept here, in no list any more", "2024/05/01/PURGED.JPG"]],
    ["has an odd name", ODD, ["odd \\x1b[31m", "_name_.JPG"]],
    [
      "is in two libraries",
      "OURS.JPG",
      ["in PrimarySync", "in SharedSync-", "(one file for several photos or folders)"],
    ],
  ])("why tells of a photo that %s", async (_, name, parts) => {
    const text = await stage.why(name);
    for (const part of parts) expect(text).toContain(part as string);
    expect(text).not.toContain("\u001b");
  });

  test("why tells of a file that was tried too often what brings it back", async () => {
    const text = await stage.why("FAILS.JPG", { KEI_MAX_DOWNLOAD_ATTEMPTS: "2" });
    expect(text).toContain("given up after 2 attempts: the server answered 404");
    expect(text).toContain("`kei sync --retry-failed` tries it again");
  });

  test("why finds a photo by any of its names", async () => {
    const id = stage.photo("LIVE.HEIC").id;
    const { photos } = stage.home;
    const one = async (word: string, cwd?: string) => {
      const text = await stage.why(word, {}, cwd);
      expect(text).toEndWith(`  Record: ${id}\n`);
    };
    await one(id);
    await one(id.toLowerCase());
    await one("LIVE.HEIC");
    await one("live.heic");
    await one("live_hevc.mov");
    await one("LIVE*");
    await one("L?VE.HEIC");
    await one("2024/05/01/LIVE.HEIC");
    await one("./2024/05/01/LIVE.HEIC");
    await one("05/01/LIVE.HEIC");
    await one(join(photos, "2024/05/01/LIVE_HEVC.MOV"));
    await one("LIVE.HEIC", join(photos, "2024/05/01"));
    await one("../05/01/LIVE.HEIC", join(photos, "2024/05"));
    expect(await stage.why(`TWIN-${idOfTwin()}.JPG`)).toContain("2024/05/01/TWIN-");

    function idOfTwin(): string {
      const leaf = readdirSync(join(photos, "2024/05/01")).find((name) => name.startsWith("TWIN-"));
      return leaf?.slice("TWIN-".length, -".JPG".length) ?? "";
    }
  });

  test("why lists what a part of a name means, with what tells one from another", async () => {
    const text = await stage.why(".JPG");
    expect(text).toMatch(/^\d+ photos fit "\.JPG":\n/);
    expect(text).toContain(`  FAILS.JPG  2024-05-01 10:30  failed  ${stage.photo("FAILS.JPG").id}\n`);
    expect(text).toContain("`kei why RECORD`");
    const { fit, more, assets } = await stage.json(["why", ".JPG"]);
    expect([fit, more, assets.length]).toEqual(["part", false, 11]);
  });

  test("why ends with 1 for a name that nobody has, tells near ones, and why it may be missing", async () => {
    const { code, stdout } = await stage.run(["why", "LIVE.HEIF"]);
    expect(code).toBe(1);
    expect(stdout).toStartWith('No photo is known as "LIVE.HEIF".\nDid you mean LIVE.HEIC?\n');
    expect(stdout).toContain("--library is all");
    expect(stdout).toContain("2 records of Apple's that can't be used");
    expect(await stage.json(["why", "LIVE.HEIF"])).toMatchObject({ found: false, assets: [], near: ["LIVE.HEIC"] });
    for (const odd of ["%", "\\", "'", "a".repeat(5_000), "../../etc/passwd"]) {
      expect((await stage.run(["why", odd])).code).toBe(1);
    }
    // What means something to a database means itself here.
    expect((await stage.json(["why", "E_H"])).assets.length).toBe(1);
  });

  test("why tells of a record that could not become a photo", async () => {
    const id = stage.photo("NODATE.JPG").id;
    expect(await stage.why(id)).toContain("a record without a usable date; it can't be saved");
    expect((await stage.json(["why", id])).records).toMatchObject([{ record: id, reason: "no-capture-date" }]);
  });

  test("why has a schema that stays", async () => {
    const answer = await stage.json(["why", "FILM.MOV"]);
    expect(Object.keys(answer).slice(0, 2)).toEqual(["schema", "command"]);
    expect(answer).toMatchObject({ schema: 1, command: "why", query: "FILM.MOV", found: true, fit: "exact" });
    expect(answer.assets).toEqual([
      {
        library: "PrimarySync",
        asset: stage.photo("FILM.MOV").id,
        filename: "FILM.MOV",
        media_type: "video",
        created_at: "2024-05-01T10:30:00.000Z",
        time_zone_offset: 0,
        added_at: expect.any(String),
        last_seen_at: expect.any(String),
        favorite: false,
        hidden: false,
        deleted: false,
        albums: [],
        disposition: "left-out",
        rule: "by_media_type",
        sentence: "left out: of a kind that is not selected",
        way_out: "change --skip-videos (true, from the environment)",
        settings: [{ flag: "--skip-videos", key: null, value: "true", origin: "env" }],
        files: [],
        unusable: [],
      },
    ]);
    const [saved] = (await stage.json(["why", "BOTH.JPG"])).assets;
    expect(saved.files).toEqual([
      {
        version: "original",
        status: "downloaded",
        size_bytes: 900,
        attempts: 0,
        error: null,
        kind: null,
        proof: "provider",
        downloaded_at: expect.any(String),
        places: [
          {
            pass: expect.stringMatching(/^album:/),
            path: "Family/BOTH.JPG",
            status: "present",
            shared: false,
            error: null,
          },
          {
            pass: expect.stringMatching(/^album:/),
            path: "Rome/BOTH.JPG",
            status: "present",
            shared: false,
            error: null,
          },
        ],
      },
    ]);
  });

  test("manifest tells every file, as JSON and as CSV", async () => {
    const json = await stage.run(["manifest"]);
    const csv = await stage.run(["manifest", "--format", "csv"]);
    expect([json.code, json.stderr, csv.code, csv.stderr]).toEqual([0, "", 0, ""]);
    const entries: Array<Record<string, unknown>> = JSON.parse(json.stdout);
    const both = entries.find(({ filename }) => filename === "BOTH.JPG");
    expect(both).toEqual({
      library: "PrimarySync",
      asset_id: stage.photo("BOTH.JPG").id,
      version: "original",
      filename: "BOTH.JPG",
      local_path: "Family/BOTH.JPG",
      checksum: expect.any(String),
      local_checksum: both?.["checksum"],
      download_checksum: both?.["checksum"],
      size_bytes: 900,
      created_at: "2024-05-01T10:30:00.000Z",
      added_at: expect.any(String),
      downloaded_at: expect.any(String),
      last_seen_at: expect.any(String),
      media_type: "photo",
      status: "downloaded",
      albums: ["Family", "Rome"],
      paths: ["Family/BOTH.JPG", "Rome/BOTH.JPG"],
    });
    expect(entries.find(({ filename }) => filename === "FAILS.JPG")).toMatchObject({
      local_path: null,
      local_checksum: null,
      downloaded_at: null,
      status: "failed",
      paths: [],
    });
    const order = entries.map(({ library, asset_id, version }) => `${library} ${asset_id} ${version}`);
    expect(order).toEqual(order.toSorted((a, b) => (a < b ? -1 : 1)));

    const [header = [], ...rows] = readCsv(csv.stdout);
    expect(header).toEqual(Object.keys(both ?? {}));
    const asText = (value: unknown) =>
      value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    expect(rows).toEqual(entries.map((entry) => header.map((column) => asText(entry[column]))));
    expect(rows.some((row) => row.includes(ODD))).toBe(true);
  });
});

/** A reader of RFC 4180, as strict as can be: CRLF ends every record, quotes only where they are needed. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: string[] = [];
    for (;;) {
      const cell = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
      cell.lastIndex = at;
      const found = cell.exec(text);
      row.push(found?.[1]?.replaceAll('""', '"') ?? found?.[2] ?? "");
      at = cell.lastIndex;
      if (text[at] !== ",") break;
      at += 1;
    }
    expect(text.slice(at, at + 2)).toBe("\r\n");
    at += 2;
    rows.push(row);
  }
  return rows;
}

describe("while all is well", () => {
  const stage = new Stage();

  beforeAll(async () => {
    for (const name of ["ONE.JPG", "HIDDEN.JPG", "TRASHED.JPG", "PURGED.JPG"]) stage.add(name);
    await stage.open();
    await stage.run(["sync"]);
  });
  afterAll(() => stage.close());

  test("status says so, from the end of the first run on", async () => {
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toMatch(new RegExp(`^4 of 4 photos backed up as of \\d\\d:\\d\\d\n${ALL_SAVED}\n`));
    expect(await stage.json(["status"])).toMatchObject({
      verdict: { complete: true, reasons: [] },
      holds: [],
      failures: [],
      session: { state: "trusted", age_days: 0 },
    });
  });

  test("what Photos hides or deletes afterwards stays, and has its reason", async () => {
    const { library } = stage;
    library.hide(stage.photo("HIDDEN.JPG"));
    library.softDelete(stage.photo("TRASHED.JPG"));
    library.softDelete(stage.photo("PURGED.JPG"));
    library.purge(stage.photo("PURGED.JPG"));
    await stage.run(["sync"]);
    expect(await stage.why("HIDDEN.JPG")).toMatch(/left out: hidden in Photos\n.*--smart-folder Hidden/);
    expect(await stage.why("TRASHED.JPG")).toMatch(/recently deleted in Photos\n.*recover it in Photos/);
    const purged = await stage.why("PURGED.JPG");
    expect(purged).toContain("kept here, deleted in iCloud");
    expect(purged).toContain("2024/05/01/PURGED.JPG");
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toMatch(/^1 of 3 photos backed up as of \S+; 2 hidden or deleted in Photos\n/);
    expect(stdout).toContain("1  besides: kept here, deleted in iCloud\n");
    expect(stdout).toContain(ALL_SAVED);
  });

  test("status tells what a watch has left: when it runs next, what it failed of, and that it has died", async () => {
    const health = {
      account: accountKey("com", stage.double.account.username),
      lastSyncAt: Date.now(),
      lastSuccessAt: Date.now(),
      consecutiveFailures: 0,
      lastError: undefined,
      nextSyncAt: Date.now() + 3_600_000,
      codeWantedAt: undefined,
    };
    const path = healthPath(stage.home.data);
    writeFileSync(path, formatHealth(health));
    expect(await stage.json(["status"])).toMatchObject({ next: { by: "watch" }, verdict: { complete: true } });
    const lastError = "Apple asks to wait";
    writeFileSync(path, formatHealth({ ...health, nextSyncAt: 1, consecutiveFailures: 3, lastError }));
    const { holds, next } = await stage.json(["status"]);
    expect(holds.map(({ kind }: { kind: string }) => kind)).toEqual(["runs-failing", "watch-overdue"]);
    expect(holds[0].what).toBe("The last 3 runs have failed: Apple asks to wait");
    expect(next).toMatchObject({ at: null, by: "hand" });
    writeFileSync(path, "half a docu");
    expect((await stage.json(["status"])).holds).toEqual([]);
    await rm(path);
  });

  test("a folder that is not there is no backup", async () => {
    const { photos } = stage.home;
    await rename(photos, `${photos}.away`);
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toContain("Not everything is backed up: the download folder is missing.");
    expect(stdout).toContain("is not there, though files were saved in it -> mount the disk");
    await mkdir(photos);
    expect((await stage.run(["status"])).stdout).toContain("is empty, though files were saved in it");
    await rm(photos, { recursive: true });
    await rename(`${photos}.away`, photos);
  });

  test("nothing is written, asked of Apple or locked by any of them", async () => {
    const { home, double } = stage;
    const look = () =>
      readdirSync(home.data)
        .toSorted()
        .filter((name) => !/-(wal|shm)$/.test(name))
        .map((name) => [name, statSync(join(home.data, name)).mtimeMs, readFileSync(join(home.data, name)).length]);
    const before = look();
    double.log.clear();
    for (const args of [["status", "--downloaded"], ["status", "--json"], ["why", "ONE.JPG"], ["manifest"]]) {
      expect((await stage.run(args, { ICLOUD_PASSWORD: "" })).code).toBe(0);
    }
    expect(look()).toEqual(before);
    expect(double.log.all.length).toBe(0);
  });
});

test("a library that was selected since, and can't be listed, is no backup", async () => {
  const stage = new Stage();
  try {
    stage.add("ONE.JPG");
    stage.library.addSharedLibrary("participant");
    await stage.open();
    await stage.run(["sync"]);
    expect((await stage.run(["status"])).stdout).toContain(ALL_SAVED);
    stage.double.faults.inject({
      match: /shared\/records\/query/,
      respond: () => Response.json({ serverErrorCode: "BAD_REQUEST" }, { status: 400 }),
      times: Number.POSITIVE_INFINITY,
    });
    for (const state of ["widened", "begun anew"]) {
      if (state === "begun anew") await stage.run(["reset", "state", "--yes"]);
      expect((await stage.run(["sync", "--library", "all"])).code).not.toBe(0);
      expect((await stage.run(["status"])).stdout).toContain("Not everything is backed up: ");
    }
  } finally {
    await stage.close();
  }
});

test("a first run that was cut off is never taken for a backup", async () => {
  const stage = new Stage();
  try {
    const album = stage.library.createAlbum({ name: "Rome" });
    for (let index = 0; index < 5; index += 1)
      stage.library.addToAlbum(stage.add(`P${index}.JPG`, { content: 700 + index }), album);
    await stage.open();
    // All photos are in the album, which is read; that there are no others is never heard.
    stage.double.faults.inject({
      match: "private/records/query:assets",
      respond: () => Response.json({ serverErrorCode: "BAD_REQUEST" }, { status: 400 }),
      times: Number.POSITIVE_INFINITY,
    });
    await stage.run(["sync"]);
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toStartWith(
      "5 of 5 photos backed up\nNot everything is backed up: no run has come to its end yet; ",
    );
    expect(stdout).toContain("The list of PrimarySync was not read to its end, since ");
    const { verdict, holds } = await stage.json(["status"]);
    expect(verdict).toMatchObject({ complete: false, as_of: null, reasons: ["never-completed", "list-unfinished"] });
    expect(holds).toMatchObject([
      { kind: "runs-failing", what: expect.stringContaining("BAD_REQUEST") },
      { kind: "list-unfinished", since: expect.any(String), way_out: "`kei sync` reads it" },
    ]);
    expect((await stage.run(["why", "P9.JPG"])).stdout).toContain("the list of PrimarySync was not read to its end");
  } finally {
    await stage.close();
  }
});

test("status tells a run that is at work from one that was killed, at once", async () => {
  const stage = new Stage();
  try {
    stage.add("SLOW.JPG", { content: 900 });
    await stage.open();
    const slow = stage.double.photos.cdnFaults.inject({ kind: "drip", bytes: 1, intervalMs: 200, times: 9 });
    const kei = stage.home.start(["sync", "-d", stage.home.photos]);
    await until("the transfer", () => slow.hits > 0);
    expect((await stage.json(["status"])).next.running).toBe(true);
    expect((await stage.run(["status"])).stdout).toContain("; a run is at work\n");
    kei.kill("SIGKILL");
    await kei.result;
    const { holds, next } = await stage.json(["status"]);
    expect(next.running).toBe(false);
    expect(holds.map(({ kind }: { kind: string }) => kind)).toEqual(["run-unfinished", "list-unfinished"]);
  } finally {
    await stage.close();
  }
});

describe("an answer that can't be given whole", () => {
  const home = new Home(undefined, { ICLOUD_USERNAME: "jane@example.com" });
  const words = keiCommand()
    .map((word) => `'${word}'`)
    .join(" ");
  beforeAll(async () => {
    await mkdir(home.data, { recursive: true });
    const { database } = accountFiles(home.data, "com", "jane@example.com");
    await makeCatalogue(database, "jane@example.com", 5_000);
  });
  afterAll(() => home.remove());

  async function shell(line: string): Promise<KeiResult> {
    const child = Bun.spawn(["sh", "-c", line], { env: home.env, stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { code: await child.exited, stdout, stderr };
  }

  test("to a reader that has had enough ends without a word", async () => {
    const { stdout, stderr } = await shell(`${words} manifest | head -c 30`);
    expect([stdout, stderr]).toEqual(['[\n  {"library":"PrimarySync","', ""]);
  });

  test("since it is a long list is cut, with a count of what is left", async () => {
    const { code, stdout } = await shell(`${words} status --downloaded`);
    expect([code, stdout.split("\n").filter((line) => line.includes(" -> 20")).length]).toEqual([0, 200]);
    expect(stdout).toMatch(/\n\.\.\. and [\d,]+ more \(listing capped at 200\)\n$/);
  });
});

describe("where there is no database", () => {
  const home = new Home();
  const run = (...args: readonly string[]) =>
    runInProcess(args, {
      env: { ...home.env, ICLOUD_USERNAME: "jane@example.com" },
      cwd: home.root,
      clock: systemClock,
    });
  afterAll(() => home.remove());

  test("status says so and what to do, and that is no error", async () => {
    const { code, stdout } = await run("status");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^No state database found at .*\.db\nRun `kei sync` once to make the first backup\.\n$/);
    const json = await run("status", "--json");
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([0, { schema: 1, command: "status", found: false }]);
  });

  test("why has found nothing", async () => {
    const { code, stdout } = await run("why", "IMG_1.JPG");
    expect(code).toBe(1);
    expect(stdout).toStartWith("No state database found at ");
    expect(JSON.parse((await run("why", "IMG_1.JPG", "--json")).stdout)).toMatchObject({
      command: "why",
      found: false,
    });
  });

  test.each(["json", "csv"])("manifest fails and says nothing on stdout (%s)", async (format) => {
    const { code, stdout, stderr } = await run("manifest", "--format", format);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Error: No state database found at .*\. Run `kei sync` once to make the first backup\.\n$/);
  });

  test("without a user name nothing can be looked up", async () => {
    for (const args of [["status"], ["why", "x"], ["manifest"]]) {
      const { code, stdout, stderr } = await runInProcess(args, { env: home.env, cwd: home.root, clock: systemClock });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("--username is required");
    }
  });

  test("wrong command lines end with 64", async () => {
    for (const args of [
      ["why"],
      ["why", "a", "b"],
      ["manifest", "--format", "xml"],
      ["manifest", "--json"],
      ["status", "x"],
    ]) {
      expect((await run(...args)).code).toBe(64);
    }
  });
});
