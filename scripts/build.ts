/** Builds the program: one file that needs nothing else on the machine it runs on. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ROOT, run, say } from "./steps.ts";

/** Targets by the names of kei's releases, and Bun's names for them. */
const TARGETS: Readonly<Record<string, string>> = {
  "linux-x64": "bun-linux-x64",
  "linux-arm64": "bun-linux-arm64",
  "linux-x64-musl": "bun-linux-x64-musl",
  "linux-arm64-musl": "bun-linux-arm64-musl",
  "darwin-x64": "bun-darwin-x64",
  "darwin-arm64": "bun-darwin-arm64",
  "windows-x64": "bun-windows-x64",
};

const USAGE = `Usage: ./scripts/build [--target NAME]...

Without --target: dist/kei for this machine. With it: dist/kei-NAME.
NAME is one of ${Object.keys(TARGETS).join(", ")}, or all.`;

const targets = readArguments(process.argv.slice(2));
const version = await readVersion();
const commit = readCommit();
await mkdir(join(ROOT, "dist"), { recursive: true });
let failed = 0;
for (const target of targets) {
  if (!(await build(target))) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

function readArguments(args: readonly string[]): ReadonlyArray<string | undefined> {
  const wanted: string[] = [];
  const rest = args.flatMap((arg) =>
    arg.startsWith("--target=") ? ["--target", arg.slice("--target=".length)] : [arg],
  );
  while (rest.length > 0) {
    const flag = rest.shift();
    if (flag === "--help" || flag === "-h") {
      say(USAGE);
      process.exit(0);
    }
    if (flag !== "--target") stop(`unknown argument ${flag}`);
    const name = rest.shift();
    if (name === "all") wanted.push(...Object.keys(TARGETS));
    else if (name !== undefined && Object.hasOwn(TARGETS, name)) wanted.push(name);
    else stop(`unknown target ${name ?? "(none given)"}`);
  }
  return wanted.length === 0 ? [undefined] : [...new Set(wanted)];
}

function stop(reason: string): never {
  process.stderr.write(`build: ${reason}\n${USAGE}\n`);
  process.exit(64);
}

async function readVersion(): Promise<string> {
  const { version: stated }: { version?: unknown } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  if (typeof stated !== "string") throw new Error("package.json states no version");
  return stated;
}

/** The commit that is built, marked when the tree differs from it; `unknown` outside a clone. */
function readCommit(): string {
  const git = (...args: string[]) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head.status !== 0) return "unknown";
  const changed = git("status", "--porcelain", "--untracked-files=no").stdout.trim() !== "";
  return `${head.stdout.trim()}${changed ? "-modified" : ""}`;
}

async function build(target: string | undefined): Promise<boolean> {
  const windows = target?.startsWith("windows") ?? process.platform === "win32";
  const outfile = join("dist", `kei${target === undefined ? "" : `-${target}`}${windows ? ".exe" : ""}`);
  say(`Building ${outfile} (kei ${version}, ${commit}) ...`);
  const { code, seconds } = await run(process.execPath, [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    // What lies in the folder that kei is started in must not change what it does.
    "--no-compile-autoload-bunfig",
    "--no-compile-autoload-dotenv",
    `--define=KEI_VERSION=${JSON.stringify(version)}`,
    `--define=KEI_COMMIT=${JSON.stringify(commit)}`,
    ...(target === undefined ? [] : [`--target=${TARGETS[target]}`]),
    `--outfile=${outfile}`,
    "src/main.ts",
  ]);
  if (code !== 0 || !existsSync(join(ROOT, outfile))) {
    const fetched =
      target === undefined ? "" : ` Bun fetches its runtime for ${target} the first time: is the network there?`;
    process.stderr.write(`build: ${outfile} could not be built (see above).${fetched}\n`);
    return false;
  }
  const { size } = await stat(join(ROOT, outfile));
  say(`Built ${outfile}: ${(size / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s`);
  return true;
}
