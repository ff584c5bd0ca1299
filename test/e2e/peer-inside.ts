/**
 * Runs inside `scripts/apple-net`, where Apple's names lead to this machine: the double on port 443, and against it
 * the program `icloudpd` (a real client of the real service) and kei with no override at all. Prints one line of JSON.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLibrary, type Double, expectedFiles, startDouble } from "../icloud/index.ts";
import { appleTls, icloudpdAccount, runProgram, trustingIcloudpd } from "../support/icloudpd.ts";
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

const out = mkdtempSync(join(tmpdir(), "kei-peer-"));

/** 409 is how Apple says that a code is wanted, 421 that there is no session yet. */
const EXPECTED: readonly number[] = [409, 421];

async function withDouble<T>(use: (double: Double) => Promise<T>): Promise<T> {
  const library = createLibrary({ seed: 5, assets: 40, bytes: 3_000, albums: 2, hidden: 1, deleted: 1 });
  const double = await startDouble({ port: 443, tls: appleTls(), library, account: { pushOnComplete: true } });
  try {
    return await use(double);
  } finally {
    await double.stop();
  }
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
  const folder = join(out, "icloudpd-photos");
  const account = icloudpdAccount(double.account, join(out, "cookies"));
  const { exit, log } = await runProgram(
    [trustingIcloudpd(out), ...account, "-d", folder, "--no-progress-bar", "--file-match-policy", "name-id7"],
    { input: `${double.code}\n` },
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
  const asked = await runProgram([...kei, "login", "get-code"], { env });
  const handed = await runProgram([...kei, "login", "submit-code", double.account.deviceCode ?? "none"], { env });
  const synced = await runProgram([...kei, "sync", "-d", folder], { env });
  const exit = asked.exit || handed.exit || synced.exit;
  return compare(double, folder, exit, asked.log + handed.log + synced.log);
});

process.stdout.write(`${JSON.stringify({ icloudpd, kei })}\n`);
rmSync(out, { recursive: true, force: true });
process.exit(0);
