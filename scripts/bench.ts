/** The measurements behind `scripts/bench`; runs inside `scripts/apple-net`. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { icloudpdAccount, trustingIcloudpd } from "../test/support/icloudpd.ts";
import { listFiles } from "../test/support/kei.ts";

const { values } = parseArgs({
  options: {
    /** Also 20,000 photos, for kei's memory. */
    large: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    assets: { type: "string", default: "2000" },
    /** Only kei. */
    alone: { type: "boolean", default: false },
  },
});

const root = resolve(import.meta.dir, "..");
const work = mkdtempSync(join(tmpdir(), "kei-bench-"));
const USER = "alex.test@example.com";
const PASSWORD = "Correct-Horse-42";
const BYTES = 50_000;
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly files: number;
  readonly requests: Readonly<Record<string, number>>;
}

interface Server {
  readonly code: string;
  counts(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** The double as a process of its own, so that its work is not counted as the client's. */
async function startServer(assets: number): Promise<Server> {
  const child = Bun.spawn(
    [
      process.execPath,
      join(root, "test/icloud/main.ts"),
      ...["--port", "443", "--compact", "--push-on-complete", "--assets", String(assets), "--bytes", String(BYTES)],
      ...["--tls-key", process.env["APPLE_NET_KEY"] ?? "", "--tls-cert", process.env["APPLE_NET_CERT"] ?? ""],
      ...["--user", USER, "--password", PASSWORD],
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const lines = lineReader(child.stdout);
  const ready = JSON.parse(await lines());
  return {
    code: ready.code,
    counts: async () => {
      child.kill("SIGUSR2");
      return JSON.parse(await lines());
    },
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

function lineReader(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let rest = "";
  return async () => {
    while (!rest.includes("\n"))
      rest += decoder.decode((await reader.read()).value ?? new Uint8Array([10]), { stream: true });
    const line = rest.slice(0, rest.indexOf("\n"));
    rest = rest.slice(line.length + 1);
    return line;
  };
}

async function measure(
  command: readonly string[],
  env: Record<string, string | undefined>,
  input: string,
  folder: string,
  server: Server,
): Promise<Measured> {
  const before = await server.counts();
  const start = performance.now();
  const child = Bun.spawn([...command], { env, stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${out}${err}`);
  const usage = child.resourceUsage();
  const after = await server.counts();
  const requests = Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) =>
      count > (before[name] ?? 0) ? [[name, count - (before[name] ?? 0)]] : [],
    ),
  );
  return {
    seconds,
    cpuSeconds: Number(usage?.cpuTime.total ?? 0) / 1e6,
    peakMiB: (usage?.maxRSS ?? 0) / 1024 / 1024,
    files: (await listFiles(folder)).length,
    requests,
  };
}

function print(name: string, measured: Measured): void {
  const all = Object.values(measured.requests).reduce((sum, count) => sum + count, 0);
  say(
    `${name.padEnd(12)} ${measured.seconds.toFixed(2).padStart(8)} s wall  ${measured.cpuSeconds.toFixed(2).padStart(7)} s cpu  ${measured.peakMiB.toFixed(0).padStart(5)} MiB peak  ${measured.files} files  ${all} requests (${measured.requests["cdn"] ?? 0} files)`,
  );
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const keiCommand = existsSync(join(root, "dist/kei"))
  ? [join(root, "dist/kei")]
  : [process.execPath, join(root, "src/main.ts")];

function keiEnv(home: string): Record<string, string | undefined> {
  return {
    ...process.env,
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    ICLOUD_USERNAME: USER,
    ICLOUD_PASSWORD: PASSWORD,
  };
}

async function signInKei(home: string, server: Server): Promise<void> {
  const asked = spawnSync(keiCommand[0] ?? "", [...keiCommand.slice(1), "login", "get-code"], { env: keiEnv(home) });
  if (asked.status !== 0) throw new Error(asked.stderr.toString());
  const { push = 0 } = await server.counts();
  // Codes count up from the first one; every sign-in of the peer shows one, too.
  for (let shown = 0; shown < push + 20; shown += 1) {
    const code = String(Number(server.code) + shown).padStart(6, "0");
    if (
      spawnSync(keiCommand[0] ?? "", [...keiCommand.slice(1), "login", "submit-code", code], { env: keiEnv(home) })
        .status === 0
    )
      return;
  }
  throw new Error("kei could not sign in");
}

async function runKei(assets: number, home: string, folder: string, server: Server, name: string): Promise<Measured> {
  const measured = await measure(
    [...keiCommand, "sync", "-d", folder, "--album", "none", "--threads", "10"],
    keiEnv(home),
    "",
    folder,
    server,
  );
  if (measured.files !== assets) throw new Error(`${name}: ${measured.files} of ${assets} files`);
  print(name, measured);
  return measured;
}

async function beside(assets: number): Promise<Measured> {
  say(
    `\n${assets} photos of ${BYTES / 1000} KB, 10 workers, ${keiCommand.length === 1 ? "dist/kei" : "kei from source"}:`,
  );
  const kei: Measured[] = [];
  const peer: Measured[] = [];
  const program = values.alone ? "" : trustingIcloudpd(work);
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const server = await startServer(assets);
    const home = join(work, `home-${round}`);
    if (!values.alone) {
      const folder = join(work, `icloudpd-${round}`);
      const args = [
        ...icloudpdAccount({ username: USER, password: PASSWORD }, join(work, `cookies-${round}`)),
        ...["-d", folder, "--no-progress-bar", "--file-match-policy", "name-id7"],
      ];
      // Signed in beforehand, as kei is.
      spawnSync(program, [...args, "--auth-only"], { input: `${server.code}\n` });
      const measured = await measure([program, ...args], process.env, "", folder, server);
      print("icloudpd", measured);
      peer.push(measured);
      rmSync(folder, { recursive: true, force: true });
    }
    await signInKei(home, server);
    const folder = join(work, `kei-${round}`);
    kei.push(await runKei(assets, home, folder, server, "kei"));
    if (round === 1) await runKei(assets, home, folder, server, "kei again");
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  }
  const ours = median(kei.map((run) => run.seconds));
  if (!values.alone)
    say(
      `kei is ${(median(peer.map((run) => run.seconds)) / ours).toFixed(1)} times as fast (medians: ${median(peer.map((run) => run.seconds)).toFixed(2)} s and ${ours.toFixed(2)} s)`,
    );
  const peak = median(kei.map((run) => run.peakMiB));
  return { ...(kei[0] as Measured), peakMiB: peak };
}

try {
  const small = await beside(Number(values.assets));
  if (values.large) {
    const assets = 20_000;
    const server = await startServer(assets);
    const home = join(work, "home-large");
    await signInKei(home, server);
    say(`\n${assets} photos of ${BYTES / 1000} KB:`);
    const large = await runKei(assets, home, join(work, "kei-large"), server, "kei");
    await server.stop();
    say(`peak memory: ${(large.peakMiB / small.peakMiB).toFixed(2)} times that of ${values.assets} photos`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
