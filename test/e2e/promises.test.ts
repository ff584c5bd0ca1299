/** The promises of README.md, each with a test of the same sentence. The long forms are in the other tests. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { appleChecksum } from "../../src/library/checksum.ts";
import { type Double, expectedFiles, mixedSampleLibrary, startDouble } from "../icloud/index.ts";
import { checksums, Home, type KeiResult } from "../support/kei.ts";

let double: Double;
let home: Home;

beforeEach(async () => {
  double = await startDouble({ library: mixedSampleLibrary(5) });
  home = new Home(double);
  await home.signIn(double);
});
afterEach(async () => {
  await double.stop();
  home.remove();
});

const sync = (): Promise<KeiResult> => home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);
const wanted = () => new Set(expectedFiles(double.library).map(({ checksum }) => checksum));

const addPhoto = () => double.library.addAsset({ filename: "ADDED.JPG", content: 5_001 });

const PROMISES: Readonly<Record<string, () => Promise<void>>> = {
  "A file under its final name is complete and proven.": async () => {
    const faults = [
      double.photos.cdnFaults.inject({ kind: "flip-bit", times: 5 }),
      double.photos.cdnFaults.inject({ kind: "truncate", bytes: 100, contentLength: false, times: 5 }),
      double.photos.cdnFaults.inject({ kind: "html", times: 5 }),
      double.photos.cdnFaults.inject({ kind: "status", status: 404, times: 20 }),
    ];
    await sync();
    expect(faults.every(({ hits }) => hits > 0)).toBe(true);
    const found = await checksums(home.photos);
    const final = [...found].filter(([path]) => !path.endsWith(".kei-tmp"));
    expect(final.length).toBeGreaterThan(10);
    expect(final.filter(([, checksum]) => !wanted().has(checksum))).toEqual([]);
  },

  "Nothing of yours is overwritten or deleted.": async () => {
    // Something of one's own stands at a name that kei wants, and beside it.
    const [first] = expectedFiles(double.library).filter(({ albums, filename }) => albums.length === 0 && filename);
    const own = new Map([
      [first?.filename ?? "", "mine"],
      ["notes.txt", "mine, too"],
    ]);
    mkdirSync(home.photos);
    for (const [name, text] of own) writeFileSync(join(home.photos, name), text);
    const doomed = addPhoto();
    await sync();
    const before = await checksums(home.photos);
    double.library.softDelete(doomed);
    await sync();
    const after = await checksums(home.photos);
    expect([...before].filter(([path, checksum]) => after.get(path) !== checksum)).toEqual([]);
    for (const [name, text] of own) expect(after.get(name)).toBe(appleChecksum(Buffer.from(text)));
  },

  "Nothing is fetched twice.": async () => {
    const photo = addPhoto();
    await sync();
    const fetched = double.log.count("cdn");
    expect(fetched).toBe(wanted().size);
    // Not when nothing is new, not when the catalogue is lost, not when a photo comes into an album.
    await sync();
    spawnSync("sh", ["-c", 'rm "$0"/*.db*', home.data]);
    await sync();
    double.library.addToAlbum(photo, double.library.createAlbum({ name: "New" }));
    await sync();
    expect(double.log.count("cdn")).toBe(fetched);
    expect((await home.files()).some((path) => path.startsWith("New/"))).toBe(true);
  },

  "Everything is accounted for.": async () => {
    double.photos.cdnFaults.inject({ kind: "status", status: 404, match: ({ size }) => size % 3 === 0, times: 10_000 });
    await home.fast(["sync", "-d", home.photos, "--skip-videos", "--max-retries", "0"]);
    const { stdout } = await home.fast(["status", "--json"]);
    const { counts } = JSON.parse(stdout) as { counts: Record<string, number | Record<string, number>> };
    const sum = (name: string): number => {
      const part = counts[name] ?? 0;
      return typeof part === "number" ? part : Object.values(part).reduce((all, one) => all + one, 0);
    };
    const parts = ["on_disk", "left_out", "waiting", "failed", "exhausted", "broken"];
    expect(parts.reduce((all, part) => all + sum(part), 0)).toBe(sum("assets"));
    expect(sum("failed")).toBeGreaterThan(0);
    expect(sum("left_out")).toBeGreaterThan(0);
  },

  "When nothing has changed, one question to Apple is all.": async () => {
    await sync();
    double.log.clear();
    await sync();
    expect(double.log.all.map(({ operation }) => operation)).toEqual(["private/changes/database"]);
  },

  "Your secrets stay secret.": async () => {
    const { stdout, stderr } = await home.fast(["sync", "-d", home.photos, "--log-level", "debug"]);
    for (const secret of [double.account.password, ...double.account.trustTokens]) {
      expect(`${stdout}${stderr}`).not.toContain(secret);
    }
    expect(spawnSync("find", [home.data, "-type", "f", "-perm", "/077"]).stdout.toString()).toBe("");
  },
};

test.each(Object.entries(PROMISES))("%s", (_, kept) => kept());

test("every promise of the README has its test here, under the same sentence", () => {
  const readme = readFileSync(resolve(import.meta.dir, "../../README.md"), "utf8");
  const section = readme.slice(readme.indexOf("## Promises"), readme.indexOf("## Exit codes"));
  expect([...section.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, sentence]) => sentence)).toEqual(Object.keys(PROMISES));
});
