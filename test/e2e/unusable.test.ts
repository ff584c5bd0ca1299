/** What Apple's records make impossible to save is told by every run until they are good, not only by the one that met it. */
import { afterEach, expect, test } from "bun:test";
import { type AddedAsset, type Double, PhotoLibrary, spoils, startDouble } from "../icloud/index.ts";
import { Home } from "../support/kei.ts";

const TAKEN = Date.parse("2024-05-01T10:00:00Z");

let double: Double;
let home: Home;
let library: PhotoLibrary;

afterEach(async () => {
  await double.stop();
  home.remove();
});

const photo = (name: string): AddedAsset =>
  library.addAsset({ filename: name, content: 900 + name.charCodeAt(0), assetDate: TAKEN });

async function begin(): Promise<AddedAsset> {
  library = new PhotoLibrary({ seed: 3 });
  photo("A.JPG");
  const b = photo("B.JPG");
  double = await startDouble({ library });
  home = new Home(double);
  await home.signIn(double);
  return b;
}

const sync = () => home.fast(["sync", "-d", home.photos, "--folder-structure", "none"]);

test.each([
  ["without a checksum", (b: AddedAsset) => library.spoil(library.primary, b.masterName, spoils.noChecksum())],
  ["without a usable date", (b: AddedAsset) => library.spoil(library.primary, b.id, spoils.assetDateAbsent)],
])("a record %s, also by runs that find nothing new, or list nothing", async (what, spoil) => {
  spoil(await begin());
  expect((await sync()).code).toBe(2);
  const idle = await sync();
  expect(idle.stderr).toContain("Nothing has changed in iCloud, but not everything is saved.");
  expect([idle.code, idle.stderr.includes(`1 record ${what}`)]).toEqual([2, true]);
  photo("C.JPG");
  expect((await sync()).code).toBe(2);
  expect(await home.files()).toEqual(["A.JPG", "C.JPG"]);
});

test("a record that is good later, and one that is deleted, are told no more", async () => {
  const b = await begin();
  const silence = (id: string) =>
    double.photos.dataFaults.failRecord((name, operation) => name === id && operation === "records/lookup", {
      code: "ACCESS_DENIED",
    });
  await sync();
  silence(b.id);
  library.favourite(b);
  expect((await sync()).code).toBe(2);
  double.photos.dataFaults.clear();
  expect((await sync()).code).toBe(0);
  const c = photo("C.JPG");
  silence(c.id);
  expect((await sync()).code).toBe(2);
  double.photos.dataFaults.clear();
  library.softDelete(c);
  expect((await sync()).code).toBe(0);
  expect((await home.fast(["status"])).stdout).toContain("Everything that is selected is backed up.");
});

test("a run that follows a change without a photo does not say that none is selected", async () => {
  const b = await begin();
  await sync();
  library.softDelete(b);
  const { code, stderr } = await sync();
  expect([code, stderr.includes("no photo is selected")]).toEqual([0, false]);
});
