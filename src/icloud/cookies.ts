import { Cookie, CookieJar, MemoryCookieStore } from "tough-cookie";
import type { Clock, Logger } from "../runtime/ports.ts";

/** One cookie as it is kept on disk: every attribute, session cookies too (auth.md 5.5). */
export interface StoredCookie {
  readonly name: string;
  /** Byte for byte as Apple sent it, quotes included. */
  readonly value: string;
  readonly domain: string;
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  /** ISO time, or null for a cookie without an end. */
  readonly expires: string | null;
}

/** The cookies of one account in one realm. */
export interface Cookies {
  /** Takes the `Set-Cookie` values of an answer that came from `url`. True when something changed. */
  store(url: string, setCookie: readonly string[]): boolean;
  /** The value of the `Cookie` header for a request to `url`; undefined when no cookie matches. */
  header(url: string): string | undefined;
  /** True when a cookie of this name would be sent to `url`. */
  has(url: string, name: string): boolean;
  /** Forgets the cookies that were set for exactly this host. */
  removeFor(host: string): void;
  clear(): void;
  /** For the file; the order in which they were set. */
  dump(): readonly StoredCookie[];
}

/**
 * A jar by RFC 6265. A cookie with an empty value or an end in the past deletes the one it names. Expiry is judged by
 * `clock`; a cookie for a foreign domain is refused without an error.
 */
export function createCookies(
  clock: Pick<Clock, "now">,
  stored: readonly StoredCookie[] = [],
  logger?: Pick<Logger, "debug">,
): Cookies {
  let store = new MemoryCookieStore();
  let jar = new CookieJar(store);

  const restore = (cookie: StoredCookie): void => {
    const expires = cookie.expires === null ? null : new Date(cookie.expires);
    if (expires !== null && !(expires.getTime() > clock.now())) return;
    store.putCookie(
      new Cookie({
        key: cookie.name,
        value: cookie.value,
        domain: cookie.domain,
        hostOnly: cookie.hostOnly,
        path: cookie.path,
        secure: cookie.secure,
        httpOnly: cookie.httpOnly,
        expires: expires ?? "Infinity",
        creation: new Date(clock.now()),
      }),
      noteError,
    );
  };
  for (const cookie of stored) restore(cookie);

  /** Every cookie in the order in which they were first set. */
  const all = (): Cookie[] =>
    (jar.serializeSync()?.cookies ?? []).flatMap((raw) => {
      const cookie = Cookie.fromJSON(raw);
      return cookie === undefined ? [] : [cookie];
    });
  const matching = (url: string): Cookie[] =>
    jar.getCookiesSync(url, { expire: false, sort: true }).filter((cookie) => !isOver(cookie, clock.now()));

  return {
    store(url, setCookie) {
      let changed = false;
      for (const header of setCookie) {
        const cookie = Cookie.parse(header);
        if (cookie === undefined) {
          logger?.debug("ignored a malformed cookie", { host: new URL(url).host });
          continue;
        }
        endByDate(cookie, clock.now());
        const deletes = isOver(cookie, clock.now());
        if (deletes) cookie.expires = "Infinity";
        const kept = jar.setCookieSync(cookie, url, { ignoreError: true, now: new Date(clock.now()) });
        if (kept === undefined) {
          logger?.debug("refused a cookie of another domain", { host: new URL(url).host, name: cookie.key });
          continue;
        }
        if (deletes) store.removeCookie(kept.domain ?? "", kept.path ?? "/", kept.key, noteError);
        changed = true;
      }
      return changed;
    },
    header(url) {
      const cookies = matching(url);
      return cookies.length === 0 ? undefined : cookies.map((cookie) => cookie.cookieString()).join("; ");
    },
    has: (url, name) => matching(url).some((cookie) => cookie.key === name),
    removeFor(host) {
      for (const cookie of all()) {
        if (cookie.domain === host) store.removeCookie(host, cookie.path ?? "/", cookie.key, noteError);
      }
    },
    clear() {
      store = new MemoryCookieStore();
      jar = new CookieJar(store);
    },
    dump: () =>
      all()
        .filter((cookie) => !isOver(cookie, clock.now()))
        .map((cookie) => ({
          name: cookie.key,
          value: cookie.value,
          domain: cookie.domain ?? "",
          hostOnly: cookie.hostOnly === true,
          path: cookie.path ?? "/",
          secure: cookie.secure,
          httpOnly: cookie.httpOnly,
          expires: cookie.expires instanceof Date ? cookie.expires.toISOString() : null,
        })),
  };
}

/** The file's text. Stable: equal cookies give equal text, so an unchanged jar is not written again. */
export function formatCookies(cookies: readonly StoredCookie[]): string {
  return `${JSON.stringify(cookies, undefined, 1)}\n`;
}

/** Reads the file's text; undefined when it is not what `formatCookies` writes. */
export function parseCookies(text: string): readonly StoredCookie[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.every(isStoredCookie) ? value : undefined;
}

function isStoredCookie(value: unknown): value is StoredCookie {
  if (typeof value !== "object" || value === null) return false;
  const cookie = value as Record<string, unknown>;
  return (
    ["name", "value", "domain", "path"].every((key) => typeof cookie[key] === "string") &&
    ["hostOnly", "secure", "httpOnly"].every((key) => typeof cookie[key] === "boolean") &&
    (cookie["expires"] === null ||
      (typeof cookie["expires"] === "string" && !Number.isNaN(Date.parse(cookie["expires"]))))
  );
}

/** Max-Age wins over Expires, counted from now: the library would count it anew from each use. */
function endByDate(cookie: Cookie, now: number): void {
  if (typeof cookie.maxAge === "number") cookie.expires = new Date(now + cookie.maxAge * 1000);
  else if (cookie.maxAge === "-Infinity") cookie.expires = new Date(0);
  cookie.maxAge = null;
}

function isOver(cookie: Cookie, now: number): boolean {
  if (cookie.value === "" || cookie.value === '""') return true;
  return cookie.expires instanceof Date && cookie.expires.getTime() <= now;
}

/** The memory store reports no errors; if it ever does, that is a defect to be seen. */
function noteError(error: Error | null): void {
  if (error) throw error;
}
