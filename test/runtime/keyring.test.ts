/** The system's keyring: when it is looked for, and that it can't hold a run up. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyringOf, type Secrets, systemKeyring } from "../../src/runtime/keyring.ts";

const never = () => new Promise<never>(() => undefined);
const patient = { sleep: (_ms: number, signal?: AbortSignal) => untilAborted(signal) };

function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
}

function memory(): Secrets & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const nameOf = ({ service, name }: { service: string; name: string }) => `${service}/${name}`;
  return {
    kept,
    get: async (options) => kept.get(nameOf(options)) ?? null,
    set: async ({ value, ...options }) => void kept.set(nameOf(options), value),
    delete: async (options) => kept.delete(nameOf(options)),
  };
}

test("secrets are kept under the service of kei", async () => {
  const secrets = memory();
  const keyring = keyringOf(secrets, patient);
  await keyring.set("me", "secret");
  expect([...secrets.kept]).toEqual([["kei/me", "secret"]]);
  expect([await keyring.get("me"), await keyring.get("you")]).toEqual(["secret", undefined]);
  expect([await keyring.delete("me"), await keyring.delete("me")]).toEqual([true, false]);
  expect(keyring.isStuck).toBe(false);
});

test("a keyring that never answers is given up after a while, and not asked again", async () => {
  let calls = 0;
  const waits: number[] = [];
  const hang = (): Promise<never> => {
    calls += 1;
    return never();
  };
  const keyring = keyringOf({ ...memory(), get: hang, set: hang }, { sleep: async (ms) => void waits.push(ms) });
  expect(await keyring.get("me").catch((error: Error) => error.message)).toContain("within 30 seconds");
  expect(await keyring.set("me", "x").catch((error: Error) => error.message)).toContain("within 30 seconds");
  expect([calls, waits, keyring.isStuck]).toEqual([1, [30_000], true]);
});

test("a keyring that refuses is asked once", async () => {
  let calls = 0;
  const refusing: Secrets = {
    ...memory(),
    get: async () => {
      calls += 1;
      throw new Error("libsecret not available");
    },
  };
  const keyring = keyringOf(refusing, patient);
  for (let tried = 0; tried < 2; tried += 1) {
    expect(await keyring.get("me").catch((error: Error) => error.message)).toBe("libsecret not available");
  }
  expect([calls, keyring.isStuck]).toEqual([1, false]);
});

test("nobody who speaks to a stand-in for iCloud comes near the keyring of this machine", () => {
  const env = { ...process.env, KEI_TEST_ICLOUD: "http://127.0.0.1:1", DBUS_SESSION_BUS_ADDRESS: "unix:path=/x" };
  expect(systemKeyring(env, patient)).toBeUndefined();
});

test.skipIf(process.platform !== "linux")("there is none without a session bus, as under a service manager", () => {
  const folder = mkdtempSync(join(tmpdir(), "kei-bus-"));
  try {
    expect(systemKeyring({}, patient)).toBeUndefined();
    expect(systemKeyring({ XDG_RUNTIME_DIR: folder }, patient)).toBeUndefined();
    writeFileSync(join(folder, "bus"), "");
    expect(systemKeyring({ XDG_RUNTIME_DIR: folder }, patient)).toBeDefined();
    expect(systemKeyring({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/x" }, patient)).toBeDefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
