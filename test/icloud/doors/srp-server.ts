/** The server's side of Apple's SRP (auth.md 2): it makes the challenge and checks both proofs. Written apart from the client's. */
import { createHash, pbkdf2Sync, randomBytes } from "node:crypto";

const N = BigInt(
  "0xac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e0757767a13dd52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b855f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773bca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73",
);
const G = 2n;
const SIZE = 256;

export type Protocol = "s2k" | "s2k_fo";

export interface SrpAccount {
  /** Account name as the client has to spell it: trimmed, lower case. */
  readonly name: string;
  readonly password: string;
  readonly protocol: Protocol;
  readonly iterations: number;
}

const hash = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return digest.digest();
};
const toInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
const even = (hex: string): string => (hex.length % 2 === 0 ? hex : `0${hex}`);
const short = (value: bigint): Buffer => Buffer.from(even(value.toString(16)), "hex");
const long = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * SIZE, "0"), "hex");

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % N;
  for (let bits = exponent; bits !== 0n; bits /= 2n) {
    if (bits % 2n === 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

/** One sign-in attempt between `signin/init` and `signin/complete`. */
export class SrpExchange {
  readonly salt: Buffer;
  readonly #account: SrpAccount;
  readonly #A: bigint;
  readonly #b: bigint;
  readonly #verifier: bigint;
  readonly B: Buffer;

  /** `secret` and `salt` are drawn unless a test gives them. Throws for an A that is a multiple of N. */
  constructor(
    account: SrpAccount,
    clientKey: Uint8Array,
    secret: Uint8Array = randomBytes(32),
    salt: Uint8Array = randomBytes(16),
  ) {
    this.#account = account;
    this.salt = Buffer.from(salt);
    this.#A = toInt(clientKey);
    if (this.#A % N === 0n) throw new RangeError("A is zero");
    const digest = hash(Buffer.from(account.password, "utf8"));
    const secretOf = account.protocol === "s2k" ? digest : Buffer.from(digest.toString("hex"), "latin1");
    const key = pbkdf2Sync(secretOf, this.salt, account.iterations, 32, "sha256");
    const x = toInt(hash(this.salt, hash(Buffer.from(":"), key)));
    this.#verifier = power(G, x);
    this.#b = toInt(secret);
    const k = toInt(hash(long(N), long(G)));
    this.B = short((k * this.#verifier + power(G, this.#b)) % N);
  }

  /** Whether both proofs are right; Apple wants M1 and the M2 the client expects. */
  accepts(m1: Uint8Array, m2: Uint8Array): boolean {
    const A = short(this.#A);
    const u = toInt(hash(long(this.#A), long(toInt(this.B))));
    const secret = power(this.#A * power(this.#verifier, u), this.#b);
    const K = hash(short(secret));
    const group = hash(long(N));
    const generator = hash(long(G));
    const mixed = Buffer.from(group.map((byte, index) => byte ^ (generator[index] ?? 0)));
    const name = hash(Buffer.from(this.#account.name, "utf8"));
    const rightM1 = hash(mixed, name, this.salt, A, this.B, K);
    return rightM1.equals(Buffer.from(m1)) && hash(A, rightM1, K).equals(Buffer.from(m2));
  }
}
