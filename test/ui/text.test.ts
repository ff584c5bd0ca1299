/** What people read: figures, log lines, progress, summaries and the status page. */
import { describe, expect, test } from "bun:test";
import { columnsOf } from "../../src/runtime/columns.ts";
import { CheckProgress } from "../../src/ui/check-progress.ts";
import { escapeControls, fitMiddle, formatBytes, formatCount, formatDuration, plural } from "../../src/ui/format.ts";
import { createLog, type LogOptions } from "../../src/ui/logger.ts";
import { MovingLine } from "../../src/ui/moving-line.ts";
import { type DisplayOptions, ProgressDisplay, ProgressLine, type Snapshot } from "../../src/ui/progress.ts";
import { type RunSummary, summaryLines } from "../../src/ui/summary.ts";
import { wrap } from "../../src/ui/wrap.ts";

const clock = { now: () => Date.UTC(2026, 10, 24, 3, 12), monotonic: () => 0, sleep: () => Promise.resolve() };

describe("figures", () => {
  test("have three digits at most", () => {
    expect([0, 999, 1_250_000, 871_420_000, 999_600, 12_345].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.25 MB",
      "871 MB",
      "1.00 MB",
      "12.3 kB",
    ]);
  });

  test("are grouped and counted in words", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect([plural(1, "file"), plural(2, "file"), plural(0, "file")]).toEqual(["1 file", "2 files", "0 files"]);
  });

  test("of time get coarser as they grow", () => {
    expect([8_000, 59_400, 245_000, 7_800_000, 273_600_000].map(formatDuration)).toEqual([
      "8 s",
      "59 s",
      "4 min 05 s",
      "2 h 10 min",
      "3 d 4 h",
    ]);
  });

  test("keep both ends of what is too wide", () => {
    expect(fitMiddle("Holidays/IMG_0001.HEIC", 11)).toBe("Holid….HEIC");
    expect(fitMiddle("short", 5)).toBe("short");
    expect(fitMiddle("👍👍👍", 3)).toBe("…👍");
    expect(fitMiddle("京都の春", 5)).toBe("京…春");
  });

  test("are parted between words", () => {
    expect(wrap("one two three", 7, "  ")).toEqual(["one two", "  three"]);
    expect(wrap("  one two", 5, "    ")).toEqual(["  one", "    two"]);
    expect(wrap("endless", 3)).toEqual(["endless"]);
    expect(wrap("a b", Number.POSITIVE_INFINITY)).toEqual(["a b"]);
  });
});

describe("the log", () => {
  function logged(options: Partial<LogOptions>, use: (log: ReturnType<typeof createLog>) => void): string[] {
    const lines: string[] = [];
    const write = (line: string) => {
      lines.push(line);
    };
    use(createLog({ level: "info", write, clock, pretty: false, color: false, ...options }));
    return lines;
  }

  test("is one line an entry, with time, level and fields", () => {
    const lines = logged({}, (log) => log.warn("a file\nwas odd", { file: "a b.jpg", tries: 2, none: undefined }));
    expect(lines).toEqual(['2026-11-24T03:12:00.000Z WARN  a file\\x0awas odd file="a b.jpg" tries=2']);
  });

  test("says no more than was asked for", () => {
    const all = (log: ReturnType<typeof createLog>) => {
      log.debug("d");
      log.info("i");
      log.warn("w");
      log.error("e");
    };
    expect(logged({ level: "error" }, all)).toHaveLength(1);
    expect(logged({ level: "warn" }, all)).toHaveLength(2);
    expect(logged({ level: "info" }, all)).toHaveLength(3);
    expect(logged({ level: "debug" }, all)).toHaveLength(4);
  });

  test("masks secrets wherever they stand, also those with quotes and control characters", () => {
    const secret = 'pa"ss\\ w\u0007rd';
    const lines = logged({}, (log) => {
      log.keepSecret(secret);
      log.keepSecret("");
      log.info(`it was ${secret}`, { given: secret, url: `https://x/?p=${secret}` });
    });
    expect(lines[0]).not.toContain("ss");
    expect(lines[0]).toContain("it was ******** given=********");
  });

  test("shows control characters instead of sending them to the terminal", () => {
    expect(escapeControls("a\u001b[31mb\u0085")).toBe("a\\x1b[31mb\\x85");
    expect(logged({ pretty: true }, (log) => log.info("\u001b[2J"))[0]).not.toContain("\u001b");
  });

  test("on a terminal is broken between words, with its level in colour", () => {
    const lines = logged({ pretty: true, color: true, columns: () => 30 }, (log) =>
      log.warn("a disk that is nearly full", { free_mib: 120 }),
    );
    expect(lines).toEqual(["\u001b[33mwarning: \u001b[0ma disk that is nearly\n  full free_mib=120"]);
  });

  test("passes through what is in its way", () => {
    const other: string[] = [];
    const lines = logged({}, (log) => {
      log.through((line) => {
        other.push(line);
      });
      log.info("one");
      log.through(undefined);
      log.info("two");
    });
    expect([other.length, lines.length]).toEqual([1, 1]);
  });
});

