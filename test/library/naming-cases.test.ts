/** Every case of the naming table: what files and folders are called. */
import { describe, expect, test } from "bun:test";
import { chooseFiles } from "../../src/library/choose.ts";
import { addSuffix, cleanComponent, cleanName } from "../../src/library/clean.ts";
import { compareToBound, parseDateBound } from "../../src/library/date-bound.ts";
import { compileGlob, GlobError } from "../../src/library/glob.ts";
import { fileName, fingerprintName, motionName, shortId, withExtension } from "../../src/library/names.ts";
import { pathKey } from "../../src/library/pathkey.ts";
import { choosePlace, type Occupant } from "../../src/library/place.ts";
import { parseRecent } from "../../src/library/recent.ts";
import { parseSelectors, SelectorError, type SelectorKind } from "../../src/library/selectors.ts";
import {
  librarySegment,
  parseTemplate,
  renderFolder,
  splitLegacyTemplate,
  type TemplateCategory,
  TemplateError,
} from "../../src/library/template.ts";
import { amPmKey, stripNonAscii } from "../../src/library/unicode.ts";
import {
  ADOPTION_CASES,
  ALL_CASES,
  assetOf,
  FUNCTION_CASES,
  type FunctionCase,
  namingOf,
  PATH_CASES,
  type PathCase,
  zoneOffset,
} from "./naming-cases.ts";

describe("paths of assets", () => {
  const ours = PATH_CASES.filter((one) => one.expect.kei !== undefined);
  test.each(ours.map((one) => [one.id, one.title, one] as const))("%s: %s", (_id, _title, one) => {
    expect(pathsOf(one)).toEqual([...(one.expect.kei ?? [])]);
  });
});

/** Names every file of a case's assets, in order, into a folder that holds what the case says. */
function pathsOf(one: PathCase): string[] {
  const options = one.keiOptions ?? {};
  const naming = namingOf(options);
  const traits = { caseInsensitive: options.case_insensitive ?? false, normalising: false };
  const occupants = new Map<string, Occupant>();
  const keyOf = (path: string): string => pathKey(path, traits);
  for (const [path, size] of Object.entries(one.existingFiles ?? {})) {
    occupants.set(keyOf(path), { by: "stray-file", size, sameContent: false });
  }
  // A screenshot's other spelling is the same file (files.md 2.4).
  const occupantOf = (path: string): Occupant | undefined =>
    occupants.get(keyOf(path)) ?? [...occupants].find(([key]) => amPmKey(key) === amPmKey(keyOf(path)))?.[1];

  const written: string[] = [];
  for (const from of one.assets) {
    const asset = assetOf(from, options.library ?? "PrimarySync");
    const template =
      from.album === undefined
        ? parseTemplate(options.folder_structure ?? "%Y/%m/%d", "unfiled")
        : parseTemplate(options.folder_structure_albums ?? "{album}", "albums");
    const folder = renderFolder(template, { ...asset, album: from.album }, { machineZone: zoneOffset(one.hostTz) });
    let still: string | undefined;
    for (const file of chooseFiles(asset, naming)) {
      const leaf = fileName(asset, file, naming, still);
      const { size } = file.resource;
      const request = { folder, leaf, role: file.role, size, assetId: asset.id, policy: naming.fileMatchPolicy };
      const place = choosePlace(request, occupantOf);
      if (file.role === "primary") still = place.path.slice(place.path.lastIndexOf("/") + 1);
      occupants.set(keyOf(place.path), { by: "other-asset", size, sameContent: false, otherLibrary: false });
      written.push(place.path);
    }
  }
  return written;
}

/** The pure functions of the table, by the names it gives them. */
const FUNCTIONS: Readonly<Record<string, (input: never) => unknown>> = {
  clean_filename: (name: string) => cleanName(name),
  clean_component: (name: string) => cleanComponent(name),
  clean_component_windows: (name: string) => cleanComponent(name, { windows: true }),
  strip_unicode: (name: string) => stripNonAscii(name),
  map_extension: ([name, uti]: [string, string]) => withExtension(name, uti),
  motion_name: ([still, policy]: [string, "suffix" | "original"]) => motionName(still, policy),
  id7: ([name, id]: [string, string]) => addSuffix(name, `_${shortId(id)}`),
  fingerprint_kei: ([id, uti]: [string, string]) => fingerprintName(id, uti),
  size_suffix: ([name, size]: [string, number]) => addSuffix(name, `-${size}`),
  text_suffix: ([name, text]: [string, string]) => addSuffix(name, `-${text}`),
  ampm_key: (name: string) => amPmKey(name),
  library_segment: (zone: string) => librarySegment(zone),
  template_validate: ({ template, category }: { template: string; category: TemplateCategory }) =>
    isValid(template, category),
  strftime_segment: ({ template, local }: { template: string; local: string }) => segmentOf(template, local),
  selector: ({ category, values }: { category: SelectorKind; values: string[] }) => selectorOf(category, values),
};

