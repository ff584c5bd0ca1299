/** `setup.icloud.com`: the web session (auth.md 4). */
import { type Context, Hono } from "hono";
import type { DoubleAccount } from "./account.ts";

export interface SetupSite {
  readonly account: DoubleAccount;
  readonly home: string;
  /** `icloud.com` */
  readonly cookieDomain: string;
  readonly partition: number;
  readonly otherDomain: string;
  readonly now: () => number;
}

type Json = Record<string, unknown>;

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body, undefined, 2), {
    status,
    headers: { "content-type": "application/json; charset=UTF-8" },
  });
const gateway = (status: number, error: string): Response =>
  json(
    {
      success: false,
      error,
      requestInfo: [{ country: "US", timeZone: "PST" }],
      configBag: { urls: {}, accountCreateEnabled: true },
    },
    status,
  );

export function createSetup(site: SetupSite): Hono {
  const app = new Hono();
  const { account } = site;
  const base = "/setup/ws/1";

  app.post(`${base}/validate`, async (c) => {
    const refused = refuseHeaders(c, site);
    if (refused !== undefined) return refused;
    if ((await c.req.text()) !== "null") return gateway(400, "Bad body");
    const missing = account.refuse(c.req.header("cookie"));
    if (missing !== undefined) return gateway(421, missing);
    return signedIn(site, true, false);
  });

  app.post(`${base}/accountLogin`, async (c) => {
    const refused = refuseHeaders(c, site);
    if (refused !== undefined) return refused;
    let body: Json;
    try {
      body = JSON.parse(await c.req.text()) as Json;
    } catch {
      return gateway(400, "Bad body"); // Not JSON.
    }
    const token = body["dsWebAuthToken"];
    if (typeof token !== "string" || token === "") return gateway(400, "Missing apple_id field");
    if (body["extended_login"] !== true) return gateway(400, "Bad body");
    const session = account.sessionTokens.get(token);
    if (session === undefined) return gateway(421, "Invalid Session Token");
    if (account.switches.otherRegion) return json({ domainToUse: site.otherDomain });
    const trusted = session.trusted || account.trustTokens.has(String(body["trustToken"] ?? ""));
    if (!trusted && account.switches.refuseBeforeCode) return gateway(403, "Second factor needed");
    return signedIn(site, trusted, true);
  });

  app.post(`${base}/listDevices`, () =>
    json({ devices: [{ deviceType: "SMS", areaCode: "", phoneNumber: "*******99", deviceId: "1" }] }),
  );
  app.post(`${base}/logout`, () => {
    account.expireSession();
    return json({ success: true });
  });
  app.all("*", (c) => new Response(null, { status: c.req.path.startsWith(base) ? 405 : 404 }));
  return app;
}

/** The page's origin and no header of the sign-in frame (auth.md 1.4). */
function refuseHeaders(c: Context, site: SetupSite): Response | undefined {
  if (c.req.header("origin") !== site.home || c.req.header("referer") !== `${site.home}/`)
    return gateway(403, "Bad origin");
  for (const name of Object.keys(c.req.header())) {
    if (name.startsWith("x-apple-oauth")) return gateway(400, `Unexpected ${name}`);
  }
  return undefined;
}

const DAY_MS = 86_400_000;

