/**
 * kei's main job without an Apple account: a stand-in for iCloud on this machine, a sign-in with a code as two
 * processes do it, a sync into ./demo-photos, and a look at whether every file arrived as it was sent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { appleChecksum } from "../src/library/checksum.ts";
import { ROOT, run, say } from "./steps.ts";

/** What the stand-in says about itself when it is ready. */
interface StandIn {
  readonly env: Readonly<Record<string, string>>;
  readonly username: string;
  readonly password: string;
  readonly code: string;
  readonly files: ReadonlyArray<{ readonly checksum: string; readonly size: number; readonly filename?: string }>;
}

const photos = resolve("demo-photos");
// Its own settings and memory, new each time; never those of the person who tries it.
const home = join(ROOT, ".cache", "demo");

if (process.argv.length > 2) {
  process.stderr.write("Usage: ./scripts/demo (it takes no arguments and writes to ./demo-photos)\n");
  process.exit(64);
}

const child = spawn(process.execPath, ["--no-env-file", join(ROOT, "test/icloud/main.ts")], {
  stdio: ["pipe", "pipe", "inherit"],
});
let problem: string | undefined;
try {
  problem = await play(await ready(child));
} catch (error) {
  problem = error instanceof Error ? error.message : String(error);
} finally {
  // The stand-in ends when nobody listens to it any more.
  child.stdin.end();
}
if (problem === undefined) {
  say();
  say("The demo is over: everything is on disk and proven.");
} else {
  process.stderr.write(`demo: ${problem}\n`);
  process.exitCode = 1;
}

/** The whole demonstration. Returns what went wrong, if anything did. */
async function play(icloud: StandIn): Promise<string | undefined> {
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const env = {
    ...foreignSettingsOff(),
    ...icloud.env,
    XDG_CONFIG_HOME: home,
    ICLOUD_USERNAME: icloud.username,
    ICLOUD_PASSWORD: icloud.password,
  };
  const kei = async (...args: string[]): Promise<number> => {
    say();
    say(`$ kei ${args.join(" ")}`);
    return (await run(join(ROOT, "scripts", "kei"), args, { env, cwd: process.cwd() })).code;
  };

  heading(`A stand-in for iCloud is running on this machine, with ${icloud.files.length} sample files.`);
  say("No Apple account and no network are involved. What follows is the real program.");

  heading("1. Sign in. Apple asks for a code that is shown on the owner's other devices.");
  if ((await kei("login", "get-code")) !== 0) return "no code could be asked for";
  say();
  say(`(The owner's phone now shows ${icloud.code}.)`);
  if ((await kei("login", "submit-code", icloud.code)) !== 0) return "the code was not accepted";

  heading("2. Fetch the library.");
  if ((await kei("sync", "-d", photos)) !== 0) return "the sync did not end well";

  heading("3. Ask how the backup is.");
  if ((await kei("status")) !== 0) return "the status could not be read";

  heading("4. Sync again: there is nothing left to fetch.");
  if ((await kei("sync")) !== 0) return "the second sync did not end well";

  heading("5. Compare what is on disk with what was sent, by Apple's checksums.");
  const found = new Map<string, string>();
  for (const path of await filesBelow(photos)) found.set(appleChecksum(await readFile(path)), path);
  const missing = icloud.files.filter((file) => !found.has(file.checksum));
  say();
  say(`${icloud.files.length - missing.length} of ${icloud.files.length} files are on disk, byte for byte.`);
  for (const file of missing) say(`  missing: ${file.filename ?? "a file without a name"} (${file.size} bytes)`);
  if (missing.length > 0) return `${missing.length} files are missing or differ`;

  say();
  say(`Look into ${photos}:`);
  for (const entry of (await readdir(photos)).toSorted()) say(`  ${relative(process.cwd(), join(photos, entry))}/`);
  return undefined;
}

function heading(text: string): void {
  say();
  say(`== ${text}`);
}

/** Nothing that a person has set for their own kei may reach the demo, nor the other way round. */
function foreignSettingsOff(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(KEI|ICLOUD)_/.test(name));
  return Object.fromEntries(names.map((name) => [name, ""]));
}

/** The first line that the stand-in prints. Rejects when it ends without one. */
function ready(started: ChildProcess): Promise<StandIn> {
  const { stdout } = started;
  if (stdout === null) throw new Error("the stand-in has no output");
  return new Promise((resolveLine, reject) => {
    createInterface({ input: stdout }).once("line", (line) => resolveLine(JSON.parse(line)));
    started.once("error", reject);
    started.once("exit", (code) => reject(new Error(`the stand-in for iCloud ended with ${code} before it was ready`)));
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
