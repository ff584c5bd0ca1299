import { describe, expect, test } from "bun:test";
import { generatedBody } from "../icloud/photos/body.ts";
import { fileChecksum, referenceChecksum } from "../icloud/photos/checksum.ts";
import { createLibrary, expectedFiles, mixedSampleLibrary } from "../icloud/photos/index.ts";
import { createRng } from "../icloud/photos/random.ts";

describe("checksums", () => {
  test("agree with the vectors of checksum.md", () => {
    const text = (value: string) => new TextEncoder().encode(value);
    expect(fileChecksum(text(""))).toBe("AW2cWT2PxzWixMKuuNMTHJ8CJ3sH");
    expect(fileChecksum(text("abc"))).toBe("AYnnoj1r4lMYTs3JP/g7mjGaDCgO");
    expect(fileChecksum(text("a".repeat(1_000_000)))).toBe("AU9SYWVJxrK0z0T/KViy3vsr5swZ");
    expect(referenceChecksum(new Uint8Array(16).fill(1))).toBe("ATRcDpeYex9OG+OO4WeKXxBhwsMB");
  });
});

describe("generated files", () => {
  const heads: ReadonlyArray<readonly [string, number, string]> = [
    ["public.jpeg", 0, "ffd8ffe000104a464946"],
    ["public.png", 0, "89504e470d0a1a0a"],
    ["com.compuserve.gif", 0, "474946383961"],
    ["public.heic", 4, "6674797068656963"],
    ["com.apple.quicktime-movie", 4, "6674797071742020"],
    ["public.mpeg-4", 4, "667479706d703432"],
    ["com.adobe.raw-image", 0, "49492a00"],
    ["com.canon.cr2-raw-image", 0, "49492a00100000004352"],
    ["org.webmproject.webp", 8, "57454250"],
  ];
  for (const [uti, offset, hex] of heads) {
    test(`${uti} begins as such files do`, () => {
      const bytes = generatedBody("key", uti, 1_000).bytes(offset, offset + hex.length / 2);
      expect(Buffer.from(bytes).toString("hex")).toBe(hex);
    });
  }

  test("boxes of HEIC and films cover the file to its end", () => {
    for (const uti of ["public.heic", "public.mpeg-4", "com.apple.quicktime-movie"]) {
      const bytes = Buffer.from(generatedBody("key", uti, 1_000).bytes());
      const first = bytes.readUInt32BE(0);
      expect(bytes.toString("latin1", first + 4, first + 8)).toBe("mdat");
      expect(first + bytes.readUInt32BE(first)).toBe(1_000);
    }
  });

  test("any part can be read alone, at any size, also a tiny one", () => {
    for (const size of [0, 1, 5, 300, 5_000_000]) {
      const body = generatedBody("key", "public.jpeg", size);
      const whole = body.bytes();
      expect(whole.length).toBe(size);
      expect(body.checksum).toBe(fileChecksum(whole));
      const middle = size >> 1;
      expect(Buffer.compare(Buffer.concat([body.bytes(0, middle), body.bytes(middle)]), whole)).toBe(0);
    }
  });

  test("two files of one size differ nearly everywhere after their head", () => {
    const [a, b] = [
      generatedBody("1:1", "public.jpeg", 4_000).bytes(),
      generatedBody("1:2", "public.jpeg", 4_000).bytes(),
    ];
    const equal = a.filter((byte, index) => index > 400 && byte === b[index]).length;
    expect(equal).toBeLessThan(60);
  });
});

