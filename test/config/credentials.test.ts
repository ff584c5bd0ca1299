/** The stored password: in the system's keyring, else in an encrypted file. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CredentialStore, credentialStore } from "../../src/config/credential-store.ts";
import { EXIT, Failure } from "../../src/library/failure.ts";
import type { Keyring } from "../../src/runtime/keyring.ts";
import type { Logger } from "../../src/runtime/ports.ts";
import vectors from "../fixtures/auth-vectors.json" with { type: "json" };

const SECRET = "Correct-Horse-42";
let dataDir: string;
let warnings: string[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "kei-credentials-"));
  warnings = [];
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => {
    warnings.push(`${message} ${String(fields?.["reason"] ?? "")}`.trim());
  },
  error: () => undefined,
};

function storeOf(more: { username?: string; domain?: "com" | "cn"; keyFile?: string; keyring?: Keyring } = {}) {
  return credentialStore({
    username: "me@example.com",
    domain: "com",
    dataDir,
    keyFile: undefined,
    keyring: undefined,
    logger,
    ...more,
  });
}

class MemoryKeyring implements Keyring {
  readonly secrets = new Map<string, string>();
  calls = 0;
  readonly isStuck = false;
  broken: string | undefined;
  async #call<T>(act: () => T): Promise<T> {
    this.calls += 1;
    if (this.broken !== undefined) throw new Error(this.broken);
    return act();
  }
  get = (name: string) => this.#call(() => this.secrets.get(name));
  set = (name: string, secret: string) => this.#call(() => void this.secrets.set(name, secret));
  delete = (name: string) => this.#call(() => this.secrets.delete(name));
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("did not fail");
}

const key = () => join(dataDir, "credentials.key");

describe("the encrypted file", () => {
  test("gives back what was stored, and holds nothing that can be read", async () => {
    const store = storeOf();
    expect([await store.backend(), await store.get()]).toEqual(["none", undefined]);
    expect(await store.set("Pässwörd 🐎")).toBe("encrypted-file");
    expect([await storeOf().backend(), await storeOf().get()]).toEqual(["encrypted-file", "Pässwörd 🐎"]);
    for (const name of readdirSync(dataDir)) expect(readFileSync(join(dataDir, name), "latin1")).not.toContain("rd ");
    expect(readdirSync(dataDir)).toHaveLength(2);
  });

  test("is private to its owner, and so is its key, whatever the umask says", async () => {
    const mask = process.umask(0);
    try {
      const store = storeOf();
      await store.set(SECRET);
      for (const path of [store.path, key()]) expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(key()).size).toBe(32);
    } finally {
      process.umask(mask);
    }
  });

  test("has another nonce each time, and one key for all accounts", async () => {
    const store = storeOf();
    await store.set(SECRET);
    const [before, sealed] = [readFileSync(key()), readFileSync(store.path)];
    await store.set(SECRET);
    await storeOf({ domain: "cn" }).set("other");
    expect(readFileSync(store.path).subarray(0, 12)).not.toEqual(sealed.subarray(0, 12));
    expect(readFileSync(key())).toEqual(before);
    expect([await store.get(), await storeOf({ domain: "cn" }).get()]).toEqual([SECRET, "other"]);
    expect(await storeOf({ username: " ME@example.com " }).get()).toBe(SECRET);
  });

  test("opens as the vector does", async () => {
    const store = storeOf();
    writeFileSync(key(), Buffer.from(vectors.credentialFile.keyHex, "hex"), { mode: 0o600 });
    writeFileSync(store.path, Buffer.from(vectors.credentialFile.fileHex, "hex"), { mode: 0o600 });
    expect(await store.get()).toBe(vectors.credentialFile.plaintext);
  });

  test.each<[string, (store: CredentialStore) => void, string]>([
    ["is too short", (store) => writeFileSync(store.path, Buffer.alloc(12)), "is damaged"],
    ["is empty", (store) => writeFileSync(store.path, ""), "is damaged"],
    ["has one bit flipped", (store) => flip(store.path, 20), "was changed, or"],
    ["has another key", () => writeFileSync(key(), Buffer.alloc(32, 7)), "is not its key"],
    ["has a key of another size", () => writeFileSync(key(), Buffer.alloc(31)), "must hold exactly 32 bytes"],
    ["has lost its key", () => rmSync(key()), "is missing"],
  ])("that %s is an error of its own, and stays as it is", async (_what, damage, message) => {
    const store = storeOf();
    await store.set(SECRET);
    damage(store);
    const left = readFileSync(store.path).toString("hex");
    const failure = await failureOf(store.get());
    expect([failure.exit, failure.message]).toEqual([EXIT.signIn, expect.stringContaining(message)]);
    expect(failure.remedy).toContain("kei password set");
    expect(readFileSync(store.path).toString("hex")).toBe(left);
    expect(await store.backend()).toBe("encrypted-file");
  });

  test("is not written with a damaged key, which may be another account's only one", async () => {
    writeFileSync(key(), "short");
    const failure = await failureOf(storeOf().set(SECRET));
    expect([failure.exit, failure.message]).toEqual([EXIT.failure, expect.stringContaining("32 bytes")]);
    expect(readFileSync(key(), "utf8")).toBe("short");
  });

  test("may have its key elsewhere", async () => {
    const keyFile = join(dataDir, "elsewhere", "key");
    await storeOf({ keyFile }).set(SECRET);
    expect([statSync(keyFile).size, existsSync(key())]).toEqual([32, false]);
    expect(await storeOf({ keyFile }).get()).toBe(SECRET);
    expect((await failureOf(storeOf().get())).message).toContain("is missing");
  });

  test("agrees on one key when several accounts begin at the same time", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `${index}@example.com`);
    await Promise.all(names.map((username) => storeOf({ username }).set(username)));
    for (const username of names) expect(await storeOf({ username }).get()).toBe(username);
    expect(readdirSync(dataDir)).toHaveLength(9);
  });

  test("whose key others can read is warned about", async () => {
    await storeOf().set(SECRET);
    chmodSync(key(), 0o644);
    expect(await storeOf().get()).toBe(SECRET);
    expect(warnings).toEqual(["the key of the stored password can be read by others"]);
  });

  test("is deleted, its key is not, and a second time there is nothing", async () => {
    const store = storeOf();
    await store.set(SECRET);
    expect([await store.clear(), await store.clear()]).toEqual([true, false]);
    expect(readdirSync(dataDir)).toEqual(["credentials.key"]);
  });
});

describe("the keyring", () => {
  test("takes the password where there is one, by account and region", async () => {
    const keyring = new MemoryKeyring();
    expect(await storeOf({ keyring }).set(SECRET)).toBe("keyring");
    expect([...keyring.secrets]).toEqual([["me@example.com (com)", SECRET]]);
    expect(readdirSync(dataDir)).toEqual([]);
    expect([await storeOf({ keyring }).backend(), await storeOf({ keyring }).get()]).toEqual(["keyring", SECRET]);
    expect(await storeOf({ keyring, domain: "cn" }).get()).toBeUndefined();
    expect([await storeOf({ keyring }).clear(), await storeOf({ keyring }).clear()]).toEqual([true, false]);
  });

  test("is left alone by who wants the file, which counts from then on, and all is cleared together", async () => {
    const keyring = new MemoryKeyring();
    const store = storeOf({ keyring });
    await store.set("old");
    expect(await store.set("new", { inFile: true })).toBe("encrypted-file");
    expect([await store.get(), await storeOf().get()]).toEqual(["new", "new"]);
    expect(await store.clear()).toBe(true);
    expect([await store.get(), keyring.secrets.size]).toEqual([undefined, 0]);
  });

  test("is not touched before it is needed", () => {
    const keyring = new MemoryKeyring();
    storeOf({ keyring });
    expect(keyring.calls).toBe(0);
  });

  test("that refuses leaves the work to the file, and says so", async () => {
    const keyring = new MemoryKeyring();
    keyring.broken = "the collection is locked";
    const store = storeOf({ keyring });
    expect(await store.set(SECRET)).toBe("encrypted-file");
    expect(warnings).toEqual(["the system's keyring can't be used the collection is locked"]);
    expect([await store.get(), await store.backend(), await store.clear()]).toEqual([SECRET, "encrypted-file", true]);
    expect(await store.get()).toBeUndefined();
  });

  test("that the system does not have is nothing to warn about", async () => {
    const keyring = new MemoryKeyring();
    keyring.broken = "libsecret not available";
    expect([await storeOf({ keyring }).get(), await storeOf({ keyring }).backend()]).toEqual([undefined, "none"]);
    expect(warnings).toEqual([]);
  });

  test("and the file never hold two passwords of which the older counts", async () => {
    const keyring = new MemoryKeyring();
    const store = storeOf({ keyring });
    await store.set("first");
    keyring.broken = "no session";
    await store.set("second");
    keyring.broken = undefined;
    expect(await store.get()).toBe("second");
    await store.set("third");
    expect([await store.get(), existsSync(store.path)]).toEqual(["third", false]);
    expect(await store.clear()).toBe(true);
    expect(keyring.secrets.size).toBe(0);
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
