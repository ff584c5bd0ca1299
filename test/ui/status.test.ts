/** The status page: a verdict that is true, parts that add up, every hold with its name, age and way out. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { columnsOf } from "../../src/runtime/columns.ts";
import { formatTime } from "../../src/ui/format.ts";
import { type HoldKind, holdsOf } from "../../src/ui/holds.ts";
import { statusLines } from "../../src/ui/status.ts";
import type { StatusFacts } from "../../src/ui/status-facts.ts";
import { statusJson } from "../../src/ui/status-json.ts";
import { type Incomplete, verdictOf } from "../../src/ui/verdict.ts";
import { CALM, FACTS, NOW } from "./status-facts.ts";

const ALL_SAVED = "Everything that is selected is backed up.";
const DAY = 86_400_000;

/** The figures of the lines that are indented and begin with one. */
function figures(lines: readonly string[]): Array<{ readonly count: number; readonly words: string }> {
  return lines.flatMap((line) => {
    const found = /^ +([\d,]+) {2}(.*)$/.exec(line);
    return found === null ? [] : [{ count: Number(found[1]?.replaceAll(",", "")), words: found[2] ?? "" }];
  });
}

describe("the status page", () => {
  const lines = statusLines(FACTS);
  const text = lines.join("\n");

  test("begins with a verdict that leaves nothing out", () => {
    expect(lines[0]).toMatch(
      /^1,200 of 1,234 photos backed up as of .*; 12 left out by your filters, 8 hidden or deleted in Photos, 5 waiting, 4 failed, 3 given up, 2 unusable at Apple$/,
    );
  });

  test("says when the next run comes, if a watch waits for it", () => {
    const nextSyncAt = NOW + 3_600_000;
    const health = {
      lastSuccessAt: NOW,
      lastSyncAt: NOW,
      consecutiveFailures: 0,
      lastError: undefined,
      nextSyncAt,
      codeWantedAt: undefined,
    };
    const page = statusLines({ ...FACTS, health });
    const clock = formatTime(nextSyncAt).split(" ")[1];
    expect(page[0]).toEndWith(`; next run ${clock}`);
    expect(page.at(-1)).toBe(`Next: ${clock}, by the watch`);
    expect(lines.at(-1)).toBe("Next: when `kei sync` is run");
  });

  test("has parts that add up to all", () => {
    const counts = figures(lines);
    expect(counts.at(-1)).toEqual({ count: 1_234, words: "photos in all" });
    expect(counts.slice(0, -1).reduce((sum, { count }) => sum + count, 0)).toBe(1_234);
  });

  test("tells apart from them what is kept though iCloud shows it no more", () => {
    const page = statusLines({ ...CALM, totals: { ...CALM.totals, kept: { gone: 2 } } });
    expect(page).toContain("  3  photos in all");
    expect(page).toContain("  2  besides: kept here, deleted in iCloud");
    expect(page).toContain(ALL_SAVED);
  });

  test("says how many have no file of their own", () => {
    expect(statusLines({ ...CALM, shared: 1 }).join("\n")).toContain("3  saved and proven (1 of them is the same file");
  });

  test("gives each failure its way out", () => {
    expect(text).toContain("IMG_1.JPG: the disk is full (attempts: 2) -> free some space");
    expect(text).toContain("2024/IMG_2.JPG: the server answers 500 (attempts: 10) -> `kei sync --retry-failed`");
  });

  test("tells failures of one kind in one line", () => {
    const sample = FACTS.failures[0] as StatusFacts["failures"][number];
    const totals = { ...FACTS.totals, files: { ...FACTS.totals.files, failed: 1_240 } };
    const page = statusLines({ ...FACTS, totals, failedKinds: [{ sample, files: 1_240 }] }).join("\n");
    expect(page).toContain("IMG_1.JPG and 1,239 more like it: the disk is full (attempts: 2) -> free some space");
    expect(page).not.toContain("IMG_2.JPG");
    expect(page).toContain("`kei status --failed`");
  });

  test("tells how the last runs ended", () => {
    expect(text).toContain("stopped, 2 files saved");
    expect(text).toContain("complete, 9 files saved, 1 failure");
  });

  test("is short when all is well", () => {
    const calm = statusLines(CALM);
    expect(calm[0]).toMatch(/^3 of 3 photos backed up as of \d\d:\d\d$/);
    expect(calm[1]).toBe(ALL_SAVED);
    expect(calm.join("\n")).not.toContain("failed");
    expect(calm.join("\n")).not.toContain("In the way");
  });

  test("says how old Apple's trust is, and when a code is to be expected", () => {
    const after = (days: number) => {
      const signIn = { ...CALM.standing.signIn, trustedAt: NOW - days * DAY };
      return statusLines({ ...CALM, standing: { ...CALM.standing, signIn } }).join("\n");
    };
    expect(after(3)).toContain(
      "Session: trusted since 2026-11-21 (3 days ago); Apple may ask for a code from 2026-12-21 on",
    );
    expect(after(0)).toContain("(today)");
    expect(after(45)).toContain("(45 days ago); Apple may ask for a code any day now: `kei login`");
  });

  test("fits on a terminal of 80 columns and 24 lines, with a hold and failures", () => {
    const sample = {
      ...(FACTS.failures[0] as StatusFacts["failures"][number]),
      path: `2024/05/${"long name ".repeat(5)}.JPG`,
    };
    const failedKinds = [{ sample, files: 12 }];
    const totals = { ...FACTS.totals, leftOut: { by_media_type: 20 }, broken: {}, issues: {} };
    const unfinished = [{ library: "PrimarySync", since: NOW - DAY }];
    const page = statusLines({ ...FACTS, totals, unfinished, failedKinds }, 80);
    expect(Math.max(...page.map(columnsOf))).toBeLessThanOrEqual(80);
    expect(page.length).toBeLessThanOrEqual(24);
    expect(statusLines(CALM, 80).length).toBeLessThan(24);
  });

  test("shows control characters of names instead of obeying them", () => {
    const sample = { ...(FACTS.failures[0] as StatusFacts["failures"][number]), filename: "a\u001b[2Jb.JPG" };
    const page = statusLines({ ...FACTS, failedKinds: [{ sample, files: 1 }] }).join("\n");
    expect(page).toContain("a\\x1b[2Jb.JPG");
    expect(page).not.toContain("\u001b");
  });
});

