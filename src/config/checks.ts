/** Second looks at values of the right type: each returns what is wrong, for people, or nothing. */
import { isIP } from "node:net";
import { normalize } from "node:path";
import { DATE_FORMS, parseDateBound } from "../library/date-bound.ts";
import { compileGlob, GlobError } from "../library/glob.ts";
import { parseSelectors, SelectorError, type SelectorKind } from "../library/selectors.ts";
import { isSmartFolder, SMART_FOLDERS } from "../library/smart-folders.ts";
import { parseSubset, SubsetError } from "../library/subset.ts";
import { parseTemplate, type TemplateCategory, TemplateError } from "../library/template.ts";

/** A check that passes on what a library function has to say against a value. */
function reasonOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (
      error instanceof TemplateError ||
      error instanceof SelectorError ||
      error instanceof GlobError ||
      error instanceof SubsetError
    )
      return error.message;
    throw error;
  }
}

/** A folder template that stays inside the download folder. */
export const folderTemplate = (category: TemplateCategory) => (value: string) => {
  if (value.startsWith("/")) return `"${value}" must not begin with a slash: it is a folder below the download folder`;
  if (value.split("/").includes("..")) return `"${value}" must not hold "..": it would lead out of the download folder`;
  return reasonOf(() => parseTemplate(value, category));
};

export const selectors = (kind: SelectorKind) => (values: readonly string[]) =>
  reasonOf(() => parseSelectors(kind, values));

/** Selectors of folders that Photos fills by itself; there are no others than these. */
export function smartFolderSelectors(values: readonly string[]): string | undefined {
  const wrong = selectors("smart_folders")(values);
  if (wrong !== undefined) return wrong;
  const unknown = parseSelectors("smart_folders", values).include.find((name) => !isSmartFolder(name));
  return unknown === undefined
    ? undefined
    : `there is no smart folder "${unknown}"; there are ${SMART_FOLDERS.join(", ")}`;
}

/** Folders that no backup belongs into (cli.md 2.8). */
const SYSTEM_FOLDERS = new Set("/ /bin /sbin /usr /etc /dev /proc /sys /boot /lib /lib64 /var /root".split(" "));

export function notASystemFolder(path: string): string | undefined {
  const plain = path.startsWith("/") ? normalize(path).replace(/(?<=.)\/+$/, "") : path;
  return SYSTEM_FOLDERS.has(plain) ? `${path} is a system folder; choose one of your own` : undefined;
}

export function eachDate(value: string): string | undefined {
  return parseDateBound(value) === undefined ? `"${value}" is no date; write ${DATE_FORMS}` : undefined;
}

export function eachGlob(values: readonly string[]): string | undefined {
  return reasonOf(() => values.map(compileGlob));
}

/** A list that holds some of these words, each once. */
export const oneOfEach = (words: readonly string[]) => (values: readonly string[]) => {
  const odd = values.find((value) => !words.includes(value));
  if (odd !== undefined) return `"${odd}" is none of ${words.join(", ")}`;
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? undefined : `"${twice}" is given twice`;
};

const SIZES = ["original", "medium", "thumb", "none", "adjusted", "alternative"];

export function sizes(values: readonly string[]): string | undefined {
  const wrong = oneOfEach(SIZES)(values);
  if (wrong !== undefined) return wrong;
  const others = values.filter((value) => value === "original" || value === "medium" || value === "thumb");
  return values.includes("none") && others.length > 0 ? `"none" and "${others[0]}" contradict each other` : undefined;
}

/** In the file the versions are keys of their own (files.md RN-9). */
export function resolutionKey(values: readonly string[]): string | undefined {
  const version = values.find((value) => value === "adjusted" || value === "alternative");
  if (version === undefined) return undefined;
  return `"${version}" is no resolution; write \`[photos] ${version === "adjusted" ? "edited" : version} = true\``;
}

export function temporaryEnding(value: string): string | undefined {
  return /^\.[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value) && !/\.(jpe?g|heic|png|mov|mp4|gif|dng)$/i.test(value)
    ? undefined
    : "it must begin with a dot, hold letters, digits, dots and dashes only, and not look like a photo's";
}

export function ipAddress(value: string): string | undefined {
  return isIP(value) === 0 ? `"${value}" is no IP address; write 127.0.0.1, 0.0.0.0 or one of this machine` : undefined;
}

/** One part of many, such as `1/30`. */
export const subset = (value: string): string | undefined => reasonOf(() => parseSubset(value, 0));
