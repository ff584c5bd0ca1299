/**
 * What must be remembered about sign-ins by password between runs, so that a service that restarts can neither lock an
 * account nor prolong a block (DECISIONS 18).
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../runtime/ports.ts";
import type { PrivateFile } from "../../runtime/private-file.ts";
import { at, isObject, textAt } from "./json.ts";

/** After a 429 or 503, no sign-in by password for this long, ms. */
const THROTTLE_MS = 15 * 60_000;

export interface Attempts {
  /** No sign-in by password before this moment, ms since the epoch; undefined when the way is free. */
  throttledUntil(): number | undefined;
  /** When Apple refused exactly this password, ms since the epoch; undefined when it did not. */
  refusedAt(password: string): Promise<number | undefined>;
  /** When Apple last refused a password that was not replaced since. */
  readonly lastRefusal: number | undefined;
  noteThrottle(): Promise<void>;
  noteRefusal(password: string): Promise<void>;
  /** Apple accepted a password: nothing is held against the next one. */
  noteSuccess(): Promise<void>;
}

interface Notes {
  readonly throttledAt?: number;
  readonly refusal?: { readonly at: number; readonly salt: string; readonly hash: string };
}

/** Opens the notes; a damaged file counts as none. */
export async function openAttempts(file: PrivateFile, clock: Pick<Clock, "now">): Promise<Attempts> {
  let notes = parse(await file.read());
  const save = async (changed: Notes): Promise<void> => {
    notes = changed;
    if (Object.keys(changed).length === 0) await file.remove();
    else await file.write(`${JSON.stringify(changed)}\n`);
  };

  return {
    throttledUntil() {
      const { throttledAt } = notes;
      if (throttledAt === undefined) return undefined;
      const age = clock.now() - throttledAt;
      // A clock that was set back must not close the door for longer than the rule says.
      return age >= 0 && age < THROTTLE_MS ? throttledAt + THROTTLE_MS : undefined;
    },
    async refusedAt(password) {
      const { refusal } = notes;
      if (refusal === undefined) return undefined;
      const hash = await slowHash(password, Buffer.from(refusal.salt, "hex"));
      const known = Buffer.from(refusal.hash, "hex");
      return known.length === hash.length && timingSafeEqual(known, hash) ? refusal.at : undefined;
    },
    get lastRefusal() {
      return notes.refusal?.at;
    },
    noteThrottle: () => save({ ...notes, throttledAt: clock.now() }),
    async noteRefusal(password) {
      const salt = randomBytes(16);
      const hash = await slowHash(password, salt);
      await save({ ...notes, refusal: { at: clock.now(), salt: salt.toString("hex"), hash: hash.toString("hex") } });
    },
    noteSuccess: () => save({}),
  };
}

function parse(text: string | undefined): Notes {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  if (!isObject(value)) return {};
  const throttledAt = at(value, "throttledAt");
  const refusedAt = at(value, "refusal", "at");
  const salt = textAt(value, "refusal", "salt");
  const hash = textAt(value, "refusal", "hash");
  return {
    ...(typeof throttledAt === "number" ? { throttledAt } : {}),
    ...(typeof refusedAt === "number" && salt !== undefined && hash !== undefined
      ? { refusal: { at: refusedAt, salt, hash } }
      : {}),
  };
}

/** Slow on purpose: the file must not make guessing the password easier. */
function slowHash(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, { N: 16_384, r: 8, p: 1 }, (error, key) => {
      // Bun says undefined where Node says null.
      if (error) reject(error);
      else resolve(key);
    });
  });
}