describe("what is in the way", () => {
  const kinds = (facts: Partial<StatusFacts>): HoldKind[] => holdsOf({ ...CALM, ...facts }).map(({ kind }) => kind);
  const signIn = (more: Partial<StatusFacts["standing"]["signIn"]>): Partial<StatusFacts> => ({
    standing: { ...CALM.standing, signIn: { ...CALM.standing.signIn, ...more } },
  });
  const health = {
    lastSuccessAt: NOW,
    lastSyncAt: NOW,
    consecutiveFailures: 0,
    lastError: undefined,
    codeWantedAt: undefined,
  };
  const running = { ...FACTS.runs[0], status: "running", startedAt: NOW - DAY } as StatusFacts["runs"][number];

  test.each<[string, Partial<StatusFacts>, readonly HoldKind[]]>([
    ["nothing when all is well", {}, []],
    ["no session", signIn({ hasSession: false }), ["not-signed-in"]],
    ["a code that is needed", signIn({ isTrusted: false }), ["code-needed"]],
    ["a refused password", signIn({ passwordRefusedAt: NOW - DAY }), ["password-refused"]],
    ["a door that is closed for a while", signIn({ throttledUntil: NOW + 60_000 }), ["sign-in-break"]],
    ["a break that Apple has asked for", { breakUntil: NOW + 60_000 }, ["apple-break"]],
    ["a folder that is not there", { standing: { ...CALM.standing, root: "absent" } }, ["folder-missing"]],
    ["a folder in which nothing is", { standing: { ...CALM.standing, root: "empty" } }, ["folder-missing"]],
    ["a list without end", { unfinished: [{ library: "PrimarySync", since: NOW - DAY }] }, ["list-unfinished"]],
    ["a run that was cut off", { runs: [running] }, ["run-unfinished"]],
    ["no run that is at work", { runs: [running], standing: { ...CALM.standing, atWork: true } }, []],
    ["a watch that has died", { health: { ...health, nextSyncAt: NOW - DAY } }, ["watch-overdue"]],
    ["no watch that is a little late", { health: { ...health, nextSyncAt: NOW - 60_000 } }, []],
    ["runs that fail", { health: { ...health, consecutiveFailures: 2, nextSyncAt: NOW + 1 } }, ["runs-failing"]],
  ])("%s", (_, facts, expected) => {
    expect(kinds(facts)).toEqual([...expected]);
    for (const hold of holdsOf({ ...CALM, ...facts })) expect(hold.wayOut).not.toBe("");
  });

  test("has its age on the page", () => {
    const page = statusLines({ ...CALM, unfinished: [{ library: "PrimarySync", since: NOW - 2 * DAY }] }).join("\n");
    expect(page).toContain("The list of PrimarySync was not read to its end, since ");
    expect(page).toContain("(2 d 0 h) -> `kei sync` reads it");
  });
});

