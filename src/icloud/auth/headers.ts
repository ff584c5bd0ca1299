/** Headers of the sign-in calls, as data: Apple changes what it wants now and then. Facts: auth.md 1.4. */
import { type Endpoints, WIDGET_KEY } from "../endpoints.ts";
import type { SessionRecord } from "./session-record.ts";

type Headers = Readonly<Record<string, string>>;

/** For every call to the sign-in host, with the newest values of its own answers. */
export function oauthHeaders(endpoints: Endpoints, record: SessionRecord): Headers {
  return {
    Accept: "application/json, text/javascript",
    "Content-Type": "application/json",
    "X-Apple-OAuth-Client-Id": WIDGET_KEY,
    "X-Apple-OAuth-Client-Type": "firstPartyAuth",
    "X-Apple-OAuth-Redirect-URI": endpoints.home,
    "X-Apple-OAuth-Require-Grant-Code": "true",
    "X-Apple-OAuth-Response-Mode": "web_message",
    "X-Apple-OAuth-Response-Type": "code",
    "X-Apple-OAuth-State": record.client_id,
    "X-Apple-Widget-Key": WIDGET_KEY,
    ...(record.scnt === undefined ? {} : { scnt: record.scnt }),
    ...(record.session_id === undefined ? {} : { "X-Apple-ID-Session-Id": record.session_id }),
  };
}

/** The two steps of the password proof come from the sign-in host's own page; all other calls from icloud.com. */
export function signinOrigin(endpoints: Endpoints): Headers {
  return { Origin: endpoints.authRoot, Referer: `${endpoints.authRoot}/` };
}

/** For the account host, where no sign-in header belongs. */
export const SETUP_HEADERS: Headers = { Accept: "*/*", "Content-Type": "application/json" };
