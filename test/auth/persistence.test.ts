/** What a sign-in leaves on disk, and what it makes of what it finds there (auth.md 5). */

import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { newRecord, parseRecord, stripped } from "../../src/icloud/auth/session-record.ts";
import { accountKey } from "../../src/library/account.ts";
import { privateFile } from "../../src/runtime/private-file.ts";
import {
  CODE_OK,
  FakeApple,
  failureOf,
  Machine,
  PASSWORD,
  SESSION_COOKIES,
  TRUSTED,
  WRONG_PASSWORD,
} from "./fake-apple.ts";

const machine = () => new Machine(new FakeApple());

test("every file has mode 0600, also where the umask would allow more, and no temporary file stays", async () => {
  const mask = process.umask(0);
  try {
    const m = await machine().signedIn();
    m.apple.on("VALIDATE", { body: {} }).on("LOGIN", { status: 400 }).on("COMPLETE", WRONG_PASSWORD);
    await failureOf(m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials())));
    const names = readdirSync(m.dir).toSorted((a, b) => a.localeCompare(b));
    expect(names.map((name) => name.split(".")[1])).toEqual(["attempts", "cache", "cookies", "session"]);
    for (const name of names) expect(statSync(join(m.dir, name)).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(mask);
  }
});

test("a leftover temporary file with another mode does not lend it to the new one", async () => {
  const m = machine();
  writeFileSync(`${m.files.session}.tmp`, "half", { mode: 0o644 });
  await m.signedIn();
  expect(statSync(m.files.session).mode & 0o777).toBe(0o600);
  expect(existsSync(`${m.files.session}.tmp`)).toBe(false);
});

test("the same answers twice rewrite no file", async () => {
  const m = await machine().signedIn();
  const visit = async () => {
    m.apple.on("VALIDATE", { body: TRUSTED, cookies: SESSION_COOKIES });
    await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()));
  };
  await visit();
  const past = new Date("2020-01-01T00:00:00Z");
  for (const path of [m.files.session, m.files.cookies]) utimesSync(path, past, past);
  await visit();
  for (const path of [m.files.session, m.files.cookies]) expect(statSync(path).mtime).toEqual(past);
});

test.each(["session", "cookies"] as const)("a damaged %s file is a warning and a new sign-in", async (which) => {
  const m = await machine().signedIn();
  writeFileSync(m.files[which], '{"client_id": "auth-');
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.log.warnings.join()).toContain("damaged");
  expect(m.apple.sequence).toBe(which === "session" ? "INIT COMPLETE LOGIN PUSH CODE TRUST LOGIN" : "LOGIN");
});

test("a damaged cache and damaged notes count as none", async () => {
  const m = await machine().signedIn();
  writeFileSync(m.files.cache, "{");
  writeFileSync(m.files.attempts, "[1");
  await m.run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a cache from the future, or after ten minutes, is not used", async () => {
  const m = await machine().signedIn();
  await m.later(601_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
  m.apple.clear();
  await m.later(-3_600_000).run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("VALIDATE LOGIN");
});

test("a cache without its cookies is not used", async () => {
  const m = await machine().signedIn();
  writeFileSync(m.files.cookies, "[]");
  await m.run((signIn) => signIn.authenticate(m.credentials()));
  expect(m.apple.sequence).toBe("LOGIN");
});

test("a folder in a file's place is taken for no file, and left alone", async () => {
  const m = machine();
  mkdirSync(m.files.cache);
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(statSync(m.files.cache).isDirectory()).toBe(true);
});

test("the client id stays over runs and after forgetting all but the trust", async () => {
  const m = await machine().signedIn();
  const idOf = () => String(JSON.parse(readFileSync(m.files.session, "utf8")).client_id);
  const before = idOf();
  const { account } = await m.run((signIn) => signIn.reauthenticate("strip", m.credentials()));
  expect(account.clientId).toBe(before);
  expect(idOf()).toBe(before);
  expect(m.apple.only("INIT").headers.get("x-apple-oauth-state")).toBe(before);
});

test("forgetting all but the trust keeps the trust token, its age and the client id, and nothing else", () => {
  const full = {
    ...newRecord(),
    trust_token: "t",
    trusted_at: "2026-01-01T00:00:00Z",
    scnt: "s",
    session_token: "x",
    sms_mode: "sms",
  };
  expect(Object.keys(stripped(full)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "client_id",
    "trust_token",
    "trusted_at",
  ]);
});

test("a record keeps its own fields only, as text", () => {
  expect(
    parseRecord('{"client_id":"c","session_id":5,"trust_eligible":true,"scnt":null,"__proto__":{"x":1},"other":"y"}'),
  ).toEqual({
    client_id: "c",
    session_id: "5",
    trust_eligible: "true",
  });
  expect(parseRecord("[]")).toBeUndefined();
});

test("accounts that differ in one character or in the region never share a file; spaces and capitals make no difference", () => {
  const names = ["a.b@x.com", "ab@x.com", "用户@example.com", "", `${"x".repeat(500)}@x.com`];
  const keys = names.flatMap((name) => [accountKey("com", name), accountKey("cn", name)]);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => /^[0-9a-f]{16}$/.test(key))).toBe(true);
  expect(accountKey("com", " A.B@x.com ")).toBe(accountKey("com", "a.b@x.com"));
});