const SNAPSHOT: Snapshot = {
  phase: "downloading",
  assetsSeen: 100,
  assetsExpected: 1_000,
  filesPlanned: 50,
  filesDone: 20,
  filesFailed: 0,
  bytesDone: 5_000_000,
  bytesPlanned: 9_000_000,
  pass: "Holidays",
};

describe("progress", () => {
  test("tells what is done, how fast, and how long still, over the last seconds", () => {
    const line = new ProgressLine();
    line.render({ ...SNAPSHOT, assetsSeen: 0, bytesDone: 0 }, 0, 200);
    expect(line.render(SNAPSHOT, 10_000, 200)).toBe(
      "100 of 1,000 photos (10 %) · 20 files, 5.00 MB · 500 kB/s · 2 min 50 s left · Holidays",
    );
  });

  test("leaves out what it can't know", () => {
    const first = new ProgressLine().render({ ...SNAPSHOT, assetsExpected: undefined, filesPlanned: 0 }, 0, 200);
    expect(first).toBe("100 photos · Holidays");
    expect(new ProgressLine().render({ ...SNAPSHOT, assetsExpected: 50, pass: undefined }, 0, 200)).toStartWith(
      "100 photos",
    );
  });

  test("says what failed", () => {
    expect(new ProgressLine().render({ ...SNAPSHOT, filesFailed: 2 }, 0, 200)).toContain("2 failed");
  });

  test("says where it is, or nothing of it: bits of a name tell nothing", () => {
    const at = (width: number) =>
      new ProgressLine().render({ ...SNAPSHOT, filesDone: 1, pass: "photos in no album" }, 0, width);
    const figures = "100 of 1,000 photos (10 %) · 1 file, 5.00 MB";
    expect([at(65), at(61), at(60)]).toEqual([
      `${figures} · photos in no album`,
      `${figures} · photos … album`,
      figures,
    ]);
  });

  test("is never wider than the terminal", () => {
    for (let width = 20; width < 120; width += 1) {
      const text = new ProgressLine().render({ ...SNAPSHOT, pass: "京都の春と奈良の秋 👍🏽 and more" }, 0, width);
      expect(columnsOf(text)).toBeLessThanOrEqual(width);
    }
  });

  /** What a terminal shows after all that was written to it. */
  function screenOf(written: string): string[] {
    return written.split("\n").map((line) => {
      const cells: string[] = [];
      let at = 0;
      for (const character of line) {
        if (character === "\r") at = 0;
        else if (character === "\b") at -= 1;
        else cells[at++] = character;
      }
      return cells.join("").trimEnd();
    });
  }

  function display(live: boolean) {
    const shown = { written: "", said: [] as string[], now: 0, tick: (): void => undefined, tickMs: 0, ticking: false };
    const made = new ProgressDisplay({
      clock: { ...clock, monotonic: () => shown.now },
      moving: new MovingLine((text) => {
        if (!live) throw new Error("not a terminal");
        shown.written += text;
      }),
      live,
      columns: () => 80,
      say: (line) => {
        shown.said.push(line);
      },
      every: (ms, act) => {
        shown.tick = act;
        shown.tickMs = ms;
        shown.ticking = true;
        return () => {
          shown.ticking = false;
        };
      },
    });
    return { made, shown };
  }

  test("on a terminal is one moving line without escape codes, which log lines pass above", () => {
    const { made, shown } = display(true);
    made.line("before");
    made.show(SNAPSHOT);
    const once = shown.written;
    made.show(SNAPSHOT);
    expect(shown.written).toBe(once);
    made.line("a warning");
    expect(screenOf(shown.written).at(-1)).toStartWith("100 of 1,000 photos");
    made.show({ ...SNAPSHOT, phase: "finishing", pass: undefined, filesPlanned: 0 });
    expect(screenOf(shown.written).at(-1)).toBe("Finishing");
    let out = "";
    made.result((text) => {
      out += text;
    }, "a/b.jpg");
    expect(out).toBe("a/b.jpg\n");
    expect(screenOf(shown.written).at(-1)).toBe("Finishing");
    made.end();
    expect(screenOf(shown.written)).toEqual(["before", "a warning", ""]);
    expect(shown.written).not.toContain("\u001b");
  });

  test("shows control characters in an album's name, and lets the terminal obey none", () => {
    const { made, shown } = display(true);
    made.show({ ...SNAPSHOT, pass: "a\u001b[2Jb\u0007" });
    expect(screenOf(shown.written)[0]).toEndWith("a\\x1b[2Jb\\x07");
  });

  test("tells by itself that nothing new comes, and for how long", () => {
    const { made, shown } = display(true);
    made.show(SNAPSHOT);
    shown.now = 12_000;
    shown.tick();
    expect(screenOf(shown.written)[0]).toEndWith("· nothing new for 12 s");
    expect(columnsOf(screenOf(shown.written)[0] ?? "")).toBeLessThan(80);
    made.show({ ...SNAPSHOT, filesDone: 21 });
    expect(screenOf(shown.written)[0]).not.toContain("nothing new");
    made.end();
    expect(shown.ticking).toBe(false);
  });

  test("takes the place of what another part of the command has shown, and lets log lines pass above either", () => {
    let written = "";
    let now = 0;
    const moving = new MovingLine((text) => {
      written += text;
    });
    const options: DisplayOptions = {
      clock: { ...clock, monotonic: () => now },
      moving,
      live: true,
      columns: () => 80,
      say: () => undefined,
      every: () => () => undefined,
    };
    const checks = new CheckProgress(options, false);
    checks.begin(1_000_000, 0);
    now = 5_000;
    checks.show(999_000, 0);
    expect(screenOf(written)).toEqual(["999,000 of 1,000,000 files looked at · 0 s left"]);
    moving.above("a warning");
    expect(screenOf(written)).toEqual(["a warning", "999,000 of 1,000,000 files looked at · 0 s left"]);
    new ProgressDisplay(options).show({ ...SNAPSHOT, phase: "signing-in" });
    expect(screenOf(written)).toEqual(["a warning", "Signing in to iCloud"]);
  });

  test("gives way to a text that stays, on a terminal only", () => {
    const { made, shown } = display(true);
    made.show(SNAPSHOT);
    expect(made.rest("Next run at 15:00")).toBe(true);
    expect(screenOf(shown.written)).toEqual(["Next run at 15:00"]);
    expect(shown.ticking).toBe(false);
    expect(display(false).made.rest("Next run at 15:00")).toBe(false);
  });

  test("elsewhere is a plain line every half minute, also when nothing comes", () => {
    const { made, shown } = display(false);
    for (; shown.now <= 60_000; shown.now += 1_000) made.show(SNAPSHOT);
    expect(shown.said).toHaveLength(3);
    shown.now = 100_000;
    shown.tick();
    expect(shown.said.at(-1)).toEndWith("nothing new for 1 min 40 s");
  });

  test("is never silent for longer, though no timer is exact", () => {
    const { made, shown } = display(false);
    made.show(SNAPSHOT);
    let [saidAt, longest] = [0, 0];
    for (let tick = 1; shown.now < 600_000; tick += 1) {
      shown.now = tick * shown.tickMs + (tick % 2) * 2;
      const said = shown.said.length;
      shown.tick();
      if (shown.said.length === said) continue;
      longest = Math.max(longest, shown.now - saidAt);
      saidAt = shown.now;
    }
    expect(longest).toBeGreaterThan(20_000);
    expect(longest).toBeLessThanOrEqual(30_002);
  });
});

