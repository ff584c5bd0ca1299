/** The sign-in and account hosts in other words: what auth.md says may vary, by a seed. */
import type { LoggedRequest } from "../icloud/contract.ts";
import { createRng, type Rng } from "../icloud/photos/random.ts";

type Json = Record<string, unknown>;

/** For `startDouble({ transform })`. */
export function contraryDoors(seed: number) {
  const rng = createRng(`doors/${seed}`);
  return async (response: Response, { operation }: LoggedRequest): Promise<Response> => {
    const restate = RESTATED[operation];
    if (restate === undefined) return response;
    const text = await response.text();
    const json = parse(text);
    const said: Said = { status: response.status, json, headers: new Headers(response.headers) };
    restate(said, rng);
    const body = said.json === undefined ? (json === undefined ? text : "") : JSON.stringify(said.json);
    // JSON under any name (auth.md 0.2).
    if (said.json !== undefined)
      said.headers.set("content-type", rng.pick(["text/html", "text/plain", "application/json"]));
    return new Response(said.status === 204 ? null : body, { status: said.status, headers: said.headers });
  };
}

interface Said {
  status: number;
  json: Json | undefined;
  readonly headers: Headers;
}

const RESTATED: Readonly<Record<string, (said: Said, rng: Rng) => void>> = {
  "signin/init": (said) => {
    delete said.json?.["version"];
    // Some answers name the session only later (auth.md 1.5).
    if (said.json !== undefined) said.json["somethingNew"] = { a: [null] };
  },
  "signin/complete": (said, rng) => {
    // The body may be empty (auth.md 7.2).
    if (said.status === 409 && rng.chance(0.5)) said.json = undefined;
    said.headers.delete("x-apple-twosv-trust-eligible");
    if (said.status < 300) said.headers.set("x-apple-i-rscd", String(said.status));
    else said.headers.set("X-Apple-I-Rscd", rng.pick([String(said.status), "0", "abc"]));
  },
  push: (said, rng) => {
    if (said.status === 202) said.status = rng.pick([200, 202, 409]);
  },
  sms: (said, rng) => {
    if (said.status === 200) said.status = rng.pick([200, 202, 409]);
  },
  code: accepted,
  smscode: accepted,
  trust: (said, rng) => {
    if (said.status !== 204 || rng.chance(0.5)) return;
    said.status = 200;
    said.json = {};
  },
  validate: (said, rng) => {
    account(said, rng);
    // A session that is over is told in several ways (auth.md 4.2, 4.5, 4.6, 7.7).
    if (said.status === 421) said.status = rng.pick([401, 403, 421, 450, 500]);
  },
  accountLogin: (said, rng) => {
    account(said, rng);
    if (said.status === 421) said.status = rng.pick([400, 401, 421, 450, 500]);
  },
};

function accepted(said: Said, rng: Rng): void {
  if (said.status !== 204) return;
  said.status = rng.pick([200, 204, 409]);
  if (said.status === 409) said.json = { securityCode: { length: 6, valid: true, securityCodeLocked: false } };
}

function account({ json }: Said, rng: Rng): void {
  const info = json?.["dsInfo"] as Json | undefined;
  if (json === undefined || info === undefined) return;
  if (rng.chance(0.5)) info["dsid"] = Number(info["dsid"]);
  for (const name of ["locked", "statusCode", "hasICloudQualifyingDevice", "isWebAccessAllowed"])
    if (rng.chance(0.3) && info[name] !== false) delete info[name];
  json["domainToUse"] = null;
  json["service_errors"] = [];
  json["hasError"] = false;
  delete json["iCDPEnabled"];
  if (rng.chance(0.5)) json["requestInfo"] = [{ country: "US" }];
  const services = json["webservices"] as Json;
  json["webservices"] = { ...services, mail: null, ...(rng.chance(0.5) ? { photos: {} } : {}) };
}

function parse(text: string): Json | undefined {
  try {
    return text === "" ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined; // A page, or nothing: it stays as it is.
  }
}
