/**
 * Proof that the double speaks Apple's protocol and that kei needs no help to find Apple: both happen under Apple's real
 * host names, with TLS on port 443, in name spaces of their own.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { APPLE_NET, whyNoIcloudpd } from "../support/icloudpd.ts";
import type { PeerResult } from "./peer-inside.ts";

const reason = whyNoIcloudpd();
if (reason !== undefined) process.stderr.write(`SKIPPED: a real client against the double (${reason})\n`);

describe.if(reason === undefined)("under Apple's real host names", () => {
  let results: { readonly icloudpd: PeerResult; readonly kei: PeerResult };

  beforeAll(async () => {
    const child = Bun.spawn([APPLE_NET, process.execPath, join(import.meta.dir, "peer-inside.ts")], {
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