test("a read-only sign-in works from what is saved and writes nothing at all", async () => {
  const m = await machine().signedIn();
  const look = () => readdirSync(m.dir).map((name) => [name, readFileSync(join(m.dir, name), "utf8")]);
  const before = look();
  m.apple.on("LOGIN", { status: 400 });
  await m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials()), { readOnly: true });
  expect(m.apple.sequence).toBe("VALIDATE LOGIN INIT COMPLETE LOGIN");
  expect(look()).toEqual(before);
});

test.skipIf(process.getuid?.() === 0)("a disk that refuses costs the next run a sign-in, not this one", async () => {
  const m = machine();
  chmodSync(m.dir, 0o500);
  await m.run((signIn) => signIn.authenticate(m.person(CODE_OK)));
  expect(m.log.warnings.join()).toContain("Cannot save");
  chmodSync(m.dir, 0o700);
});

test("get-code sends no code when the other process could not find its traces", async () => {
  const m = machine();
  mkdirSync(`${m.files.session}.tmp/x`, { recursive: true });
  const failure = await failureOf(m.run((signIn) => signIn.requestCode(m.credentials())));
  expect(failure).toMatchObject({ exit: 1 });
  expect(failure.message).toContain("Cannot save");
  expect(m.apple.of("PUSH")).toHaveLength(0);
});

test("a file that could not be replaced keeps its old content", async () => {
  const m = machine();
  const path = join(m.dir, "x.session");
  const file = privateFile(path);
  await file.write("old");
  mkdirSync(`${path}.tmp/x`, { recursive: true });
  await failureOf(file.write("new"));
  expect(readFileSync(path, "utf8")).toBe("old");
});

test("the facts for a status screen need no request", async () => {
  const m = machine();
  const facts = () => m.run(async (signIn) => signIn.sessionFacts(), { readOnly: true });
  expect(await facts()).toEqual({
    hasSession: false,
    trustedAt: undefined,
    throttledUntil: undefined,
    passwordRefusedAt: undefined,
  });
  const now = m.clock.time;
  await m.signedIn();
  expect(await facts()).toEqual({
    hasSession: true,
    trustedAt: now,
    throttledUntil: undefined,
    passwordRefusedAt: undefined,
  });
  expect(m.apple.sequence).toBe("");
});

test("no log line, error or note holds a password, token, cookie, code, proof or account id", async () => {
  const m = machine();
  m.apple.on("CODE", { status: 204, headers: { "X-Apple-Session-Token": "SECRET-token", scnt: "SECRET-scnt" } });
  await m.signedIn();
  m.apple.on("LOGIN", { status: 400, body: { error: "Invalid Session Token" } }).on("COMPLETE", WRONG_PASSWORD);
  const failure = await failureOf(m.later(86_400_000).run((signIn) => signIn.authenticate(m.credentials())));
  const said = [...m.log.lines, failure.message, failure.stack, readFileSync(m.files.attempts, "utf8")].join("\n");
  const record = Object.values(JSON.parse(readFileSync(m.files.session, "utf8")) as Record<string, string>);
  const secrets = [
    PASSWORD,
    CODE_OK,
    "SECRET",
    "FAKE",
    "trust-1",
    "10000000001",
    ...record.filter((value) => value.length > 5 && !value.startsWith("http")),
  ];
  for (const secret of secrets) expect(said).not.toContain(secret);
});
