/**
 * Runs inside `scripts/apple-net`, where Apple's names lead to this machine: the double on port 443, and against it
 * the program `icloudpd` (a real client of the real service) and kei with no override at all. Prints one line of JSON.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createLibrary, type Double, expectedFiles, startDouble } from "../icloud/index.ts";
import { checksums, keiCommand } from "../support/kei.ts";

export interface PeerResult {
  readonly exit: number | null;
  /** Files of the library, and how many of them are on disk, byte for byte. */
  readonly wanted: number;
  readonly whole: number;
  readonly missing: readonly string[];
  readonly strange: readonly string[];
  readonly refused: readonly string[];
  readonly log: string;
}

const root = resolve(import.meta.dir, "../..");
const out = mkdtempSync(join(tmpdir(), "kei-peer-"));
const tls = { key: process.env["APPLE_NET_KEY"] ?? "", cert: process.env["APPLE_NET_CERT"] ?? "" };

/** 409 is how Apple says that a code is wanted, 421 that there is no session yet. */
const EXPECTED: readonly number[] = [409, 421];

async function withDouble<T>(use: (double: Double) => Promise<T>): Promise<T> {
  const library = createLibrary({ seed: 5, assets: 40, bytes: 3_000, albums: 2, hidden: 1, deleted: 1 });
  const double = await startDouble({ port: 443, tls, library, account: { pushOnComplete: true } });
  try {
    return await use(double);
  } finally {
    await double.stop();
  }
}

async function run(command: readonly string[], input: string, env: Record<string, string | undefined>) {
  const child = Bun.spawn([...command], { env, stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exit: await child.exited, log: `${stdout}\n${stderr}` };
}

async function compare(double: Double, folder: string, exit: number, log: string): Promise<PeerResult> {
  const wanted = new Map(expectedFiles(double.library).map((file) => [file.checksum, file.filename ?? "unnamed"]));
  const found = await checksums(folder);
  const there = new Set(found.values());
  const missing = [...wanted].filter(([checksum]) => !there.has(checksum)).map(([, name]) => name);
  return {
    exit,
    wanted: wanted.size,
    whole: wanted.size - missing.length,
    missing,
    strange: [...found].filter(([, checksum]) => !wanted.has(checksum)).map(([path]) => path),
    refused: double.log.all
      .filter((entry) => entry.status >= 400 && !EXPECTED.includes(entry.status))
      .map((entry) => `${entry.operation} ${entry.status}`),
    log,
  };
}

const icloudpd = await withDouble(async (double) => {
  const program = join(out, "icloudpd");
  const made = spawnSync(join(root, "scripts/trust-icloudpd"), [
    join(root, "node_modules/@icloudpd/linux-x64/bin/icloudpd"),
    process.env["APPLE_NET_CA"] ?? "",
    program,
  ]);
  if (made.status !== 0) throw new Error(`trust-icloudpd: ${made.stderr.toString()}`);
  const folder = join(out, "icloudpd-photos");
  const { exit, log } = await run(
    [
      program,
      ...["-u", double.account.username, "-p", double.account.password, "--password-provider", "parameter"],
      ...[
        "--cookie-directory",
        join(out, "cookies"),
        "-d",
        folder,
        "--no-progress-bar",
        "--file-match-policy",
        "name-id7",
      ],
    ],
    `${double.code}\n`,
    process.env,
  );
  return compare(double, folder, exit, log);
});

const kei = await withDouble(async (double) => {
  const folder = join(out, "kei-photos");
  const env = {
    ...process.env,
    HOME: out,
    XDG_CONFIG_HOME: join(out, "config"),
    ICLOUD_USERNAME: double.account.username,
    ICLOUD_PASSWORD: double.account.password,
    KEI_TEST_ICLOUD: undefined,
  };
  const kei = keiCommand();
  const asked = await run([...kei, "login", "get-code"], "", env);
  const handed = await run([...kei, "login", "submit-code", double.account.deviceCode ?? "none"], "", env);
  const synced = await run([...kei, "sync", "-d", folder], "", env);
  const exit = asked.exit || handed.exit || synced.exit;
  return compare(double, folder, exit, asked.log + handed.log + synced.log);
});

process.stdout.write(`${JSON.stringify({ icloudpd, kei })}\n`);
rmSync(out, { recursive: true, force: true });
process.exit(0);
