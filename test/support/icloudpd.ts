/** The program `icloudpd`, a real client of the real service, under Apple's real host names (`scripts/apple-net`). */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Double } from "../icloud/index.ts";

const ROOT = resolve(import.meta.dir, "../..");
const PROGRAM = join(ROOT, "node_modules/@icloudpd/linux-x64/bin/icloudpd");

/** The command that lends a program Apple's host names. */
export const APPLE_NET = join(ROOT, "scripts/apple-net");

/** Why icloudpd can't be run here; undefined if it can. */
export function whyNoIcloudpd(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "icloudpd is run on linux-x64 only";
  if (!existsSync(PROGRAM)) return "the program icloudpd is not installed";
  for (const tool of ["unshare", "openssl", "python3"]) if (Bun.which(tool) === null) return `${tool} is not installed`;
  if (Bun.which("ip") === null && Bun.which("ifconfig") === null) return "neither ip nor ifconfig is installed";
  const probe = Bun.spawnSync([APPLE_NET, "true"], { stdout: "ignore", stderr: "ignore" });
  if (probe.exitCode === 0) return undefined;
  return probe.exitCode === 77 ? "name spaces are not allowed here" : "apple-net does not work here";
}

/** The double's key and certificate for Apple's names. Only inside apple-net. */
export function appleTls(): { readonly key: string; readonly cert: string } {
  return { key: process.env["APPLE_NET_KEY"] ?? "", cert: process.env["APPLE_NET_CERT"] ?? "" };
}

/** Makes a copy of icloudpd in `folder` that trusts the double's certificate, and returns its path. */
export function trustingIcloudpd(folder: string): string {
  const program = join(folder, "icloudpd");
  const made = Bun.spawnSync([
    join(ROOT, "scripts/trust-icloudpd"),
    PROGRAM,
    process.env["APPLE_NET_CA"] ?? "",
    program,
  ]);
  if (made.exitCode !== 0) throw new Error(`trust-icloudpd: ${made.stderr.toString()}`);
  return program;
}

/** Arguments with which icloudpd signs in without asking for the password. */
export function icloudpdAccount(
  { username, password }: Pick<Double["account"], "username" | "password">,
  cookies: string,
): readonly string[] {
  return ["-u", username, "-p", password, "--password-provider", "parameter", "--cookie-directory", cookies];
}

/** Runs a program to its end. */
export async function runProgram(
  command: readonly string[],
  {
    env = process.env,
    input = "",
  }: { readonly env?: Record<string, string | undefined>; readonly input?: string } = {},
): Promise<{ readonly exit: number; readonly log: string }> {
  const child = Bun.spawn([...command], { env, stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exit: await child.exited, log: `${stdout}\n${stderr}` };
}