/** What a filter does with a photo, as the table says it. */
function dateFilter(one: FunctionCase): "keep" | "skip" {
  const { option, value, created, captureOffsetSec, hostTz } = one.in as {
    option: "skip_created_before" | "skip_created_after";
    value: string;
    created: string;
    captureOffsetSec: number | null;
    hostTz: string;
  };
  const bound = parseDateBound(value);
  if (bound === undefined) throw new Error(`no date: ${value}`);
  const taken = { capturedAt: Date.parse(created), timeZoneOffset: captureOffsetSec ?? undefined };
  const side = compareToBound(taken, bound, { now: 0, machineZone: zoneOffset(hostTz) });
  return (option === "skip_created_before" ? side < 0 : side > 0) ? "skip" : "keep";
}

function dateParsed(text: string): string {
  const bound = parseDateBound(text);
  if (bound === undefined) return "error";
  const words = { day: "calendar date", moment: "instant in host zone" };
  return bound.form === "ago" ? `interval ${bound.days} days` : words[bound.form];
}

function globMatches({ pattern, name }: { pattern: string; name: string }): unknown {
  try {
    return compileGlob(pattern)(name);
  } catch (error) {
    if (error instanceof GlobError) return { error: true };
    throw error;
  }
}

describe("filters", () => {
  const of = (kind: string) => FUNCTION_CASES.filter((one) => one.kind === kind).map((one) => [one.id, one] as const);

  test.each(of("date_filter"))("%s: a photo lies before or after a date", (_id, one) => {
    expect(dateFilter(one)).toBe((one.out as { kei: "keep" | "skip" }).kei);
  });

  test.each(of("date_parse"))("%s: a date is one of three forms", (_id, one) => {
    expect(dateParsed(one.in as string)).toBe((one.out as { kei: string }).kei);
  });

  test.each(of("recent_parse"))("%s: the last photos are a number or days", (_id, one) => {
    expect(parseRecent(one.in as string) ?? { error: true }).toEqual(one.out as never);
  });

  test.each(of("glob"))("%s: a pattern matches a whole name", (_id, one) => {
    expect(globMatches(one.in as { pattern: string; name: string })).toEqual(one.out as never);
  });
});

const FILTERS = ["date_filter", "date_parse", "recent_parse", "glob"];

/** Run in adoption-cases.test.ts. */
const ELSEWHERE = ["fingerprint_icloudpd"];

describe("functions", () => {
  const now = FUNCTION_CASES.filter((one) => FUNCTIONS[one.kind] !== undefined);
  test.each(now.map((one) => [one.id, one.kind, JSON.stringify(one.in), one] as const))(
    "%s: %s %s",
    (_id, kind, _in, one) => {
      expect(FUNCTIONS[kind]?.(one.in as never)).toEqual(expected(one));
    },
  );
});

function expected(one: FunctionCase): unknown {
  // Wording is ours; that it is an error is the case's.
  if (one.kind === "template_validate") return (one.out as { ok: boolean }).ok;
  return one.out;
}

function isValid(template: string, category: TemplateCategory): boolean {
  try {
    parseTemplate(template, category);
    return true;
  } catch (error) {
    if (error instanceof TemplateError) return false;
    throw error;
  }
}

/** A pattern as a folder, for a moment given with its offset. */
function segmentOf(template: string, local: string): string {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(local) ?? [];
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60;
  return renderFolder(parseTemplate(template, "unfiled"), {
    capturedAt: Date.parse(local),
    timeZoneOffset: offset,
  });
}

function selectorOf(category: SelectorKind, values: readonly string[]): unknown {
  try {
    const found = parseSelectors(category, values);
    if (found.kind === "libraries") {
      const { primary, shared, named, exclude } = found;
      return { primary, shared, named, exclude };
    }
    if (found.mode === "none") return { mode: "none" };
    if (found.mode === "named") return { mode: "named", include: found.include, exclude: found.exclude };
    return found.kind === "albums"
      ? { mode: "all", exclude: found.exclude }
      : { mode: "all", sensitive: found.sensitive, exclude: found.exclude };
  } catch (error) {
    if (error instanceof SelectorError) return { error: error.reason };
    throw error;
  }
}

describe("a template of earlier releases with {album} in the base", () => {
  const cases = FUNCTION_CASES.filter((one) => one.kind === "template_migrate_0_13_to_0_19");
  test.each(cases.map((one) => [one.id, one] as const))("%s is split in two, or refused with the two", (_id, one) => {
    const { folder_structure: before } = one.in as { folder_structure: string };
    const after = one.out as { folder_structure: string; folder_structure_albums: string };
    const split = splitLegacyTemplate(before);
    if (after.folder_structure === before) {
      expect(split).toBeUndefined();
      return;
    }
    expect(split).toEqual({
      folderStructure: after.folder_structure,
      folderStructureAlbums: after.folder_structure_albums,
    });
    // Old spellings are errors that name ours (DECISIONS 3).
    expect(() => parseTemplate(before, "unfiled")).toThrow(after.folder_structure_albums);
  });
});

describe("the table", () => {
  test("has no case that is not run", () => {
    const known = FUNCTION_CASES.filter(
      (one) =>
        FUNCTIONS[one.kind] !== undefined ||
        FILTERS.includes(one.kind) ||
        ELSEWHERE.includes(one.kind) ||
        one.kind === "template_migrate_0_13_to_0_19",
    );
    expect(known.length + PATH_CASES.length + ADOPTION_CASES.length).toBe(ALL_CASES);
  });
});
