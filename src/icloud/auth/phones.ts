/** The phone numbers that can receive a code. Pure. Facts: auth.md 3.5, 7.3, 7.5. */
import { at, isObject } from "./json.ts";

export interface TrustedPhone {
  readonly id: number;
  /** As Apple hides it, e.g. `(***) ***-**07`. */
  readonly display: string;
  /** Handed back to Apple exactly when it gave one. */
  readonly nonFTEU?: boolean;
  readonly mode: "sms" | "voice";
}

/** The phones in one line for a person, numbered as `--phone` takes them. */
export function phoneChoices(phones: readonly TrustedPhone[]): string {
  return phones.map(({ display }, index) => `${index + 1} is ${display}`).join(", ");
}

const LIST_PATHS = [
  ["direct", "twoSV", "phoneNumberVerification"],
  ["direct", "twoSV", "bridgeInitiateData", "phoneNumberVerification"],
  [],
  ["phoneNumberVerification"],
] as const;

/** Phones in the answer to the options call, be it the web page or JSON. What can't be read yields none. */
export function parseTrustedPhones(body: string): readonly TrustedPhone[] {
  const data = parseJson(body) ?? parseJson(bootArguments(body) ?? "");
  return trustedPhones(data);
}

/** Phones in an answer that is JSON already. */
export function trustedPhones(data: unknown): readonly TrustedPhone[] {
  const places = LIST_PATHS.map((path) => at(data, ...path));
  for (const place of places) {
    const list = at(place, "trustedPhoneNumbers");
    const phones = (Array.isArray(list) ? list : []).flatMap(readPhone);
    if (phones.length > 0) return phones;
  }
  return places.flatMap((place) => readPhone(at(place, "trustedPhoneNumber"))).slice(0, 1);
}

function readPhone(entry: unknown): TrustedPhone[] {
  if (!isObject(entry)) return [];
  const { id, obfuscatedNumber, nonFTEU, pushMode } = entry;
  if (
    typeof id !== "number" ||
    !Number.isInteger(id) ||
    typeof obfuscatedNumber !== "string" ||
    obfuscatedNumber === ""
  ) {
    return [];
  }
  return [
    {
      id,
      display: obfuscatedNumber.replaceAll("\u2022", "*").replace(/\p{Cc}/gu, " "),
      mode: pushMode === "voice" ? "voice" : "sms",
      ...(typeof nonFTEU === "boolean" ? { nonFTEU } : {}),
    },
  ];
}

/** The text of the page's script element of type application/json and class boot_args; others are decoys. */
function bootArguments(page: string): string | undefined {
  for (const [, attributes = "", text] of page.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)) {
    const isBoot = /\bclass\s*=\s*["']?(?:[^"'>]*\s)?boot_args(?=["'\s]|$)/i.test(attributes);
    if (isBoot && /\btype\s*=\s*["']?application\/json\b/i.test(attributes)) return text;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
