/** The system's store for secrets: Keychain on macOS, Credential Manager on Windows, the Secret Service on Linux. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TEST_ICLOUD } from "./network.ts";
import type { Clock } from "./ports.ts";

/** Secrets by name. Every call rejects when the store can't be used, and none waits for ever. */
export interface Keyring {
  /** Undefined when there is no such secret. */
  get(name: string): Promise<string | undefined>;
  set(name: string, secret: string): Promise<void>;
  /** False when there was none. */
  delete(name: string): Promise<boolean>;
  /** A call has never come back: it holds the process when everything else is done. */
  readonly isStuck: boolean;
}

/** The part of `Bun.secrets` that is used. */
export interface Secrets {
  get(options: { service: string; name: string }): Promise<string | null>;
  set(options: { service: string; name: string; value: string }): Promise<void>;
  delete(options: { service: string; name: string }): Promise<boolean>;
}

const SERVICE = "kei";
/** A locked store may ask its owner first; where nobody is, the wait has to end, ms. */
const PATIENCE_MS = 30_000;

/**
 * The keyring, where this runtime and this session may have one; undefined where none can be. Whether it works is seen when
 * it is used.
 */
export function systemKeyring(
  env: Readonly<Record<string, string | undefined>>,
  clock: Pick<Clock, "sleep">,
): Keyring | undefined {
  // Who speaks to a stand-in for iCloud must not come near the secrets of the person at this machine.
  if ((env[TEST_ICLOUD] ?? "") !== "") return undefined;
  const secrets = (globalThis as { Bun?: { secrets?: Secrets } }).Bun?.secrets;
  if (secrets === undefined || (process.platform === "linux" && !hasSessionBus(env))) return undefined;
  return keyringOf(secrets, clock);
}

/** Without a session bus, as under a service manager or in a container, the Secret Service can't be reached. */
function hasSessionBus(env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env["DBUS_SESSION_BUS_ADDRESS"] ?? "") !== "") return true;
  const runtime = env["XDG_RUNTIME_DIR"] ?? "";
  return runtime !== "" && existsSync(join(runtime, "bus"));
}

export function keyringOf(secrets: Secrets, clock: Pick<Clock, "sleep">): Keyring {
  let refusal: Error | undefined;
  let isStuck = false;
  /** One try only: a store that has failed or hung once would do so again. */
  const tried = async <T>(call: () => Promise<T>): Promise<T> => {
    if (refusal !== undefined) throw refusal;
    const over = new AbortController();
    const late = clock.sleep(PATIENCE_MS, over.signal).then(() => {
      isStuck = true;
      throw new Error(`it did not answer within ${PATIENCE_MS / 1000} seconds`);
    });
    try {
      return await Promise.race([call(), late]);
    } catch (error) {
      refusal = error instanceof Error ? error : new Error(String(error));
      throw refusal;
    } finally {
      over.abort();
    }
  };
  return {
    get: (name) => tried(async () => (await secrets.get({ service: SERVICE, name })) ?? undefined),
    set: (name, value) => tried(() => secrets.set({ service: SERVICE, name, value })),
    delete: (name) => tried(() => secrets.delete({ service: SERVICE, name })),
    get isStuck() {
      return isStuck;
    },
  };
}
