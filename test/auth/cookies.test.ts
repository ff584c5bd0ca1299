/** The jar: whom a cookie is sent to, what ends it, and what survives a restart (auth.md 5.5). */
import { expect, test } from "bun:test";
import { createCookies, formatCookies, parseCookies } from "../../src/icloud/cookies.ts";

const SETUP = "https://setup.icloud.com/setup/ws/1/accountLogin";
const CK = "https://p12-ckdatabasews.icloud.com:443/x";
const clockAt = (iso: string) => ({ now: () => Date.parse(iso) });
const NOW = clockAt("2026-01-01T00:00:00Z");

test("a cookie of .icloud.com goes to every host of it, and neither to apple.com nor to China", () => {
  const jar = createCookies(NOW);
  jar.store(SETUP, ['A="v=1:t=EQ==";Path=/;Domain=.icloud.com;Secure']);
  expect(jar.header(CK)).toBe('A="v=1:t=EQ=="');
  expect(jar.header("https://www.icloud.com/")).toBe('A="v=1:t=EQ=="');
  expect(jar.header("https://idmsa.apple.com/appleauth/auth")).toBeUndefined();
  expect(jar.header("https://setup.icloud.com.cn/setup/ws/1/validate")).toBeUndefined();
});

test("a restart keeps session cookies and quoted values byte for byte, and drops what has ended", () => {
  const before = createCookies(NOW);
  before.store(SETUP, [
    'SESSION="v=1:t=Cw==FAKE~~+/";Path=/;Domain=.icloud.com;Secure',
    "HOSTONLY=1",
    "SOON=1;Path=/;Domain=.icloud.com;Expires=Tue,02-Jan-2026 00:00:00 GMT",
    "LATER=1;Path=/;Domain=.icloud.com;Max-Age=172800;Expires=Thu, 01-Jan-1970 00:00:01 GMT",
  ]);
  const text = formatCookies(before.dump());
  const after = createCookies(clockAt("2026-01-02T12:00:00Z"), parseCookies(text) ?? []);
  expect(after.header("https://setup.icloud.com/setup/ws/1/x")).toBe(
    'HOSTONLY=1; SESSION="v=1:t=Cw==FAKE~~+/"; LATER=1',
  );
  expect(after.header(CK)).toBe('SESSION="v=1:t=Cw==FAKE~~+/"; LATER=1');
  expect(createCookies(clockAt("2026-01-03T00:00:01Z"), parseCookies(text) ?? []).header(CK)).toBe(
    'SESSION="v=1:t=Cw==FAKE~~+/"',
  );
});

test("using a cookie does not put off its end", () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const jar = createCookies({ now: () => now });
  jar.store(SETUP, ["A=1;Path=/;Domain=.icloud.com;Max-Age=60"]);
  now += 59_000;
  expect(jar.header(CK)).toBe("A=1");
  now += 1_000;
  expect(jar.header(CK)).toBeUndefined();
});

test.each([
  "A=;Path=/;Domain=.icloud.com",
  'A="";Path=/;Domain=.icloud.com',
  "A=x;Path=/;Domain=.icloud.com;Max-Age=0",
  "A=x;Path=/;Domain=.icloud.com;Expires=Thu, 01 Jan 1970 00:00:01 GMT",
])("%j deletes the cookie it names and no other", (header) => {
  const jar = createCookies(NOW);
  jar.store(SETUP, ["A=1;Path=/;Domain=.icloud.com", "B=2;Path=/;Domain=.icloud.com"]);
  jar.store(SETUP, [header]);
  expect(jar.header(CK)).toBe("B=2");
  expect(jar.dump().map((cookie) => cookie.name)).toEqual(["B"]);
});

test("a host can't set cookies for another domain, nor for a whole top level", () => {
  const jar = createCookies(NOW);
  jar.store(SETUP, ["A=1;Domain=.icloud.com.cn", "B=1;Domain=apple.com", "C=1;Domain=.com", "", "=x"]);
  expect(jar.dump()).toEqual([]);
});

test("the newest value of a rotating cookie wins and keeps its place, so equal jars give equal files", () => {
  const jar = createCookies(NOW);
  jar.store(SETUP, ['T="v=2:t=one";Path=/;Domain=.icloud.com', "U=1;Path=/;Domain=.icloud.com"]);
  jar.store(CK, ['T="v=2:t=two";Path=/;Domain=.icloud.com;Secure;HttpOnly']);
  expect(jar.header(CK)).toBe('T="v=2:t=two"; U=1');
  const text = formatCookies(jar.dump());
  expect(formatCookies(createCookies(NOW, parseCookies(text) ?? []).dump())).toBe(text);
});

test("the cookies of one host can be forgotten without the others", () => {
  const jar = createCookies(NOW);
  jar.store("https://idmsa.apple.com/appleauth/auth", [
    "aasp=1;Domain=idmsa.apple.com;Path=/",
    "acn01=2",
    "site=USA;Domain=apple.com;Path=/",
  ]);
  jar.removeFor("idmsa.apple.com");
  expect(jar.header("https://idmsa.apple.com/appleauth/auth")).toBe("site=USA");
});

test.each([
  "",
  "{}",
  "[1]",
  '[{"name":"a"}]',
  "#LWP-Cookies-2.0",
  '[{"name":"a","value":"b","domain":"c","path":"/","hostOnly":false,"secure":false,"httpOnly":false,"expires":"never"}]',
])("%j is no jar", (text) => {
  expect(parseCookies(text)).toBeUndefined();
});
