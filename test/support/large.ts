/** A large library on a double of its own: what a full pass costs, and what a run of a watch costs that finds nothing new. */
import { join, resolve } from "node:path";
import { Home, until } from "./kei.ts";

export interface Pass {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly requests: Readonly<Record<string, number>>;
}

export interface Large {
  readonly assets: number;
  readonly files: number;
  readonly full: Pass;
  /** Of several, the one in the middle; from the start of the program to the end of its first run. */
  readonly idle: Pass;
  /** Time of the idle run over that of the full pass. */
  readonly share: number;
}

const IDLE_RUNS = 3;
const USER = "alex.test@example.com";
const PASSWORD = "Correct-Horse-42";

/** `command`: the program, with all that comes before its arguments. */
export async function large(options: {
  readonly assets: number;
  readonly bytes: number;
  readonly command: readonly string[];
  readonly say: (line: string) => void;
}): Promise<Large> {
  const { assets, bytes, command, say } = options;
  const server = await startServer(assets, bytes);
  const home = new Home(undefined, { KEI_TEST_ICLOUD: server.url, ICLOUD_USERNAME: USER, ICLOUD_PASSWORD: PASSWORD });
  const spawn = (args: readonly string[]) =>
    Bun.spawn([...command, ...args], {
      env: home.env,
      cwd: home.root,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
  const measure = async (args: readonly string[], end?: string): Promise<Pass> => {
    const before = await server.counts();
    const start = performance.now();
    const child = spawn(args);
    let said = "";
    let ended = 0;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (end === undefined || ended > 0 || !said.includes(end)) continue;
      ended = performance.now();
      child.kill("SIGTERM");
    }
    const code = await child.exited;
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${said}`);
    const seconds = ((ended > 0 ? ended : performance.now()) - start) / 1000;
    const after = await server.counts();
    const requests = Object.fromEntries(
      Object.entries(after).flatMap(([name, count]) =>
        count > (before[name] ?? 0) ? [[name, count - (before[name] ?? 0)]] : [],
      ),
    );
    const pass = { seconds, peakMiB: (child.resourceUsage()?.maxRSS ?? 0) / 1024 / 1024, requests };
    say(
      `${seconds.toFixed(2).padStart(8)} s  ${pass.peakMiB.toFixed(0).padStart(5)} MiB peak  ${JSON.stringify(requests)}`,
    );
    return pass;
  };
  try {
    await signIn(spawn, server.code);
    const sync = ["sync", "-d", home.photos, "--album", "none", "--threads", "10"];
    const full = await measure(sync);
    const runs: Pass[] = [];
    for (let round = 0; round < IDLE_RUNS; round += 1)
      runs.push(await measure([...sync, "--watch-with-interval", "3600"], "waiting for the next run"));
    const idle = runs.toSorted((a, b) => a.seconds - b.seconds)[Math.trunc(IDLE_RUNS / 2)] ?? full;
    const files = (await home.files()).length;
    return { assets, files, full, idle, share: idle.seconds / full.seconds };
  } finally {
    await server.stop();
    home.remove();
  }
}

type Spawn = (args: readonly string[]) => Bun.Subprocess;

async function signIn(spawn: Spawn, firstCode: string): Promise<void> {
  await spawn(["login", "get-code"]).exited;
  // Codes count up; each sign-in by password shows one, too.
  for (let shown = 0; shown < 5; shown += 1) {
    const code = String(Number(firstCode) + shown).padStart(6, "0");
    if ((await spawn(["login", "submit-code", code]).exited) === 0) return;
  }
  throw new Error("could not sign in");
}

/** The double as a process of its own, so that its work slows nobody down who measures. */
async function startServer(assets: number, bytes: number) {
  const main = join(resolve(import.meta.dir, "../icloud"), "main.ts");
  const sizes = ["--assets", String(assets), "--bytes", String(bytes)];
  const child = Bun.spawn([process.execPath, main, "--compact", ...sizes, "--user", USER, "--password", PASSWORD], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: string[] = [];
  let rest = "";
  const read = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    }
  })();
  const next = async (): Promise<string> => {
    await until("an answer of the double", () => lines.length > 0, 600_000);
    return lines.shift() ?? "";
  };
  const ready = JSON.parse(await next()) as { readonly url: string; readonly code: string };
  return {
    ...ready,
    counts: async (): Promise<Record<string, number>> => {
      child.kill("SIGUSR2");
      return JSON.parse(await next());
    },
    stop: async (): Promise<void> => {
      child.kill();
      await child.exited;
      await read;
    },
  };
}
