/**
 * Where every request to Apple leaves this program: sign-in, CloudKit and media. Redirects are left to the caller,
 * who must see their cookies and check their hosts.
 */

/** Names the address of an iCloud double for tests. Never read from a configuration file. */
export const TEST_ICLOUD = "KEI_TEST_ICLOUD";
/** Carries the real host to the double, because Deno does not let a client set `Host`. */
const TEST_HOST_HEADER = "x-kei-test-host";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** A `fetch` for Apple's hosts. The signal ends the request and the reading of its body. */
export type AppleFetch = (url: string, init: RequestInit) => Promise<Response>;

export const appleFetch: AppleFetch = (url, init) => {
  const double = testAddress(process.env[TEST_ICLOUD]);
  if (double === undefined) return fetch(url, { ...init, redirect: "manual" });
  const target = new URL(url);
  const headers = new Headers(init.headers);
  headers.set(TEST_HOST_HEADER, target.host);
  // The path is taken as text: rebuilding it could change what a signature covers.
  const path = url.slice(url.indexOf(target.host) + target.host.length);
  return fetch(`${double}${path.startsWith(":443") ? path.slice(4) : path}`, { ...init, headers, redirect: "manual" });
};

/**
 * The origin of the double, or undefined when none is set. Throws for an address that is not on this machine: a switch
 * that sends credentials elsewhere would be a way to steal them.
 */
export function testAddress(value: string | undefined): string | undefined {
  if (value === undefined || value === "") return undefined;
  const url = URL.parse(value);
  if (url === null || url.protocol !== "http:" || !LOOPBACK.has(url.hostname)) {
    throw new Error(`${TEST_ICLOUD} must be an http address on this machine`);
  }
  return url.origin;
}

export type NetworkErrorKind = "dns" | "connect" | "reset" | "timeout" | "tls" | "tls-invalid" | "other";

const CODES: Readonly<Record<string, NetworkErrorKind>> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  DNSError: "dns",
  ECONNREFUSED: "connect",
  ConnectionRefused: "connect",
  FailedToOpenSocket: "connect",
  EHOSTUNREACH: "connect",
  ENETUNREACH: "connect",
  ENETDOWN: "connect",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ConnectionClosed: "reset",
  ConnectionReset: "reset",
  UnexpectedEOF: "reset",
  UND_ERR_SOCKET: "reset",
  ETIMEDOUT: "timeout",
  ConnectionTimeout: "timeout",
  Timeout: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
};

const INVALID_CERTIFICATE = /cert|self.signed|UNABLE_TO_(VERIFY|GET)|issuer|UnknownIssuer|NotValidForName|Expired/i;

/** The wording of Deno, whose fetch errors carry no code. First match wins. */
const TEXTS: ReadonlyArray<readonly [RegExp, NetworkErrorKind]> = [
  [/dns error|failed to lookup|name resolution|nodename nor servname/i, "dns"],
  [/connection refused|network is unreachable|no route to host|tcp connect error/i, "connect"],
  [/reset|broken pipe|closed|unexpected eof|end of file|incomplete|error reading a body|body error/i, "reset"],
  [/timed? ?out/i, "timeout"],
  [/tls|ssl|handshake|received corrupt message/i, "tls"],
];

/**
 * What kind of trouble a failed fetch, or a body that broke off, met. The only place that knows how Bun and Deno spell
 * their errors.
 */
export function networkErrorKind(error: unknown): NetworkErrorKind {
  if (!(error instanceof Error)) return "other";
  if (error.name === "TimeoutError") return "timeout";
  const texts: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === "string") {
      const kind = CODES[code];
      if (kind !== undefined) return kind;
      if (INVALID_CERTIFICATE.test(code)) return "tls-invalid";
    }
    // Deno quotes the address, whose random letters must not be read as a reason.
    texts.push(at.message.replace(/https?:\/\/\S+/g, ""));
  }
  const text = texts.join(" ");
  if (/certificate/i.test(text)) return "tls-invalid";
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? "other";
}
