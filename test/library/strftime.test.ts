import { describe, expect, test } from "bun:test";
import { localTime } from "../../src/library/local-time.ts";
import { formatDate, parseDatePattern, StrftimeError } from "../../src/library/strftime.ts";

const SAMPLE = localTime(Date.parse("2018-07-05T09:03:02.816-04:00"), -4 * 3600);

function at(local: string): ReturnType<typeof localTime> {
  return localTime(Date.parse(`${local}Z`), 0);
}

function format(pattern: string, time = SAMPLE): string {
  return formatDate(parseDatePattern(pattern), time);
}

describe("date patterns", () => {
  test.each([
    ["%Y %C %y %G %g", "2018 20 18 2018 18"],
    ["%m %b %h %B", "07 Jul Jul July"],
    ["%d %e %j %a %A %u %w", "05  5 186 Thu Thursday 4 4"],
    ["%U %W %V", "26 27 27"],
    ["%F %D %x %v", "2018-07-05 07/05/18 07/05/18  5-Jul-2018"],
    ["%H|%k|%I|%l|%M|%S", "09| 9|09| 9|03|02"],
    ["%p %P %R %T %X %r", "AM am 09:03 09:03:02 09:03:02 09:03:02 AM"],
    ["%c", "Thu Jul  5 09:03:02 2018"],
    ["%f %3f %6f %9f", "816000000 816 816000 816000000"],
    ["%.f %.3f %.6f %.9f", ".816 .816 .816000 .816000000"],
    ["%z %:z %Z %s", "-0400 -04:00 -04:00 1530795782"],
    ["%+", "2018-07-05T09:03:02.816-04:00"],
    ["%%|%t|%n", "%|\t|\n"],
    ["%-d|%_d|%0e|%-m|%-j|%_H|%-y", "5| 5|05|7|186| 9|18"],
  ])("%s", (pattern, text) => {
    expect(format(pattern)).toBe(text);
  });

  test("count weeks over the turn of a year as ISO 8601 does", () => {
    expect(format("%G-W%V-%u", at("2018-12-31T00:00:00"))).toBe("2019-W01-1");
    expect(format("%G-W%V-%u", at("2021-01-03T00:00:00"))).toBe("2020-W53-7");
    expect(format("%G-W%V-%u", at("2016-01-01T00:00:00"))).toBe("2015-W53-5");
    expect(format("%G-W%V-%u", at("2024-12-30T00:00:00"))).toBe("2025-W01-1");
  });

  test("count weeks from the first Sunday and the first Monday", () => {
    expect(format("%U %W", at("2017-01-01T00:00:00"))).toBe("01 00");
    expect(format("%U %W", at("2018-01-01T00:00:00"))).toBe("00 01");
    expect(format("%U %W", at("2000-12-31T00:00:00"))).toBe("53 52");
  });

  test("tell noon from midnight on a clock of twelve hours", () => {
    expect(format("%I %p", at("2018-01-01T00:00:00"))).toBe("12 AM");
    expect(format("%I %p", at("2018-01-01T12:00:00"))).toBe("12 PM");
    expect(format("%l %P", at("2018-01-01T13:00:00"))).toBe(" 1 pm");
  });

  test("write a whole second without a fraction", () => {
    expect(format("%S%.f", at("2018-01-01T00:00:07"))).toBe("07");
  });

  test.each([
    ["%Q", "%Q", 1],
    ["Photos/%Y/%E", "%E", 11],
    ["%Y/%", "%", 4],
    ["%5Y", "%5", 1],
    ["%-B", "%-B", 1],
    ["%_p", "%_p", 1],
    ["%:x", "%:", 1],
    ["é%~", "%~", 2],
  ])("%s is refused, with the specifier and its place", (pattern, specifier, position) => {
    let thrown: unknown;
    try {
      parseDatePattern(pattern);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StrftimeError);
    expect(thrown).toMatchObject({ position });
    expect((thrown as StrftimeError).specifier.startsWith(specifier)).toBe(true);
  });
});

describe("the clock of a capture", () => {
  test("is the one where the photo was taken", () => {
    const time = localTime(Date.parse("2020-12-31T23:30:00Z"), 5.5 * 3600);
    expect(time).toMatchObject({ year: 2021, month: 1, day: 1, hour: 5, minute: 0, dayOfYear: 1, weekday: 5 });
  });

  test("is the machine's when the photo's is missing or can't be one", () => {
    const machine = () => -8 * 3600;
    const instant = Date.parse("2021-01-01T01:00:00Z");
    for (const offset of [undefined, 86_400, -86_400, 1.5, Number.NaN]) {
      expect(localTime(instant, offset, machine)).toMatchObject({ year: 2020, day: 31, offsetSeconds: -28_800 });
    }
    expect(localTime(instant, 86_399, machine).offsetSeconds).toBe(86_399);
  });

  test("never rounds up, before 1970 neither", () => {
    expect(localTime(Date.parse("2020-12-31T23:59:59.999Z") + 0.9, 0)).toMatchObject({ year: 2020, second: 59 });
    expect(localTime(-0.5, 0)).toMatchObject({ year: 1969, month: 12, day: 31, second: 59, epochSeconds: -1 });
  });

  test("knows years before 100", () => {
    expect(localTime(Date.parse("0005-03-01T00:00:00Z"), 0)).toMatchObject({ year: 5, dayOfYear: 60 });
  });

  test("reads the machine's zone to the second, as the machine has it", () => {
    const instant = Date.parse("2021-07-01T12:00:00Z");
    const here = new Date(instant);
    expect(localTime(instant, undefined)).toMatchObject({
      year: here.getFullYear(),
      month: here.getMonth() + 1,
      day: here.getDate(),
      hour: here.getHours(),
      minute: here.getMinutes(),
      offsetSeconds: 0 - here.getTimezoneOffset() * 60,
    });
  });
});