const RUN: RunSummary = {
  outcome: "success",
  unchanged: false,
  fullReason: undefined,
  dryRun: false,
  retryOnly: false,
  assetsSeen: 12,
  downloaded: 3,
  adopted: 0,
  linked: 0,
  failed: 0,
  exhausted: 0,
  waiting: 0,
  bytesDownloaded: 4_000,
  skipped: { by_state: 9 },
  issues: {},
  enumerationErrors: [],
  elapsedMs: 2_000,
  failedFiles: [],
  failedUnnamed: 0,
  notices: [],
  planned: undefined,
};

describe("the summary of a run", () => {
  const first = (run: Partial<RunSummary>) => summaryLines({ ...RUN, ...run })[0];

  test("begins with the verdict", () => {
    expect(first({})).toBe("Done: 3 files saved (4.00 kB); 12 photos checked in 2 s.");
    expect(first({ downloaded: 0 })).toBe("Nothing new: 12 photos checked in 2 s, everything is saved.");
    expect(first({ downloaded: 0, retryOnly: true })).toBe("No file has failed; nothing to try again.");
    const none = { downloaded: 0, assetsSeen: 0 };
    expect(first({ ...none, fullReason: "no_stored_token" })).toBe("Nothing to save: no photo is selected.");
    // A photo was deleted, say.
    expect(first(none)).toBe("Nothing new: no photo came or changed in iCloud, and everything is saved.");
    expect(first({ outcome: "interrupted" })).toStartWith("Stopped: 3 files saved");
    expect(first({ outcome: "session_expired" })).toContain("kei login");
    expect(first({ outcome: "partial_failure", failed: 2 })).toStartWith("Not complete:");
  });

  test("never claims that everything is saved when something is not", () => {
    for (const outcome of ["partial_failure", "interrupted", "session_expired"] as const) {
      expect(first({ outcome, downloaded: 0 })).not.toContain("everything is saved");
    }
  });

  test("names rules, broken records and failed files in words", () => {
    const text = summaryLines({
      ...RUN,
      outcome: "partial_failure",
      failed: 1,
      skipped: { by_state: 5, hidden: 2 },
      issues: { "no-capture-date": 1 },
      failedFiles: [{ name: "IMG_1.JPG", error: "the disk is full" }],
      enumerationErrors: ["Rome: five empty pages"],
      notices: ["a shared library is not selected"],
    }).join("\n");
    for (const part of [
      "2 hidden in Photos",
      "1 record without a usable date",
      "IMG_1.JPG",
      "the disk is full",
      "Rome: five empty pages",
      "a shared library is not selected",
    ]) {
      expect(text).toContain(part);
    }
  });

  test("names the first failed files and counts the others, whether they failed in this run or were given up before", () => {
    const failedFiles = Array.from({ length: 7 }, (_, index) => ({ name: `IMG_${index}.JPG`, error: "it failed" }));
    const text = summaryLines({
      ...RUN,
      outcome: "partial_failure",
      failed: 3,
      exhausted: 2,
      failedFiles,
      failedUnnamed: 4,
    }).join("\n");
    expect(text.match(/failed: IMG_/g)).toHaveLength(3);
    expect(text).toContain("... and 8 more (failed)");
  });

  test("fits on one screen of 80 by 24, whatever happened", () => {
    const many = (word: string) =>
      Array.from({ length: 40 }, (_, index) => `${word} ${index} ${"and so on ".repeat(5)}`);
    const lines = summaryLines({
      ...RUN,
      outcome: "partial_failure",
      failed: 40,
      skipped: Object.fromEntries(many("by_rule").map((rule, index) => [rule, index + 1])),
      issues: Object.fromEntries(many("issue").map((reason) => [reason, 1])),
      failedFiles: many("IMG").map((name) => ({ name, error: "it failed" })),
      enumerationErrors: many("album"),
      notices: many("left out"),
    });
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(80);
    expect(lines.length).toBeLessThan(24);
    const long = summaryLines({ ...RUN, notices: ["and so on ".repeat(20)] });
    expect(Math.max(...long.map(columnsOf))).toBeLessThanOrEqual(80);
  });

  test("of a dry run says that nothing was written", () => {
    const planned = { files: 2, bytes: 3_000 };
    const text = summaryLines({ ...RUN, dryRun: true, downloaded: 0, planned }).join("\n");
    expect(text).toContain("2 files (3.00 kB) would be saved; nothing was written");
  });
});
