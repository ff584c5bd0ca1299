/**
 * Proof that the double speaks Apple's protocol and that kei needs no help to find Apple: both happen under Apple's real
 * host names, with TLS on port 443, in name spaces of their own.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { PeerResult } from "./peer-inside.ts";

const root = resolve(import.meta.dir, "../..");
const appleNet = join(root, "scripts/apple-net");
const peer = join(root, "node_modules/@icloudpd/linux-x64/bin/icloudpd");

function whyNot(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "icloudpd is run on linux-x64 only";
  if (!existsSync(peer)) return "the program icloudpd is not installed";
  for (const tool of ["unshare", "openssl", "python3"]) if (Bun.which(tool) === null) return `${tool} is not installed`;
  if (Bun.which("ip") === null && Bun.which("ifconfig") === null) return "neither ip nor ifconfig is installed";
  const probe = Bun.spawnSync([appleNet, "true"], { stdout: "ignore", stderr: "ignore" });
  if (probe.exitCode === 0) return undefined;
  return probe.exitCode === 77 ? "name spaces are not allowed here" : "apple-net does not work here";
}

const reason = whyNot();
if (reason !== undefined) process.stderr.write(`SKIPPED: a real client against the double (${reason})\n`);

describe.if(reason === undefined)("under Apple's real host names", () => {
  let results: { readonly icloudpd: PeerResult; readonly kei: PeerResult };

  beforeAll(async () => {
    const child = Bun.spawn([appleNet, process.execPath, join(import.meta.dir, "peer-inside.ts")], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    if ((await child.exited) !== 0) throw new Error(stderr);
    results = JSON.parse(stdout);
  }, 60_000);

  test("icloudpd signs in to the double with a code and downloads the library byte for byte", () => {
    const { icloudpd } = results;
    expect(icloudpd.log).toContain("Two-factor authentication is required");
    expect(icloudpd.missing).toEqual([]);
    expect(icloudpd.strange).toEqual([]);
    expect(icloudpd.refused).toEqual([]);
    expect(icloudpd.whole).toBe(icloudpd.wanted);
  });

  test("kei does the same with no override", () => {
    const { kei } = results;
    expect(kei.log).toContain("Done");
    expect(kei.exit).toBe(0);
    expect(kei.missing).toEqual([]);
    expect(kei.strange).toEqual([]);
    expect(kei.refused).toEqual([]);
    expect(kei.whole).toBe(kei.wanted);
  });
});

if (reason !== undefined) test.skip(`a real client against the double (skipped: ${reason})`, () => undefined);
