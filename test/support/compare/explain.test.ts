/** The comparison with icloudpd is worth nothing if it explains everything: what nobody prescribes must stay unexplained. */
import { expect, test } from "bun:test";
import { PhotoLibrary } from "../../icloud/index.ts";
import { explain } from "./explain.ts";
import { Facts } from "./facts.ts";
import { DEFAULT_ROW, ROWS } from "./rows.ts";
import { compareTrees, type Tree } from "./trees.ts";

const NOON = Date.UTC(2020, 4, 5, 12);
const library = new PhotoLibrary({ seed: 1, now: () => NOON });
const bytes = (text: string) => new TextEncoder().encode(text);
const photo = (content: string, filename: string, rest = {}) =>
  library.addAsset({ content: bytes(content), filename, assetDate: NOON, timeZoneOffset: 0, ...rest });
photo("one", "IMG_1.JPG");
const twin = photo("two", "IMG_1.JPG");
photo("late", "LATE.JPG", { assetDate: Date.UTC(2020, 4, 5, 23), timeZoneOffset: 7_200 });
photo("live", "LIVE.HEIC", {
  uti: "public.heic",
  motion: { uti: "com.apple.quicktime-movie", content: bytes("film") },
});
photo("edited", "EDIT.JPG", { assetResources: { resVidFull: { uti: "public.jpeg", content: bytes("cut") } } });

function tree(files: Readonly<Record<string, string>>): Tree {
  return new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      { size: content.length, sha256: new Bun.CryptoHasher("sha256").update(content).digest("hex") },
    ]),
  );
}

function reasons(kei: Readonly<Record<string, string>>, icloudpd: Readonly<Record<string, string>>, row = DEFAULT_ROW) {
  const [mine, theirs] = [tree(kei), tree(icloudpd)];
  const about = { facts: new Facts(library, mine, theirs), row, zone: "UTC" };
  return compareTrees(mine, theirs).differences.map((difference) => explain(difference, about));
}

test("equal trees differ in nothing", () => {
  expect(reasons({ "2020/05/05/IMG_1.JPG": "one" }, { "2020/05/05/IMG_1.JPG": "one" })).toEqual([]);
});

test("another name, another folder, a missing photo and unknown bytes have no reason", () => {
  const path = "2020/05/05/IMG_1.JPG";
  expect(reasons({ "2020/05/05/IMG_2.JPG": "one" }, { [path]: "one" })).toEqual([undefined]);
  expect(reasons({ "2020/05/05/IMG_1_edited.JPG": "one" }, { [path]: "one" })).toEqual([undefined]);
  expect(reasons({ "2020/05/06/IMG_1.JPG": "one" }, { [path]: "one" })).toEqual([undefined]);
  expect(reasons({}, { [path]: "one" })).toEqual([undefined]);
  expect(reasons({ [path]: "one" }, {})).toEqual([undefined]);
  expect(reasons({ [path]: "rot" }, { [path]: "one" })).toEqual([undefined, undefined]);
});

test("a suffix has a reason only where the plain name is taken", () => {
  const suffixed = `2020/05/05/IMG_1-${twin.id}.JPG`;
  const plain = { "2020/05/05/IMG_1.JPG": "one" };
  expect(reasons({ ...plain, [suffixed]: "two" }, plain)).toEqual([["sameSize"]]);
  expect(reasons({ [suffixed]: "two" }, {})).toEqual([undefined]);
  expect(reasons({ ...plain, [suffixed]: "two" }, { ...plain, "2020/05/05/IMG_1-3.JPG": "two" })).toEqual([
    ["collision"],
  ]);
  expect(reasons({ [suffixed]: "two" }, { "2020/05/05/IMG_1-3.JPG": "two" })).toEqual([undefined]);
});

test("the day of the capture is a reason only if both folders are right", () => {
  expect(reasons({ "2020/05/06/LATE.JPG": "late" }, { "2020/05/05/LATE.JPG": "late" })).toEqual([["clock"]]);
  expect(reasons({ "2020/05/05/LATE.JPG": "late" }, { "2020/05/06/LATE.JPG": "late" })).toEqual([undefined]);
});

test("a Live Photo's video has to be named after its still", () => {
  const still = "2020/05/05/LIVE-1.HEIC";
  const theirs = { "2020/05/05/LIVE_HEVC.MOV": "film", [still]: "live" };
  expect(reasons({ [still]: "live", "2020/05/05/LIVE-1_HEVC.MOV": "film" }, theirs)).toEqual([["followsStill"]]);
  expect(reasons({ [still]: "live", "2020/05/05/LIVE-2_HEVC.MOV": "film" }, theirs)).toEqual([undefined]);
  expect(reasons({ [still]: "live", "2020/05/05/LIVE-1.MOV": "film" }, theirs)).toEqual([undefined]);
});

test("a bound by day is a reason only for photos of that day", () => {
  const row = ROWS.find(({ to }) => to !== undefined);
  expect(row?.to).toBe("2024-04-01");
  expect(reasons({ "2020/05/05/IMG_1.JPG": "one" }, {}, row)).toEqual([undefined]);
});