const count = fc.integer({ min: 0, max: 3 });
const part = (...names: string[]) => fc.record(Object.fromEntries(names.map((name) => [name, count])));
/** Any state that figures can be in; the total is what the parts make. */
const anyFacts = fc
  .record({
    onDisk: count,
    waiting: count,
    failed: count,
    exhausted: count,
    leftOut: part("hidden", "by_filename"),
    broken: part("no-size"),
    kept: part("gone"),
    issues: part("unpaired-asset", "unpaired-master"),
    unfinished: fc.boolean(),
    ended: fc.boolean(),
    root: fc.constantFrom(undefined, "absent" as const),
  })
  .map(({ unfinished, ended, root, ...parts }): StatusFacts => {
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);
    const assets =
      parts.onDisk + parts.waiting + parts.failed + parts.exhausted + sum(parts.leftOut) + sum(parts.broken);
    return {
      ...CALM,
      totals: { ...CALM.totals, ...parts, assets },
      unfinished: unfinished ? [{ library: "PrimarySync", since: 1 }] : [],
      lastWholeRun: ended ? NOW : undefined,
      standing: { ...CALM.standing, root },
    };
  });

describe("in every state", () => {
  test("the verdict's parts add up to its total", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { sentence } = verdictOf(facts);
        const [head, rest = ""] = sentence.split("; ");
        const [onDisk = 0, all = 0] = [...(head ?? "").matchAll(/^([\d,]+) of ([\d,]+)/g)].flatMap((found) => [
          Number(found[1]),
          Number(found[2]),
        ]);
        const parts = rest === "" ? [] : rest.split(", ").map((words) => Number.parseInt(words, 10));
        expect(onDisk + parts.reduce((sum, one) => sum + one, 0)).toBe(all);
        expect(all).toBe(facts.totals.assets);
        const shown = figures(statusLines(facts)).filter(({ words }) => !words.startsWith("besides"));
        expect(shown.slice(0, -1).reduce((sum, { count: one }) => sum + one, 0)).toBe(all);
      }),
    );
  });

  test("everything is said to be backed up only when it is", () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { totals, unfinished, lastWholeRun, standing } = facts;
        const open =
          totals.waiting + totals.failed + totals.exhausted + Object.values(totals.broken).reduce((a, b) => a + b, 0);
        const proven =
          open === 0 &&
          totals.assets > 0 &&
          unfinished.length === 0 &&
          lastWholeRun !== undefined &&
          standing.root === undefined &&
          totals.issues["unpaired-asset"] === 0;
        expect(statusLines(facts).includes(ALL_SAVED)).toBe(proven);
        expect(verdictOf(facts).complete).toBe(proven);
      }),
    );
  });
});