function signedIn(site: SetupSite, trusted: boolean, login: boolean): Response {
  const { account, cookieDomain, partition, now } = site;
  const { switches } = account;
  const twoFactor = switches.kind === "hsa2";
  const good = trusted || switches.kind === "none";
  const partial = switches.termsPending;
  const body = {
    dsInfo: {
      dsid: account.dsid,
      appleId: account.username,
      primaryEmail: account.username,
      fullName: "Alex Test",
      hasICloudQualifyingDevice: switches.qualifyingDevice,
      isWebAccessAllowed: switches.webAccess,
      iCDPEnabled: switches.advancedDataProtection,
      locked: false,
      languageCode: "en-us",
      countryCode: "USA",
      statusCode: 2,
      ...(twoFactor ? { hsaVersion: 2, hsaEnabled: true } : {}),
      ...(switches.kind === "2sa" ? { hsaVersion: 1, hsaEnabled: true } : {}),
    },
    webservices: {
      ...(switches.photosEnabled
        ? {
            ckdatabasews: {
              url: `https://p${partition}-ckdatabasews.${cookieDomain}:443`,
              status: "active",
              pcsRequired: true,
            },
          }
        : {}),
      photos: {
        url: `https://p${partition}-photosws.${cookieDomain}:443`,
        uploadUrl: `https://p${partition}-uploadphotosws.${cookieDomain}:443`,
        status: "active",
        pcsRequired: true,
      },
      account: {
        url: `https://p${partition}-setup.${cookieDomain}:443`,
        status: "active",
        iCloudEnv: { shortId: "p", vipSuffix: "prod" },
      },
      drivews: { url: `https://p${partition}-drivews.${cookieDomain}:443`, status: "active", pcsRequired: true },
      schoolwork: {},
    },
    ...(switches.kind === "none" ? {} : { hsaChallengeRequired: !good, hsaTrustedBrowser: good }),
    iCDPEnabled: switches.advancedDataProtection,
    pcsEnabled: true,
    pcsDeleted: false,
    isExtendedLogin: true,
    version: 2,
    hasMinimumDeviceForPhotosWeb: true,
    ...(partial ? { termsUpdateNeeded: true } : {}),
    configBag: {
      urls: { accountLogin: `https://setup.${cookieDomain}/setup/ws/1/accountLogin` },
      accountCreateEnabled: true,
    },
    apps: { photos: {}, find: { canLaunchWithOneFactor: true } },
    appsOrder: ["photos"],
    requestInfo: { country: "US", timeZone: "PST", region: "CA" },
  };
  const response = json(body);
  response.headers.set("x-apple-user-partition", String(partition));
  for (const cookie of cookiesFor(site, good, login, partial, now())) response.headers.append("set-cookie", cookie);
  return response;
}

/** Attributes and spellings as recorded: session cookies without a date, two forms of dates (auth.md 5.5). */
function cookiesFor(site: SetupSite, good: boolean, login: boolean, partial: boolean, now: number): string[] {
  const { account, cookieDomain } = site;
  const end = `Path=/;Domain=.${cookieDomain};Secure;HttpOnly`;
  const until = (days: number) => dated(now + days * DAY_MS);
  const token = (name: string) => `${name}="v=1:t=${name.length}==~~"`;
  const cookies = login
    ? [
        `X-APPLE-UNIQUE-CLIENT-ID="v=1:t=AA==~~";${end}`,
        `${token("X-APPLE-WEBAUTH-LOGIN")};${end}`,
        `${token("X-APPLE-WEBAUTH-VALIDATE")};Path=/;Domain=.${cookieDomain};Secure`,
        `${token("X-APPLE-WEBAUTH-HSA-LOGIN")};${end}`,
        `X-APPLE-WEBAUTH-USER=${account.webUser};Expires=${until(30)};${end}`,
        `X_APPLE_WEB_KB-ABCDEFGH="v=1:t=KB==~~";Expires=${until(60)};${end}`,
      ]
    : [`${token("X-APPLE-WEBAUTH-VALIDATE")};Path=/;Domain=.${cookieDomain};Secure`];
  if (!partial) cookies.push(`X-APPLE-DS-WEB-SESSION-TOKEN="AQ==DS~~";Expires=${until(30)};${end}`);
  if (good && !partial) {
    cookies.push(`X-APPLE-WEBAUTH-TOKEN=${account.newWebToken()};Expires=${until(30).replace(", ", ",")};${end}`);
    cookies.push(`X-APPLE-WEBAUTH-HSA-LOGIN="";Expires=Thu, 01-Jan-1970 00:00:01 GMT;${end}`);
    for (const service of ["Documents", "Photos", "Sharing"])
      cookies.push(`${token(`X-APPLE-WEBAUTH-PCS-${service}`)};Expires=${until(30)};${end}`);
  }
  return cookies;
}

/** `Fri, 12-Jan-2024 05:06:31 GMT`, the form with dashes. */
function dated(ms: number): string {
  const [weekday, day, month, year, time] = new Date(ms).toUTCString().split(" ");
  return `${weekday} ${day}-${month}-${year} ${time} GMT`;
}
