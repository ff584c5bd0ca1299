/**
 * SRP-6a as Apple's sign-in service speaks it: RFC 5054 2048-bit group, SHA-256, no user name in the password key
 * (auth.md 2). Pure but for the hash functions. Numbers are big-endian; `minimal` drops leading zero bytes and
 * `padded` fills up to 256: which of the two a formula takes decides whether Apple accepts the proof (auth.md 2.4).
 */
import { createHash, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

export const SRP_PROTOCOLS = ["s2k", "s2k_fo"] as const;
export type SrpProtocol = (typeof SRP_PROTOCOLS)[number];

/** The server asked for something that an honest server does not ask for. */
export class SrpError extends Error {
  override readonly name = "SrpError";
}

export const N = BigInt(
  "0xac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e0757767a13dd52312ab4b03310d" +
    "cd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b855f97993ec975eeaa80d740adbf4ff7473" +
    "59d041d5c33ea71d281e446b14773bca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea7" +
    "7a2775d2ecfa032cfbdbf52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb694b5c8" +
    "03d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73",
);
const G = 2n;
const LENGTH = 256;
const K_MULTIPLIER = toNumber(sha256(padded(N), padded(G)));
const GROUP_HASH = xor(sha256(padded(N)), sha256(padded(G)));

/** Most rounds of PBKDF2 that a server may ask for. */
export const MAX_ITERATIONS = 1_000_000;

/** One side's secret of a handshake, and what of it goes over the wire. */
export interface ClientSecret {
  readonly a: bigint;
  /** g^a mod N, always 256 bytes long on the wire. */
  readonly A: bigint;
}

/** The server's half, decoded. */
export interface ServerChallenge {
  readonly protocol: SrpProtocol;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly B: bigint;
}

export interface Proof {
  readonly m1: Uint8Array;
  readonly m2: Uint8Array;
  /** True when B or S has a zero first byte: no source proves how Apple hashes those, so one more try is fair. */
  readonly hasShortNumber: boolean;
}

/** Takes 32 random bytes; draws again until A fills all 256 bytes, where padding can't matter. */
export function createSecret(randomBytes: (length: number) => Uint8Array): ClientSecret {
  for (;;) {
    const a = toNumber(randomBytes(32));
    const A = power(G, a);
    if (minimal(A).length === LENGTH) return { a, A };
  }
}

/** P of auth.md 2.2: the password's hash, its hex spelling for `s2k_fo`, through PBKDF2. */
export async function passwordKey(password: string, challenge: Omit<ServerChallenge, "B">): Promise<Uint8Array> {
  const digest = createHash("sha256").update(password, "utf8").digest();
  const input = challenge.protocol === "s2k" ? digest : Buffer.from(digest.toString("hex"), "ascii");
  return promisify(pbkdf2)(input, challenge.salt, challenge.iterations, 32, "sha256");
}

/**
 * M1 and M2 of auth.md 2.3 for the account name exactly as sent. Throws `SrpError` when B or u is zero: that is no
 * wrong password but a server that must not be answered.
 */
export function prove(accountName: string, key: Uint8Array, secret: ClientSecret, challenge: ServerChallenge): Proof {
  const { A, a } = secret;
  const { B, salt } = challenge;
  if (B % N === 0n) throw new SrpError("the server's number B is zero");
  const x = privateKey(key, salt);
  const u = toNumber(sha256(padded(A), padded(B)));
  if (u === 0n) throw new SrpError("the scrambling number u is zero");
  const S = power(modulo(B - K_MULTIPLIER * power(G, x)), a + u * x);
  const K = sha256(minimal(S));
  const m1 = sha256(GROUP_HASH, sha256(Buffer.from(accountName, "utf8")), salt, minimal(A), minimal(B), K);
  const m2 = sha256(minimal(A), m1, K);
  return { m1, m2, hasShortNumber: minimal(B).length < LENGTH || minimal(S).length < LENGTH };
}

/** x of auth.md 2.3. */
export function privateKey(key: Uint8Array, salt: Uint8Array): bigint {
  return toNumber(sha256(salt, sha256(Buffer.from(":"), key)));
}

export function minimal(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

export function padded(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(LENGTH * 2, "0"), "hex");
}

export function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** base^exponent mod N. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % N;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

function modulo(value: bigint): bigint {
  const rest = value % N;
  return rest < 0n ? rest + N : rest;
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, at) => byte ^ (right[at] ?? 0));
}
