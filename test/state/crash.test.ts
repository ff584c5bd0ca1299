import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openState } from "../../src/state/index.ts";
import { openConnection } from "../../src/state/open.ts";
import { keyOf, newFolder, optionsFor, PRIMARY, removeFolders } from "./support.ts";

afterAll(removeFolders);

const KILLS = 5;

/** Starts the writer and kills it without warning once it has done `files` more. */
async function writeAndKill(folder: string, files: number): Promise<void> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "crash-child.ts"), folder], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let lines = 0;
  for await (const chunk of child.stdout) {
    lines += chunk.filter((byte) => byte === 10).length;
    if (lines >= files) break;
  }
  child.kill("SIGKILL");
  await child.exited;
}

test("killed at any moment, the catalogue is whole, promises nothing that is not on disk, and goes on from there", async () => {
  const folder = newFolder();
  const options = optionsFor(join(folder, "a.db"));
  let saved = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await writeAndKill(folder, 20 + Math.floor(Math.random() * 300));

    const db = await openConnection(options);
    expect(db.all("PRAGMA integrity_check").map((row) => row["integrity_check"])).toEqual(["ok"]);
    expect(db.all("PRAGMA foreign_key_check")).toEqual([]);
    db.close();

    const state = await openState(options);
    const names = readdirSync(folder);
    const claims = new Set(state.tempClaims().map((claim) => claim.path));
    for (const name of names.filter((one) => one.endsWith(".kei-tmp"))) expect(claims).toContain(join(folder, name));
    // What was begun had its row before; what has a row that says so is on disk, whole.
    for (const name of names.filter((one) => one.startsWith("file-"))) {
      expect(["pending", "downloaded"]).toContain(state.rendition(keyOf(name))?.status ?? "no row");
      expect(readFileSync(join(folder, name), "utf8")).toBe(name);
    }
    const done = new Set(state.listFiles("downloaded", 1_000_000).map((file) => file.asset as string));
    for (const id of done) expect(names).toContain(id);
    // A token never passes a file that is not saved.
    const token = Number(state.zoneToken(PRIMARY));
    for (let number = 1; number <= token; number += 1) expect(done.has(`file-${number}`)).toBe(true);
    // Nothing that was committed is lost.
    expect(done.size).toBeGreaterThan(saved);
    saved = done.size;
    expect(state.lastRuns(1)[0]?.status).toBe("running");
    expect(state.totals(10).assets).toBe(done.size + claims.size);
    expect(claims.size).toBeLessThanOrEqual(1);
    state.close();
  }
}, 30_000);
