/** What happens on the disk: publishing, copying, taking up again, deleting. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { link, lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeCopy } from "../../src/download/copies.ts";
import { inspect } from "../../src/download/existing.ts";
import { createFolders } from "../../src/download/folders.ts";
import { createPool } from "../../src/download/pool.ts";
import { isBeingPlaced, publish, publishWithoutLinks, undoPlacing } from "../../src/download/publish.ts";
import { probeTraits, probeWritable } from "../../src/download/space.ts";
import { syncDirectories } from "../../src/download/sync-directories.ts";
import { removeOrphan, tempName } from "../../src/download/temp.ts";
import type { AssetId, ZoneName } from "../../src/library/asset.ts";
import { appleChecksum } from "../../src/library/checksum.ts";
import { Failure } from "../../src/library/failure.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kei-files-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string) => join(root, name);
const BYTES = Buffer.from("the bytes of a photo");
const CONTENT = { checksum: appleChecksum(BYTES), size: BYTES.length };

describe("publishing", () => {
  test("gives the file its name and leaves no temporary one", async () => {
    await writeFile(at("t"), BYTES);
    expect(await publish(at("t"), at("f"), CONTENT)).toBe("published");
    expect(await readdir(root)).toEqual(["f"]);
  });

  test("never replaces another file: both stay", async () => {
    await writeFile(at("t"), BYTES);
    await writeFile(at("f"), "mine");
    expect(await publish(at("t"), at("f"), CONTENT)).toBe("collision");
    expect(await readFile(at("f"), "utf8")).toBe("mine");
    expect(await readFile(at("t"))).toEqual(BYTES);
  });

  test("onto the very same bytes is done already", async () => {
    await writeFile(at("t"), BYTES);
    await writeFile(at("f"), BYTES);
    expect(await publish(at("t"), at("f"), CONTENT)).toBe("was-there");
    expect(await readdir(root)).toEqual(["f"]);
  });

  test("never writes through a symbolic link", async () => {
    await writeFile(at("t"), BYTES);
    await writeFile(at("elsewhere"), "mine");
    await symlink(at("elsewhere"), at("f"));
    expect(await publish(at("t"), at("f"), CONTENT)).toBe("collision");
    expect(await readFile(at("elsewhere"), "utf8")).toBe("mine");
  });

  test("after a crash between the two names recognises its own file", async () => {
    await writeFile(at("t"), BYTES);
    await link(at("t"), at("f"));
    expect(await publish(at("t"), at("f"), CONTENT)).toBe("was-there");
    expect(await readdir(root)).toEqual(["f"]);
  });
});

describe("publishing where no hard link can be made", () => {
  test("gives the file its name and leaves no temporary one", async () => {
    await writeFile(at("t"), BYTES);
    expect(await publishWithoutLinks(at("t"), at("f"), CONTENT)).toBe("published");
    expect(await readdir(root)).toEqual(["f"]);
    expect(await readFile(at("f"))).toEqual(BYTES);
  });

  test("never replaces another file, not even an empty one", async () => {
    await writeFile(at("t"), BYTES);
    await writeFile(at("f"), "");
    expect(await publishWithoutLinks(at("t"), at("f"), CONTENT)).toBe("collision");
    expect(await readFile(at("f"), "utf8")).toBe("");
    expect(await readFile(at("t"))).toEqual(BYTES);
    expect((await readdir(root)).toSorted()).toEqual(["f", "t"]);
  });

  test("onto the very same bytes is done already", async () => {
    await writeFile(at("t"), BYTES);
    await writeFile(at("f"), BYTES);
    expect(await publishWithoutLinks(at("t"), at("f"), CONTENT)).toBe("was-there");
    expect(await readdir(root)).toEqual(["f"]);
  });

  test("that fails leaves no empty file and the temporary one as it was", async () => {
    await writeFile(at("t"), BYTES);
    await expect(publishWithoutLinks(at("t"), at("gone/f"), CONTENT)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readdir(root)).toEqual(["t"]);
  });

  test("and was cut off half-way is taken back whole", async () => {
    await writeFile(at("t"), BYTES);
    expect(await isBeingPlaced(at("t"))).toBe(false);
    await rename(at("t"), at("t.placing"));
    await writeFile(at("f"), "");
    expect(await isBeingPlaced(at("t"))).toBe(true);
    await undoPlacing(at("t"), at("f"));
    expect(await readdir(root)).toEqual(["t"]);
  });

  test("and was cut off half-way costs no file that has content", async () => {
    await writeFile(at("t.placing"), BYTES);
    await writeFile(at("f"), "mine");
    await undoPlacing(at("t"), at("f"));
    expect((await readdir(root)).toSorted()).toEqual(["f", "t"]);
    expect(await readFile(at("f"), "utf8")).toBe("mine");
  });
});

describe("a second place", () => {
  const task = (more: object = {}) => ({
    from: at("a"),
    to: at("sub/b"),
    tempPath: at("sub/t"),
    ...CONTENT,
    modifiedAt: 1_500_000_000_000,
    policy: "link" as const,
    folders: createFolders(root),
    fileMode: 0o644,
    ...more,
  });

  test("costs no bytes where the disk can share them", async () => {
    await writeFile(at("a"), BYTES);
    const result = await placeCopy(task());
    expect(result.outcome).toBe("placed");
    if (result.outcome === "placed" && result.method === "hardlink") {
      expect((await stat(at("sub/b"))).ino).toBe((await stat(at("a"))).ino);
    }
    expect(await readFile(at("sub/b"))).toEqual(BYTES);
  });

  test("has bytes of its own when that is wished", async () => {
    await writeFile(at("a"), BYTES);
    expect(await placeCopy(task({ policy: "copy" }))).toEqual({ outcome: "placed", method: "copy" });
    expect((await stat(at("sub/b"))).ino).not.toBe((await stat(at("a"))).ino);
    expect((await stat(at("sub/b"))).mtimeMs).toBe(1_500_000_000_000);
  });

  test("is never made from a file that was changed", async () => {
    await writeFile(at("a"), Buffer.from("the bytes of a phoTo"));
    expect((await placeCopy(task())).outcome).toBe("failed");
    expect((await placeCopy(task({ policy: "copy" }))).outcome).toBe("failed");
    expect(await readdir(at("sub"))).toEqual([]);
  });

  test("never replaces a file", async () => {
    await writeFile(at("a"), BYTES);
    await mkdir(at("sub"));
    await writeFile(at("sub/b"), "mine");
    expect((await placeCopy(task())).outcome).toBe("failed");
    expect(await readFile(at("sub/b"), "utf8")).toBe("mine");
  });
});

describe("folders", () => {
  test("that their owner has moved away meanwhile are of no consequence; a disk that refuses is named", async () => {
    await syncDirectories(new Set([root, at("gone")]));
    // Any error will do that is neither: a link that leads back to itself.
    await symlink(at("loop"), at("loop"));
    const refused = syncDirectories(new Set([at("loop")]));
    await expect(refused).rejects.toBeInstanceOf(Failure);
    await expect(refused).rejects.toMatchObject({ exit: 1, message: expect.stringContaining(`${at("loop")} can't`) });
  });

  test("are made below the download folder only, and the folder itself never", async () => {
    await createFolders(root).ensure(at("2024/07/31/x.jpg"));
    expect((await lstat(at("2024/07/31"))).isDirectory()).toBe(true);
    expect(createFolders(at("gone")).ensure(at("gone/x/y.jpg"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(createFolders(root).ensure(join(root, "..", "out", "y.jpg"))).rejects.toMatchObject({ code: "ELOOP" });
  });

  test("that are symbolic links are no way out", async () => {
    await symlink("/tmp", at("link"));
    expect(createFolders(root).ensure(at("link/x.jpg"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe("temporary files", () => {
  const identity = {
    library: "PrimarySync" as ZoneName,
    asset: "A" as AssetId,
    rendition: "original" as const,
    checksum: CONTENT.checksum,
    leaf: "IMG_1.JPG",
    suffix: ".kei-tmp",
  };

  test("have a name that lasts over restarts and differs for other content and other places", () => {
    expect(tempName(identity)).toBe(tempName({ ...identity }));
    expect(tempName(identity)).toMatch(/^[A-Z2-7]{24}\.kei-tmp$/);
    expect(tempName({ ...identity, leaf: "IMG_2.JPG" })).not.toBe(tempName(identity));
    expect(tempName({ ...identity, checksum: appleChecksum(Buffer.from("x")) })).not.toBe(tempName(identity));
  });

  test("are deleted only as regular files that are reached without a link", async () => {
    await writeFile(at("t.kei-tmp"), "part");
    expect(await removeOrphan(at("t.kei-tmp"), root)).toBe(true);
    expect(await readdir(root)).toEqual([]);
    const outside = mkdtempSync(join(tmpdir(), "kei-outside-"));
    await writeFile(join(outside, "t.kei-tmp"), "mine");
    await symlink(outside, at("link"));
    await removeOrphan(at("link/t.kei-tmp"), root);
    expect(await readdir(outside)).toEqual(["t.kei-tmp"]);
    rmSync(outside, { recursive: true });
  });
});

describe("a temporary file of a former download folder", () => {
  const NAME = `${"A".repeat(24)}.kei-tmp`;
  const claimed = () => join(at("former"), NAME);
  const settled = () => removeOrphan(claimed(), at("now"));

  test("is deleted under a name that only kei gives", async () => {
    await mkdir(at("former"));
    await writeFile(claimed(), "part");
    await writeFile(at("former/mine.kei-tmp"), "mine");
    expect(await settled()).toBe(true);
    expect(await removeOrphan(at("former/mine.kei-tmp"), at("now"))).toBe(true);
    expect(await readdir(at("former"))).toEqual(["mine.kei-tmp"]);
  });

  test("is remembered while its disk is away, and settled when it is there without it", async () => {
    expect(await settled()).toBe(false);
    await mkdir(at("former"));
    expect(await settled()).toBe(false);
    await writeFile(at("former/IMG_1.JPG"), BYTES);
    expect(await settled()).toBe(true);
  });
});

describe("looking at what is there", () => {
  test("tells the same content from another, a folder and nothing", async () => {
    await writeFile(at("same"), BYTES);
    await writeFile(at("other"), Buffer.from("the bytes of a phoTo"));
    await mkdir(at("folder"));
    await symlink(at("same"), at("link"));
    const { checksum, size } = CONTENT;
    expect(await inspect(at("same"), checksum, size)).toBe("same");
    expect(await inspect(at("other"), checksum, size)).toBe("different");
    expect(await inspect(at("folder"), checksum, size)).toBe("not-a-file");
    expect(await inspect(at("link"), checksum, size)).toBe("not-a-file");
    expect(await inspect(at("nothing"), checksum, size)).toBe("absent");
  });

  test("leaves no probe behind", async () => {
    await probeWritable(root);
    expect(await probeTraits(root, { write: true })).toEqual({ caseInsensitive: false, normalising: false });
    expect(await readdir(root)).toEqual([]);
  });
});

describe("the pool", () => {
  test("never runs more jobs than it has workers, and does each once", async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const pool = createPool<number>({
      threads: 3,
      queue: 4,
      run: async (job) => {
        running += 1;
        most = Math.max(most, running);
        for (let turn = 0; turn <= job % 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done.push(job);
      },
    });
    for (let job = 0; job < 50; job += 1) expect(await pool.put(job)).toBe(true);
    await pool.drain();
    expect(most).toBe(3);
    expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, job) => job));
    expect(await pool.put(51)).toBe(false);
  });

  test("wakes who waits for room when a job breaks it, and tells the error", async () => {
    const pool = createPool<number>({
      threads: 1,
      queue: 0,
      run: async () => {
        await Promise.resolve();
        throw new Error("no catalogue");
      },
    });
    await pool.put(1);
    expect(await pool.put(2)).toBe(false);
    expect(pool.drain()).rejects.toThrow("no catalogue");
  });
});
