/** What `kei why` says of a photo in every part of the sum, and how much of a terminal it takes. */
import { describe, expect, test } from "bun:test";
import type { AppleChecksum, AssetId, MasterId, ZoneName } from "../../src/library/asset.ts";
import { columnsOf } from "../../src/runtime/columns.ts";
import type { AssetStory } from "../../src/state/answers.ts";
import { type Disposition, dispositionOf } from "../../src/ui/disposition.ts";
import { whyLines } from "../../src/ui/why.ts";
import type { WhyAsset, WhyFacts, WhyLever } from "../../src/ui/why-facts.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const KEY = { library: "PrimarySync" as ZoneName, asset: "A" as AssetId, rendition: "original" } as const;
const CHECKSUM = "x" as AppleChecksum;

type File = AssetStory["files"][number];
type Place = AssetStory["places"][number];

const file = (more: Partial<File> = {}): File => ({
  ...KEY,
  status: "downloaded",
  checksum: CHECKSUM,
  size: 1,
  uti: "public.jpeg",
  attempts: 0,
  lastError: undefined,
  lastErrorKind: undefined,
  dispatchRun: undefined,
  proof: "provider",
  downloadedAt: 1,
  ...more,
});
const place = (more: Partial<Place> = {}): Place => ({
  ...KEY,
  pass: "unfiled",
  path: "2024/A.JPG",
  pathKey: "2024/a.jpg",
  owner: true,
  status: "present",
  checksum: CHECKSUM,
  localSize: 1,
  localMtime: 1,
  method: "download",
  lastError: undefined,
  lastErrorKind: undefined,
  ...more,
});
const photo = (
  more: { files?: readonly File[]; places?: readonly Place[]; rule?: string; broken?: true } = {},
  levers: readonly WhyLever[] = [],
): WhyAsset => ({
  story: {
    asset: {
      library: KEY.library,
      id: KEY.asset,
      masterId: "M" as MasterId,
      filename: "A.JPG",
      kind: "photo",
      capturedAt: Date.UTC(2024, 4, 1, 22, 30),
      timeZoneOffset: 7200,
      addedAt: undefined,
      isFavorite: true,
      isHidden: false,
      isDeleted: false,
      changeTag: undefined,
      disposition: more.broken ? "broken" : more.rule === undefined ? "wanted" : "left-out",
      rule: more.rule,
      seenScan: 1,
    },
    seenAt: undefined,
    albums: [],
    files: more.files ?? [file()],
    places: more.places ?? [place()],
    issues: [],
  },
  levers,
});
const failed = (attempts: number, lastErrorKind = "server"): File =>
  file({ status: "failed", attempts, lastError: "it broke", lastErrorKind });

