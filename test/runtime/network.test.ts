import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { networkErrorKind, testAddress } from "../../src/runtime/network.ts";

const SCRIPT = join(import.meta.dir, "network-errors.ts");
const DENO = join(import.meta.dir, "../../node_modules/.bin/deno");

const EXPECTED = {
  "refused connection": "connect",
  "unknown name": "dns",
  "closed before the answer": "reset",
  "body cut short": "reset",
  "chunked body cut short": "reset",
  "no TLS at the other end": "tls",
  "no answer in time": "timeout",
};

/** A key and a certificate that nobody vouches for; undefined where there is no openssl. */
function ownCertificate(): { key: string; cert: string } | undefined {
  const dir = mkdtempSync(join(tmpdir(), "kei-tls-"));
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const made = spawnSync("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/CN=x",
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  const files = made.status === 0 ? { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") } : undefined;
  rmSync(dir, { recursive: true });
  return files;
}

async function kindsUnder(command: readonly string[]): Promise<unknown> {
  const tls = ownCertificate();
  const server = tls && Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: () => new Response("x") });
  try {
    const run = Bun.spawn([...command, SCRIPT, ...(server ? [String(server.port)] : [])], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(run.stdout).text(), new Response(run.stderr).text()]);
    if ((await run.exited) !== 0) throw new Error(err);
    const kinds = JSON.parse(out) as Record<string, string>;
    // Without openssl the row is missing on both sides.
    const { "certificate of its own making": own, ...rest } = kinds;
    expect(own).toBe(server ? "tls-invalid" : undefined);
    return rest;
  } finally {
    await server?.stop(true);
  }
}

test("real network trouble is told apart on Bun", async () => {
  expect(await kindsUnder([process.execPath])).toEqual(EXPECTED);
}, 20_000);

test("real network trouble is told apart the same way on Deno", async () => {
  expect(await kindsUnder([DENO, "run", "--quiet", "--allow-all"])).toEqual(EXPECTED);
}, 20_000);

test("what is no error, or none of the network's, is other", () => {
  expect(networkErrorKind("x")).toBe("other");
  expect(networkErrorKind(undefined)).toBe("other");
  expect(networkErrorKind(new Error("something else"))).toBe("other");
});

test("a reason is found under what wraps it, and letters of an address are none", () => {
  const reset = Object.assign(new Error("x"), { code: "ECONNRESET" });
  expect(networkErrorKind(new Error("fetch failed", { cause: new Error("again", { cause: reset }) }))).toBe("reset");
  expect(
    networkErrorKind(new Error("error sending request for url (https://cvws.icloud-content.com/Btls/reset-closed)")),
  ).toBe("other");
});

test("only an address on this machine may stand for Apple in tests", () => {
  expect(testAddress(undefined)).toBeUndefined();
  expect(testAddress("")).toBeUndefined();
  expect(testAddress("http://127.0.0.1:8080/x")).toBe("http://127.0.0.1:8080");
  expect(testAddress("http://localhost:1")).toBe("http://localhost:1");
  expect(testAddress("http://[::1]:1")).toBe("http://[::1]:1");
  for (const address of [
    "http://192.0.2.1",
    "https://127.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://evil@example.com",
    "x",
  ]) {
    expect(() => testAddress(address)).toThrow("on this machine");
  }
});
