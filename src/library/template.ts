import type { ZoneName } from "./asset.ts";
import { cleanComponent } from "./clean.ts";
import { captureLocal, FormatError, strftime } from "./strftime.ts";

/** Which passes a template is for; decides the tokens it may hold. */
export type TemplateCategory = "unfiled" | "albums";

/** A checked folder template. */
export interface FolderTemplate {
  readonly category: TemplateCategory;
  /** Text with tokens and date letters; empty for a flat folder. */
  readonly text: string;
}

/** A template that can't be used, with the reason in words for people. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** What a template may be filled with. */
export interface TemplateValues {
  /** Capture instant, ms since the epoch. */
  readonly capturedAt: number;
  /** Seconds east of UTC at capture. */
  readonly timeZoneOffset: number | undefined;
  readonly album: string | undefined;
  readonly library: ZoneName;
}

const TOKENS: Readonly<Record<TemplateCategory, readonly string[]>> = {
  unfiled: ["{library}"],
  albums: ["{library}", "{album}"],
};

/**
 * Checks a folder template (files.md 3.1, 3.2): `none` or empty is flat, one Python-style wrapper `{:...}` is taken off.
 * Throws `TemplateError` that says what is wrong.
 */
export function parseTemplate(text: string, category: TemplateCategory): FolderTemplate {
  if (text === "" || text.toLowerCase() === "none") return { category, text: "" };
  const wrapped = /^\{:(.*)\}$/s.exec(text);
  const inner = wrapped?.[1] ?? text;
  const fail = (reason: string): TemplateError => new TemplateError(`folder template "${text}": ${reason}`);
  const segments = inner.split("/");
  if (inner.startsWith("/")) throw fail("it must not begin with a slash");
  if (segments.includes("..")) throw fail("`..` would lead out of the download folder");
  for (const token of inner.match(/\{[^}]*\}?/g) ?? []) checkToken(token, inner, segments, category, fail);
  try {
    strftime(withoutTokens(inner), { wallMs: 0, offsetSeconds: 0 });
  } catch (error) {
    if (error instanceof FormatError) throw fail(error.message);
    throw error;
  }
  return { category, text: inner };
}

function checkToken(
  token: string,
  inner: string,
  segments: readonly string[],
  category: TemplateCategory,
  fail: (reason: string) => TemplateError,
): void {
  if (!TOKENS[category].includes(token)) {
    if (token === "{album}") throw fail("{album} belongs into --folder-structure-albums; use %Y/%m/%d here");
    if (/^\{\d*:/.test(token)) throw fail(`write it as ${inner.replaceAll(/\{\d*:([^}]*)\}/g, "$1")}`);
    throw fail(`${token} is not known here; use ${TOKENS[category].join(", ")} and date letters such as %Y`);
  }
  if (inner.split(token).length > 2) throw fail(`${token} may stand there only once`);
  const at = segments.indexOf(token);
  if (at < 0) throw fail(`${token} must be a folder of its own`);
  const first = token === "{library}" ? at === 0 : at === 0 || (at === 1 && segments[0] === "{library}");
  if (!first) throw fail(`${token} must be the first folder`);
}

function withoutTokens(text: string): string {
  return text.replaceAll(/\{[^}]*\}/g, "x");
}

/**
 * The relative folder for one photo, `/`-separated, empty for a flat tree (files.md 3.3). Every segment is cleaned, so
 * no album name and no date can lead out of the download folder.
 */
export function renderFolder(template: FolderTemplate, values: TemplateValues): string {
  if (template.text === "") return "";
  // A percent sign in a name is no date letter.
  const filled = template.text
    .replaceAll("{library}", () => literal(shortZone(values.library)))
    .replaceAll("{album}", () => literal(values.album ?? ""));
  const dated = strftime(filled, captureLocal(values.capturedAt, values.timeZoneOffset));
  return dated
    .split("/")
    .filter((segment) => segment !== "")
    .map(cleanComponent)
    .join("/");
}

function literal(name: string): string {
  return cleanComponent(name).replaceAll("%", "%%");
}

/** `PrimarySync`, or `SharedSync-` and the first eight characters of its UUID. */
export function shortZone(zone: ZoneName): string {
  return zone.startsWith("SharedSync-") ? zone.slice(0, 19) : zone;
}