describe("a last run that could not look at everything", () => {
  const health = {
    lastSuccessAt: NOW,
    lastSyncAt: NOW,
    consecutiveFailures: 0,
    lastError: undefined,
    nextSyncAt: NOW,
    codeWantedAt: undefined,
  };
  const last = (more: Partial<StatusFacts["runs"][number]>, startedAt = NOW): Partial<StatusFacts> => ({
    runs: [{ ...(FACTS.runs[1] as StatusFacts["runs"][number]), startedAt, ...more }],
  });
  test.each<[string, Partial<StatusFacts>, readonly Incomplete[]]>([
    ["failed, by its notes", { health: { ...health, consecutiveFailures: 1 } }, ["last-run-incomplete"]],
    ["failed", last({ outcome: "failed" }), ["last-run-incomplete"]],
    ["was stopped", last({ status: "interrupted", outcome: undefined }), ["last-run-incomplete"]],
    ["was refused a list", last({ outcome: "partial_failure", enumerationErrors: 1 }), ["last-run-incomplete"]],
    ["died", last({ status: "running", outcome: undefined }, NOW - DAY), ["last-run-incomplete"]],
    ["failed before one that did", last({ outcome: "failed" }, NOW - DAY), []],
    ["failed before a look that found nothing new", { ...last({ outcome: "failed" }, NOW - 1), health }, []],
    ["only tried again what had failed", last({ fullReason: "explicit_retry_failed" }), []],
    ["has ended well", last({}), []],
  ])("is no proof: one that %s", (_how, facts, reasons) => {
    const { complete, reasons: found } = verdictOf({ ...CALM, ...facts });
    expect([complete, found]).toEqual([reasons.length === 0, [...reasons]]);
  });

  test("is told after whatever else is known to be missing", () => {
    const facts = { ...CALM, ...last({ outcome: "failed" }), totals: { ...CALM.totals, waiting: 1 } };
    expect(verdictOf(facts).reasons).toEqual(["waiting"]);
  });

  test("of an earlier catalogue, nothing is taken for this one's", () => {
    const { asOf, reasons } = verdictOf({ ...CALM, lastWholeRun: undefined, health });
    expect([asOf, reasons]).toEqual([undefined, ["never-completed"]]);
  });
});

describe("for programs", () => {
  test("schema 1 has these fields, and keeps them", () => {
    const json = JSON.parse(JSON.stringify(statusJson(FACTS, "/data/a.db", { pending: [], downloaded: [] })));
    expect(Object.keys(json).slice(0, 2)).toEqual(["schema", "command"]);
    expect(json).toMatchObject({ schema: 1, command: "status", found: true, database: "/data/a.db" });
    const shapeOf = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
      if (typeof value === "object" && value !== null)
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
      return value === null ? "null" : typeof value;
    };
    const file = { library: "string", asset: "string", version: "string", filename: "string", attempts: "number" };
    expect(shapeOf(json)).toEqual({
      schema: "number",
      command: "string",
      found: "boolean",
      database: "string",
      verdict: { complete: "boolean", reasons: ["string"], sentence: "string", answer: "string", as_of: "string" },
      counts: {
        assets: "number",
        on_disk: "number",
        left_out: { hidden: "number", by_media_type: "number" },
        waiting: "number",
        failed: "number",
        exhausted: "number",
        broken: { "no-download-url": "number" },
        same_file: "number",
        kept: {},
        files: { downloaded: "number", pending: "number", failed: "number" },
        saved_files: "number",
        bytes: "number",
        unusable_records: { "no-capture-date": "number" },
      },
      rules: [{ part: "string", rule: "string", assets: "number", words: "string" }],
      holds: [],
      failures: [
        {
          ...file,
          path: "null",
          last_seen_at: "null",
          error: "string",
          kind: "string",
          exhausted: "boolean",
          way_out: "string",
        },
      ],
      pending: [],
      downloaded: [],
      runs: [
        {
          started_at: "string",
          completed_at: "null",
          status: "string",
          outcome: "null",
          full_reason: "null",
          assets_seen: "number",
          downloaded: "number",
          failed: "number",
          enumeration_errors: "number",
        },
      ],
      session: { state: "string", trusted_at: "string", age_days: "number", sign_in: "string" },
      next: { at: "null", by: "string", running: "boolean" },
      generated_at: "string",
    });
  });

  test("times are ISO, what is not known is null, names are as they are", () => {
    const failures = [{ ...(FACTS.failures[0] as StatusFacts["failures"][number]), filename: "a\u001bb.JPG" }];
    const json = JSON.parse(JSON.stringify(statusJson({ ...FACTS, failures }, "/data/a.db")));
    expect(json.verdict.as_of).toBe("2026-11-24T11:00:00.000Z");
    expect(json.next).toEqual({ at: null, by: "hand", running: false });
    expect(json.session).toMatchObject({ state: "trusted", age_days: 3 });
    expect(json.failures[0]).toMatchObject({
      filename: "a\u001bb.JPG",
      path: null,
      kind: "disk-full",
      exhausted: false,
      way_out: "free some space",
    });
    expect(json.runs[1].completed_at).toBe("1970-01-01T00:00:01.000Z");
  });
});