describe("generated libraries", () => {
  test("are the same for the same seed and another for another", () => {
    const print = (seed: number) =>
      JSON.stringify(expectedFiles(createLibrary({ seed, assets: 80, albums: 3 }), { renditions: "all" }));
    expect(print(1)).toBe(print(1));
    expect(print(1)).not.toBe(print(2));
  });

  test("hold exactly the numbers that were asked for", () => {
    const library = createLibrary({
      seed: 4,
      assets: 120,
      counts: { raw_original: 3, edited_video: 2, gif: 1 },
      favorites: 4,
      hidden: 3,
      deleted: 5,
      duplicates: 6,
      equalNames: 7,
      bursts: 2,
      albums: { count: 10, members: 30 },
      shared: { role: "participant", assets: 9 },
    });
    const assets = [...library.primary.assets()].map((asset) => asset.data);
    expect(assets).toHaveLength(120);
    expect(assets.filter((asset) => asset.isFavorite === 1)).toHaveLength(4);
    expect(assets.filter((asset) => asset.isHidden === 1)).toHaveLength(3);
    expect(assets.filter((asset) => asset.isDeleted === 1)).toHaveLength(5);
    expect(assets.filter((asset) => asset.burstId !== undefined)).toHaveLength(10);
    expect(new Set(assets.map((asset) => asset.masterName)).size).toBe(114);
    expect([...(library.zones.at(-1)?.assets() ?? [])]).toHaveLength(9);
    for (const album of library.primary.albums()) {
      if (album.data.albumType === 0) expect([...library.primary.relationsOf(album.name)]).toHaveLength(30);
    }
  });

  test("of 20,000 photos are made quickly and cost little memory", () => {
    const started = performance.now();
    const before = process.memoryUsage().heapUsed;
    const library = createLibrary({ seed: 6, assets: 20_000, bytes: 2_000, mix: { jpeg: 1 } });
    Bun.gc(true);
    expect(library.primary.sequence).toBeGreaterThan(40_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

describe("the mixed sample", () => {
  const library = mixedSampleLibrary(1);
  const files = expectedFiles(library, { renditions: "all", hidden: true, deleted: true });

  test("has something of every kind", () => {
    const renditions = new Set(files.map((file) => file.rendition));
    for (const rendition of [
      "original",
      "alternative",
      "adjusted",
      "medium",
      "thumb",
      "live_original",
      "live_adjusted",
    ]) {
      expect(renditions).toContain(rendition as "original");
    }
    const utis = new Set(files.map((file) => file.uti));
    for (const uti of ["public.heic", "public.png", "com.compuserve.gif", "com.adobe.raw-image", "public.mpeg-4"]) {
      expect(utis).toContain(uti);
    }
    const names = files.map((file) => file.filename);
    expect(names).toContain(undefined);
    expect(names).toContain("Screenshot 2024-03-05 at 9.41.00\u202fAM.png");
    expect(names.filter((name) => name === "IMG_0001.JPG").length).toBeGreaterThan(2);
    expect(files.some((file) => (file.assetDate ?? 0) < 0)).toBe(true);
    expect(files.some((file) => file.albums.length >= 3)).toBe(true);
    expect(library.zones.filter((zone) => zone.isShared && !zone.deleted)).toHaveLength(1);
  });

  test("keeps hidden and deleted photos out of what a plain sync fetches", () => {
    const plain = expectedFiles(library);
    expect(plain.every((file) => !file.hidden && !file.deleted)).toBe(true);
    expect(new Set(plain.map((file) => file.rendition))).toEqual(new Set(["original", "live_original"]));
    expect(plain.length).toBeGreaterThan(80);
  });

  test("can do without odd names and without a shared library", () => {
    const tame = mixedSampleLibrary(1, { oddNames: false, shared: "none" });
    expect(expectedFiles(tame).every((file) => /^(IMG|img)_\d{4}\.[A-Za-z0-9]+$/.test(file.filename ?? ""))).toBe(true);
    expect(tame.zones.some((zone) => zone.isShared && !zone.deleted)).toBe(false);
  });
});

test("random numbers are spread evenly and UUIDs are of version 4", () => {
  const rng = createRng(1);
  const values = Array.from({ length: 10_000 }, () => rng.int(1, 10));
  for (let value = 1; value <= 10; value += 1) {
    expect(Math.abs(values.filter((other) => other === value).length - 1_000)).toBeLessThan(150);
  }
  expect(rng.uuid()).toMatch(/^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
});
