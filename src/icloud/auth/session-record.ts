/** What a sign-in has to remember between requests, processes and days. Pure. Facts: auth.md 1.5, 5.1, 5.2, 5.6. */
import { randomUUID } from "node:crypto";
import { isObject } from "./json.ts";

const FIELDS = [
  "client_id",
  "scnt",
  "session_id",
  "session_token",
  "trust_token",
  "trust_eligible",
  "account_country",
  "apple_rscd",
  "apple_ercd",
  "ckdatabasews_url",
  /** When the trust token came, ISO time. */
  "trusted_at",
  /** The phone that a text message with a code went to, with what Apple wants to hear again when it is handed in. */
  "sms_phone_id",
  "sms_mode",
  "sms_non_fteu",
  /** When a code was requested for an account that Apple shows only after it, ISO time. */
  "code_awaited_since",
] as const;

/** What is known of a code on its way; void as soon as another sign-in begins. */
export const CODE_FIELDS = ["sms_phone_id", "sms_mode", "sms_non_fteu", "code_awaited_since"] as const;

export type SessionField = (typeof FIELDS)[number];
export type SessionRecord = { readonly client_id: string } & Readonly<Partial<Record<SessionField, string>>>;

const CAPTURED: ReadonlyArray<readonly [header: string, field: SessionField]> = [
  ["scnt", "scnt"],
  ["x-apple-id-session-id", "session_id"],
  ["x-apple-session-token", "session_token"],
  ["x-apple-twosv-trust-token", "trust_token"],
  ["x-apple-twosv-trust-eligible", "trust_eligible"],
  ["x-apple-id-account-country", "account_country"],
  ["x-apple-i-rscd", "apple_rscd"],
  ["x-apple-i-ercd", "apple_ercd"],
];

/** The record of a first sign-in: a client id that stays for ever, and nothing else. */
export function newRecord(): SessionRecord {
  return { client_id: `auth-${randomUUID()}` };
}

/** The record with the values that an answer's headers carry. Empty headers change nothing. */
export function captured(record: SessionRecord, headers: Headers): SessionRecord {
  const changes: Partial<Record<SessionField, string>> = {};
  for (const [header, field] of CAPTURED) {
    const value = headers.get(header);
    if (value !== null && value !== "") changes[field] = value;
  }
  return { ...record, ...changes };
}

/** Without the named fields. */
export function without(
  record: SessionRecord,
  ...fields: readonly Exclude<SessionField, "client_id">[]
): SessionRecord {
  const kept = Object.entries(record).filter(([field]) => !(fields as readonly string[]).includes(field));
  return { client_id: record.client_id, ...Object.fromEntries(kept) };
}

/** Only the installation's identity and Apple's trust in it: what forces a sign-in by password without a code. */
export function stripped(record: SessionRecord): SessionRecord {
  const { client_id, trust_token, trusted_at } = record;
  return {
    client_id,
    ...(trust_token === undefined ? {} : { trust_token }),
    ...(trusted_at === undefined ? {} : { trusted_at }),
  };
}

export function formatRecord(record: SessionRecord): string {
  return `${JSON.stringify(record, undefined, 1)}\n`;
}

/**
 * Reads a record. Values of other types become text; unknown fields are dropped; a record without a client id gets
 * one. Undefined when the text is not a JSON object.
 */
export function parseRecord(text: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const entries = FIELDS.flatMap((field): [SessionField, string][] => {
    const found = Object.hasOwn(value, field) ? value[field] : undefined;
    if (found === undefined || found === null || found === "") return [];
    return [[field, typeof found === "string" ? found : JSON.stringify(found)]];
  });
  return { ...newRecord(), ...Object.fromEntries(entries) };
}
