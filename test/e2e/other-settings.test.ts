/** Runs by other settings in between, once: nothing that the lasting settings select is lost by them. */
import { afterEach, expect, test } from "bun:test";
import { type AddedAsset, answers, type Double, PhotoLibrary, startDouble } from "../icloud/index.ts";
import { Home } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");
const ALWAYS = Number.POSITIVE_INFINITY;

let double: Double;
let home: Home;
let library: PhotoLibrary;

afterEach(async () => {
  await double.stop();
  home.remove();
});

const photo = (name: string, more: Parameters<PhotoLibrary["addAsset"]>[0] = {}): AddedAsset =>
  library.addAsset({ filename: `${name}.JPG`, content: 900 + name.charCodeAt(0), assetDate: TAKEN, ...more });

async function begin(): Promise<void> {
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
}

const sync = (...args: readonly string[]) =>
  home.fast(["sync", "-d", home.photos, "--folder-structure", "none", ...args]);

test("a library that is left out for a run is followed from where it was", async () => {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  const shared = library.addSharedLibrary("owner");
  await begin();
  expect((await sync("--library", "all")).code).toBe(0);
  photo("S", { zone: shared.name });
  photo("B");
  expect((await sync("--library", "primary")).code).toBe(0);
  expect((await sync("--library", "primary")).code).toBe(0);
  expect((await sync("--library", "all")).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "B.JPG", "S.JPG"]);
});

test("a file that has failed is tried again, although a run in between wanted other photos", async () => {
  library = new PhotoLibrary({ seed: 3 });
  photo("A", { assetDate: TAKEN - 900 * 86_400_000 });
  photo("B");
  await begin();
  const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS });
  expect((await sync()).code).toBe(2);
  fault.remove();
  // It keeps no token, since it looks at the last photo only.
  expect((await sync("--skip-created-before", "2024-01-01", "--recent", "1")).code).toBe(0);
  expect(await home.files()).toEqual(["B.JPG"]);
  expect((await sync()).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "B.JPG"]);
});

test("what a number leaves out of an album comes when there is no number any more", async () => {
  library = new PhotoLibrary({ seed: 3 });
  const [a, b] = [photo("A"), photo("B")];
  await begin();
  expect((await sync("--album", "all")).code).toBe(0);
  const rome = library.createAlbum({ name: "Rome" });
  library.addToAlbum(a, rome);
  library.addToAlbum(b, rome);
  photo("C");
  photo("D");
  expect((await sync("--album", "all", "--recent", "1")).code).toBe(0);
  expect((await sync("--album", "all")).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "B.JPG", "C.JPG", "D.JPG", "Rome/A.JPG", "Rome/B.JPG"]);
});

test("so does what a number leaves out of what had failed", async () => {
  library = new PhotoLibrary({ seed: 3 });
  photo("A", { assetDate: TAKEN - 900 * 86_400_000 });
  photo("B");
  await begin();
  const fault = double.photos.cdnFaults.inject({ kind: "status", status: 404, times: ALWAYS });
  expect((await sync()).code).toBe(2);
  fault.remove();
  expect((await sync("--recent", "1")).code).toBe(0);
  expect((await sync()).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "B.JPG"]);
});

test("a shared photo comes into its album, although a run in between looked for albums in the own library only", async () => {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  const shared = library.addSharedLibrary("owner");
  const s = photo("S", { zone: shared.name });
  const rome = library.createAlbum({ name: "Rome" });
  await begin();
  expect((await sync("--album", "all")).code).toBe(0);
  library.addToAlbum(s, rome);
  expect((await sync()).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG"]);
  expect((await sync("--album", "all")).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "Rome/S.JPG"]);
});

test("a shared library that could not be listed is found in the next run", async () => {
  library = new PhotoLibrary({ seed: 3 });
  photo("A");
  const shared = library.addSharedLibrary("participant");
  const s = photo("S", { zone: shared.name });
  library.addToAlbum(s, library.createAlbum({ name: "Rome" }));
  await begin();
  const fault = double.faults.inject({ match: /shared\/zones\/list/, times: ALWAYS, respond: answers.status(500) });
  const first = await sync("--album", "all");
  fault.remove();
  expect((await sync("--album", "all")).code).toBe(0);
  expect(await home.files()).toEqual(["A.JPG", "Rome/S.JPG"]);
  expect(first.code).toBe(2);
});
