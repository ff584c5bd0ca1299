const REDACTED = "<redacted>";

/** Names behind which a secret may stand. */
const NAMES =
  "pass(?:word|phrase|wd)?|pwd|token|secret|cookies?|session[_-]?(?:id|token)|scnt|dsid|auth(?:orization)?|api[_-]?key|code";

const PATTERNS: ReadonlyArray<readonly [RegExp, string]> = [
  // What follows the address of a request may sign it, or name the account.
  [/(https?:\/\/[^\s?"']+)\?[^\s"']*/gi, `$1?${REDACTED}`],
  [/\bbearer\s+[\w.~+/=-]+/gi, `Bearer ${REDACTED}`],
  [/\b(set-cookie|cookie|authorization)\s*:\s*[^\r\n]+/gi, `$1: ${REDACTED}`],
  [new RegExp(`\\b(${NAMES})("?\\s*[=:]\\s*)("[^"]*"|'[^']*'|[^\\s,;&}]+)`, "gi"), `$1$2${REDACTED}`],
  [/\bX-APPLE-[\w-]+=[^\s;]+/gi, REDACTED],
  [/[^\s@<>"'`()[\]{},;:/\\=]+@[^\s@<>"'`()[\]{},;:/\\=]+\.[a-z]{2,}/gi, REDACTED],
];

/** A text without e-mail addresses, passwords, tokens, cookies and what signs addresses; `secrets` go wherever they are. */
export function redact(value: string, secrets: readonly string[]): string {
  const named = secrets.filter((secret) => secret !== "").toSorted((a, b) => b.length - a.length);
  const without = named.reduce((text, secret) => text.replaceAll(secret, REDACTED), value);
  return PATTERNS.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), without);
}