describe("a photo", () => {
  const at = { cap: 10, now: NOW, nextAt: undefined };
  const recent: WhyLever = { flag: "--recent", key: "filters.recent", value: "5", origin: "file" };
  test.each<[string, WhyAsset, Disposition]>([
    [
      "that is saved",
      photo(),
      { part: "saved", sentence: "saved; Apple's checksum proves every byte", wayOut: undefined },
    ],
    [
      "that was there before",
      photo({ files: [file({ proof: "adopted" })] }),
      { part: "saved", sentence: "saved; it was found on disk, and its content is that of Apple's", wayOut: undefined },
    ],
    [
      "that Apple can't prove",
      photo({ files: [file(), file({ proof: "size" })] }),
      {
        part: "saved",
        sentence: "saved; its size is right, and Apple gives no checksum that could prove more",
        wayOut: undefined,
      },
    ],
    [
      "of which a file waits",
      photo({ files: [file(), file({ status: "pending" })] }),
      {
        part: "waiting",
        sentence: "waiting: 1 of 2 files is still to be fetched; the next run goes on",
        wayOut: "`kei sync`",
      },
    ],
    [
      "that has no file yet",
      photo({ files: [], places: [] }),
      {
        part: "waiting",
        sentence: "waiting: its files are still to be fetched; the next run goes on",
        wayOut: "`kei sync`",
      },
    ],
    [
      "that waits for a place",
      photo({ places: [place(), place({ status: "pending" })] }),
      {
        part: "waiting",
        sentence: "on disk, but not yet at each of its places; the next run goes on",
        wayOut: "`kei sync`",
      },
    ],
    [
      "that could not be copied to a place",
      photo({ places: [place(), place({ status: "failed", lastError: "no room", lastErrorKind: "disk-full" })] }),
      {
        part: "failed",
        sentence: "on disk, but not at each of its places: no room; the next run tries again",
        wayOut: "free some space",
      },
    ],
    [
      "that failed",
      photo({ files: [failed(3)] }),
      { part: "failed", sentence: "failed: it broke (attempt 3 of 10); the next run tries again", wayOut: undefined },
    ],
    [
      "that failed for want of space",
      photo({ files: [failed(0, "disk-full")] }),
      {
        part: "failed",
        sentence: "failed: it broke (attempt 0 of 10); the next run tries again",
        wayOut: "free some space",
      },
    ],
    [
      "of which one file was given up, whatever the others do",
      photo({ files: [file({ status: "pending" }), failed(3), failed(10)] }),
      {
        part: "exhausted",
        sentence: "given up after 10 attempts: it broke",
        wayOut: "`kei sync --retry-failed` tries it again",
      },
    ],
    [
      "that is left out by a setting",
      photo({ rule: "by_recent" }, [recent]),
      {
        part: "left-out",
        sentence: "left out: not among the most recent",
        wayOut: "change [filters] recent (5, from the configuration file)",
      },
    ],
    [
      "that is left out by what nobody has said here",
      photo({ rule: "by_recent" }, [{ ...recent, value: undefined, origin: "default" }]),
      {
        part: "left-out",
        sentence: "left out: not among the most recent",
        wayOut: "change --recent, [filters] recent",
      },
    ],
    [
      "that is gone",
      photo({ rule: "gone" }),
      { part: "kept", sentence: "kept here, deleted in iCloud", wayOut: undefined },
    ],
    [
      "that Apple sent broken",
      photo({ broken: true, rule: "no-size", files: [], places: [] }),
      {
        part: "broken",
        sentence: "can't be saved: Apple lists it without a size",
        wayOut: "nothing to do here: kei looks at it again whenever Apple lists it",
      },
    ],
    [
      "under a rule of a later version",
      photo({ rule: "by_moon" }),
      { part: "left-out", sentence: "left out: by_moon", wayOut: undefined },
    ],
  ])("%s", (_, asset, expected) => {
    expect(dispositionOf(asset, at)).toEqual(expected);
  });

  test("is never given up where there is no limit, and waits for the watch where one runs", () => {
    const nextAt = NOW + 60_000;
    expect(dispositionOf(photo({ files: [failed(99)] }), { ...at, cap: 0 }).sentence).toContain("(attempt 99); ");
    const waiting = dispositionOf(photo({ files: [file({ status: "pending" })] }), { ...at, nextAt });
    expect(waiting.sentence).toMatch(/; the next run, \d\d:\d\d, goes on$/);
    expect(waiting.wayOut).toBeUndefined();
  });
});

describe("the answer", () => {
  const facts: WhyFacts = {
    word: "A.JPG",
    fit: "exact",
    assets: [photo()],
    more: false,
    records: [],
    near: [],
    cap: 10,
    now: NOW,
    nextAt: undefined,
    asOf: NOW,
    unusable: 0,
    unfinished: [],
    libraries: ["primary"],
  };

  test("says what it is, on the clock of where it was taken, and where each file stands", () => {
    expect(whyLines(facts)).toEqual([
      "A.JPG: saved; Apple's checksum proves every byte",
      "  photo, taken 2024-05-02 00:30, in PrimarySync, a favourite",
      "  original  2024/A.JPG",
      "  Record: A",
    ]);
  });

  test("tells of places that wait, that failed, and that hold an earlier version", () => {
    const places = (["pending", "failed", "historical", "present"] as const).map((status) =>
      place({ status, path: `${status}.JPG`, owner: status !== "present", lastError: "no room" }),
    );
    const text = whyLines({ ...facts, assets: [photo({ places })] }).join("\n");
    expect(text).toContain("original  pending.JPG  (not there yet)");
    expect(text).toContain("original  failed.JPG  (failed: no room)");
    expect(text).toContain("original  historical.JPG  (an earlier version, which stays)");
    expect(text).toContain("original  present.JPG  (one file for several photos or folders)");
  });

  test("lists many photos and counts them as far as it knows", () => {
    const many = Array.from({ length: 30 }, () => photo());
    const lines = whyLines({ ...facts, assets: many, more: true }, 80);
    expect(lines[0]).toBe('More than 30 photos fit "A.JPG":');
    expect(lines.filter((line) => line.startsWith("  A.JPG  2024-05-02 00:30  saved  A"))).toHaveLength(20);
    expect(lines).toContain("  ... and more");
    expect(lines.length).toBeLessThanOrEqual(24);
  });

  test("fits into the width and obeys no control character", () => {
    const places = [place({ path: `${"a long folder ".repeat(10)}/\u001b[2J\u009b.JPG` })];
    const lines = whyLines({ ...facts, word: "\u0007", assets: [photo({ places })] }, 80);
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(80);
    expect(lines.join("")).not.toMatch(/\p{Cc}/u);
    expect(whyLines({ ...facts, word: "\u0007", assets: [] }, 80).join("")).not.toMatch(/\p{Cc}/u);
  });
});
