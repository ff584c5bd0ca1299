/** Limits on when a photo was taken, as people write them (files.md 5.4, cli.md 1.5.3). */
import type { Asset } from "./asset.ts";
import { localTime, type ZoneOffset, zoneOfThisMachine } from "./local-time.ts";

const DAY = 86_400_000;

/** A day in the calendar of where the photo was taken; a moment on this machine's clock; or a distance from now. */
export type DateBound =
  /** `2024-12-31`, as days since 1970-01-01. */
  | { readonly form: "day"; readonly day: number }
  /** `2024-12-31T18:00:00`, as ms of a clock that counts from 1970-01-01 00:00 and knows no zone. */
  | { readonly form: "moment"; readonly wall: number }
  /** `30d`: so many times 24 hours before the start of a run. */
  | { readonly form: "ago"; readonly days: number };

/** The three forms that `parseDateBound` takes, for messages. */
export const DATE_FORMS = "2024-12-31, 2024-12-31T18:00:00 or 30d";

/** Undefined for anything else than the three forms, and for days that no calendar has. */
export function parseDateBound(text: string): DateBound | undefined {
  const ago = /^(\d{1,9})d$/.exec(text);
  if (ago !== null) return { form: "ago", days: Number(ago[1]) };
  const date = /^(\d{4})-(\d\d)-(\d\d)(T(\d\d):(\d\d):(\d\d))?$/.exec(text);
  if (date === null) return undefined;
  const wall = Date.parse(date[4] === undefined ? `${text}T00:00:00Z` : `${text}Z`);
  // What the calendar does not have (31 April, 24:00) comes back as another moment, or as none.
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(text)) return undefined;
  return date[4] === undefined ? { form: "day", day: wall / DAY } : { form: "moment", wall };
}

/** What bounds are measured against. */
export interface BoundContext {
  /** Start of the run, ms since the epoch. */
  readonly now: number;
  readonly machineZone?: ZoneOffset;
}

type Taken = Pick<Asset, "capturedAt" | "timeZoneOffset">;

/**
 * Negative when the photo was taken before the bound, positive when after, 0 when on it. A whole day is one bound: any
 * time of it, on the clock where the photo was taken, is 0.
 */
export function compareToBound(taken: Taken, bound: DateBound, { now, machineZone }: BoundContext): number {
  switch (bound.form) {
    case "day": {
      const { capturedAt, timeZoneOffset } = taken;
      const { offsetSeconds } = localTime(capturedAt, timeZoneOffset, machineZone);
      return Math.sign(Math.floor((Math.floor(capturedAt) + offsetSeconds * 1000) / DAY) - bound.day);
    }
    case "moment":
      return Math.sign(taken.capturedAt - momentOf(bound.wall, machineZone ?? zoneOfThisMachine));
    case "ago":
      return Math.sign(taken.capturedAt - (now - bound.days * DAY));
  }
}

/** When a clock in a zone shows a time. The zone is asked twice, since its offset depends on the answer. */
function momentOf(wall: number, zone: ZoneOffset): number {
  const near = wall - zone(wall) * 1000;
  return wall - zone(near) * 1000;
}

/** Whether nothing can lie between two bounds; undefined for an absent one. For a warning only. */
export function isEmptyRange(
  before: DateBound | undefined,
  after: DateBound | undefined,
  context: BoundContext,
): boolean {
  if (before === undefined || after === undefined) return false;
  const start = startOf(before, context);
  const end = startOf(after, context) + (after.form === "day" ? DAY - 1 : 0);
  return start > end;
}

function startOf(bound: DateBound, { now, machineZone = zoneOfThisMachine }: BoundContext): number {
  if (bound.form === "ago") return now - bound.days * DAY;
  return momentOf(bound.form === "day" ? bound.day * DAY : bound.wall, machineZone);
}
