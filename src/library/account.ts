import { createHash } from "node:crypto";
import { join } from "node:path";

/** Absolute paths of the files that belong to one account. */
export interface AccountFiles {
  readonly database: string;
  readonly lock: string;
  readonly session: string;
  readonly cookies: string;
  readonly cache: string;
  /** What must be remembered about sign-in attempts between runs, so that restarts can't lock an account. */
  readonly attempts: string;
  /** The stored password, encrypted, where the system has no better place for it. */
  readonly credential: string;
}

/**
 * Key under which an account's files are kept: 16 hex digits of SHA-256 over realm, NUL and the trimmed lower-case
 * user name (DECISIONS 7). Accounts that differ in one character or in the realm never share a file.
 */
export function accountKey(domain: "com" | "cn", username: string): string {
  const name = username.trim().toLowerCase();
  return createHash("sha256").update(`${domain}\0${name}`).digest("hex").slice(0, 16);
}

/** Names of the account's files in the data folder. */
export function accountFiles(dataDir: string, domain: "com" | "cn", username: string): AccountFiles {
  const base = join(dataDir, accountKey(domain, username));
  return {
    database: `${base}.db`,
    lock: `${base}.lock`,
    session: `${base}.session`,
    cookies: `${base}.cookies`,
    cache: `${base}.cache`,
    attempts: `${base}.attempts`,
    credential: `${base}.credential`,
  };
}
